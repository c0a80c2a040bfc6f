/** Every loss, evaluated in shards and merged, has the bits of one evaluation: figures and files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as torch from '../../../lib';
import { evaluateFiles, type Evaluated as Outcome } from '../../../lib/evaluate/evaluation';
import { openArray } from '../../../lib/evaluate/files/open';
import { Window } from '../../../lib/evaluate/files/window';
import { type Merged, mergeShards } from '../../../lib/evaluate/merge';
import type { EvaluationRequest } from '../../../lib/evaluate/request';
import { rowsOfShard } from '../../../lib/evaluate/shard';
import { readShardText } from '../../../lib/evaluate/shard-state';
import { npy, npz } from '../../support/arrays';
import { type Evaluated, evaluatedLosses, evaluatedNames, rowCount } from '../../support/batches';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

quietly();

const here = folder('for each test');

function mergeFiles(paths: readonly string[]): Merged {
  return mergeShards(paths.map((path) => [path, readShardText(path)]));
}

/** Writes an array; gives its path. */
function save(name: string, tensor: torch.Tensor): string {
  const path = join(here.path, `${name}.safetensors`);
  torch.safetensors.saveFile({ [name]: tensor.contiguous() }, path);
  return path;
}

/** What to evaluate, with all arrays in files. */
function requestOf({ description, args, options }: Evaluated): EvaluationRequest {
  const files = args.map((tensor, i): [string, string[]] => {
    const name = description.arguments[i] as string;
    // Files have a row for each sample.
    return [name, [save(name, description.batchDim[name] === 1 ? tensor.transpose(0, 1) : tensor)]];
  });
  const given = Object.entries(options).map(([name, value]) => {
    return [name, value instanceof torch.Tensor ? save(`option-${name}`, value) : value];
  });
  return {
    loss: description.name,
    arguments: Object.fromEntries(files),
    options: Object.fromEntries(given),
    devices: ['cpu'],
    batchRows: 50,
    dtype: undefined,
    standardInput: undefined,
    perSample: undefined,
    gradient: undefined,
    groups: undefined,
    predictions: true,
    details: true,
    onProgress: () => {},
    signal: new AbortController().signal,
  };
}

async function shard(request: EvaluationRequest, index: number, count: number): Promise<Outcome & { path: string }> {
  const path = join(here.path, `${index}.json`);
  const perSample = join(here.path, `losses-${index}.npy`);
  const state = { path, version: '1.2.3' };
  return { path, ...(await evaluateFiles({ ...request, perSample, shard: { index, count }, state })) };
}

function elements(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(10 + bytes.readUInt16LE(8));
}

describe.each([1, 3])('of %i', (count) => {
  test.each(evaluatedNames)('%s', async (name) => {
    const evaluated = evaluatedLosses('float32').find((loss) => loss.name === name) as Evaluated;
    const groups = [save('groups', torch.arange(rowCount).remainder(4))];
    const request = { ...requestOf(evaluated), groups };
    const perSample = join(here.path, 'losses.npy');
    const whole = await evaluateFiles({ ...request, perSample });
    const shards = [];
    // In another order than that of the rows, in batches of another size.
    for (let index = count - 1; index >= 0; index--) shards.push(await shard(sized(request, name), index, count));
    const merged = mergeFiles(shards.map(({ path }) => path));
    expect(merged.result).toEqual(whole.result);
    expect(merged.bytes).toBe(whole.bytes);
    const written = Array.from({ length: count }, (_, i) => elements(join(here.path, `losses-${i}.npy`)));
    expect(Buffer.concat(written).equals(elements(perSample))).toBe(true);
  });
});

/** Matrix products round by the size of the batch. */
function sized(request: EvaluationRequest, name: string): EvaluationRequest {
  return name.startsWith('linearCrossEntropy') ? request : { ...request, batchRows: 37 };
}

test.each([1, 2, 4])('with %i threads', async (threads) => {
  const before = torch.getNumThreads();
  torch.manualSeed(3);
  const [x, y] = [torch.randn(3001, 40), torch.rand(3001, 40)];
  const description = evaluatedLosses('float32').find(({ name }) => name.startsWith('poissonNllLoss')) as Evaluated;
  const request = { ...requestOf({ ...description, args: [x, y], options: {} }), batchRows: undefined };
  torch.setNumThreads(1);
  try {
    const whole = await evaluateFiles(request);
    torch.setNumThreads(threads);
    const paths = [];
    for (let index = 0; index < 5; index++) paths.push((await shard(request, index, 5)).path);
    expect(mergeFiles(paths).result).toEqual(whole.result);
    expect((await evaluateFiles(request)).result).toEqual(whole.result);
  } finally {
    torch.setNumThreads(before);
  }
});

