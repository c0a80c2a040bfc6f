/** Attaches to the Tensor class the methods that are operators, and those that functions of the same name make. */
import { Tensor } from '../tensor/tensor';
import type { DType } from '../types';
import { lu, nonzero, norm, stft, unique, uniqueConsecutive } from './functional';
import { makeMethod } from './functions';
import { methodNames, type TensorMethods as Operators } from './methods.generated';
import { camelCase } from './ops/signature';
import { completePrototype } from './prototype';

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

interface Casts {
  /** As float64: `x.to('float64')`. */
  double(): Tensor;
  /** As float32: `x.to('float32')`. */
  float(): Tensor;
  /** As float16: `x.to('float16')`. */
  half(): Tensor;
  /** As bfloat16: `x.to('bfloat16')`. */
  bfloat16(): Tensor;
  /** As int64: `x.to('int64')`. */
  long(): Tensor;
  /** As int32: `x.to('int32')`. */
  int(): Tensor;
  /** As int16: `x.to('int16')`. */
  short(): Tensor;
  /** As int8: `x.to('int8')`. */
  char(): Tensor;
  /** As uint8: `x.to('uint8')`. */
  byte(): Tensor;
  /** As bool: `x.to('bool')`. */
  bool(): Tensor;
  /** As complex64: `x.to('complex64')`. */
  cfloat(): Tensor;
  /** As complex128: `x.to('complex128')`. */
  cdouble(): Tensor;
}

/** Methods under a second name. */
const aliases = { ndimension: 'dim', nelement: 'numel' } as const;

interface Aliases {
  /** {@link Tensor.dim}. */
  ndimension(): number;
  /** {@link Tensor.numel}. */
  nelement(): number;
}

/** The methods of tensors besides those of the class itself. */
export interface TensorMethods extends Operators, Functions, Casts, Aliases {}

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
  attach(name, function () {
    return this.to(dtype);
  });
}
for (const [name, original] of Object.entries(aliases)) {
  attach(name, function () {
    return this[original]();
  });
}

completePrototype(Tensor.prototype);
