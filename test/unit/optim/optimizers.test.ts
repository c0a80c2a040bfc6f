/** What single optimizers refuse, and that none keeps more than its state. */
import * as torch from '../../../lib';

const { optim } = torch;

function parameter(shape: number[] = [2, 3]): torch.Tensor {
  const made = torch.ones(shape).requiresGrad_();
  made.grad = torch.ones(shape);
  return made;
}

const classes = {
  ASGD: optim.ASGD,
  Adadelta: optim.Adadelta,
  Adafactor: optim.Adafactor,
  Adagrad: optim.Adagrad,
  Adam: optim.Adam,
  AdamW: optim.AdamW,
  Adamax: optim.Adamax,
  LBFGS: optim.LBFGS,
  Muon: optim.Muon,
  NAdam: optim.NAdam,
  RAdam: optim.RAdam,
  RMSprop: optim.RMSprop,
  Rprop: optim.Rprop,
  SGD: optim.SGD,
  SparseAdam: optim.SparseAdam,
} as const;

type Name = keyof typeof classes;

const names = Object.keys(classes) as Name[];

function make(name: Name, params: torch.Tensor[], options: Record<string, unknown> = {}): torch.optim.Optimizer {
  const made = classes[name] as unknown as new (params: torch.Tensor[], options: object) => torch.optim.Optimizer;
  return new made(params, options);
}

test.each(names)('%s refuses rates that are none', (name) => {
  for (const lr of [Number.NaN, -1, '0.1']) {
    expect(() => make(name, [parameter()], { lr })).toThrow(`${name}: expected option 'lr' to be a number >= 0`);
  }
  expect(() => make(name, [])).toThrow(`${name}: expected 'params' to hold at least one parameter`);
  expect(() => make(name, [parameter()], { learningRate: 1 })).toThrow(`${name}: unknown option 'learningRate'`);
});

test.each(names)('%s refuses rates that stopped being numbers, and moves nothing', (name) => {
  for (const lr of ['0.1', undefined]) {
    const x = parameter();
    const before = x.toArray();
    const optimizer = make(name, [x]);
    Object.assign(optimizer.paramGroups[0] as object, { lr });
    const closure = (): torch.Tensor => {
      x.grad = name === 'SparseAdam' ? torch.ones([2, 3]).toSparse() : torch.ones([2, 3]);
      return x.sum();
    };
    expect(() => optimizer.step(closure)).toThrow(`${name}: expected option 'lr' to be a number, but received`);
    expect(x.toArray()).toEqual(before);
  }
});

test.each(names)('%s keeps nothing but its state', (name) => {
  const x = parameter();
  const target = torch.zeros([2, 3]);
  const optimizer = make(name, [x], name === 'LBFGS' ? { lineSearchFn: 'strong_wolfe', historySize: 2 } : {});
  const step = (): void => {
    if (name === 'SparseAdam') x.grad = torch.ones([2, 3]).toSparse();
    optimizer.step(() =>
      name === 'LBFGS'
        ? torch.scope(() => {
            optimizer.zeroGrad();
            const loss = x.sub(target).pow(4).sum();
            loss.backward();
            return loss.item();
          })
        : 0,
    );
  };
  for (let i = 0; i < 4; i++) torch.scope(step);
  const { tensors } = torch.memory();
  for (let i = 0; i < 8; i++) torch.scope(step);
  // In the collector's own time the tensors of earlier memories of L-BFGS go.
  expect(torch.memory().tensors - tensors).toBeLessThanOrEqual(name === 'LBFGS' ? 100 : 0);
  for (const kept of optimizer.state.values()) {
    for (const value of Object.values(kept).flat()) if (torch.isTensor(value)) expect(value.isDisposed).toBe(false);
  }
});

