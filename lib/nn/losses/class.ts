/** Classes of losses: they hold the options that PyTorch's classes take, checked when the object is made. */
import { isTensor } from '../../torch/bind';
import type { Call } from '../../torch/call';
import type { Tensor } from '../../torch/tensor';
import { Module } from '../modules/module';
import { asOptionalTensor, type TensorLike } from './arguments';
import { checkedOptions, declarationOf, type Loss, parametersOf } from './declare';

/** An option as a class stores it. */
type Kept<Value> =
  TensorLike extends Exclude<Value, undefined | null> ? Tensor | undefined : Exclude<Value, undefined | null>;

/** A module that takes the required arguments of a loss. */
interface ModuleOf<Required extends readonly unknown[]> extends Module {
  /** The loss with the options of this object. */
  forward(...inputs: Required): Tensor;
}

/** A module of a loss: its options as properties. */
export type LossModule<Required extends readonly unknown[], Options> = ModuleOf<Required> & {
  readonly [Name in keyof Options]-?: Kept<Options[Name]>;
};

/** The constructor of a class of a loss. */
export type LossClass<
  Required extends readonly unknown[],
  Options,
  Positional extends readonly (keyof Options)[],
> = new (...args: Call<[], Options, Positional>) => LossModule<Required, Options>;

/**
 * The class of a loss, to be extended.
 *
 * @param name PyTorch's name of the class.
 * @param names the options that its constructor takes, in PyTorch's order; the first `positional` of them by position.
 */
export function lossClass<
  Required extends readonly unknown[],
  Options extends object,
  Name extends keyof Options & string,
  const Positional extends readonly Name[] = [],
>(
  // biome-ignore lint/suspicious/noExplicitAny: whatever the function takes by position
  loss: Loss<Required, Options, any>,
  name: string,
  names: readonly Name[],
  positional?: Positional,
): LossClass<Required, Pick<Options, Name>, Positional> {
  const declaration = declarationOf(loss);
  if (declaration === undefined) throw new TypeError(`${name}: no declared loss`);
  const options = Object.fromEntries(names.map((option) => [option, declaration.options[option]]));
  const own = { arguments: {}, options: options as typeof declaration.options, positional: positional ?? [] };
  const parameters = parametersOf(name, own);
  const compute = loss as unknown as (...args: unknown[]) => Tensor;

  const made = class extends Module {
    constructor(...args: unknown[]) {
      super();
      const checked = checkedOptions(own.options, parameters, args);
      for (const option of names) {
        const isData = own.options[option]?.isTensor && !isTensor(checked[option]);
        const value = isData
          ? asOptionalTensor(name, option, checked[option] as TensorLike | undefined)
          : checked[option];
        if (own.options[option]?.isTensor) this.registerBuffer(option, value as Tensor | undefined);
        else Object.defineProperty(this, option, { value, enumerable: true, writable: true, configurable: true });
      }
    }

    override forward(...inputs: unknown[]): Tensor {
      const kept: Record<string, unknown> = {};
      for (const option of names) kept[option] = (this as unknown as Record<string, unknown>)[option];
      return compute(...inputs, kept);
    }
  };
  return made as unknown as LossClass<Required, Pick<Options, Name>, Positional>;
}
