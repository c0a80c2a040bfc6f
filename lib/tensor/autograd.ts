/** Gradients as functions, and the modes that turn their recording off. **Source**: `torch.autograd`. */
import { unwrap, unwrapList, wrap } from '../aten/bind';
import { native } from '../binding/load';
import { expected, show } from '../errors';
import { boolean, withDefaults } from '../options';
import { synchronous } from './synchronous';
import type { BackwardOptions, Tensor } from './tensor';

/** Options of {@link grad}, by PyTorch's names. */
export interface GradOptions {
  /** Gradients of something with respect to the outputs; an entry may be absent where the output has one element. */
  gradOutputs?: readonly (Tensor | undefined)[] | undefined;
  /** Keep the graph for another pass. Default: `createGraph`. */
  retainGraph?: boolean | undefined;
  /** Record a graph of the gradients too, for higher derivatives. Default `false`. */
  createGraph?: boolean | undefined;
  /** Give `undefined` for inputs that the outputs do not depend on, instead of an error. Default `false`. */
  allowUnused?: boolean | undefined;
}

/** Options of {@link backward}: those of {@link Tensor.backward}, with a gradient for each tensor. */
export interface BackwardAllOptions extends Omit<BackwardOptions, 'gradient'> {
  /** The gradient by each of the tensors. Absent: 1, for tensors of one element. */
  gradients?: readonly (Tensor | undefined)[] | undefined;
}

const gradDefaults: Readonly<Required<GradOptions>> = Object.freeze({
  gradOutputs: undefined,
  retainGraph: undefined,
  createGraph: false,
  allowUnused: false,
});

const backwardDefaults: Readonly<Required<BackwardAllOptions>> = Object.freeze({
  gradients: undefined,
  retainGraph: undefined,
  createGraph: false,
  inputs: undefined,
});

type Handles = ReturnType<typeof unwrapList>;

function readRetain(op: string, retainGraph: boolean | undefined): boolean | undefined {
  return retainGraph === undefined ? undefined : boolean(op, "option 'retainGraph'", retainGraph);
}

function readGradients(
  op: string,
  argument: string,
  gradients: readonly (Tensor | undefined)[] | undefined,
  count: number,
): (Handles[number] | undefined)[] | undefined {
  if (gradients === undefined) return undefined;
  const option = `option '${argument}'`;
  if (!Array.isArray(gradients)) throw expected(op, option, 'to be an array of Tensors', show(gradients));
  if (gradients.length !== count)
    throw expected(op, option, `to have one entry for each of the ${count} tensors`, show(gradients));
  return Array.from(gradients as readonly (Tensor | undefined)[], (gradient, i) =>
    gradient === undefined ? undefined : unwrap(gradient, op, `${argument}[${i}]`),
  );
}

/**
 * The gradients of outputs with respect to inputs, without touching anybody's `grad`.
 *
 * **Shapes**: each gradient has the shape of its input; outputs of more than one element need `gradOutputs`.
 *
 * @example const [dx] = grad(F.mseLoss(x, y), x);
 *
 * @throws NativeError `RUNTIME` if an input is in no graph of the outputs (unless `allowUnused`) or the graph was freed.
 *
 * **Source**: `torch.autograd.grad`.
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions & { allowUnused?: false | undefined },
): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions,
): (Tensor | undefined)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions,
): (Tensor | undefined)[] {
  const op = 'grad';
  const { gradOutputs, retainGraph, createGraph, allowUnused } = withDefaults<GradOptions>(op, options, gradDefaults);
  const of = handles(op, 'outputs', outputs);
  const results = native().grad(
    of,
    handles(op, 'inputs', inputs),
    readGradients(op, 'gradOutputs', gradOutputs, of.length),
    readRetain(op, retainGraph),
    boolean(op, "option 'createGraph'", createGraph),
    boolean(op, "option 'allowUnused'", allowUnused),
  );
  return Array.from(results, (handle) => (handle === undefined ? undefined : wrap(handle)));
}

/**
 * Computes the gradients of several tensors together and adds them to the `grad` of the leaves.
 *
 * **Source**: `torch.autograd.backward`.
 */
export function backward(tensors: Tensor | readonly Tensor[], options?: BackwardAllOptions): void {
  const op = 'backward';
  const filled = withDefaults<BackwardAllOptions>(op, options, backwardDefaults);
  const of = handles(op, 'tensors', tensors);
  native().backward(
    of,
    readGradients(op, 'gradients', filled.gradients, of.length),
    readRetain(op, filled.retainGraph),
    boolean(op, "option 'createGraph'", filled.createGraph),
    filled.inputs === undefined ? undefined : unwrapList(filled.inputs, op, 'inputs'),
  );
}

function handles(op: string, argument: string, tensors: Tensor | readonly Tensor[]): Handles {
  return Array.isArray(tensors) ? unwrapList(tensors, op, argument) : [unwrap(tensors as Tensor, op, argument)];
}

/** Runs `fn` without recording operations for gradients. **Source**: `torch.no_grad`. */
export function noGrad<T>(fn: () => T): T {
  return native().withGradMode(false, synchronous('noGrad', fn));
}

/** Runs `fn` with recording switched on, inside of {@link noGrad} too. **Source**: `torch.enable_grad`. */
export function enableGrad<T>(fn: () => T): T {
  return native().withGradMode(true, synchronous('enableGrad', fn));
}

/**
 * Runs `fn` without recording anything: faster than {@link noGrad}, and the tensors made meanwhile can never take part
 * in a graph. **Source**: `torch.inference_mode`.
 */
export function inferenceMode<T>(fn: () => T): T {
  return native().withInferenceMode(true, synchronous('inferenceMode', fn));
}

/** Whether operations are recorded for gradients here. **Source**: `torch.is_grad_enabled`. */
export function isGradEnabled(): boolean {
  return native().isGradEnabled();
}

/** Whether inference mode is on here. **Source**: `torch.is_inference_mode_enabled`. */
export function isInferenceModeEnabled(): boolean {
  return native().isInferenceModeEnabled();
}

/** @internal Whether an operation on a tensor would be recorded for gradients now. */
export function recordsGraph(tensor: Tensor): boolean {
  return native().isGradEnabled() && tensor.requiresGrad;
}
