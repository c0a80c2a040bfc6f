/** Look-up tables as modules. */
import { expected } from '../../errors';
import { noGrad } from '../../torch/autograd';
import type { Call } from '../../torch/call';
import { defineFunction } from '../../torch/functions';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { embedding, embeddingBag } from '../functional/embedding';
import { normal_ } from '../init';
import { Parameter } from '../parameter';
import { checkSizes, filled, type LayerName, layer, type Resettable, uninitialized } from './layer';
import type { Module } from './module';

/** What look-up tables have besides their options. */
export interface EmbeddingState extends Resettable {
  /** `[numEmbeddings, embeddingDim]` */
  weight: Parameter;
}

interface Options {
  numEmbeddings: number;
  embeddingDim: number;
  paddingIdx: number | undefined;
}

type Given = Parameters<typeof uninitialized>[1] & { _weight: Tensor | undefined; _freeze?: boolean };
type Self = Options & EmbeddingState;

function make(op: string, self: Self, options: Given): void {
  const { numEmbeddings, embeddingDim, paddingIdx } = self;
  checkSizes(op, { numEmbeddings, embeddingDim });
  if (paddingIdx !== undefined) {
    if (paddingIdx >= numEmbeddings || paddingIdx < -numEmbeddings) {
      throw expected(op, "'paddingIdx'", `to be an index of ${numEmbeddings} rows`, String(paddingIdx));
    }
    if (paddingIdx < 0) self.paddingIdx = numEmbeddings + paddingIdx;
  }
  const { _weight: given, _freeze: isFrozen = false } = options;
  const shape = [numEmbeddings, embeddingDim];
  if (given === undefined) {
    self.weight = uninitialized(shape, options);
    self.weight.requiresGrad = !isFrozen;
    self.resetParameters();
    return;
  }
  if (!sameShape(given.shape, shape)) {
    throw expected(op, "'_weight'", `to have shape ${shapeText(shape)}`, `shape ${shapeText(given.shape)}`);
  }
  self.weight = new Parameter(given, !isFrozen);
}

/** Draws the rows; that of the padding is 0. */
const members = {
  resetParameters(this: Self): void {
    const { weight, paddingIdx } = this;
    normal_(weight);
    if (paddingIdx !== undefined) noGrad(() => aten.select.int(weight, 0, paddingIdx).zero_());
  },
};

/** What the printed form says where it is not the default. */
function optionTexts(self: object, name: LayerName, entries: readonly [template: string, isShown: boolean][]): string {
  const shown = entries.flatMap(([template, isShown]) => (isShown ? [template] : []));
  return filled(shown.join(', '), self as Module, name);
}

/**
 * A table of vectors, looked up by indices. The row of `paddingIdx` gets no gradient; rows longer than `maxNorm` are
 * shortened when they are used. **Shapes**: `[*]` -> `[*, embeddingDim]`. **Source**: `torch.nn.Embedding`.
 */
export class Embedding extends layer<'Embedding', [input: Tensor], Tensor, EmbeddingState>('Embedding', {
  make: (self, options) => make('Embedding', self, options),
  members,
  forward: ({ weight, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse }, input) =>
    embedding(input, weight, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse),
  text: (self) =>
    optionTexts(self, 'Embedding', [
      ['{num_embeddings}, {embedding_dim}', true],
      ['padding_idx={padding_idx}', self.paddingIdx !== undefined],
      ['max_norm={max_norm}', self.maxNorm !== undefined],
      ['norm_type={norm_type}', self.normType !== 2],
      ['scale_grad_by_freq={scale_grad_by_freq}', self.scaleGradByFreq],
      ['sparse=True', self.sparse],
    ]),
}) {
  /**
   * A table of given vectors, which are not trained unless `freeze` is `false`.
   *
   * **Source**: `torch.nn.Embedding.from_pretrained`.
   */
  static fromPretrained(...args: Call<[embeddings: Tensor], EmbeddingOptions, EmbeddingPositional>): Embedding {
    const [embeddings, freeze, ...options] = readPretrained(...args);
    const [numEmbeddings, embeddingDim] = rowsOf(embeddings);
    return new Embedding(numEmbeddings, embeddingDim, ...options, embeddings, freeze);
  }
}

/** Options of {@link Embedding.fromPretrained}, those of {@link Embedding} and `freeze`. */
export interface EmbeddingOptions {
  /** Whether the rows stay as they are. Default `true`. */
  freeze?: boolean | undefined;
  /** The row that gets no gradient. */
  paddingIdx?: number | undefined;
  /** The greatest norm of a row. */
  maxNorm?: number | undefined;
  /** Which norm that is. Default 2. */
  normType?: number | undefined;
  /** Divide gradients by how often a row was used. Default `false`. */
  scaleGradByFreq?: boolean | undefined;
  /** Give a sparse gradient. Default `false`. */
  sparse?: boolean | undefined;
}

