/**
 * Attaches the operators to the Tensor class: each function whose first operand is a tensor is a method too, under the
 * same name and with the same documentation.
 */
import * as activations from './ops/activations';
import * as arithmetic from './ops/arithmetic';
import * as comparisons from './ops/comparisons';
import * as inPlace from './ops/in-place';
import type { KeepDimOptions, ValuesAndIndices } from './ops/reductions';
import * as reductions from './ops/reductions';
import * as views from './ops/views';
import { Tensor } from './tensor';

/** Helpers that these modules export for each other. */
type NoMethod = 'readAlpha' | 'readBounds' | 'max' | 'min';

type Operators = Omit<
  typeof activations & typeof arithmetic & typeof comparisons & typeof inPlace & typeof reductions & typeof views,
  NoMethod
>;

/** A function of a tensor and more, as a method: without its first parameter. */
type Method<F> = F extends (input: Tensor, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;

/** The methods that functions of the same name make. */
export type TensorMethods = { [Name in keyof Operators]: Method<Operators[Name]> } & {
  /** The greatest element of all. */
  max(): Tensor;
  /** The greatest elements along a dimension, and where the first of each is. */
  max(dim: number, options?: KeepDimOptions): ValuesAndIndices;
  /** The least element of all. */
  min(): Tensor;
  /** The least elements along a dimension, and where the first of each is. */
  min(dim: number, options?: KeepDimOptions): ValuesAndIndices;
};

type AnyOperator = (input: Tensor, ...rest: unknown[]) => unknown;

const notMethods: ReadonlySet<string> = new Set(['readAlpha', 'readBounds']);

for (const family of [activations, arithmetic, comparisons, inPlace, reductions, views]) {
  for (const [name, operator] of Object.entries(family) as [string, AnyOperator][]) {
    if (notMethods.has(name)) continue;
    const method = function (this: Tensor, ...rest: unknown[]): unknown {
      return operator(this, ...rest);
    };
    Object.defineProperty(method, 'name', { value: name });
    Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
  }
}