test('more shards than rows: some are empty', async () => {
  const [evaluated] = evaluatedLosses('float32', 3) as [Evaluated];
  const request = requestOf(evaluated);
  const whole = await evaluateFiles(request);
  const outcomes = [];
  for (let index = 0; index < 5; index++) outcomes.push(await shard(request, index, 5));
  expect(outcomes.map(({ rows: { first, end } }) => [first, end])).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 3],
    [3, 3],
  ]);
  expect(outcomes[4]?.result).toMatchObject({ count: 0, loss: Number.NaN });
  expect(mergeFiles(outcomes.map(({ path }) => path)).result).toEqual(whole.result);
});

test('the worst samples of a shard have their places in the whole data', async () => {
  const evaluated = evaluatedLosses('float32').find(({ name }) => name === 'crossEntropy, places') as Evaluated;
  const request = requestOf(evaluated);
  const whole = await evaluateFiles(request);
  const places = [];
  for (let index = 0; index < 3; index++) places.push(...((await shard(request, index, 3)).result.worst ?? []));
  const worst = places.sort((a, b) => b.loss - a.loss || a.index - b.index).slice(0, 20);
  expect(worst).toEqual(whole.result.worst);
});

test('a label out of range is named by its place in the whole data', async () => {
  const [evaluated] = evaluatedLosses('float32') as [Evaluated];
  const labels = (evaluated.args[1] as torch.Tensor).clone();
  labels.narrow(0, 140, 1).fill_(99);
  const request = requestOf({ ...evaluated, args: [evaluated.args[0] as torch.Tensor, labels] });
  await expect(shard(request, 2, 3)).rejects.toThrow('but received 99 at index 140');
});

test('rows are shared out evenly, in order, from multiples of the unit', () => {
  const some = fc.record({
    total: fc.nat(5000),
    count: fc.integer({ min: 1, max: 70 }),
    unit: fc.constantFrom(1, 7, 64),
  });
  fc.assert(
    fc.property(some, ({ total, count, unit }) => {
      const all = Array.from({ length: count }, (_, index) => rowsOfShard({ index, count }, total, unit));
      expect(all[0]?.first).toBe(0);
      expect(all.at(-1)?.end).toBe(total);
      for (const [i, { first, end }] of all.entries()) {
        if (i > 0) expect(first).toBe(all[i - 1]?.end);
        if (end < total) expect(end % unit).toBe(0);
      }
      const sizes = all.map(({ first, end }) => end - first);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(2 * unit);
      if (unit === 1) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
    { seed: 5 },
  );
});

describe('windows of rows', () => {
  const values = (first: number, count: number): number[] => Array.from({ length: 2 * count }, (_, i) => 2 * first + i);
  const part = (first: number, count: number, fortranOrder = false): Buffer =>
    npy({ kind: 'f4', shape: [count, 2], values: values(first, count), fortranOrder });
  const sources: [string, () => string | string[]][] = [
    ['a file', () => here.file('x.npy', part(0, 20))],
    ['Fortran order', () => here.file('x.npy', part(0, 20, true))],
    ['a stored member', () => here.file('x.npz', npz({ x: part(0, 20) }))],
    ['a deflated member', () => here.file('x.npz', npz({ x: part(0, 20) }, 8))],
    ['a deflated member in Fortran order', () => here.file('x.npz', npz({ x: part(0, 20, true) }, 8))],
    [
      'several files, one of them empty',
      () => [
        here.file('a.npy', part(0, 7)),
        here.file('b.npy', part(7, 0)),
        here.file('c.npz', npz({ x: part(7, 6) }, 8)),
        here.file('d.npy', part(13, 7)),
      ],
    ],
  ];

  test.each(sources)('%s', async (_, make) => {
    const spec = make();
    for (const [first, end] of [
      [0, 20],
      [0, 7],
      [3, 9],
      [7, 13],
      [8, 20],
      [14, 19],
      [20, 20],
      [5, 5],
    ] as const) {
      for (const step of [1, 4, 100]) {
        const source = await openArray(spec);
        const window = new Window(source, { first, end });
        expect([window.rows, window.rowShape, window.dtype]).toEqual([end - first, [2], 'float32']);
        const read: number[] = [];
        for (let rows = await window.read(step); rows !== undefined; rows = await window.read(step)) {
          expect(rows.shape[0]).toBeLessThanOrEqual(step);
          read.push(...(rows.reshape([-1]).toArray() as number[]));
        }
        window.close();
        expect(read).toEqual(values(first, end - first));
      }
    }
  });

  test.each(sources)('rows are left out in the middle of %s', async (_, make) => {
    const source = await openArray(make());
    const window = new Window(source, { first: 2, end: 18 });
    const at = async (): Promise<unknown> => (await window.read(1))?.toArray();
    expect(await at()).toEqual([values(2, 1)]);
    await window.skip(9);
    expect(await at()).toEqual([values(12, 1)]);
    await window.skip(100);
    expect(await at()).toBeUndefined();
    window.close();
  });
});
