/** What modules have in common. */
import { isTensor } from '../../aten/bind';
import type { Tensor } from '../../tensor/tensor';

/** A layer or a loss with options or parameters of its own. **Source**: `torch.nn.Module`. */
export abstract class Module<Result = Tensor> {
  /** Computes the module's result. */
  abstract forward(...inputs: unknown[]): Result;

  /** The tensors to train: those of this module that require a gradient, and those of the modules in it. */
  parameters(): Tensor[] {
    return Object.values(this).flatMap(trainable);
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = undefined;
  }
}

/** The tensors to train that a property is or holds. */
function trainable(value: unknown): Tensor[] {
  if (isTensor(value)) return value.requiresGrad ? [value] : [];
  if (value instanceof Module) return value.parameters();
  return Array.isArray(value) ? value.flatMap(trainable) : [];
}
