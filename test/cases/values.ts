/**
 * The arguments of cases, as data: nothing here needs libtorch. Suites make tensors of them, or arrays of the reference,
 * in the dtype that they run.
 */
import { NdArray } from '../../lib/reference';
import type { DType, NestedArray } from '../../lib/types';
import { Random } from '../unit/reference/support';

/** Numbers in a shape. */
export class Values {
  constructor(
    readonly data: readonly number[],
    readonly shape: readonly number[],
    /** Absent: the floating dtype that the case is run in. */
    readonly dtype?: DType,
    /** Whether the tensor is disposed before it is passed. */
    readonly disposed = false,
  ) {}
}

/** Real numbers, in the dtype that the case is run in. */
export function real(nested: NestedArray<number>): Values {
  return typed(undefined, nested);
}

/** Class indices: int64. */
export function classes(nested: NestedArray<number>): Values {
  return typed('int64', nested);
}

/** Numbers of one dtype, whatever the case is run in. */
export function typed(dtype: DType | undefined, nested: NestedArray<number>): Values {
  const { data, shape } = NdArray.from(nested);
  return new Values([...data], shape, dtype);
}

/** Real numbers in [low, high), the same in every run. */
export function random(seed: number, shape: readonly number[], low: number, high: number): Values {
  return new Values([...new Random(seed).array(shape, low, high).data], shape);
}

/** Class indices in [0, count), the same in every run. */
export function randomClasses(seed: number, shape: readonly number[], count: number): Values {
  return new Values([...new Random(seed).integers(shape, count).data], shape, 'int64');
}

/** `[N, C]` probabilities, those of each row with sum 1. */
export function randomDistributions(seed: number, [rows, count]: readonly [number, number]): Values {
  const random = new Random(seed);
  const data = Array.from({ length: rows }, () => {
    const parts = random.array([count], 0.1, 1).data;
    const total = parts.reduce((a, b) => a + b);
    return [...parts.map((part) => part / total)];
  });
  return new Values(data.flat(), [rows, count]);
}

/** Every number passed through `f`: logarithms of probabilities, for instance. */
export function map(values: Values, f: (value: number) => number): Values {
  return new Values(values.data.map(f), values.shape, values.dtype);
}

/** A tensor that has given its memory back. */
export function disposed(values: Values): Values {
  return new Values(values.data, values.shape, values.dtype, true);
}

/** No elements, in a shape that nested arrays cannot show. */
export function none(shape: readonly number[], dtype?: DType): Values {
  return new Values([], shape, dtype);
}
