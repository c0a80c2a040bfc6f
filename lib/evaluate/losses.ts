/** The losses that can be evaluated in batches, and what each divides by for its mean. */
import * as F from '../nn/functional';
import type { TensorLike } from '../nn/functional/arguments';
import { declarationOf, type Loss, type LossDeclaration } from '../nn/losses/declare';
import type { Denominator } from '../nn/losses/evaluation';
import type { Tensor } from '../tensor/tensor';

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
}

function describe(
  name: string,
  loss: AnyLoss,
  args: readonly string[],
  lossesOf: LossDescription['lossesOf'],
  more: Partial<LossDescription> = {},
): LossDescription {
  const sampleDims = lossesOf === 'samples' ? 1 : 0;
  return {
    name,
    loss,
    arguments: args,
    constant: [],
    batchDim: {},
    lossesOf,
    denominator: 'count',
    sampleDims,
    weighsElements: false,
    target: 'elements',
    scores: undefined,
    ...more,
  };
}

/** What the declaration of a loss says. */
function declared(loss: AnyLoss): LossDescription {
  const { name, arguments: args, evaluation } = declarationOf(loss) as LossDeclaration;
  return describe(name, loss, Object.keys(args), evaluation.lossesOf, evaluation);
}

const pair = ['input', 'target'];
const classes = { denominator: 'class weights', target: 'classes or probabilities' } as const;
const indices = { target: 'indices' } as const;

/** Every loss of `nn.functional`. */
export const lossDescriptions: readonly LossDescription[] = [
  describe('crossEntropy', F.crossEntropy, pair, 'samples', { ...classes, scores: 'logits' }),
  describe('nllLoss', F.nllLoss, pair, 'samples', { ...classes, target: 'indices', scores: 'log-probabilities' }),
  declared(F.linearCrossEntropy),
  describe('binaryCrossEntropy', F.binaryCrossEntropy, pair, 'elements'),
  describe('binaryCrossEntropyWithLogits', F.binaryCrossEntropyWithLogits, pair, 'elements'),
  declared(F.l1Loss),
  declared(F.mseLoss),
  declared(F.smoothL1Loss),
  declared(F.huberLoss),
  declared(F.klDiv),
  declared(F.poissonNllLoss),
  declared(F.gaussianNllLoss),
  describe('hingeEmbeddingLoss', F.hingeEmbeddingLoss, pair, 'elements'),
  describe('softMarginLoss', F.softMarginLoss, pair, 'elements'),
  describe('multiMarginLoss', F.multiMarginLoss, pair, 'samples', indices),
  describe('multilabelMarginLoss', F.multilabelMarginLoss, pair, 'samples', indices),
  describe('multilabelSoftMarginLoss', F.multilabelSoftMarginLoss, pair, 'samples'),
  describe('marginRankingLoss', F.marginRankingLoss, ['input1', 'input2', 'target'], 'elements'),
  describe('cosineEmbeddingLoss', F.cosineEmbeddingLoss, ['input1', 'input2', 'target'], 'samples'),
  describe('tripletMarginLoss', F.tripletMarginLoss, ['anchor', 'positive', 'negative'], 'samples'),
  describe(
    'tripletMarginWithDistanceLoss',
    F.tripletMarginWithDistanceLoss,
    ['anchor', 'positive', 'negative'],
    'samples',
  ),
  declared(F.ctcLoss),
];

/** What is known of a loss; `undefined` for a function that is none of `nn.functional`. */
export function descriptionOf(loss: unknown): LossDescription | undefined {
  return lossDescriptions.find((description) => description.loss === loss);
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
