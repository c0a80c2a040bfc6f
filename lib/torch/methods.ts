/** Attaches to the Tensor class the methods that are operators, and those that functions of the same name make. */

import { camelCase } from '../camel-case';
import type { DType, MemoryFormat, NestedArray, TypedArray } from '../types';
import { type FromDataOptions, type TensorData, tensor } from './create';
import { lu, nonzero, norm, stft, unique, uniqueConsecutive } from './functional';
import { makeMethod } from './functions';
import { methodNames, type TensorMethods as Operators } from './methods.generated';
import { completePrototype } from './prototype';
import { Tensor } from './tensor';

/** A function of a tensor and more, as a method: without its first parameter. */
type Method<F> = F extends {
  (input: Tensor, ...rest: infer A): infer R;
  (input: Tensor, ...rest: infer B): infer S;
  (input: Tensor, ...rest: infer C): infer T;
  (input: Tensor, ...rest: infer D): infer U;
}
  ? { (...rest: A): R; (...rest: B): S; (...rest: C): T; (...rest: D): U }
  : never;

const functions = { lu, nonzero, norm, stft, unique, uniqueConsecutive };

type Functions = { [Name in keyof typeof functions]: Method<(typeof functions)[Name]> };

/** Methods that convert elements, by PyTorch's old names of dtypes. */
const casts = {
  double: 'float64',
  float: 'float32',
  half: 'float16',
  bfloat16: 'bfloat16',
  long: 'int64',
  int: 'int32',
  short: 'int16',
  char: 'int8',
  byte: 'uint8',
  bool: 'bool',
  cfloat: 'complex64',
  cdouble: 'complex128',
} as const satisfies Record<string, DType>;

/** What casts by name take. */
interface CastForm {
  /** In which order the elements lie. Default `'preserve_format'`. */
  memoryFormat?: MemoryFormat | null | undefined;
}

interface Casts {
  /** As float64: `x.to('float64')`. */
  double(options?: CastForm): Tensor;
  /** As float32: `x.to('float32')`. */
  float(options?: CastForm): Tensor;
  /** As float16: `x.to('float16')`. */
  half(options?: CastForm): Tensor;
  /** As bfloat16: `x.to('bfloat16')`. */
  bfloat16(options?: CastForm): Tensor;
  /** As int64: `x.to('int64')`. */
  long(options?: CastForm): Tensor;
  /** As int32: `x.to('int32')`. */
  int(options?: CastForm): Tensor;
  /** As int16: `x.to('int16')`. */
  short(options?: CastForm): Tensor;
  /** As int8: `x.to('int8')`. */
  char(options?: CastForm): Tensor;
  /** As uint8: `x.to('uint8')`. */
  byte(options?: CastForm): Tensor;
  /** As bool: `x.to('bool')`. */
  bool(options?: CastForm): Tensor;
  /** As complex64: `x.to('complex64')`. */
  cfloat(options?: CastForm): Tensor;
  /** As complex128: `x.to('complex128')`. */
  cdouble(options?: CastForm): Tensor;
}

/** Methods under a second name. */
const aliases = { ndimension: 'dim', nelement: 'numel', tolist: 'toArray', numpy: 'toTypedArray' } as const;

interface Aliases {
  /** {@link Tensor.dim}. */
  ndimension(): number;
  /** {@link Tensor.numel}. */
  nelement(): number;
  /** {@link Tensor.toArray}. **Source**: `torch.Tensor.tolist`. */
  tolist<T extends NestedArray = NestedArray<number>>(): T;
  /** {@link Tensor.toTypedArray}: always a copy. **Source**: `torch.Tensor.numpy`. */
  numpy<T extends TypedArray = TypedArray>(): T;
}

interface Made {
  /** {@link tensor} of the dtype and on the device of this one. **Source**: `torch.Tensor.new_tensor`. */
  newTensor(data: TensorData, options?: FromDataOptions): Tensor;
}

/** The methods of tensors besides those of the class itself. */
export interface TensorMethods extends Operators, Functions, Casts, Aliases, Made {}

function attach(name: string, method: (this: Tensor, ...args: never[]) => unknown): void {
  if (Object.hasOwn(Tensor.prototype, name)) throw new Error(`Tensor has ${name} twice`);
  Object.defineProperty(method, 'name', { value: name, configurable: true });
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
}

for (const name of methodNames) attach(camelCase(name), makeMethod(name));
for (const [name, called] of Object.entries(functions) as [string, (...args: unknown[]) => unknown][]) {
  attach(name, function (...rest: unknown[]) {
    return called(this, ...rest);
  });
}
for (const [name, dtype] of Object.entries(casts)) {
  attach(name, function (options?: CastForm) {
    return options === undefined ? this.to(dtype) : this.to(dtype, options);
  });
}
for (const [name, original] of Object.entries(aliases)) {
  attach(name, function () {
    return this[original as 'dim']();
  });
}
attach('newTensor', function (data: TensorData, options?: FromDataOptions) {
  return tensor(data, { dtype: this.dtype, device: this.device, ...options });
});

completePrototype(Tensor.prototype);
