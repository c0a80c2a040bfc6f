/** How linear cross entropy is computed in chunks of rows: the options, and their values for one call. */
import { expected, show } from '../../errors';
import { boolean, oneOf, withDefaults } from '../../options';
import { type Device, type DType, type FloatingDType, floatingDTypes } from '../../types';

const accPolicies = ['auto', 'accurate', 'balanced', 'compact'] as const;

/**
 * Computes linear cross entropy in chunks of rows, so that the scores `[N, C]` of all of them never exist at once. In
 * float16 and bfloat16 what is summed may be kept in float32. Its bits are not those of the plain computation.
 *
 * Chunks pay where there are at least as many rows as features, and more classes than features.
 *
 * **Source**: `torch.nn.LinearCrossEntropyOptions`.
 */
export interface LinearCrossEntropyOptions {
  /**
   * Whether `backward()` may run more than once. Without, the first one consumes the gradients that were computed with
   * the value, and a second one is an error. `'none'` recomputes them and needs none of this. Default `false`.
   */
  allowRetainGraph?: boolean | undefined;
  /** How many rows a chunk has, an integer > 0. Absent: what `chunkingMethod` finds. */
  batchChunkSize?: number | undefined;
  /**
   * `'aspect_ratio'`: chunks whose scores take about the memory of the input; `'aspect_ratio:N'`: an N-th of it;
   * `'auto'` (the default): what suits device and dtype, unless there is a `batchChunkSize`; `null`: one chunk of
   * `batchChunkSize` rows after the other, or all rows at once.
   */
  chunkingMethod?: 'auto' | 'aspect_ratio' | `aspect_ratio:${number}` | null | undefined;
  /**
   * How much is kept in `accDtype`: `'accurate'` the most; `'balanced'` what the gradients need; `'compact'` that
   * without a sum of its own for the weight's gradient. `'auto'` (the default): what suits device and dtype.
   */
  accPolicy?: (typeof accPolicies)[number] | undefined;
  /**
   * The dtype of sums: the input's, or float32 for float16 and bfloat16. Absent: float32 for those with `accPolicy:
   * 'auto'`.
   */
  accDtype?: FloatingDType | null;
}

/** @internal */
export const linearCrossEntropyOptionDefaults = Object.freeze({
  allowRetainGraph: false,
  batchChunkSize: undefined,
  chunkingMethod: 'auto',
  accPolicy: 'auto',
  accDtype: null,
}) satisfies Required<LinearCrossEntropyOptions>;

/** Options that have been checked. */
export interface CheckedChunking {
  readonly allowRetainGraph: boolean;
  readonly batchChunkSize: number | undefined;
  readonly chunkingMethod: string | null;
  readonly accPolicy: (typeof accPolicies)[number];
  readonly accDtype: FloatingDType | null;
}

/** The values of options for one call. */
export interface ChunkPlan {
  chunkSize: number;
  accPolicy: 'accurate' | 'balanced' | 'compact';
  accDtype: DType;
}

/** The options, if they are ones. */
export function checkChunking(op: string, options: LinearCrossEntropyOptions): CheckedChunking {
  const filled = withDefaults<LinearCrossEntropyOptions>(op, options, linearCrossEntropyOptionDefaults);
  const { batchChunkSize, accDtype } = filled;
  // Here `null` says something: no method.
  const chunkingMethod = options.chunkingMethod === null ? null : (filled.chunkingMethod ?? 'auto');
  if (chunkingMethod !== null && chunkingMethod !== 'auto' && !(aspectFactor(chunkingMethod) > 0)) {
    const what = "to be 'auto', 'aspect_ratio', 'aspect_ratio:N' with an integer N > 0, or null";
    throw expected(op, "option 'chunkingMethod'", what, show(chunkingMethod));
  }
  if (batchChunkSize !== undefined && !(Number.isSafeInteger(batchChunkSize) && batchChunkSize > 0)) {
    throw expected(op, "option 'batchChunkSize'", 'to be an integer > 0', show(batchChunkSize));
  }
  return {
    allowRetainGraph: boolean(op, "option 'allowRetainGraph'", filled.allowRetainGraph),
    batchChunkSize,
    chunkingMethod,
    accPolicy: oneOf(op, "option 'accPolicy'", filled.accPolicy, accPolicies),
    accDtype:
      accDtype === null || accDtype === undefined ? null : oneOf(op, "option 'accDtype'", accDtype, floatingDTypes),
  };
}

/** The N of `'aspect_ratio:N'`; NaN for any other method. */
function aspectFactor(method: unknown): number {
  const found = typeof method === 'string' ? /^aspect_ratio(?::(\d+))?$/.exec(method) : null;
  return found === null ? Number.NaN : Number(found[1] ?? 1);
}

interface CallSizes {
  rows: number;
  features: number;
  classes: number;
  dtype: DType;
  device: Device;
}

const halves: readonly DType[] = ['float16', 'bfloat16'];

/** The options with every `'auto'` decided. */
export function planChunks(op: string, options: CheckedChunking, sizes: CallSizes): ChunkPlan {
  const { dtype, device, rows } = sizes;
  const isHalf = halves.includes(dtype);
  // PyTorch's choice: half-precision products are slow on CPUs, where the accurate policy computes them in float32.
  const slowHalf = device === 'cpu' && isHalf;
  const accPolicy = options.accPolicy === 'auto' ? (slowHalf ? 'accurate' : 'compact') : options.accPolicy;
  let method = options.chunkingMethod;
  if (method === 'auto') {
    method = options.batchChunkSize === undefined ? (slowHalf ? 'aspect_ratio' : 'aspect_ratio:2') : null;
  }
  const wanted = options.batchChunkSize;
  let chunkSize = Math.min(wanted ?? rows, rows);
  if (method !== null) {
    chunkSize = aspectChunkSize(op, aspectFactor(method), sizes);
    if (wanted !== undefined && wanted !== chunkSize) {
      const what = `to be absent, or the ${chunkSize} that chunkingMethod '${method}' finds`;
      throw expected(op, "option 'batchChunkSize'", what, String(wanted));
    }
  }
  const widens = options.accPolicy === 'auto' && isHalf && /^(?:cpu|cuda)/.test(device);
  const accDtype = options.accDtype ?? (widens ? 'float32' : dtype);
  if (accDtype !== dtype && !(isHalf && accDtype === 'float32')) {
    const what = `to be ${dtype} as 'input' is${isHalf ? ", or 'float32'" : ''}`;
    throw expected(op, "option 'accDtype'", what, accDtype);
  }
  return { chunkSize: Math.max(1, chunkSize), accPolicy, accDtype };
}

/** The power of two not below rows * features / classes, divided by the factor; at most all rows. */
function aspectChunkSize(op: string, factor: number, { rows, features, classes }: CallSizes): number {
  if (features === 0 || classes === 0) {
    const what = "to have 'chunkingMethod' null, as no features or no classes have no aspect ratio";
    throw expected(op, "option 'options'", what, `${features} features and ${classes} classes`);
  }
  const target = Math.ceil(rows / Math.ceil(classes / features));
  let size = target === 0 ? 2 : 1;
  while (size < target) size *= 2;
  return Math.min(Math.floor(size / factor), rows);
}
