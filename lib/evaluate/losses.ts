/** The losses that can be evaluated in batches, and what each divides by for its mean. */
import * as F from '../nn/functional';
import type { TensorLike } from '../nn/losses/arguments';
import { declarationOf, type Loss, type LossDeclaration } from '../nn/losses/declare';
import type { Denominator } from '../nn/losses/evaluation';
import type { Tensor } from '../torch/tensor';

/** A loss of tensors and options, as the functions of `nn.functional` are. */
// biome-ignore lint/suspicious/noExplicitAny: losses differ in their arguments; BatchEvaluator gives them back their types
export type AnyLoss = (...args: any[]) => Tensor;

/** How one loss is evaluated in batches. */
export interface LossDescription {
  readonly name: string;
  readonly loss: AnyLoss;
  /** The arguments before the options. */
  readonly arguments: readonly string[];
  /** Those that are the same for every batch. */
  readonly constant: readonly string[];
  /** The dimension of each argument along which the samples lie; 0 where it is not named. */
  readonly batchDim: Readonly<Record<string, number>>;
  /** Whether a sample has one loss, or each of its elements. */
  readonly lossesOf: 'samples' | 'elements';
  readonly denominator: Denominator;
  /** Whether the option `weight` has the shape of the first argument. */
  readonly weighsElements: boolean;
  /** The dimensions of the first argument where the call has no batch but a single sample. */
  readonly sampleDims: number;
  /** What the target holds, if not elements like those of the first argument. */
  readonly target: 'classes or probabilities' | 'indices' | 'elements';
  /** What the first argument holds for each class, where predictions can be made of it. */
  readonly scores: 'logits' | 'log-probabilities' | undefined;
  /** Whether one computation may stand for later blocks of the same shape. */
  readonly isTraced: boolean;
}

/** What the declaration of a loss says. */
function describe(loss: AnyLoss): LossDescription {
  const { name, arguments: args, evaluation, isTraced = true } = declarationOf(loss) as LossDeclaration;
  return {
    name,
    loss,
    arguments: Object.keys(args),
    constant: [],
    batchDim: {},
    denominator: 'count',
    sampleDims: evaluation.lossesOf === 'samples' ? 1 : 0,
    weighsElements: false,
    target: 'elements',
    scores: undefined,
    // What is computed depends on the labels of sequences.
    isTraced: isTraced && evaluation.denominator !== 'target lengths',
    ...evaluation,
  };
}

/** Every loss of `nn.functional`, by name. */
export const lossDescriptions: readonly LossDescription[] = Object.values(F)
  .filter((value) => declarationOf(value) !== undefined)
  .map((value) => describe(value as AnyLoss))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

const descriptions = new WeakMap<object, LossDescription>(lossDescriptions.map((known) => [known.loss, known]));

/** What is known of a loss, the same object each time; `undefined` for a function that is not a declared loss. */
export function descriptionOf(loss: unknown): LossDescription | undefined {
  if (declarationOf(loss) === undefined) return undefined;
  const description = descriptions.get(loss as AnyLoss) ?? describe(loss as AnyLoss);
  descriptions.set(loss as AnyLoss, description);
  return description;
}

/** The arguments of a loss before its options. */
export type BatchOf<Given extends AnyLoss> =
  Given extends Loss<infer Batch, infer _Options, infer _Positional>
    ? Batch
    : Required<Parameters<Given>> extends [...infer Batch extends readonly TensorLike[], infer _Options]
      ? Batch
      : TensorLike[];

/** The options of a loss. */
export type OptionsOf<Given extends AnyLoss> =
  Given extends Loss<infer _Batch, infer Options, infer _Positional>
    ? Options
    : Required<Parameters<Given>> extends [...infer _Batch, infer Options]
      ? Options
      : Readonly<Record<string, unknown>>;

/** @internal Names of the losses, as the command line takes them. */
export const lossNames: readonly string[] = lossDescriptions.map(({ name }) => name);
