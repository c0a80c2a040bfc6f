/**
 * Gradients against central differences (f(x + h) - f(x - h)) / 2h of libtorch's own values, in float64: what PyTorch's
 * gradcheck does, with its step (1e-6) and its tolerances. f is the loss under a random upstream gradient.
 */
import * as torch from '../../lib';
import { gradientsOf, type Loss, type LossCase, losses } from '../cases';
import { applyNative, type Leaves, leavesOf, tensorOf } from '../cases/call';
import { random } from '../cases/values';
import { quietly } from '../support/conditions';

const step = 1e-6;
const tolerance = { absolute: 1e-5, relative: 1e-3 };

quietly();

describe.each(losses)('$name', (loss) => {
  test.each(smooth(loss))('$name', (lossCase) => {
    for (const reduction of loss.reductions) torch.scope(() => checkGradients(loss, lossCase, reduction));
  });
});

/** The cases whose gradients are derivatives. */
function smooth(loss: Loss): readonly LossCase[] {
  return loss.valid.filter((lossCase) => !lossCase.byConvention && gradientsOf(loss, lossCase).length > 0);
}

/**
 * What an argument is made of, where the gradient is not that by the argument itself. PyTorch's gradient of CTC takes
 * for granted that scores went through logSoftmax, which passes on what is the derivative by the scores.
 */
function madeOf(loss: Loss, leaves: Leaves): Leaves {
  if (loss.name !== 'ctcLoss') return leaves;
  return { ...leaves, logProbs: (leaves.logProbs as torch.Tensor).logSoftmax(-1) };
}

function checkGradients(loss: Loss, lossCase: LossCase, reduction: string): void {
  const leaves = leavesOf(loss, lossCase, 'float64');
  const value = applyNative(loss, lossCase, madeOf(loss, leaves), reduction);
  // A mean over nothing is NaN, and so are its differences.
  if (value.isnan().any().item<boolean>()) return;
  const upstream = tensorOf(random(1, value.shape, -2, 2), 'float64');
  value.backward({ gradient: upstream });
  const at = (name: string, moved: torch.Tensor): number =>
    torch.noGrad(() =>
      applyNative(loss, lossCase, madeOf(loss, { ...leaves, [name]: moved }), reduction)
        .mul(upstream)
        .sum()
        .item(),
    );
  // Probabilities stay within their range: at its ends the difference is one-sided.
  const [low, high] = loss.name === 'binaryCrossEntropy' ? [0, 1] : [-Infinity, Infinity];
  for (const name of gradientsOf(loss, lossCase)) {
    const leaf = leaves[name] as torch.Tensor;
    const gradient = (leaf.grad as torch.Tensor).toTypedArray<Float64Array>();
    for (const [i, actual] of gradient.entries()) {
      const x = leaf.detach().reshape([-1]).select(0, i).item();
      const [left, right] = [Math.max(x - step, low), Math.min(x + step, high)];
      const expected = (at(name, withElement(leaf, i, right)) - at(name, withElement(leaf, i, left))) / (right - left);
      if (Math.abs(actual - expected) <= tolerance.absolute + tolerance.relative * Math.abs(expected)) continue;
      throw new Error(`${reduction}: gradient of ${name} at element ${i} is ${actual}, differences give ${expected}`);
    }
  }
}

/** The tensor with one element replaced. */
function withElement(tensor: torch.Tensor, index: number, value: number): torch.Tensor {
  const data = tensor.detach().toTypedArray<Float64Array>();
  data[index] = value;
  return torch.tensor(data, { shape: tensor.shape });
}
