/** The tensors that are a module's own: those that it trains, and the rest of its state. */
import { boolean, withDefaults } from '../options';
import { empty } from '../torch/operators.generated';
import { registerParameterClass } from '../torch/parameter-class';
import { subclassArguments, Tensor } from '../torch/tensor';

/**
 * A tensor that a module trains: assigned to a property of a module, it is one of its parameters. It shares the memory of
 * `data`, is a leaf, and in no graph.
 *
 * @example new nn.Parameter(torch.zeros([3]));
 *
 * **Source**: `torch.nn.Parameter`.
 */
export class Parameter extends Tensor {
  // What only looks like a tensor is not a parameter, nor is a tensor, for TypeScript too.
  declare private readonly kind: 'parameter';

  constructor(data?: Tensor | null, requiresGrad?: boolean | { requiresGrad?: boolean | null } | null) {
    super(...subclassArguments('Parameter', data ?? empty([0])));
    const given = typeof requiresGrad === 'object' ? requiresGrad?.requiresGrad : requiresGrad;
    this.requiresGrad = boolean('Parameter', "'requiresGrad'", given ?? true);
  }

  /** The text that PyTorch prints for this parameter. */
  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

registerParameterClass({
  is: (value) => value instanceof Parameter,
  make: (data, requiresGrad) => new Parameter(data, requiresGrad),
});

/**
 * A tensor of a module's state that is not trained: assigned to a property of a module, it is one of its buffers. It shares
 * the memory of `data`. One that is not `persistent` is left out of state dicts.
 *
 * @example new nn.Buffer(torch.ones([3]), { persistent: false });
 *
 * **Source**: `torch.nn.Buffer`.
 */
export class Buffer extends Tensor {
  readonly #isPersistent: boolean;

  constructor(data?: Tensor | null, options?: { persistent?: boolean | null }) {
    super(...subclassArguments('Buffer', data ?? empty([0])));
    const { persistent } = withDefaults<{ persistent?: boolean | null }>('Buffer', options, { persistent: true });
    this.#isPersistent = boolean('Buffer', "option 'persistent'", persistent);
  }

  /** Whether state dicts have it. */
  get persistent(): boolean {
    return this.#isPersistent;
  }
}
