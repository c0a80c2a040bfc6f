/** What modules have in common. */
import { inspect } from 'node:util';
import { isTensor } from '../../torch/bind';
import type { Tensor } from '../../torch/tensor';

/** `util.inspect.custom`, whose type would make users of the declarations need those of Node. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** A call of a module is a call of its `forward`. */
export interface Module<Result = Tensor> {
  (...inputs: Parameters<this['forward']>): ReturnType<this['forward']>;
  /** @internal */
  readonly result?: Result;
}

/**
 * A layer or a loss with options or parameters of its own. It is a function: `loss(input, target)` calls `forward`, which
 * is what subclasses write. **Source**: `torch.nn.Module`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor makes the function that the interface says
export abstract class Module<Result = Tensor> {
  constructor() {
    const module = (...inputs: unknown[]): Result => (module as unknown as Module<Result>).forward(...inputs);
    // A function's own properties would hide those of classes.
    for (const name of ['name', 'length'] as const) delete (module as Partial<Record<typeof name, unknown>>)[name];
    // biome-ignore lint/correctness/noConstructorReturn: the object is this function
    return Object.setPrototypeOf(module, new.target.prototype);
  }

  /** Computes the module's result. */
  // biome-ignore lint/suspicious/noExplicitAny: each module says what it takes, and every one is a Module
  abstract forward(...inputs: any[]): Result;

  /** The tensors to train: those of this module that require a gradient, and those of the modules in it. */
  parameters(): Tensor[] {
    return Object.values(this).flatMap(trainable);
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = undefined;
  }

  /** @internal How Node prints it: not as the function that it is. */
  [inspectCustom](_depth: number, options: object): string {
    return `${this.constructor.name} ${inspect({ ...this }, options)}`;
  }
}

/** The tensors to train that a property is or holds. */
function trainable(value: unknown): Tensor[] {
  if (isTensor(value)) return value.requiresGrad ? [value] : [];
  if (value instanceof Module) return value.parameters();
  return Array.isArray(value) ? value.flatMap(trainable) : [];
}
