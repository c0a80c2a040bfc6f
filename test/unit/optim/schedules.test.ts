/** What schedules have in common: arguments, checks, warnings, state dicts, classes of users. */
import * as torch from '../../../lib';

const { optim } = torch;
const { lrScheduler } = optim;

function makeOptimizer(lr = 1, momentum = 0.9): torch.optim.SGD {
  return new optim.SGD([torch.zeros([1]).requiresGrad_()], lr, momentum);
}

const rate = (optimizer: torch.optim.Optimizer): unknown => optimizer.paramGroups[0]?.lr;

describe('arguments', () => {
  test('go by position, by name, or both', () => {
    for (const make of [
      (of: torch.optim.SGD) => new lrScheduler.StepLR(of, 2, 0.5),
      (of: torch.optim.SGD) => new lrScheduler.StepLR(of, { stepSize: 2, gamma: 0.5 }),
      (of: torch.optim.SGD) => new lrScheduler.StepLR(of, 2, { gamma: 0.5 }),
      (of: torch.optim.SGD) => new lrScheduler.StepLR({ optimizer: of, stepSize: 2, gamma: 0.5 } as never),
    ]) {
      const optimizer = makeOptimizer();
      const scheduler = make(optimizer);
      expect([scheduler.stepSize, scheduler.gamma, scheduler.lastEpoch]).toEqual([2, 0.5, 0]);
      optimizer.step();
      scheduler.step();
      scheduler.step();
      expect(rate(optimizer)).toBe(0.5);
      expect(scheduler.getLastLr()).toEqual([0.5]);
    }
  });

  test.each<[string, () => unknown, string]>([
    ['no optimizer', () => new lrScheduler.StepLR({} as never, 2), "StepLR: expected 'optimizer' to be an Optimizer"],
    ['nothing', () => new lrScheduler.StepLR(makeOptimizer()), "StepLR: expected option 'stepSize' to be given"],
    ['0 steps', () => new lrScheduler.StepLR(makeOptimizer(), 0), "option 'stepSize' to be an integer >= 1"],
    ['a name', () => new lrScheduler.StepLR(makeOptimizer(), { stepsize: 2 } as never), "did you mean 'stepSize'"],
    ['no function', () => new lrScheduler.LambdaLR(makeOptimizer(), 0.5 as never), 'to be a function of the epoch'],
    [
      'two',
      () => new lrScheduler.LambdaLR(makeOptimizer(), [() => 1, () => 1]),
      'for each of 1 groups, but received 2',
    ],
    ['a factor', () => new lrScheduler.ConstantLR(makeOptimizer(), 2), "option 'factor' to be a number in [0, 1]"],
    ['no factor', () => new lrScheduler.LinearLR(makeOptimizer(), 0), "option 'startFactor' to be a number in (0, 1]"],
    ['milestones', () => new lrScheduler.MultiStepLR(makeOptimizer(), 3 as never), 'to be an array of epochs'],
    ['a fraction', () => new lrScheduler.CosineAnnealingWarmRestarts(makeOptimizer(), 1.5), "option 'T0'"],
    ['a mode', () => new lrScheduler.CyclicLR(makeOptimizer(), 0.1, 1, { mode: 'square' as never }), "option 'mode'"],
    ['no steps', () => new lrScheduler.OneCycleLR(makeOptimizer(), 1), "option 'totalSteps' to be given, or epochs"],
    ['a metric', () => new lrScheduler.ReduceLROnPlateau(makeOptimizer(), 'least' as never), "option 'mode'"],
    [
      'growth',
      () => new lrScheduler.ReduceLROnPlateau(makeOptimizer(), { factor: 2 }),
      "option 'factor' to be a number < 1",
    ],
    ['no schedules', () => new lrScheduler.ChainedScheduler([]), "'schedulers' to be an array of schedulers"],
    ['resuming', () => new lrScheduler.ExponentialLR(makeOptimizer(), 0.9, 3), "to have 'initialLr' for lastEpoch 3"],
    [
      'no momentum',
      () => new lrScheduler.OneCycleLR(new optim.Adagrad([torch.zeros([1])]), 1, { totalSteps: 9 }),
      "expected option 'cycleMomentum' to go with an optimizer that has 'momentum' or 'betas', but received Adagrad",
    ],
  ])('%s is refused', (_, call, message) => {
    expect(call).toThrow(message);
  });

  test('schedules of schedules belong together', () => {
    const optimizer = makeOptimizer();
    const part = new lrScheduler.ExponentialLR(optimizer, 0.5);
    const other = new lrScheduler.ExponentialLR(makeOptimizer(), 0.5);
    const plateau = new lrScheduler.ReduceLROnPlateau(optimizer);
    expect(() => new lrScheduler.SequentialLR(optimizer, [part, other], [3])).toThrow(
      "'schedulers[1]' to belong to the same",
    );
    expect(() => new lrScheduler.SequentialLR(optimizer, [part, plateau], [3])).toThrow('to step without a metric');
    expect(() => new lrScheduler.SequentialLR(optimizer, [part], [3])).toThrow(
      "'milestones' to be an array of 0 epochs",
    );
    expect(() => new lrScheduler.ChainedScheduler([part, other])).toThrow("'schedulers[1]' to belong to the same");
    expect(new lrScheduler.SequentialLR(optimizer, { schedulers: [part], milestones: [] }).lastEpoch).toBe(0);
  });
});

