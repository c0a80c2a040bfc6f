/** A function and its gradient together: through the graph, or without it if a loss has a derivative. */

import { expected } from '../errors';
import { callable, withDefaults } from '../options';
import { isFloating, type TypedArray } from '../types';
import { enableGrad, grad, noGrad } from './autograd';
import { isTensor, unwrap } from './bind';
import { asBuffer, type Buffer, overlap } from './buffers';
import { type Compiled, compiled } from './compiled';
import { type TensorData, tensor } from './create';
import { isTypedArray } from './elements';
import { aten } from './ops';
import type { Tensor } from './tensor';
import { inBackground } from './trace';

/** The result of {@link valueAndGrad}. */
export interface ValueAndGrad<Gradient = Tensor> {
  /** The value, outside of any graph. */
  value: Tensor;
  /** Its gradient with respect to the first argument. */
  grad: Gradient;
}

/** Options of {@link valueAndGrad}. */
export interface ValueAndGradOptions<Into extends Buffer = Buffer> {
  /**
   * Where the gradient is written, of the first argument's shape and dtype. It may be an argument itself, but overlap
   * none in part. After an error it may hold parts of a gradient. Absent: a new tensor.
   */
  gradInto?: Into | undefined;
}

const defaults: Readonly<Required<ValueAndGradOptions>> = Object.freeze({ gradInto: undefined });

/** The arguments of a function, of which the first may be data for a tensor. */
type WithData<Args extends readonly unknown[]> = Args extends readonly [unknown, ...infer Rest]
  ? [input: Tensor | TensorData, ...rest: Rest]
  : Args extends readonly []
    ? [input: Tensor | TensorData]
    : Args;

/** A function that {@link valueAndGrad} made. */
export interface Differentiated<Args extends readonly unknown[], Gradient = Tensor> {
  (...args: WithData<Args>): ValueAndGrad<Gradient>;
  /**
   * The same off the main thread, after whatever runs there already, with all of libtorch's threads. Arrays among the
   * arguments are copied before the promise is returned.
   */
  async(...args: WithData<Args>): Promise<ValueAndGrad<Gradient>>;
}

/** Computes value and gradient of a loss without the graph; returns `undefined` for arguments that need it. */
type Derivative<Args extends readonly unknown[]> = (
  into: Tensor | undefined,
  ...args: Args
) => ValueAndGrad | undefined;

interface Direct {
  derivative: Derivative<unknown[]>;
  compiled: Compiled<readonly Tensor[]>;
}

const derivatives = new WeakMap<object, Direct>();

/**
 * @internal The derivative of a loss with respect to its first argument, with the bits that the graph gives. It may
 * write the gradient into the tensor that it is given for it. Where the other arguments are to be `'constants'`, the
 * graph is taken if one requires a gradient: it knows which of them can have one.
 */
export function registerDerivative<Args extends readonly unknown[]>(
  loss: (...args: Args) => Tensor,
  derivative: Derivative<Args>,
  others: 'constants' | 'parameters' = 'constants',
): void {
  const own = derivative as unknown as Derivative<unknown[]>;
  const direct: Derivative<unknown[]> = (into, input, ...rest) =>
    others === 'constants' && rest.some(asksForGradient) ? undefined : own(into, input, ...rest);
  const results = ([into, ...args]: readonly unknown[]): readonly Tensor[] | undefined => {
    const found = direct(into as Tensor | undefined, ...args);
    return found && [found.value, copyInto(found.grad, into as Tensor | undefined)];
  };
  derivatives.set(loss, { derivative: direct, compiled: compiled(results) });
}

/** Whether an argument, or one of its options, is a tensor that requires a gradient. */
function asksForGradient(value: unknown): boolean {
  if (isTensor(value)) return !value.isDisposed && value.requiresGrad;
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).some((option) => isTensor(option) && asksForGradient(option))
  );
}

/** The gradient, copied into `into` if that is given. */
function copyInto(gradient: Tensor, into: Tensor | undefined): Tensor {
  if (into === undefined || gradient === into) return gradient;
  return noGrad(() => aten.copy_(into, gradient));
}

/**
 * A function that computes another one and its gradient with respect to the first argument, without changing any
 * `grad`.
 *
 * Of this library's losses most know their own derivative: no graph is recorded, large inputs are computed in chunks
 * that stay in the processors' caches, and the bits are those that the graph gives.
 *
 * @example const { value, grad } = torch.valueAndGrad(F.crossEntropy)(logits, target, { reduction: 'sum' });
 * @example const { value, grad } = await torch.valueAndGrad(F.crossEntropy).async(logits, target);
 *
 * @throws TorchError `INVALID_ARGUMENT` if `gradInto` does not fit the first argument or overlaps one; NativeError `RUNTIME` if the value
 *   has more than one element or does not depend on the first argument.
 */
// biome-ignore lint/suspicious/noExplicitAny: functions of any arguments, which the result has too
export function valueAndGrad<Args extends readonly any[], Into extends Buffer = Tensor>(
  fn: (...args: Args) => Tensor,
  options?: ValueAndGradOptions<Into>,
): Differentiated<Args, Into> {
  return differentiated(fn as unknown as (input: Tensor, ...rest: readonly unknown[]) => Tensor, options) as never;
}

