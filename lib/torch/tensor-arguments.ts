/** Reads the arguments of methods of tensors. */

import { expected } from '../errors';
import { boolean, integer, withDefaults } from '../options';
import type { MemoryFormat } from '../types';
import { defineFunction } from './functions';
import type { Tensor } from './tensor';

/** Named arguments of {@link Tensor.backward}. */
export interface BackwardOptions {
  /** The gradient of something with respect to this tensor; needed unless the tensor has one element. */
  gradient?: Tensor | null | undefined;
  /** Keep the graph for another backward pass; default: `createGraph`. */
  retainGraph?: boolean | null | undefined;
  /** Record a graph of the gradients too, for higher derivatives. Default `false`. */
  createGraph?: boolean | null | undefined;
  /** Accumulate gradients into these tensors only; default: every leaf that was used. */
  inputs?: Tensor | readonly Tensor[] | null | undefined;
}

type BackwardArguments = [
  gradient: Tensor | undefined,
  retainGraph: boolean | undefined,
  createGraph: boolean,
  inputs: Tensor | readonly Tensor[] | undefined,
];

/** The arguments of {@link Tensor.backward}. */
export const readBackward: (...args: unknown[]) => BackwardArguments = defineFunction(
  'backward',
  [
    '(Tensor? gradient=None, bool? retain_graph=None, bool create_graph=False, Tensor[]? inputs=None)',
    '(Tensor? gradient, bool? retain_graph, bool create_graph, Tensor inputs)',
  ],
  (...given: BackwardArguments) => given,
);

/** A dimension by name. */
export interface DimForm {
  /** Which dimension. */
  dim: number;
}

const noDim = Object.freeze({ dim: undefined });

/** All of the numbers, one for each dimension, or the one of a dimension. */
export function sizesAlong(op: string, all: number[], given: number | DimForm | undefined): number | number[] {
  const dim = typeof given === 'object' ? withDefaults<{ dim?: number | undefined }>(op, given, noDim).dim : given;
  if (dim === undefined) return all;
  const found = all.at(integer(op, "'dim'", dim));
  if (found !== undefined && dim < all.length) return found;
  throw expected(op, "'dim'", `to be in [${-all.length}, ${all.length - 1}]`, String(dim));
}

/** A flag by position or by name; as in Python, `null` is none. */
export function readFlag(op: string, name: string, given: unknown, otherwise: boolean): boolean {
  if (given === undefined) return otherwise;
  if (typeof given !== 'object' || given === null) return boolean(op, `'${name}'`, given);
  const filled = withDefaults<Record<string, unknown>>(op, given as Record<string, unknown>, { [name]: otherwise });
  return boolean(op, `'${name}'`, filled[name]);
}

/** The memory format that {@link Tensor.isContiguous} is asked for, but for the usual one. */
export const readMemoryFormat: (given: unknown) => MemoryFormat | undefined = defineFunction(
  'isContiguous',
  '(MemoryFormat? memory_format=None)',
  (format: MemoryFormat | undefined) => (format === 'contiguous_format' ? undefined : format),
);
