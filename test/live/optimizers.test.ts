/** Optimizers and schedules go on in Python where this library stopped, and the reverse, with the same bits. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { folder } from '../support/folder';
import { findPython } from '../support/live';

const { optim } = torch;
const { lrScheduler } = optim;

interface Run {
  options: Record<string, unknown>;
  scheduler: string;
  schedule: Record<string, unknown>;
}

const run = (options: Record<string, unknown>, scheduler: string, schedule: Record<string, unknown>): Run => ({
  options,
  scheduler,
  schedule,
});

const runs: Record<string, Run> = {
  ASGD: run({ t0: 2 }, 'StepLR', { step_size: 2 }),
  Adadelta: run({}, 'MultiStepLR', { milestones: [1, 3, 3] }),
  Adafactor: run({}, 'ConstantLR', {}),
  Adagrad: run({}, 'LinearLR', {}),
  Adam: run({ amsgrad: true }, 'OneCycleLR', { max_lr: 0.1, total_steps: 9 }),
  AdamW: run({ fused: true }, 'CosineAnnealingLR', { T_max: 7 }),
  Adamax: run({ foreach: true }, 'CosineAnnealingWarmRestarts', { T_0: 2, T_mult: 2 }),
  LBFGS: run({ max_iter: 3, line_search_fn: 'strong_wolfe' }, 'ExponentialLR', { gamma: 0.9 }),
  Muon: run({}, 'PolynomialLR', { power: 1.5 }),
  NAdam: run({ decoupled_weight_decay: true }, 'ExponentialLR', { gamma: 0.9 }),
  RAdam: run({}, 'ReduceLROnPlateau', { patience: 0 }),
  RMSprop: run({ momentum: 0.9, centered: true }, 'CyclicLR', { base_lr: 0.01, max_lr: 0.1, step_size_up: 3 }),
  Rprop: run({}, 'ExponentialLR', { gamma: 0.9 }),
  SGD: run({ lr: 0.1, momentum: 0.9, nesterov: true }, 'CyclicLR', { base_lr: 0.01, max_lr: 0.1, step_size_up: 3 }),
  SparseAdam: run({}, 'StepLR', { step_size: 1 }),
};

const keywords = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), value]));

/** The same as test/live/optimizers.py has. */
class Training {
  readonly #name: string;
  readonly #x = torch
    .tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    .requiresGrad_();
  readonly #optimizer: torch.optim.Optimizer;
  readonly #scheduler: torch.optim.lrScheduler.LRScheduler;

  constructor(name: string, { options, scheduler, schedule }: Run) {
    this.#name = name;
    const optimizers = optim as unknown as Record<string, new (...args: unknown[]) => torch.optim.Optimizer>;
    const schedulers = lrScheduler as unknown as Record<
      string,
      new (
        ...args: unknown[]
      ) => torch.optim.lrScheduler.LRScheduler
    >;
    this.#optimizer = new (optimizers[name] as (typeof optimizers)[string])([this.#x], keywords(options));
    const made = schedulers[scheduler] as (typeof schedulers)[string];
    this.#scheduler = new made(this.#optimizer, keywords(schedule));
  }

  #loss(): torch.Tensor {
    this.#optimizer.zeroGrad();
    const target = torch.tensor([
      [0.5, 1, 2],
      [3, 3, 3],
    ]);
    const loss = this.#x.sub(target).pow(2).sum();
    loss.backward();
    if (this.#name === 'SparseAdam') this.#x.grad = (this.#x.grad as torch.Tensor).toSparse();
    return loss;
  }

  step(): void {
    if (this.#name === 'LBFGS') this.#optimizer.step(() => this.#loss());
    else {
      this.#loss();
      this.#optimizer.step();
    }
    this.#scheduler.step(this.#scheduler instanceof lrScheduler.ReduceLROnPlateau ? 3 : undefined);
  }

  state(): object {
    const parts = { optimizer: this.#optimizer.stateDict(), scheduler: this.#scheduler.stateDict() };
    return { x: this.#x.detach().clone(), ...parts };
  }

  load(state: ReadonlyMap<string, unknown>): void {
    torch.noGrad(() => this.#x.copy_(state.get('x') as torch.Tensor));
    this.#scheduler.loadStateDict(state.get('scheduler') as ReadonlyMap<string, unknown>);
    this.#optimizer.loadStateDict(state.get('optimizer') as ReadonlyMap<string, unknown>);
  }

  seen(): unknown[] {
    return [...(this.#x.flatten().toArray() as number[]), ...this.#scheduler.getLastLr()];
  }
}

const python = findPython();
const here = folder();

if ('unavailable' in python) {
  test(`no PyTorch to go on with: ${python.unavailable}`, () => undefined);
} else {
  test('each goes on where the other stopped', () => {
    const threads = torch.getNumThreads();
    torch.setNumThreads(1);
    const expected: Record<string, unknown[]> = {};
    writeFileSync(join(here.path, 'runs.json'), JSON.stringify(runs));
    for (const [name, given] of Object.entries(runs)) {
      const training = new Training(name, given);
      training.step();
      training.step();
      torch.save(training.state(), join(here.path, `${name}.node.pt`));
      training.step();
      expected[name] = training.seen();
    }
    const { stdout, stderr, status } = spawnSync(python.command, [join(__dirname, 'optimizers.py'), here.path], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(expected);
    for (const [name, given] of Object.entries(runs)) {
      const training = new Training(name, given);
      const state: unknown = torch.load(join(here.path, `${name}.python.pt`));
      training.load(state instanceof Map ? state : new Map(Object.entries(state as object)));
      training.step();
      expect([name, training.seen()]).toEqual([name, expected[name]]);
    }
    torch.setNumThreads(threads);
  });
}
