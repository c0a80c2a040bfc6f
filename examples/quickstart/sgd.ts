import type { Tensor } from 'libtorch-losses';
import * as torch from 'libtorch-losses';

/**
 * Stochastic gradient descent with momentum, in the order of operations of PyTorch's `torch.optim.SGD`:
 * `v = momentum * v + gradient` (in the first step `v = gradient`), then `p = p - learningRate * v`.
 */
export class Sgd {
  readonly #parameters: readonly Tensor[];
  readonly #learningRate: number;
  readonly #momentum: number;
  readonly #velocities = new Map<Tensor, Tensor>();

  constructor(parameters: readonly Tensor[], { learningRate, momentum }: { learningRate: number; momentum: number }) {
    this.#parameters = parameters;
    this.#learningRate = learningRate;
    this.#momentum = momentum;
  }

  /** Forgets the gradients of the step before, which `backward()` would add to. */
  zeroGrad(): void {
    for (const parameter of this.#parameters) parameter.grad = undefined;
  }

  /** Moves every parameter against its gradient. */
  step(): void {
    torch.noGrad(() => {
      for (const parameter of this.#parameters) {
        const { grad } = parameter;
        if (grad === undefined) continue;
        parameter.add_(this.#velocity(parameter, grad), { alpha: -this.#learningRate });
      }
    });
  }

  #velocity(parameter: Tensor, gradient: Tensor): Tensor {
    const before = this.#velocities.get(parameter);
    if (before !== undefined) return before.mul_(this.#momentum).add_(gradient);
    // Lives as long as the training, beyond the scope of the step that makes it.
    const first = torch.keep(gradient.clone());
    this.#velocities.set(parameter, first);
    return first;
  }
}
