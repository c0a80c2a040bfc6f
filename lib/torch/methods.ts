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

type Casts = {
  /** The elements converted to the dtype of this name; the tensor itself if they have it. */
  [Name in keyof typeof casts]: () => Tensor;
};

/** Methods under a second name. */
const aliases = { ndimension: 'dim', nelement: 'numel' } as const;

type Aliases = { [Name in keyof typeof aliases]: () => number };

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