function differentiated<Into extends Buffer>(
  fn: (input: Tensor, ...rest: readonly unknown[]) => Tensor,
  options?: ValueAndGradOptions<Into>,
): Differentiated<[Tensor, ...unknown[]], Into> {
  callable('valueAndGrad', "'fn'", fn);
  const { gradInto } = withDefaults<ValueAndGradOptions>('valueAndGrad', options, defaults);
  const direct = derivatives.get(fn);
  const compute = (into: Tensor | undefined, input: Tensor | TensorData, rest: readonly unknown[]) => {
    const found = direct?.compiled.call([into, input, ...rest]);
    return found && { value: found[0] as Tensor, grad: found[1] as Tensor };
  };
  const call = (input: Tensor | TensorData, ...rest: readonly unknown[]): ValueAndGrad<Into> => {
    if (gradInto === undefined) {
      // Elements become a tensor only if necessary.
      const found =
        compute(undefined, input, rest) ?? slowly(fn, direct, read(input, undefined, rest)[0], undefined, rest);
      return found as ValueAndGrad<Into>;
    }
    const [x, into, written] = read(input, gradInto, rest);
    const { value, grad: gradient } = compute(written, x, rest) ?? slowly(fn, direct, x, written, rest);
    if (written !== into) copyInto(gradient, into);
    return { value, grad: gradInto as Into };
  };

  const inTheBackground = async (
    input: Tensor | TensorData,
    ...rest: readonly unknown[]
  ): Promise<ValueAndGrad<Into>> => {
    const [x, into, writable] = read(input, gradInto, rest);
    // The memory of an array can be taken away while another thread writes: it is written when the call has ended.
    const written = isTensor(gradInto) ? writable : undefined;
    const { value, grad: gradient } = await inBackground(
      () => directly(direct, written, x, rest) ?? throughGraph(fn, x, written, rest),
      (result) => [result.value, result.grad],
    );
    if (written !== into) copyInto(gradient, into);
    return { value, grad: (gradInto ?? gradient) as Into };
  };
  return Object.assign(call, { async: inTheBackground });
}

const op = 'valueAndGrad';

/** The input; where the gradient goes; and the same again if the loss may write there, else it is copied at the end. */
function read(
  input: Tensor | TensorData,
  gradInto: Buffer | undefined,
  rest: readonly unknown[],
): [x: Tensor, into?: Tensor | undefined, written?: Tensor | undefined] {
  const x = isTensor(input) ? input : tensor(input);
  unwrap(x, op, 'input');
  if (gradInto === undefined) return [x];
  const into = asBuffer(op, "option 'gradInto'", gradInto, x);
  if (into.requiresGrad) {
    throw expected(op, "option 'gradInto'", 'to require no gradient itself', 'a tensor that does');
  }
  sharesPlaces(into, x, "'input'");
  const isRead = rest.map((value, i) => sharesPlaces(into, value, `argument ${i + 2}`)).includes(true);
  // Kernels write contiguous rows. Losses read the input before they write its gradient, others perhaps after it.
  return [x, into, into.isContiguous() && !isRead ? into : undefined];
}

/**
 * Whether an argument, or one of its options, is in the very places of the gradient; throws if they overlap in part.
 */
function sharesPlaces(into: Tensor, value: unknown, label: string, depth = 2): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (isTensor(value) ? !value.isDisposed : isTypedArray(value)) {
    const found = overlap(into, value as Tensor | TypedArray);
    if (found !== 'partial') return found === 'same places';
    const what = 'to be an argument itself or in memory of its own';
    throw expected(op, "option 'gradInto'", what, `a tensor that overlaps ${label}`);
  }
  // Options, and { data, dims } among them.
  if (isTensor(value) || depth === 0) return false;
  const shared = Object.entries(value).map(([name, option]) =>
    sharesPlaces(into, option, name === 'data' ? label : `option '${name}'`, depth - 1),
  );
  return shared.includes(true);
}

/**
 * For arguments that programs do not take: operator by operator, and at last through the graph, which has the errors.
 */
function slowly(
  fn: (input: Tensor, ...rest: readonly unknown[]) => Tensor,
  direct: Direct | undefined,
  x: Tensor,
  into: Tensor | undefined,
  rest: readonly unknown[],
): ValueAndGrad {
  let failure = direct?.compiled.failure;
  try {
    const found = failure === undefined ? directly(direct, into, x, rest) : undefined;
    if (found !== undefined) return found;
  } catch (error) {
    failure = error;
  }
  const result = throughGraph(fn, x, failure === undefined ? into : undefined, rest);
  // The destination may be the input, written in part: the result of the graph would be wrong.
  if (failure !== undefined && into !== undefined) throw failure;
  return result;
}

function directly(
  direct: Direct | undefined,
  into: Tensor | undefined,
  x: Tensor,
  rest: readonly unknown[],
): ValueAndGrad | undefined {
  // The graph says why integers have no gradient.
  if (!isFloating(x.dtype)) return undefined;
  return (
    direct &&
    noGrad(() => {
      const found = direct.derivative(into, x, ...rest);
      return found && { value: found.value, grad: copyInto(found.grad, into) };
    })
  );
}

function throughGraph(
  fn: (input: Tensor, ...rest: readonly unknown[]) => Tensor,
  input: Tensor,
  into: Tensor | undefined,
  rest: readonly unknown[],
): ValueAndGrad {
  if (input.isInference()) {
    throw expected('valueAndGrad', "'input'", 'to be made outside of inferenceMode', 'an inference tensor');
  }
  return enableGrad(() => {
    const leaf = input.detach().requiresGrad_();
    const value = fn(leaf, ...rest);
    const [gradient] = grad(value, leaf);
    return { value: value.detach(), grad: copyInto(gradient as Tensor, into) };
  });
}
