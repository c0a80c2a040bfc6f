/** Data for losses that are evaluated in batches: every loss with its arguments, and ways to cut them. */
import * as torch from '../../lib';
import type { BatchEvaluator } from '../../lib/evaluate';
import { descriptionOf, type LossDescription } from '../../lib/evaluate/losses';
import type { FloatingDType } from '../../lib/types';

const F = torch.nn.functional;

/** Rows of every argument: two blocks of elementwise losses and some, for every batch size that tests use. */
export const rowCount = 143;

/** A loss with arguments and options. */
export interface Evaluated {
  name: string;
  description: LossDescription;
  args: torch.Tensor[];
  options: Readonly<Record<string, unknown>>;
}

type Floats = (...shape: number[]) => torch.Tensor;

interface Made {
  args: torch.Tensor[];
  options?: Readonly<Record<string, unknown>>;
}

type Maker = (floats: { normal: Floats; uniform: Floats }, rows: number) => Made;

const classes = (count: number, ...shape: number[]): torch.Tensor => torch.randint(0, count, shape);
const signs = (...shape: number[]): torch.Tensor => torch.randint(0, 2, shape).mul(2).sub(1);
const sometimes = (labels: torch.Tensor, ignored: number): torch.Tensor =>
  torch.where(torch.rand(labels.shape).lt(0.25), torch.full(labels.shape, ignored, { dtype: 'int64' }), labels);

/** Names that begin with that of their loss. */
const makers: Readonly<Record<string, Maker>> = {
  'crossEntropy, plain': ({ normal }, n) => ({ args: [normal(n, 7), classes(7, n)] }),
  'crossEntropy, weighted and smoothed, with ignored labels': ({ normal, uniform }, n) => ({
    args: [normal(n, 7), sometimes(classes(7, n), 3)],
    options: { weight: uniform(7), ignoreIndex: 3, labelSmoothing: 0.1 },
  }),
  'crossEntropy, ignored by default': ({ normal }, n) => ({ args: [normal(n, 7), sometimes(classes(7, n), -100)] }),
  'crossEntropy, probabilities with weights': ({ normal, uniform }, n) => ({
    args: [normal(n, 7), normal(n, 7).softmax(1)],
    options: { weight: uniform(7), labelSmoothing: 0.2 },
  }),
  'crossEntropy, places': ({ normal, uniform }, n) => ({
    args: [normal(n, 7, 5), sometimes(classes(7, n, 5), -100)],
    options: { weight: uniform(7) },
  }),
  'crossEntropy, probabilities of places': ({ normal }, n) => ({
    args: [normal(n, 7, 5), normal(n, 7, 5).softmax(1)],
  }),
  'nllLoss, weighted, with ignored labels': ({ normal, uniform }, n) => ({
    args: [normal(n, 7).logSoftmax(1), sometimes(classes(7, n), -100)],
    options: { weight: uniform(7) },
  }),
  'nllLoss, an image': ({ normal }, n) => ({ args: [normal(n, 4, 3, 2).logSoftmax(1), classes(4, n, 3, 2)] }),
  'linearCrossEntropy, weighted': ({ normal, uniform }, n) => ({
    args: [normal(n, 6), normal(9, 6), sometimes(classes(9, n), -100)],
    options: { weight: uniform(9), labelSmoothing: 0.1 },
  }),
  'binaryCrossEntropy, weighted': ({ uniform }, n) => ({
    args: [uniform(n, 3), uniform(n, 3)],
    options: { weight: uniform(3) },
  }),
  'binaryCrossEntropyWithLogits, weighted': ({ normal, uniform }, n) => ({
    args: [normal(n, 3), uniform(n, 3)],
    options: { weight: uniform(3), posWeight: uniform(3) },
  }),
  'l1Loss, weighted': ({ normal, uniform }, n) => ({
    args: [normal(n, 3), normal(n, 3)],
    options: { weight: uniform(3) },
  }),
  'mseLoss, weighted': ({ normal, uniform }, n) => ({
    args: [normal(n, 3), normal(n, 3)],
    options: { weight: uniform(3) },
  }),
  'mseLoss, numbers': ({ normal }, n) => ({ args: [normal(n), normal(n)] }),
  'smoothL1Loss, beta': ({ normal }, n) => ({ args: [normal(n, 3), normal(n, 3)], options: { beta: 0.5 } }),
  'huberLoss, weighted': ({ normal, uniform }, n) => ({
    args: [normal(n, 3), normal(n, 3)],
    options: { delta: 0.7, weight: uniform(3) },
  }),
  'klDiv, plain': ({ normal }, n) => ({ args: [normal(n, 5).logSoftmax(1), normal(n, 5).softmax(1)] }),
  'klDiv, batchmean of logarithms': ({ normal }, n) => ({
    args: [normal(n, 5).logSoftmax(1), normal(n, 5).logSoftmax(1)],
    options: { logTarget: true, reduction: 'batchmean' },
  }),
  'poissonNllLoss, full': ({ normal, uniform }, n) => ({
    args: [normal(n, 3), uniform(n, 3).mul(4)],
    options: { full: true },
  }),
  'gaussianNllLoss, full': ({ normal, uniform }, n) => ({
    args: [normal(n, 3), normal(n, 3), uniform(n, 3)],
    options: { full: true },
  }),
  'hingeEmbeddingLoss, plain': ({ normal }, n) => ({ args: [normal(n, 3), signs(n, 3)] }),
  'softMarginLoss, plain': ({ normal }, n) => ({ args: [normal(n, 3), signs(n, 3).to('float32')] }),
  'multiMarginLoss, weighted': ({ normal, uniform }, n) => ({
    args: [normal(n, 7), classes(7, n)],
    options: { p: 2, weight: uniform(7) },
  }),
  'multilabelMarginLoss, plain': ({ normal }, n) => ({
    args: [normal(n, 4), torch.tensor([[3, 0, -1, 1]], { dtype: 'int64' }).expand([n, 4])],
  }),
  'multilabelSoftMarginLoss, weighted': ({ normal, uniform }, n) => ({
    args: [normal(n, 7), torch.randint(0, 2, [n, 7]).to('float32')],
    options: { weight: uniform(7) },
  }),
  'marginRankingLoss, margin': ({ normal }, n) => ({
    args: [normal(n), normal(n), signs(n)],
    options: { margin: 0.3 },
  }),
  'cosineEmbeddingLoss, margin': ({ normal }, n) => ({
    args: [normal(n, 6), normal(n, 6), signs(n)],
    options: { margin: 0.3 },
  }),
  'tripletMarginLoss, swapped': ({ normal }, n) => ({
    args: [normal(n, 6), normal(n, 6), normal(n, 6)],
    options: { swap: true },
  }),
  'tripletMarginWithDistanceLoss, plain': ({ normal }, n) => ({
    args: [normal(n, 6), normal(n, 6), normal(n, 6)],
  }),
  'ctcLoss, targets of several lengths': ({ normal }, n) => ({
    args: [normal(9, n, 5).logSoftmax(2), classes(4, n, 4).add(1), classes(3, n).add(7), classes(5, n)],
    options: { zeroInfinity: true },
  }),
};

