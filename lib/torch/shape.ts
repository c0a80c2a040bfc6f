/** Shapes: comparing, broadcasting and showing them. */

import { native } from '../binding/load';
import { unwrap } from './bind';
import type { Tensor } from './tensor';

/** Whether two tensors have the same shape: quicker than reading both. */
export function shareShape(one: Tensor, other: Tensor): boolean {
  return native().shareShape(unwrap(one, 'shareShape', 'one'), unwrap(other, 'shareShape', 'other'));
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** A shape as messages show it. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** The size of a dimension of a shape seen with `rank` dimensions: missing ones come first and have size 1. */
function sizeOf(shape: readonly number[], rank: number, dim: number): number {
  return shape[dim - rank + shape.length] ?? 1;
}

/** The shape that two shapes broadcast to; where they do not, the first one's sizes. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, dim) => {
    const size = sizeOf(a, rank, dim);
    return size === 1 ? sizeOf(b, rank, dim) : size;
  });
}

/** Whether two shapes broadcast to a common one. */
export function broadcastable(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }).every((_, dim) => {
    const [x, y] = [sizeOf(a, rank, dim), sizeOf(b, rank, dim)];
    return x === y || x === 1 || y === 1;
  });
}

/** The indices of the element at a flat index in row-major order. */
export function position(shape: readonly number[], index: number): number[] {
  const at: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    at.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return at;
}
