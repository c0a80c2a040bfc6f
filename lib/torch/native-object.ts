/** Values of libtorch that user code passes on without looking into them. */

import { native } from '../binding/load';
import type { ObjectHandle } from '../binding/native';
import { unwrap } from './bind';
import type { Tensor } from './tensor';

/** A key of this module: only it can make a NativeObject of a handle. */
const key = Symbol('libtorch-losses.native-object');

let handleOf: (value: unknown) => ObjectHandle | undefined;

/**
 * A storage, or an object of a class that a library registers with libtorch (`torch.classes`): operators give and take
 * them. What they hold is freed with the object.
 */
export class NativeObject {
  readonly #handle: ObjectHandle;
  /** The type, as schemas write it: `Storage`, `__torch__.torch.classes.quantized.LinearPackedParamsBase`. */
  readonly type: string;

  /** @internal Made by operators. */
  constructor(handle: ObjectHandle, type: string, made: symbol) {
    if (made !== key) throw new TypeError('NativeObject: operators make them');
    this.#handle = handle;
    this.type = type;
  }

  static {
    handleOf = (value) => (typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined);
  }
}

/** @internal The native object; `undefined` for anything else. */
export function objectHandle(value: unknown): ObjectHandle | undefined {
  return handleOf(value);
}

/** @internal An object that an operator gave. */
export function objectOf(handle: ObjectHandle, type: string): NativeObject {
  return new NativeObject(handle, type, key);
}

/**
 * The memory that a tensor shows part of, for operators that take a `Storage`. **Source**: `Tensor.untyped_storage`.
 */
export function storageOf(tensor: Tensor): NativeObject {
  return objectOf(native().storage(unwrap(tensor, 'storageOf', 'tensor')), 'Storage');
}