test.each<[Name, Record<string, unknown>, string]>([
  ['Adadelta', { rho: 2 }, "option 'rho' to be a number in [0, 1], but received 2"],
  ['Adafactor', { beta2Decay: 0.5 }, "option 'beta2Decay' to be a number <= 0, but received 0.5"],
  ['Adafactor', { d: 0.5 }, "option 'd' to be a number >= 1, but received 0.5"],
  ['Adafactor', { eps: [-1, 0] }, "option 'eps' to be two numbers >= 0, of which the first may be null"],
  ['Adagrad', { initialAccumulatorValue: -1 }, "option 'initialAccumulatorValue' to be a number >= 0"],
  ['Adamax', { betas: [0.9, Number.NaN] }, "option 'betas' to be two numbers in [0, 1), but received [0.9, NaN]"],
  ['Muon', { nsSteps: 100 }, "option 'nsSteps' to be an integer < 100, but received 100"],
  ['Muon', { adjustLrFn: 'originel' }, "(did you mean 'original'?)"],
  ['RMSprop', { momentum: -1 }, "option 'momentum' to be a number >= 0"],
  ['Rprop', { etas: [0.5, 0.9] }, "option 'etas' to be two numbers, in (0, 1) and > 1, but received [0.5, 0.9]"],
  ['SparseAdam', { lr: 0 }, "option 'lr' to be a number > 0, but received 0"],
  ['SparseAdam', { eps: 0 }, "option 'eps' to be a number > 0, but received 0"],
  ['LBFGS', { lineSearchFn: 'wolfe' }, "option 'lineSearchFn' to be one of 'strong_wolfe'"],
])('%s refuses %j', (name, options, message) => {
  expect(() => make(name, [parameter()], options)).toThrow(
    `${name}: expected ${message}`.slice(0, message.startsWith('(') ? 6 : undefined),
  );
  expect(() => make(name, [parameter()], options)).toThrow(message);
});

test('parameters that cannot be moved are refused', () => {
  const complex = torch.ones([2, 2], { dtype: 'complex64' }).requiresGrad_();
  expect(() => new optim.Muon([parameter([3])])).toThrow("Muon: expected 'params[0]' to be a matrix");
  expect(() => new optim.Adafactor([complex])).toThrow(
    "Adafactor: expected 'params[0]' to be real, but received complex64",
  );
  expect(() => new optim.SparseAdam([complex])).toThrow("SparseAdam: expected 'params[0]' to be real");
  expect(() => new optim.SparseAdam([parameter()]).step()).toThrow('SparseAdam: expected sparse gradients');
  const groups = [{ params: [parameter()] }, { params: [parameter()] }];
  expect(() => new optim.LBFGS(groups)).toThrow("LBFGS: expected 'params' to be one group, but received 2");
});

test('Adagrad has its state from the beginning', () => {
  const x = parameter([2]);
  const optimizer = new optim.Adagrad([x], { initialAccumulatorValue: 0.5 });
  expect(String(optimizer.state.get(x)?.sum)).toBe('tensor([0.5000, 0.5000])');
});

describe('L-BFGS', () => {
  test.each([[null], ['strong_wolfe' as const]])('is as before if the closure throws in a step: %s', (lineSearchFn) => {
    const x = parameter([3]);
    const optimizer = new optim.LBFGS([x], { lr: 0.1, lineSearchFn });
    let calls = 0;
    const closure = (last: number) => () => {
      if (calls++ === last) throw new Error('mine');
      optimizer.zeroGrad();
      const loss = x.sub(3).pow(4).sum();
      loss.backward();
      return loss;
    };
    optimizer.step(closure(-1));
    const before = {
      x: x.toArray(),
      state: String(optimizer.state.get(x)?.d),
      evaluations: optimizer.state.get(x)?.funcEvals,
    };
    for (const last of [0, 1, 3]) {
      calls = 0;
      expect(() => optimizer.step(closure(last))).toThrow('mine');
      const { d, funcEvals } = optimizer.state.get(x) as { d: torch.Tensor; funcEvals: number };
      expect({ x: x.toArray(), state: String(d), evaluations: funcEvals }).toEqual(before);
    }
  });

  test('needs a closure that gives the loss', () => {
    const optimizer = new optim.LBFGS([parameter()]);
    expect(() => optimizer.step()).toThrow("step: expected 'closure' to be a function");
    expect(() => optimizer.step(() => undefined)).toThrow("step: expected 'closure' to give the loss");
  });

  test('goes on from a state dict', () => {
    const [a, b] = [parameter([3]), parameter([3])];
    const train = (optimizer: torch.optim.LBFGS, x: torch.Tensor): void => {
      optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = x
          .mul(torch.tensor([1, 2, 3]))
          .sub(3)
          .pow(4)
          .sum();
        loss.backward();
        return loss;
      });
    };
    const one = new optim.LBFGS([a], { maxIter: 3 });
    train(one, a);
    torch.noGrad(() => b.copy_(a));
    const other = new optim.LBFGS([b], { maxIter: 3 });
    other.loadStateDict(one.stateDict());
    train(one, a);
    train(other, b);
    expect(b.toArray()).toEqual(a.toArray());
  });
});
