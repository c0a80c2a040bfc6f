/** Attaches to the Tensor class the methods that are operators, and those that functions of the same name make. */

import { camelCase } from '../camel-case';
import { withDefaults } from '../options';
import type { Complex, NestedArray, Scalar, TypedArray } from '../types';
import { type Casts, castMethods } from './cast';
import { type FromDataOptions, fromDataDefaults, type TensorData, tensor } from './create';
import { type ElementResult, replaceElements } from './elementwise';
import { lu, nonzero, norm, stft, unique, uniqueConsecutive } from './functional';
import { makeMethod } from './functions';
import { type GradientHook, type HookHandle, registerHook } from './hooks';
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
  /**
   * Calls a function with the gradient of this tensor whenever a backward pass has computed it; what the function gives, if
   * anything, goes on in its place. The graph holds the function: one that refers to this tensor keeps it in memory until
   * it is removed.
   *
   * @example const hook = x.registerHook((gradient) => gradient.clamp(-1, 1));
   *
   * @throws NativeError `RUNTIME` if the tensor requires no gradient; and in the backward pass, for a gradient of another
   *   shape or dtype.
   *
   * **Source**: `torch.Tensor.register_hook`.
   */
  registerHook(hook: GradientHook): HookHandle;
  /** Replaces each element by what a function gives for it; on the CPU. **Source**: `torch.Tensor.apply_`. */
  apply_<Element extends Scalar | Complex = number>(fn: (element: Element) => ElementResult): this;
  /** Replaces each element by what a function gives for it and that of another tensor. **Source**: `torch.Tensor.map_`. */
  map_<Element extends Scalar | Complex = number>(
    other: Tensor,
    fn: (element: Element, other: Element) => ElementResult,
  ): this;
  /** {@link map_} with two other tensors. **Source**: `torch.Tensor.map2_`. */
  map2_<Element extends Scalar | Complex = number>(
    x: Tensor,
    y: Tensor,
    fn: (element: Element, x: Element, y: Element) => ElementResult,
  ): this;
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
for (const [name, method] of Object.entries(castMethods)) attach(name, method);
for (const [name, original] of Object.entries(aliases)) {
  attach(name, function () {
    return this[original as 'dim']();
  });
}
attach('newTensor', function (data: TensorData, options?: FromDataOptions) {
  const own = { ...fromDataDefaults, dtype: this.dtype, device: this.device };
  return tensor(data, withDefaults<FromDataOptions>('newTensor', options, own));
});
attach('registerHook', function (hook: GradientHook) {
  return registerHook(this, hook);
});
attach('apply_', function (fn: () => ElementResult) {
  return replaceElements('apply_', this, [], fn);
});
attach('map_', function (other: Tensor, fn: () => ElementResult) {
  return replaceElements('map_', this, [other], fn);
});
attach('map2_', function (x: Tensor, y: Tensor, fn: () => ElementResult) {
  return replaceElements('map2_', this, [x, y], fn);
});

completePrototype(Tensor.prototype);
