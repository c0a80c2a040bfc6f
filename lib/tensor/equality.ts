/**
 * What test runners see of a tensor. `assert.deepStrictEqual`, `toEqual` of jest and vitest and chai's `deep.equal` look at
 * own properties, of which a tensor has none, and at what `Object.prototype.toString` says. So that text says it all: two
 * tensors are equal to them if dtype, shape, device and every element are.
 */
import { createHash } from 'node:crypto';
import type { DType, TypedArray } from '../types';
import type { Tensor } from './tensor';

const identities = new WeakMap<object, number>();
let identity = 0;

/** A text that no other object has: for objects that are equal to themselves alone. */
export function identityTag(object: object, name: string): string {
  let own = identities.get(object);
  if (own === undefined) {
    own = ++identity;
    identities.set(object, own);
  }
  return `${name} #${own}`;
}

/** A text that tensors of the same contents have. Of one that is disposed or still to be computed, no other has it. */
export function contentsTag(tensor: Tensor): string {
  try {
    const { dtype, shape, device } = tensor;
    const elements = withOneNaN(tensor.toTypedArray(), dtype);
    const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
    const place = device === 'cpu' ? '' : ` on ${device}`;
    return `Tensor ${dtype}[${shape}]${place} ${createHash('sha256').update(bytes).digest('base64url')}`;
  } catch {
    return identityTag(tensor, 'Tensor');
  }
}

/** For each 16-bit type, the bits of infinity: what is above them, but for the sign, is NaN. */
const infinities: Partial<Record<DType, number>> = { float16: 0x7c00, bfloat16: 0x7f80 };

/** The elements with one NaN for all NaNs, whose bits nobody compares. */
function withOneNaN(elements: TypedArray, dtype: DType): TypedArray {
  const infinity = infinities[dtype];
  if (elements instanceof Uint16Array && infinity !== undefined) {
    for (let i = 0; i < elements.length; i++) {
      if (((elements[i] as number) & 0x7fff) > infinity) elements[i] = 0x7fff;
    }
  } else if (elements instanceof Float32Array || elements instanceof Float64Array) {
    for (let i = 0; i < elements.length; i++) if (Number.isNaN(elements[i])) elements[i] = Number.NaN;
  }
  return elements;
}