/** Every loss with arguments, the same in every run. */
export function evaluatedLosses(dtype: FloatingDType, rows = rowCount): Evaluated[] {
  torch.manualSeed(20260613);
  const normal: Floats = (...shape) => torch.randn(shape).to(dtype);
  const uniform: Floats = (...shape) => torch.rand(shape).mul(0.9).add(0.05).to(dtype);
  return Object.entries(makers).map(([name, make]) => {
    const loss = F[name.split(',')[0] as 'mseLoss'];
    const { args, options = {} } = make({ normal, uniform }, rows);
    const cast = args.map((tensor) => (torch.dtypes.indexOf(tensor.dtype) < 4 ? tensor.to(dtype) : tensor));
    return { name, description: descriptionOf(loss) as LossDescription, args: cast, options };
  });
}

/** The names that {@link evaluatedLosses} has. */
export const evaluatedNames = Object.keys(makers);

/** One call of the loss over all rows. */
export function callWhole({ description, args, options }: Evaluated, changes: object = {}): torch.Tensor {
  const all: Record<string, unknown> = { ...options, ...changes };
  const [input] = args as [torch.Tensor];
  if (description.weighsElements && all.weight !== undefined) {
    all.weight = (all.weight as torch.Tensor).expand(input.shape).contiguous();
  }
  return description.loss(...args, all);
}

/** Rows `[start, start + count)` of every argument that has rows. */
export function rowsAt({ description, args }: Evaluated, start: number, count: number): torch.Tensor[] {
  return args.map((tensor, i) => {
    const name = description.arguments[i] as string;
    return description.constant.includes(name) ? tensor : tensor.narrow(description.batchDim[name] ?? 0, start, count);
  });
}

/** The rows in batches of the given sizes; the last size repeats until there are no more rows. */
export function* inBatches(evaluated: Evaluated, sizes: readonly number[], rows = rowCount): Generator<torch.Tensor[]> {
  for (let at = 0, i = 0; at < rows; i++) {
    const count = Math.min(sizes[Math.min(i, sizes.length - 1)] as number, rows - at);
    yield rowsAt(evaluated, at, count);
    at += count;
  }
}

/** Gives an evaluator all rows. */
export function feed<E extends BatchEvaluator>(evaluator: E, batches: Iterable<readonly torch.Tensor[]>): E {
  for (const batch of batches) evaluator.update(...(batch as torch.Tensor[]));
  return evaluator;
}

const scratch = new DataView(new ArrayBuffer(8));

function ordered(value: number): bigint {
  scratch.setFloat64(0, value);
  const bits = scratch.getBigInt64(0);
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
}

/** How many float64 numbers lie between two, one of them included; NaN is only next to NaN. */
export function ulpsApart(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Number.POSITIVE_INFINITY;
  const apart = ordered(a) - ordered(b);
  return Number(apart < 0n ? -apart : apart);
}
