/** The learning rates of 50 steps of every schedule, as PyTorch's own gave them: scripts/golden/schedules.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { readManifest, vectors } from '../../lib/parity/vectors';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Case {
  scheduler: string;
  options: Record<string, Json>;
  optimizer: 'SGD' | 'Adam';
  tensor?: true;
  epochs?: number[];
  steps: number[][];
  state: Record<string, Json>;
}

const { cases, metrics } = JSON.parse(readFileSync(join(__dirname, 'schedules.json'), 'utf8')) as {
  cases: Case[];
  metrics: number[];
};

const functions: Record<string, (x: number) => number> = {
  inverse: (epoch) => 1 / (1 + epoch),
  saw: (epoch) => ((epoch % 7) + 1) / 7,
  nearly: () => 0.97,
  half: (x) => 1 / (1 + 0.5 * x),
};

const { lrScheduler } = torch.optim;

type Scheduler = torch.optim.lrScheduler.LRScheduler;

function makeOptimizer({ optimizer, tensor }: Case): torch.optim.Optimizer {
  const lrs = tensor ? [torch.tensor(0.1), torch.tensor(1 / 3)] : [0.1, 1 / 3];
  const groups = lrs.map((lr) => ({ params: [torch.zeros([2]).requiresGrad_()], lr }));
  return optimizer === 'SGD' ? new torch.optim.SGD(groups, { momentum: 0.9 }) : new torch.optim.Adam(groups);
}

function makeScheduler(optimizer: torch.optim.Optimizer, name: string, options: Record<string, Json>): Scheduler {
  const read = (key: string, value: Json): unknown => {
    if (key === 'lr_lambda' || key === 'scale_fn') {
      return Array.isArray(value) ? value.map((v) => functions[v as string]) : functions[value as string];
    }
    if (key !== 'schedulers') return value;
    return (value as [string, Record<string, Json>][]).map((part) => makeScheduler(optimizer, ...part));
  };
  const keywords = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [camelCase(key), read(key, value)]),
  );
  const classes = { ...torch.optim.swaUtils, ...lrScheduler };
  const made = classes[name as 'StepLR'] as unknown as new (...args: unknown[]) => Scheduler;
  return name === 'ChainedScheduler' ? new made(keywords.schedulers) : new made(optimizer, keywords);
}

function seen({ scheduler }: Case, optimizer: torch.optim.Optimizer): number[] {
  const numbers = optimizer.paramGroups.map(({ lr }) => (torch.isTensor(lr) ? lr.item() : lr) as number);
  if (scheduler !== 'CyclicLR' && scheduler !== 'OneCycleLR') return numbers;
  return [...numbers, ...optimizer.paramGroups.map(({ betas, momentum }) => (betas?.[0] ?? momentum) as number)];
}

/** Numbers that JSON lacks are strings; tensors hold one number. */
function plain(value: unknown): unknown {
  if (torch.isTensor(value)) return { tensor: value.item() };
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

function step(golden: Case, scheduler: Scheduler, i: number): void {
  scheduler.step(golden.scheduler === 'ReduceLROnPlateau' ? metrics[i] : golden.epochs?.[i]);
}

beforeAll(() => {
  jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterAll(() => jest.restoreAllMocks());

const named = cases.map((golden) => {
  const how = [golden.optimizer, ...(golden.tensor ? ['tensor'] : []), ...(golden.epochs ? ['epochs'] : [])].join(' ');
  return [`${golden.scheduler} ${JSON.stringify(golden.options)} ${how}`, golden] as const;
});

const judge = judgeFor(readManifest(vectors), thisHost());
const manner = judge.exact ? 'exactly' : `to 12 decimal places (${judge.because})`;

/** What is recorded, to the bit or nearly: other C libraries have other last bits. */
function recorded(value: unknown): unknown {
  if (judge.exact) return value;
  if (typeof value === 'number') return expect.closeTo(value, 12);
  if (Array.isArray(value)) return value.map(recorded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recorded(item)]));
}

describe.each(named)(`%s, ${manner}`, (_, golden) => {
  test('gives the rates of PyTorch, and its state', () => {
    const optimizer = makeOptimizer(golden);
    const scheduler = makeScheduler(optimizer, golden.scheduler, golden.options);
    const steps = [seen(golden, optimizer)];
    for (let i = 0; i < 50; i++) {
      optimizer.step();
      step(golden, scheduler, i);
      steps.push(seen(golden, optimizer));
    }
    expect(steps).toEqual(recorded(golden.steps));
    expect(plain(scheduler.stateDict())).toEqual(recorded(golden.state));
    const last = scheduler.getLastLr().map((lr) => (torch.isTensor(lr) ? lr.item() : lr));
    expect(last).toEqual(recorded(golden.steps.at(-1)?.slice(0, 2)));
  });

  test('goes on from its state', () => {
    const first = makeOptimizer(golden);
    const begun = makeScheduler(first, golden.scheduler, golden.options);
    for (let i = 0; i < 20; i++) step(golden, begun, i);
    const optimizer = makeOptimizer(golden);
    const scheduler = makeScheduler(optimizer, golden.scheduler, golden.options);
    scheduler.loadStateDict(begun.stateDict());
    optimizer.loadStateDict(first.stateDict());
    const steps = [seen(golden, optimizer)];
    for (let i = 20; i < 50; i++) {
      step(golden, scheduler, i);
      steps.push(seen(golden, optimizer));
    }
    expect(steps).toEqual(recorded(golden.steps.slice(20)));
  });
});