type EmbeddingPositional = ['freeze', 'paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'sparse'];

type Pretrained = [
  embeddings: Tensor,
  freeze: boolean,
  paddingIdx: number | undefined,
  maxNorm: number | undefined,
  normType: number,
  scaleGradByFreq: boolean,
  sparse: boolean,
];

const readPretrained: (...args: readonly unknown[]) => Pretrained = defineFunction(
  'fromPretrained',
  `(Tensor embeddings, bool freeze=True, int? padding_idx=None, float? max_norm=None, float norm_type=2.0,
    bool scale_grad_by_freq=False, bool sparse=False)`,
  (...given: Pretrained) => given,
);

function rowsOf(embeddings: Tensor): [number, number] {
  const { shape } = embeddings;
  if (shape.length === 2) return shape as [number, number];
  throw expected('fromPretrained', "'embeddings'", 'to have 2 dimensions', `shape ${shapeText(shape)}`);
}

type BagInputs =
  | [input: Tensor, offsets?: Tensor | null, perSampleWeights?: Tensor | null]
  | [input: Tensor, offsets: Tensor | null, keywords: { perSampleWeights?: Tensor | null }]
  | [input: Tensor, keywords: { offsets?: Tensor | null; perSampleWeights?: Tensor | null }];

/**
 * Sums, means or maxima of bags of rows, without making the rows. **Shapes**: input `[B, N]`, or `[N]` with offsets `[B]` ->
 * `[B, embeddingDim]`. **Source**: `torch.nn.EmbeddingBag`.
 */
export class EmbeddingBag extends layer<'EmbeddingBag', BagInputs, Tensor, EmbeddingState>('EmbeddingBag', {
  make: (self, options) => make('EmbeddingBag', self, options),
  members,
  inputs: '(Tensor input, Tensor? offsets=None, Tensor? per_sample_weights=None)',
  forward(self, ...inputs) {
    const [input, offsets, perSampleWeights] = inputs as [Tensor, Tensor | undefined, Tensor | undefined];
    const { weight, maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx } = self;
    return embeddingBag(input, weight, {
      offsets,
      maxNorm,
      normType,
      scaleGradByFreq,
      mode,
      sparse,
      perSampleWeights,
      includeLastOffset,
      paddingIdx,
    });
  },
  text: (self) =>
    optionTexts(self, 'EmbeddingBag', [
      ['{num_embeddings}, {embedding_dim}', true],
      ['max_norm={max_norm}', self.maxNorm !== undefined],
      ['norm_type={norm_type}', self.normType !== 2],
      ['scale_grad_by_freq={scale_grad_by_freq}', self.scaleGradByFreq],
      ['mode={mode!r}', true],
      ['padding_idx={padding_idx}', self.paddingIdx !== undefined],
    ]),
}) {
  /**
   * A table of given vectors, which are not trained unless `freeze` is `false`.
   *
   * **Source**: `torch.nn.EmbeddingBag.from_pretrained`.
   */
  static fromPretrained(
    ...args: Call<[embeddings: Tensor], EmbeddingBagOptions, EmbeddingBagPositional>
  ): EmbeddingBag {
    const [embeddings, freeze, maxNorm, normType, scaleGradByFreq, mode, ...rest] = readPretrainedBag(...args);
    const [sparse, includeLastOffset, paddingIdx] = rest;
    const options = { maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx };
    const made = new EmbeddingBag(...rowsOf(embeddings), { ...options, _weight: embeddings });
    made.weight.requiresGrad = !freeze;
    return made;
  }
}

/** Options of {@link EmbeddingBag.fromPretrained}, those of {@link EmbeddingBag} and `freeze`. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** `'sum'`, `'mean'` or `'max'`. Default `'mean'`. */
  mode?: string | undefined;
  /** Whether `offsets` ends with the number of indices. Default `false`. */
  includeLastOffset?: boolean | undefined;
}

type EmbeddingBagPositional = [
  'freeze',
  'maxNorm',
  'normType',
  'scaleGradByFreq',
  'mode',
  'sparse',
  'includeLastOffset',
  'paddingIdx',
];

type PretrainedBag = [
  embeddings: Tensor,
  freeze: boolean,
  maxNorm: number | undefined,
  normType: number,
  scaleGradByFreq: boolean,
  mode: string,
  sparse: boolean,
  includeLastOffset: boolean,
  paddingIdx: number | undefined,
];

const readPretrainedBag: (...args: readonly unknown[]) => PretrainedBag = defineFunction(
  'fromPretrained',
  `(Tensor embeddings, bool freeze=True, float? max_norm=None, float norm_type=2.0, bool scale_grad_by_freq=False,
    str mode='mean', bool sparse=False, bool include_last_offset=False, int? padding_idx=None)`,
  (...given: PretrainedBag) => given,
);
