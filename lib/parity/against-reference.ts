/** Compares libtorch with the reference on recorded cases, without the recorded answers. */
import { camelCase } from '../camel-case';
import * as torch from '../index';
import { NdArray } from '../reference';
import { type DType, floatingDTypes, isFloating, itemsizes } from '../types';
import { type Bits, bitsOf, numberOf, rawBits } from './bits';
import { exceptionsFor } from './exceptions';
import type { Form } from './forms';
import { type Callable, inReference, type Value } from './in-reference';
import { build, evaluated } from './run-case';
import { disagreement } from './tolerance';
import type { GoldenCase } from './vectors';

/** One result of libtorch against the reference's. */
export interface Comparison {
  /** `value`, `gradient of input`, … */
  label: string;
  /** The greatest difference of two finite elements over the greatest of them, or over 1; 0 for an exception. */
  relative: number;
  /** A description of what differs by more than the tolerance of the dtype. */
  wrong: string | undefined;
}

/**
 * Compares a case that PyTorch answers; `undefined` where the reference has no such operator, or where all numbers are
 * integers: it computes in float64, they modulo their size.
 */
export function compareWithReference(
  op: string,
  golden: GoldenCase,
  form: Form,
  device?: torch.Device,
): Comparison[] | undefined {
  const callable = golden.error?.stage === 'forward' ? undefined : inReference(op, golden);
  if (callable === undefined) return undefined;
  const { value, leaves, args, options } = evaluated(golden, form, device);
  const [first = value] = args.filter((argument) => argument instanceof torch.Tensor);
  if (!(value instanceof torch.Tensor) || !(first instanceof torch.Tensor) || !isFloating(first.dtype))
    return undefined;
  const sources = args.map(asSource) as Value[];
  const expected = callable.call(sources, mapValues(options ?? {}, asSource));
  const coarsest = coarsestOf([value, ...leaves.values()]);
  const compare = (label: string, actual: torch.Tensor, wanted: NdArray): Comparison | undefined => {
    const kinds = exceptionsFor(op, golden, label, torch.libtorchVersion()).map(({ kind }) => kind);
    if (kinds.includes('other function')) return undefined;
    const comparable = kinds.includes('overflow') ? whereFinite(actual, wanted) : wanted;
    const terms = kinds.includes('terms of 10') ? 10 : Number(kinds.includes('terms of 1'));
    const growth = kinds.includes('ill-conditioned') ? 100 : 1;
    const wrong = disagreement(label, actual, comparable, { coarsest, terms, growth });
    return { label, relative: kinds.length === 0 ? relativeDistance(actual, wanted) : 0, wrong };
  };
  const found = [compare('value', value, expected.value)];
  if (golden.upstream !== undefined && golden.error === undefined) {
    const upstream = build(golden.upstream, device);
    value.backward({ gradient: upstream });
    const gradients = expected.backward(arrayOf(upstream)) as Record<string, NdArray | undefined>;
    for (const name of golden.grad) {
      const argument = argumentOf(golden, callable, name);
      const [actual, wanted] = [leaves.get(name)?.grad ?? undefined, gradients[argument]];
      const label = `gradient of ${argument}`;
      if (actual !== undefined && wanted !== undefined) found.push(compare(label, actual, wanted));
      // To PyTorch a gradient of zeros may be none.
      else if (actual !== undefined || wanted?.data.some((g) => g !== 0)) {
        const wrong = `only ${actual ? 'libtorch' : 'the reference'} has a ${label}`;
        found.push({ label, relative: 0, wrong });
      }
    }
  }
  return found.filter((comparison) => comparison !== undefined);
}

/** The name that the reference has for a recorded tensor: by position, or the option's. */
function argumentOf({ args, kwargs }: GoldenCase, { parameters }: Callable, name: string): string {
  const option = Object.keys(kwargs).find((key) => kwargs[key] === `$${name}`);
  return parameters[args.indexOf(name)] ?? camelCase(option ?? name);
}

/** The elements of a tensor for the reference: integers stay integers. */
export function arrayOf(tensor: torch.Tensor): { data: Float64Array | BigInt64Array; shape: number[] } {
  const data = tensor
    .detach()
    .to(isFloating(tensor.dtype) ? 'float64' : 'int64')
    .toTypedArray<Float64Array | BigInt64Array>();
  return { data, shape: tensor.shape };
}

function asSource(value: unknown): unknown {
  return value instanceof torch.Tensor ? arrayOf(value) : value;
}

function mapValues(object: Readonly<Record<string, unknown>>, f: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value)]));
}

/** The floating dtype with the fewest bits: it limits the accuracy of results that are wider. */
function coarsestOf(tensors: readonly torch.Tensor[]): DType {
  const found = floatingDTypes.findLast((dtype) => tensors.some((tensor) => tensor.dtype === dtype));
  return found ?? (tensors[0] as torch.Tensor).dtype;
}

/** The expected numbers, but libtorch's own where either side is not finite. */
function whereFinite(actual: torch.Tensor, expected: NdArray): NdArray {
  const bits = bitsOf(actual.detach());
  const data = expected.data.map((e, i) => {
    const a = elementOf(bits, i) ?? e;
    return Number.isFinite(a) && Number.isFinite(e) ? e : a;
  });
  return NdArray.from({ shape: expected.shape, data });
}

function relativeDistance(actual: torch.Tensor, expected: NdArray): number {
  const bits = bitsOf(actual.detach());
  let [apart, greatest] = [0, 1];
  expected.data.forEach((e, i) => {
    const a = elementOf(bits, i);
    if (a === undefined || !Number.isFinite(a) || !Number.isFinite(e)) return;
    apart = Math.max(apart, Math.abs(a - e));
    greatest = Math.max(greatest, Math.abs(a), Math.abs(e));
  });
  return apart / greatest;
}

function elementOf(bits: Bits, index: number): number | undefined {
  if (index * itemsizes[bits.dtype] >= bits.bytes.length) return undefined;
  return Number(numberOf(bits.dtype, rawBits(bits, index)));
}
