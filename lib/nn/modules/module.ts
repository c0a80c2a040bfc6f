/** What modules have in common. */
import { isTensor } from '../../aten/bind';
import type { Tensor } from '../../tensor/tensor';

/** A layer or a loss with options or parameters of its own. **Source**: `torch.nn.Module`. */
export abstract class Module {
  /** Computes the module's result. */
  abstract forward(...inputs: unknown[]): Tensor;

  /** The tensors to train: those of this module that require a gradient, and those of the modules in it. */
  parameters(): Tensor[] {
    const found: Tensor[] = [];
    for (const value of Object.values(this)) {
      if (isTensor(value) && value.requiresGrad) found.push(value);
      else if (value instanceof Module) found.push(...value.parameters());
    }
    return found;
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = undefined;
  }
}