describe('warnings', () => {
  let warnings: string[];
  beforeEach(() => {
    warnings = [];
    jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
  });
  afterEach(() => jest.restoreAllMocks());

  test('tell of a schedule that steps first', () => {
    const optimizer = makeOptimizer();
    const scheduler = new lrScheduler.ExponentialLR(optimizer, 0.5);
    optimizer.step();
    scheduler.step();
    expect(warnings).toEqual([]);
    new lrScheduler.ExponentialLR(makeOptimizer(), 0.5).step();
    expect(warnings.join()).toContain('scheduler.step() was called before optimizer.step()');
  });

  test('tell of epochs, and of rates that are asked for in between', () => {
    const scheduler = new lrScheduler.ExponentialLR(makeOptimizer(), 0.5);
    scheduler.getLr();
    scheduler.step(3);
    expect(warnings.join()).toMatch(/getLastLr\(\).*step\(epoch\) is deprecated/);
    expect(scheduler.getLastLr()).toEqual([0.125]);
  });

  test('tell of a step that was replaced', () => {
    const optimizer = makeOptimizer();
    const scheduler = new lrScheduler.ExponentialLR(optimizer, 0.5);
    optimizer.step = (() => undefined) as never;
    scheduler.step();
    expect(warnings.join()).toContain("The optimizer's step() was replaced");
  });
});

test('a class of a user computes its own rates', () => {
  class Halving extends lrScheduler.LRScheduler {
    declare every: number;
    constructor(optimizer: torch.optim.Optimizer, every: number) {
      super(optimizer, -1, { every });
    }
    override getLr(): (number | torch.Tensor)[] {
      return this.baseLrs.map((lr) => (lr as number) / 2 ** Math.floor(this.lastEpoch / this.every));
    }
  }
  const optimizer = makeOptimizer();
  const scheduler = new Halving(optimizer, 2);
  optimizer.step();
  for (let i = 0; i < 4; i++) scheduler.step();
  expect(rate(optimizer)).toBe(0.25);
  expect(scheduler.stateDict()).toMatchObject({ every: 2, base_lrs: [1], last_epoch: 4 });
  expect(() => new lrScheduler.LRScheduler(optimizer)).toThrow('that writes getLr()');
});

test('a rate that is a tensor stays the same tensor', () => {
  const lr = torch.tensor(1);
  const optimizer = new optim.SGD([torch.zeros([1]).requiresGrad_()], lr);
  const scheduler = torch.scope(() => new lrScheduler.ExponentialLR(optimizer, 0.5));
  optimizer.step();
  torch.scope(() => scheduler.step());
  expect(rate(optimizer)).toBe(lr);
  expect(lr.item()).toBe(0.5);
  expect((scheduler.getLastLr()[0] as torch.Tensor).item()).toBe(0.5);
});

describe('state dicts', () => {
  test('of functions hold their properties', () => {
    const lambda = Object.assign((epoch: number) => lambda.factor ** epoch, { factor: 0.5 });
    const optimizer = makeOptimizer();
    const scheduler = new lrScheduler.LambdaLR(optimizer, lambda);
    expect(scheduler.stateDict().lr_lambdas).toEqual([{ factor: 0.5 }]);
    expect(new lrScheduler.LambdaLR(makeOptimizer(), () => 1).stateDict().lr_lambdas).toEqual([null]);
    scheduler.loadStateDict({ ...scheduler.stateDict(), lr_lambdas: [{ factor: 0.25 }] });
    optimizer.step();
    scheduler.step();
    expect(rate(optimizer)).toBe(0.25);
  });

  test('may come from Python: milestones by name, Maps', () => {
    const optimizer = makeOptimizer();
    const scheduler = new lrScheduler.MultiStepLR(optimizer, [1], 0.5);
    expect(scheduler.stateDict().milestones).toEqual(new Map([[1, 1]]));
    scheduler.loadStateDict(
      new Map<string, unknown>([
        ['milestones', { 1: 2 }],
        ['last_epoch', 0],
      ]),
    );
    optimizer.step();
    scheduler.step();
    expect(rate(optimizer)).toBe(0.25);
  });

  test.each<[unknown, string]>([
    [3, "expected 'stateDict' to be an object or a Map, but received 3"],
    [{ step: 3 }, "to hold values of a schedule, but received 'step'"],
    [{ optimizer: 3 }, "to hold values of a schedule, but received 'optimizer'"],
  ])('that are none are refused: %j', (dict, message) => {
    const scheduler = new lrScheduler.ExponentialLR(makeOptimizer(), 0.5);
    expect(() => scheduler.loadStateDict(dict as never)).toThrow(message);
    expect(scheduler.lastEpoch).toBe(0);
  });
});
