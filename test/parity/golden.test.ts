/**
 * libtorch against the reference, values and gradients, on the inputs of the golden vectors. libtorch runs with this
 * machine's kernels and threads; what PyTorch answered when the vectors were recorded is the golden suite's to compare.
 */
import * as torch from '../../lib';
import * as reference from '../../lib/reference';
import type { DType } from '../../lib/types';
import { arrayOf } from '../cases/call';
import { type Bits, bitsOf, numberOf, rawBits, widths } from '../support/bits';
import { quietly } from '../support/conditions';
import { camelCase, type GoldenCase, readCases, readManifest, vectors } from '../support/golden';
import { formsOf } from '../support/golden-forms';
import { build } from '../support/golden-run';
import { disagreement } from '../support/tolerance';

type Arrays = readonly reference.ArraySource[];
type Options = Readonly<Record<string, unknown>>;
type Result = reference.Differentiable<object>;

/** The operators that the reference has, as it takes their arguments. */
const inReference: Readonly<Record<string, (arrays: Arrays, options: Options) => Result>> = {
  cross_entropy: ([x, t], options) => reference.crossEntropy(given(x), given(t), options),
  nll_loss: ([x, t], options) => reference.nllLoss(given(x), given(t), options),
  kl_div: ([x, t], options) => reference.klDiv(given(x), given(t), options),
  binary_cross_entropy: ([x, t], options) => reference.binaryCrossEntropy(given(x), given(t), options),
  binary_cross_entropy_with_logits: ([x, t], options) =>
    reference.binaryCrossEntropyWithLogits(given(x), given(t), options),
  softmax: ([x], { dim }) => reference.softmax(given(x), dim as number),
  log_softmax: ([x], { dim }) => reference.logSoftmax(given(x), dim as number),
  sigmoid: ([x]) => reference.sigmoid(given(x)),
  logit: ([x], options) => reference.logit(given(x), options),
  categorical_entropy: (_, options) => reference.categoricalEntropy(options as { probs: reference.ArraySource }),
};

/** Recorded, but nothing that the reference has. */
const notInReference = ['allclose', 'categorical_log_prob', 'random_numbers'];

/** Where float64 shows something else than the dtype of the case, and why. */
interface Exception {
  op: string;
  dtypes: readonly DType[];
  /** The groups and the cases, if not all. */
  groups?: RegExp;
  cases?: RegExp;
  of: 'value' | `gradient of ${string}`;
  because: string;
  /**
   * `overflow`: a kernel leaves the range of its dtype on the way to a result within it. Elements that are NaN or
   * infinite there may differ. `terms of 1`: the result is the difference of numbers up to 1, which are rounded to the
   * dtype first. `other function`: numbers that belong to the dtype are part of the formula.
   */
  kind: 'overflow' | 'terms of 1' | 'other function';
}

const halves: readonly DType[] = ['float16', 'bfloat16'];
const narrow: readonly DType[] = ['float32', ...halves];
const edges = { groups: /^edges$/, kind: 'overflow' } as const;

const exceptions: readonly Exception[] = [
  {
    ...edges,
    op: 'cross_entropy',
    dtypes: narrow,
    of: 'value',
    because: 'the sum of all log-probabilities passes the greatest number before label smoothing scales it',
  },
  {
    ...edges,
    op: 'kl_div',
    dtypes: ['float64', ...narrow],
    of: 'gradient of target',
    because: 'at targets of the greatest size the upstream gradient times t overflows before it is divided by t',
  },
  {
    ...edges,
    op: 'binary_cross_entropy',
    dtypes: ['float16'],
    of: 'gradient of input',
    because: 'the least denominator, 1e-12, is 0 in float16: division by it is infinite, 0 / 0 NaN',
  },
  {
    ...edges,
    op: 'binary_cross_entropy_with_logits',
    dtypes: narrow,
    of: 'value',
    because: 'at the greatest logits (1 - t) x overflows, and an infinite posWeight meets logarithms that round to 0',
  },
  {
    ...edges,
    op: 'binary_cross_entropy_with_logits',
    dtypes: narrow,
    of: 'gradient of target',
    because: 'at the greatest logits the upstream gradient times x overflows before the mean divides it',
  },
  {
    op: 'sigmoid',
    dtypes: halves,
    of: 'gradient of input',
    because: '1 - p of a p that is rounded',
    kind: 'terms of 1',
  },
  {
    op: 'logit',
    dtypes: halves,
    of: 'value',
    because: 'the logarithm of odds that are rounded',
    kind: 'terms of 1',
  },
  ...(['value', 'gradient of input'] as const).map(
    (of): Exception => ({
      op: 'logit',
      dtypes: halves,
      groups: /^edges$/,
      cases: /^eps/,
      of,
      because: '1 - eps is rounded, in bfloat16 to 1',
      kind: 'other function',
    }),
  ),
  {
    op: 'categorical_entropy',
    dtypes: narrow,
    cases: /^probs=zeros/,
    of: 'gradient of probs',
    because: 'probabilities are kept from 0 by the resolution of the dtype',
    kind: 'other function',
  },
];

quietly();

test('every recorded operator is compared here, or known to be missing in the reference', () => {
  const { files } = readManifest(vectors);
  expect(Object.keys(files).sort()).toEqual([...Object.keys(inReference), ...notInReference].sort());
});

