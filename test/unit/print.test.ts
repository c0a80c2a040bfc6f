/** The printed form of tensors, against the texts that PyTorch itself printed (scripts/golden/print.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatTensor,
  type PrintedTensor,
  type PrintOptions,
  printDefaults,
  printedIndices,
} from '../../lib/torch/print';
import type { DType, Scalar } from '../../lib/types';

interface GoldenCase {
  dtype: DType;
  shape: number[];
  data: (number | boolean | string)[];
  device?: string;
  requiresGrad?: boolean;
  gradFn?: string;
  printOptions?: Omit<PrintOptions, 'threshold'> & { threshold?: number | 'Infinity' };
  text: string;
}

interface Golden {
  made: { torch: string; git: string; python: string; numpy: string; seed: number };
  cases: GoldenCase[];
}

const golden = JSON.parse(readFileSync(join(__dirname, '../golden/print.json'), 'utf8')) as Golden;
const strings: Record<string, number> = { nan: NaN, inf: Infinity, '-inf': -Infinity };

function element(value: number | boolean | string, dtype: DType): Scalar {
  if (typeof value === 'string') return strings[value] ?? BigInt(value);
  return typeof value === 'number' && dtype === 'float32' ? Math.fround(value) : value;
}

function printed(golden: GoldenCase): PrintedTensor {
  const { text: _, printOptions, ...rest } = golden;
  return {
    ...rest,
    data: golden.data.map((value) => element(value, golden.dtype)),
    printOptions: printOptions && {
      ...printOptions,
      threshold: printOptions.threshold && Number(printOptions.threshold),
    },
  };
}

describe('formatTensor', () => {
  test('prints what PyTorch prints, in every golden case', () => {
    expect(golden.cases.length).toBeGreaterThan(500);
    for (const one of golden.cases) expect({ ...one, text: formatTensor(printed(one)) }).toEqual(one);
  });

  test('picks the printed elements out of the whole data', () => {
    const summarized = golden.cases.filter(({ shape, data }) => data.length < shape.reduce((a, b) => a * b, 1));
    expect(summarized.length).toBeGreaterThan(30);
    for (const one of summarized) {
      const { data, ...rest } = printed(one);
      const whole = new Array<Scalar>(one.shape.reduce((a, b) => a * b, 1)).fill(one.dtype === 'bool' ? false : 0);
      place(data as ArrayLike<Scalar>, whole, one.shape, printedIndices(one.shape, rest.printOptions));
      expect(formatTensor({ ...rest, data: whole })).toBe(one.text);
    }
  });

  test('takes typed arrays, and booleans as 0 and 1', () => {
    expect(formatTensor({ dtype: 'float32', shape: [2], data: Float32Array.of(0.1, -2) })).toBe(
      'tensor([ 0.1000, -2.0000])',
    );
    expect(formatTensor({ dtype: 'float32', shape: [2], data: [1, 0.5] })).toBe('tensor([1.0000, 0.5000])');
    expect(formatTensor({ dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, -20n) })).toBe('tensor([  1, -20])');
    expect(formatTensor({ dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) })).toBe('tensor([ True, False])');
    expect(formatTensor({ dtype: 'int64', shape: [], data: [2 ** 60] })).toBe('tensor(1152921504606846976)');
  });

  test('names a node that made the tensor rather than requires_grad', () => {
    const leaf: PrintedTensor = { dtype: 'float32', shape: [], data: [0.5], device: 'cpu', requiresGrad: true };
    expect(formatTensor(leaf)).toBe('tensor(0.5000, requires_grad=True)');
    expect(formatTensor({ ...leaf, gradFn: 'NllLossBackward0' })).toBe('tensor(0.5000, grad_fn=<NllLossBackward0>)');
  });

  test('prints a hundred million elements from the few that show', () => {
    const [rows, columns] = [10_000, 10_000];
    const [i, j] = printedIndices([rows, columns]) as [number[], number[]];
    const data = i.flatMap((row) => j.map((column) => row * columns + column));
    const text = formatTensor({ dtype: 'int64', shape: [rows, columns], data });
    expect(text.split('\n')[0]).toBe('tensor([[       0,        1,        2,  ...,     9997,     9998,     9999],');
    expect(text.split('\n')).toHaveLength(7);
  });

  test.each([
    [{ data: [1, 2] }, "formatTensor: expected 'data' to hold the 3 elements of shape [3] or the 3 printed ones"],
    [{ printOptions: { precision: -1 } }, "formatTensor: expected option 'precision' to be a number in [0, 100]"],
    [{ printOptions: { precision: 1.5 } }, "formatTensor: expected option 'precision' to be a safe integer"],
    [{ printOptions: { threshold: NaN } }, "formatTensor: expected option 'threshold' to be a number in [0, Infinity]"],
    [{ printOptions: { edgeitems: -3 } }, "formatTensor: expected option 'edgeitems' to be a number in [0, "],
    [{ printOptions: { linewidth: Infinity } }, "formatTensor: expected option 'linewidth' to be a safe integer"],
    [{ printOptions: { sciMode: 1 as never } }, "formatTensor: expected option 'sciMode' to be true or false"],
    [
      { printOptions: { edgeItems: 2 } as never },
      "formatTensor: unknown option 'edgeItems' (did you mean 'edgeitems'?)",
    ],
  ])('refuses %p', (change, message) => {
    const tensor: PrintedTensor = { dtype: 'float32', shape: [3], data: [1, 2, 3] };
    expect(() => formatTensor({ ...tensor, ...change })).toThrow(message);
  });
});

describe('printedIndices', () => {
  test('are all indices up to the threshold', () => {
    expect(printedIndices([])).toEqual([]);
    expect(printedIndices([2, 3])).toEqual([
      [0, 1],
      [0, 1, 2],
    ]);
    expect(printedIndices([1000])[0]).toHaveLength(printDefaults.threshold);
    expect(printedIndices([2, 0])).toEqual([[0, 1], []]);
  });

  test('are the ends of each long dimension beyond it', () => {
    expect(printedIndices([1001])).toEqual([[0, 1, 2, 998, 999, 1000]]);
    expect(printedIndices([1000, 2])).toEqual([
      [0, 1, 2, 997, 998, 999],
      [0, 1],
    ]);
    expect(printedIndices([6, 200])).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 197, 198, 199],
    ]);
    expect(printedIndices([20], { threshold: 5, edgeitems: 1 })).toEqual([[0, 19]]);
    expect(printedIndices([20], { threshold: 5, edgeitems: 0 })).toEqual([[]]);
  });
});

/** Writes elements, in row-major order of the printed indices, to where they stand in the whole data. */
function place(from: ArrayLike<Scalar>, to: Scalar[], shape: number[], indices: readonly number[][]): void {
  for (let i = 0; i < from.length; i++) {
    let [rest, offset, stride] = [i, 0, 1];
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      const list = indices[dim] as number[];
      offset += (list[rest % list.length] as number) * stride;
      rest = Math.floor(rest / list.length);
      stride *= shape[dim] as number;
    }
    to[offset] = from[i] as Scalar;
  }
}
