/** Linear cross entropy in chunks as a function with gradients. */
import { TorchError } from '../../errors';
import { isGradEnabled, noGrad } from '../../torch/autograd';
import { customFunction } from '../../torch/custom-function';
import type { Tensor } from '../../torch/tensor';
import {
  type ChunkedCall,
  chunkedGradients,
  chunkedLosses,
  type Differentiated,
  type NeededGradients,
} from './linear-cross-entropy-chunks';

/** What the loss is a function of, in the order of {@link gradientsOf}; the class weights get no gradient. */
function inputsOf({ input, linearWeight, linearBias, weight }: ChunkedCall): Tensor[] {
  return [input, linearWeight, linearBias, weight].filter((tensor) => tensor !== undefined);
}

/** A gradient for each of {@link inputsOf}. */
function gradientsOf(shape: CallShape, { input, linearWeight, linearBias }: Gradients): (Tensor | undefined)[] {
  return [input, linearWeight, ...(shape.hasBias ? [linearBias] : []), ...(shape.hasWeight ? [undefined] : [])];
}

type Gradients = Omit<Differentiated, 'loss'>;

/** What a recorded function may know of a call: everything but its tensors. */
interface CallShape {
  hasBias: boolean;
  hasWeight: boolean;
  needed: NeededGradients;
}

function shapeOf({ input, linearWeight, linearBias, weight }: ChunkedCall): CallShape {
  const needed = {
    input: input.requiresGrad,
    linearWeight: linearWeight.requiresGrad,
    linearBias: linearBias?.requiresGrad ?? false,
  };
  return { hasBias: linearBias !== undefined, hasWeight: weight !== undefined, needed };
}

const nothing: NeededGradients = { input: false, linearWeight: false, linearBias: false };

/** The sum or mean of the losses. Its gradients are computed with it; the backward pass scales them. */
export function chunkedTotal(op: string, call: ChunkedCall, allowRetainGraph: boolean): Tensor {
  const inputs = inputsOf(call);
  if (!isGradEnabled() || !inputs.some((tensor) => tensor.requiresGrad)) {
    return noGrad(() => chunkedGradients(call, nothing).loss);
  }
  const shape = shapeOf(call);
  const { loss, ...grads } = noGrad(() => chunkedGradients(call, shape.needed));
  return customFunction(loss, {
    inputs,
    saved: [grads.input, grads.linearWeight, grads.linearBias].filter((grad) => grad !== undefined),
    keep: allowRetainGraph ? 'always' : 'once',
    backward: scaleGradients(op, shape, allowRetainGraph),
  });
}

/** Apart from {@link chunkedTotal}, so that the function it gives keeps none of its tensors alive. */
function scaleGradients(op: string, shape: CallShape, allowRetainGraph: boolean) {
  return (gradient: Tensor, saved: readonly Tensor[] | undefined): (Tensor | undefined)[] => {
    const { needed } = shape;
    if (saved === undefined && (needed.input || needed.linearWeight || needed.linearBias)) throw calledTwice(op);
    const scaled = (saved ?? []).map((grad) => (allowRetainGraph ? grad.mul(gradient) : grad.mul_(gradient)));
    const next = (is: boolean): Tensor | undefined => (is ? scaled.shift() : undefined);
    const [input, linearWeight, linearBias] = [next(needed.input), next(needed.linearWeight), next(needed.linearBias)];
    return gradientsOf(shape, { input, linearWeight, linearBias });
  };
}

function calledTwice(op: string): TorchError {
  const message =
    `${op}: expected one backward pass, but received a second one: with 'options' the first consumes the gradients; ` +
    "option 'allowRetainGraph' of 'options' keeps them";
  return new TorchError('RUNTIME', message, { op, argument: 'options' });
}

/** The loss of each row. Its gradients need the upstream one of each row and are computed in the backward pass. */
export function chunkedEach(op: string, call: ChunkedCall): Tensor {
  const inputs = inputsOf(call);
  const losses = noGrad(() => chunkedLosses(call));
  if (!isGradEnabled() || !inputs.some((tensor) => tensor.requiresGrad)) return losses;
  return customFunction(losses, {
    inputs,
    saved: [...inputs, call.target].map((tensor) => tensor.detach()),
    keep: 'graph',
    backward: recomputeGradients(op, shapeOf(call), call.ignoreIndex, call.plan),
  });
}

function recomputeGradients(
  op: string,
  shape: CallShape,
  ignoreIndex: number | bigint,
  plan: ChunkedCall['plan'],
): (gradient: Tensor, saved: readonly Tensor[] | undefined) => (Tensor | undefined)[] {
  return (gradient, saved = []) => {
    if (isGradEnabled() && gradient.requiresGrad) {
      const message = `${op}: expected no higher derivatives, which 'options' rule out, but received a gradient with a graph`;
      throw new TorchError('RUNTIME', message, { op, argument: 'options' });
    }
    const kept = [...saved];
    const next = (): Tensor => kept.shift() as Tensor;
    const [input, linearWeight] = [next(), next()];
    const linearBias = shape.hasBias ? next() : undefined;
    const weight = shape.hasWeight ? next() : undefined;
    const target = next();
    const call = { input, linearWeight, linearBias, weight, target, reduction: 'none', ignoreIndex, plan } as const;
    return gradientsOf(
      shape,
      noGrad(() => chunkedGradients(call, shape.needed, gradient)),
    );
  };
}
