/** Where the elements of one array lie in a file. */
import { badData } from './bad-data';
import type { ElementType } from './element';

/** One array: its elements, their order and where they begin. */
export interface ArrayLayout {
  readonly element: ElementType;
  /** At least one dimension. */
  readonly shape: readonly number[];
  /** Whether the first index runs fastest (Fortran) instead of the last (C). */
  readonly fortranOrder: boolean;
  /** The first byte of the elements. */
  readonly offset: number;
}

/** NumPy's bound, which libtorch's kernels share. */
const maxDimensions = 64;

/** Bytes of one row of an array. */
export function rowBytes({ element, shape }: Pick<ArrayLayout, 'element' | 'shape'>): number {
  return shape.slice(1).reduce((product, size) => product * size, element.size);
}

/** Bytes of all elements of an array. */
export function arrayBytes(layout: Pick<ArrayLayout, 'element' | 'shape'>): number {
  return rowBytes(layout) * (layout.shape[0] as number);
}

/**
 * The sizes as a shape, if they are one: at least one dimension, no size below zero, and no more bytes than a double
 * counts exactly. Dimensions of size 0 do not hide others that are too large.
 */
export function checkShape(
  name: string,
  sizes: readonly (bigint | number)[],
  element: Pick<ElementType, 'size'>,
  offset: number,
): number[] {
  const text = `[${sizes.join(', ')}]`;
  if (sizes.length === 0) {
    throw badData(name, 'holds a single number without dimensions; rows are read along the first dimension', {
      offset,
    });
  }
  if (sizes.length > maxDimensions) {
    throw badData(name, `has ${sizes.length} dimensions; at most ${maxDimensions} are possible`, { offset });
  }
  let bytes = BigInt(element.size);
  for (const size of sizes) {
    if (size < 0) throw badData(name, `has the shape ${text} with a negative size`, { offset });
    if (size > 0) bytes *= BigInt(size);
    if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw badData(name, `has the shape ${text.slice(0, 200)}, which needs more than 2^53 bytes`, { offset });
    }
  }
  return sizes.map(Number);
}
