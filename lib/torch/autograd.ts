/** Gradients as functions, and the modes that turn their recording off. **Source**: `torch.autograd`. */

import { native } from '../binding/load';
import { expected, show } from '../errors';
import { isTensor, unwrap, unwrapList, wrap } from './bind';
import { defineFunction } from './functions';
import { zerosLike } from './operators.generated';
import { synchronous } from './synchronous';
import type { Tensor } from './tensor';

/** Options of {@link grad}, by PyTorch's names. */
export interface GradOptions {
  /** Gradients of something with respect to the outputs; an entry may be absent where the output has one element. */
  gradOutputs?: Tensor | readonly (Tensor | null | undefined)[] | null | undefined;
  /** Keep the graph for another pass. Default: `createGraph`. */
  retainGraph?: boolean | null | undefined;
  /** Record a graph of the gradients too, for higher derivatives. Default `false`. */
  createGraph?: boolean | null | undefined;
  /** Give `undefined` for inputs that the outputs do not depend on, instead of an error. Default: `materializeGrads`. */
  allowUnused?: boolean | null | undefined;
  /** Give zeros for them. Default `false`. */
  materializeGrads?: boolean | null | undefined;
}

/** Options of {@link backward}, by PyTorch's names. */
export interface BackwardAllOptions {
  /** The gradient by each of the tensors. Absent: 1, for tensors of one element. */
  gradTensors?: Tensor | readonly (Tensor | null | undefined)[] | null | undefined;
  /** Keep the graph for another pass. Default: `createGraph`. */
  retainGraph?: boolean | null | undefined;
  /** Record a graph of the gradients too, for higher derivatives. Default `false`. */
  createGraph?: boolean | null | undefined;
  /** Accumulate gradients into these tensors only; default: every leaf that was used. */
  inputs?: Tensor | readonly Tensor[] | null | undefined;
}

type Tensors = Tensor | readonly Tensor[];
type Gradients = Tensor | readonly (Tensor | null | undefined)[];
type Handles = ReturnType<typeof unwrapList>;

function readGradients(
  op: string,
  argument: string,
  gradients: Gradients | undefined,
  count: number,
): (Handles[number] | undefined)[] | undefined {
  if (gradients === undefined) return undefined;
  const list = isTensor(gradients) ? [gradients] : gradients;
  const option = `option '${argument}'`;
  if (!Array.isArray(list)) throw expected(op, option, 'to be a Tensor or an array of Tensors', show(gradients));
  if (list.length !== count) {
    throw expected(op, option, `to have one entry for each of the ${count} tensors`, show(gradients));
  }
  return Array.from(list as readonly (Tensor | null | undefined)[], (gradient, i) =>
    gradient == null ? undefined : unwrap(gradient, op, `${argument}[${i}]`),
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
export const grad: {
  (outputs: Tensors, inputs: Tensors, options?: GradOptions & { allowUnused?: false | null | undefined }): Tensor[];
  (outputs: Tensors, inputs: Tensors, options: GradOptions & { materializeGrads: true }): Tensor[];
  (outputs: Tensors, inputs: Tensors, options: GradOptions): (Tensor | undefined)[];
  (
    outputs: Tensors,
    inputs: Tensors,
    gradOutputs: Gradients | null | undefined,
    retainGraph?: boolean | null,
    createGraph?: boolean,
    allowUnused?: false | null,
  ): Tensor[];
  (
    outputs: Tensors,
    inputs: Tensors,
    gradOutputs: Gradients | null | undefined,
    options: Omit<GradOptions, 'gradOutputs'>,
  ): (Tensor | undefined)[];
} = defineFunction(
  'grad',
  `(Any outputs, Any inputs, Any? grad_outputs=None, bool? retain_graph=None, bool create_graph=False,
    bool? allow_unused=None, *, bool materialize_grads=False)`,
  (
    outputs: Tensors,
    inputs: Tensors,
    gradOutputs: Gradients | undefined,
    retainGraph: boolean | undefined,
    createGraph: boolean,
    allowUnused: boolean | undefined,
    materializeGrads: boolean,
  ) => {
    const op = 'grad';
    const of = handles(op, 'outputs', outputs);
    const results = native().grad(
      of,
      handles(op, 'inputs', inputs),
      readGradients(op, 'gradOutputs', gradOutputs, of.length),
      retainGraph,
      createGraph,
      allowUnused ?? materializeGrads,
    );
    const by = (Array.isArray(inputs) ? inputs : [inputs]) as Tensor[];
    return Array.from(results, (handle, i) => {
      if (handle !== undefined) return wrap(handle);
      return materializeGrads ? zerosLike(by[i] as Tensor) : undefined;
    });
  },
);

/**
 * Computes the gradients of several tensors together and adds them to the `grad` of the leaves.
 *
 * **Source**: `torch.autograd.backward`.
 */
export const backward: {
  (tensors: Tensors, options?: BackwardAllOptions): void;
  (tensors: Tensors, gradTensors: Gradients | null | undefined, retainGraph?: boolean, createGraph?: boolean): void;
  (tensors: Tensors, gradTensors: Gradients | null | undefined, options: Omit<BackwardAllOptions, 'gradTensors'>): void;
} = defineFunction(
  'backward',
  `(Any tensors, Any? grad_tensors=None, bool? retain_graph=None, bool create_graph=False, *, Any? inputs=None)`,
  (
    tensors: Tensors,
    gradTensors: Gradients | undefined,
    retainGraph: boolean | undefined,
    createGraph: boolean,
    inputs: Tensors | undefined,
  ) => {
    const op = 'backward';
    const of = handles(op, 'tensors', tensors);
    native().backward(
      of,
      readGradients(op, 'gradTensors', gradTensors, of.length),
      retainGraph,
      createGraph,
      inputs === undefined ? undefined : handles(op, 'inputs', inputs),
    );
  },
);

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