describe.each(Object.keys(inReference))('%s', (op) => {
  const accepted = readCases(vectors, op).filter(({ error }) => error?.stage !== 'forward');
  for (const [group, cases] of groupsOf(accepted)) {
    const applying = exceptions.filter((exception) => cases.some((golden) => applies(exception, op, golden)));
    const reasons = applying.map(({ of, because, kind }) => `${of} up to ${kind} (${because})`);
    test([group, ...reasons].join('; '), () => {
      const wrong = cases.flatMap((golden) =>
        torch.scope(() => disagreements(op, golden)).map((text) => `${golden.case}: ${text}`),
      );
      expect(wrong).toEqual([]);
    });
  }
});

/** The cases of each group. */
function groupsOf(cases: readonly GoldenCase[]): Map<string, GoldenCase[]> {
  const groups = new Map<string, GoldenCase[]>();
  for (const golden of cases) {
    const group = groupOf(golden);
    groups.set(group, [...(groups.get(group) ?? []), golden]);
  }
  return groups;
}

/** The group of a case; its name ends in `/` and the dtype where it has one. */
function groupOf(golden: GoldenCase): string {
  return golden.name.slice(0, -`: ${golden.case}`.length);
}

function applies(exception: Exception, op: string, golden: GoldenCase): boolean {
  const [group = '', dtype] = groupOf(golden).split('/');
  const { dtypes, groups = /^/, cases = /^/ } = exception;
  return exception.op === op && dtypes.some((d) => d === dtype) && groups.test(group) && cases.test(golden.case);
}

/** What differs, but for the exceptions. */
function disagreements(op: string, golden: GoldenCase): string[] {
  const leaves = leavesOf(golden);
  const options = mapReferences(golden.kwargs, (name) => leaves.get(name));
  const tensors = golden.args.map((name) => leaves.get(name) as torch.Tensor);
  const value = formsOf(op, undefined)[0]?.call(tensors, options) as torch.Tensor;
  const arrays = mapReferences(golden.kwargs, (name) => arrayOf(leaves.get(name) as torch.Tensor));
  const expected = inReference[op]?.(tensors.map(arrayOf), arrays) as Result;
  const coarsest = coarsestOf([value, ...leaves.values()]);
  const compare = (of: Exception['of'], actual: torch.Tensor, wanted: reference.NdArray): string | undefined => {
    const kinds = exceptions.filter((e) => e.of === of && applies(e, op, golden)).map(({ kind }) => kind);
    if (kinds.includes('other function')) return undefined;
    const comparable = kinds.includes('overflow') ? whereFinite(actual, wanted) : wanted;
    return disagreement(of, actual, comparable, { coarsest, terms: kinds.includes('terms of 1') ? 1 : 0 });
  };

  const wrong = [compare('value', value, expected.value)];
  if (golden.upstream !== undefined && golden.error === undefined) {
    const upstream = build(golden.upstream);
    value.backward({ gradient: upstream });
    const gradients = expected.backward(arrayOf(upstream)) as Record<string, reference.NdArray | undefined>;
    for (const name of golden.grad) {
      const argument = argumentOf(golden, name);
      const [actual, wanted] = [leaves.get(name)?.grad, gradients[argument]];
      if (actual !== undefined && wanted !== undefined) wrong.push(compare(`gradient of ${argument}`, actual, wanted));
      else if (actual !== wanted)
        wrong.push(`only ${actual ? 'libtorch' : 'the reference'} has a gradient of ${argument}`);
    }
  }
  return wrong.filter((text) => text !== undefined);
}

/** The tensors that the case uses, by their recorded names. */
function leavesOf(golden: GoldenCase): Map<string, torch.Tensor> {
  const leaves = new Map<string, torch.Tensor>();
  const add = (name: string): void => {
    const made = build(golden.tensors[name] as NonNullable<GoldenCase['tensors'][string]>).detach();
    leaves.set(name, golden.grad.includes(name) ? made.requiresGrad_() : made);
  };
  for (const name of golden.args) add(name);
  mapReferences(golden.kwargs, add);
  return leaves;
}

/** Keyword arguments as options, with what `resolve` gives in place of `$name`. */
function mapReferences(kwargs: GoldenCase['kwargs'], resolve: (name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(kwargs).map(([key, value]) => [
      camelCase(key),
      typeof value === 'string' && value.startsWith('$') ? resolve(value.slice(1)) : value,
    ]),
  );
}

/** The name that the reference has for an argument: by position, or the option's. */
function argumentOf({ args, kwargs }: GoldenCase, name: string): string {
  const positional = ['input', 'target'][args.indexOf(name)];
  const option = Object.keys(kwargs).find((key) => kwargs[key] === `$${name}`);
  return positional ?? camelCase(option as string);
}

/** The floating dtype with the fewest bits: it limits the accuracy of results that are wider. */
function coarsestOf(tensors: readonly torch.Tensor[]): DType {
  const order: DType[] = ['bfloat16', 'float16', 'float32', 'float64'];
  return order.find((dtype) => tensors.some((tensor) => tensor.dtype === dtype)) as DType;
}

/** The expected numbers, but libtorch's own where those are not finite. */
function whereFinite(actual: torch.Tensor, expected: reference.NdArray): reference.NdArray {
  const bits = bitsOf(actual.detach());
  return reference.NdArray.from({ shape: expected.shape, data: expected.data.map((e, i) => finiteOr(bits, i, e)) });
}

function finiteOr(bits: Bits, index: number, expected: number): number {
  if (index * widths[bits.dtype] >= bits.bytes.length) return expected;
  const number = Number(numberOf(bits.dtype, rawBits(bits, index)));
  return Number.isFinite(number) ? expected : number;
}

function given<T>(argument: T | undefined): T {
  if (argument === undefined) throw new Error('the case names fewer tensors than the operator takes');
  return argument;
}
