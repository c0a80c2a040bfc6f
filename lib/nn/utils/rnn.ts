/** Sequences of different lengths in one tensor, as `torch.nn.utils.rnn`: padded, or packed for recurrent layers. */
import { expected, show } from '../../errors';
import { isTensor, showForeign } from '../../torch/bind';
import type { CastOptions } from '../../torch/cast';
import { asTensor } from '../../torch/create';
import { definer } from '../../torch/functions';
import { arange } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import type { Device, DType } from '../../types';
import { type RnnCalls, type RnnImplementations, rnnSchemas } from '../python.generated';
import { listed } from './tensors';

const define = definer<RnnCalls, RnnImplementations>(rnnSchemas);

/**
 * Sequences step by step: `data` holds the first step of every sequence, then the second of those that have one, and so
 * on; `batchSizes` how many have each. Made by {@link packSequence} and {@link packPaddedSequence}.
 *
 * **Source**: `torch.nn.utils.rnn.PackedSequence`.
 */
export class PackedSequence {
  /** The steps: `[sum of lengths, …]`. */
  readonly data: Tensor;
  /** How many sequences have each step: int64 on the CPU. */
  readonly batchSizes: Tensor;
  /** Which sequence each is, from the longest to the shortest; `undefined` if they came so. */
  readonly sortedIndices: Tensor | undefined;
  /** Where each sequence is among those. */
  readonly unsortedIndices: Tensor | undefined;

  constructor(data: Tensor, batchSizes: Tensor, sortedIndices?: Tensor | null, unsortedIndices?: Tensor | null) {
    if (!isTensor(data)) throw expected('PackedSequence', "'data'", 'to be a Tensor', showForeign(data));
    if (!isTensor(batchSizes) || batchSizes.device !== 'cpu') {
      const actual = isTensor(batchSizes) ? batchSizes.device : showForeign(batchSizes);
      throw expected('PackedSequence', "'batchSizes'", 'to be a Tensor on the CPU', actual);
    }
    this.data = data;
    this.batchSizes = batchSizes;
    this.sortedIndices = sortedIndices ?? undefined;
    this.unsortedIndices = unsortedIndices ?? invertPermutation(sortedIndices ?? null);
  }

  /** The steps on another device or of another dtype; the same object if nothing changes. */
  to(target: DType | Device | Tensor | CastOptions, options?: CastOptions): PackedSequence {
    const data = options === undefined ? this.data.to(target) : this.data.to(target, options);
    if (data === this.data) return this;
    const moved = (indices: Tensor | undefined): Tensor | undefined => indices?.to({ device: data.device });
    return new PackedSequence(data, this.batchSizes, moved(this.sortedIndices), moved(this.unsortedIndices));
  }

  /** On the CPU. */
  cpu(): PackedSequence {
    return this.to({ device: 'cpu' });
  }

  /** On a CUDA device. */
  cuda(): PackedSequence {
    return this.to({ device: 'cuda' });
  }

  /** As float64. */
  double(): PackedSequence {
    return this.to('float64');
  }

  /** As float32. */
  float(): PackedSequence {
    return this.to('float32');
  }

  /** As float16. */
  half(): PackedSequence {
    return this.to('float16');
  }

  /** As int64. */
  long(): PackedSequence {
    return this.to('int64');
  }

  /** As int32. */
  int(): PackedSequence {
    return this.to('int32');
  }

  /** As int16. */
  short(): PackedSequence {
    return this.to('int16');
  }

  /** As int8. */
  char(): PackedSequence {
    return this.to('int8');
  }

  /** As uint8. */
  byte(): PackedSequence {
    return this.to('uint8');
  }

  /** Whether the steps are on a CUDA device. */
  get isCuda(): boolean {
    return this.data.device.startsWith('cuda');
  }

  /** Whether the steps are in page-locked memory. */
  isPinned(): boolean {
    return this.data.isPinned();
  }

  /** With steps and indices in page-locked memory, for copies to a GPU. */
  pinMemory(): PackedSequence {
    const [sorted, unsorted] = [this.sortedIndices?.pinMemory(), this.unsortedIndices?.pinMemory()];
    return new PackedSequence(this.data.pinMemory(), this.batchSizes, sorted, unsorted);
  }

  /** Data, batch sizes and both lists of indices, as Python's tuple. */
  *[Symbol.iterator](): IterableIterator<Tensor | undefined> {
    yield this.data;
    yield this.batchSizes;
    yield this.sortedIndices;
    yield this.unsortedIndices;
  }
}

function packed(op: string, argument: string, given: unknown): PackedSequence {
  if (given instanceof PackedSequence) return given;
  throw expected(op, `'${argument}'`, 'to be a PackedSequence', show(given));
}

/** The permutation that undoes another: `[n]`. **Source**: `torch.nn.utils.rnn.invert_permutation`. */
export const invertPermutation = define('invertPermutation', (permutation) => {
  if (permutation === undefined) return undefined;
  const places = arange(0, permutation.numel(), { dtype: 'int64', device: permutation.device });
  return aten.empty_like(permutation, { memory_format: 'contiguous_format' }).scatter_(0, permutation, places);
});

const pack: RnnImplementations['packPaddedSequence'] = (input, given, batchFirst, enforceSorted) => {
  const lengths = isTensor(given) ? given.to('int64') : asTensor(given, { dtype: 'int64' });
  if (enforceSorted) {
    const [data, batchSizes] = aten._pack_padded_sequence(input, lengths, batchFirst);
    return new PackedSequence(data, batchSizes);
  }
  const { values, indices } = lengths.sort({ dim: -1, descending: true });
  const order = indices.to({ device: input.device });
  const sorted = aten.index_select(input, batchFirst ? 0 : 1, order);
  const [data, batchSizes] = aten._pack_padded_sequence(sorted, values, batchFirst);
  return new PackedSequence(data, batchSizes, order);
};

/**
 * Packs padded sequences of the given lengths, which descend unless `enforceSorted` is false. **Shapes**: input `[T, B, *]`, or
 * `[B, T, *]` with `batchFirst`; lengths `[B]`. **Source**: `torch.nn.utils.rnn.pack_padded_sequence`.
 */
export const packPaddedSequence = define('packPaddedSequence', pack);

const unpack: RnnImplementations['padPackedSequence'] = (given, batchFirst, paddingValue, totalLength) => {
  const sequence = packed('padPackedSequence', 'sequence', given);
  const longest = sequence.batchSizes.size(0);
  if (totalLength !== undefined && totalLength < longest) {
    const what = `to be at least ${longest}, the length of the longest sequence`;
    throw expected('padPackedSequence', "'totalLength'", what, String(totalLength));
  }
  const { data, batchSizes, unsortedIndices } = sequence;
  const length = totalLength ?? longest;
  const [padded, lengths] = aten._pad_packed_sequence(data, batchSizes, batchFirst, paddingValue, length);
  if (unsortedIndices === undefined) return [padded, lengths];
  const order = unsortedIndices.to({ device: 'cpu' });
  return [aten.index_select(padded, batchFirst ? 0 : 1, unsortedIndices), aten.index_select(lengths, 0, order)];
};

/**
 * The reverse of {@link packPaddedSequence}: `[padded, lengths]`. **Shapes**: `[T, B, *]`, or `[B, T, *]` with `batchFirst`, and
 * `[B]`. **Source**: `torch.nn.utils.rnn.pad_packed_sequence`.
 */
export const padPackedSequence = define('padPackedSequence', unpack);

/** The sequences of a list, or the rows of a tensor. */
function sequencesOf(op: string, given: Tensor | Iterable<Tensor>): Tensor[] {
  return isTensor(given) ? given.unbind(0) : listed(op, 'sequences', given);
}

/**
 * Sequences of any lengths in one tensor, with `paddingValue` behind them, or before with `paddingSide: 'left'`. **Shapes**:
 * `[L, *]` each -> `[T, B, *]`, or `[B, T, *]` with `batchFirst`. **Source**: `torch.nn.utils.rnn.pad_sequence`.
 */
export const padSequence = define('padSequence', (sequences, batchFirst, value, side) =>
  aten.pad_sequence(sequencesOf('padSequence', sequences), batchFirst, value, side),
);

const unpad: RnnImplementations['unpadSequence'] = (padded, lengths, batchFirst) => {
  const rows = (batchFirst ? padded : padded.transpose(0, 1)).unbind(0);
  if (lengths.ndim !== 1 || lengths.size(0) !== rows.length) {
    throw expected('unpadSequence', "'lengths'", `to have shape [${rows.length}]`, `shape [${lengths.shape}]`);
  }
  const steps = arange(padded.size(batchFirst ? 1 : 0), { dtype: 'int64', device: lengths.device });
  return rows.map((row, i) => aten.index.Tensor(row, [steps.lt(lengths.select(0, i))]));
};

/**
 * The reverse of {@link padSequence}: the sequences of the given lengths. **Source**: `torch.nn.utils.rnn.unpad_sequence`,
 * which transposes the tensor that it is given, too.
 */
export const unpadSequence = define('unpadSequence', unpad);

/**
 * Packs sequences, which become shorter unless `enforceSorted` is false. **Source**: `torch.nn.utils.rnn.pack_sequence`.
 */
export const packSequence = define('packSequence', (sequences, enforceSorted) => {
  const list = sequencesOf('packSequence', sequences);
  const lengths = list.map((sequence) => sequence.size(0));
  return pack(aten.pad_sequence(list), lengths, false, enforceSorted);
});

/** The sequences that were packed. **Source**: `torch.nn.utils.rnn.unpack_sequence`. */
export const unpackSequence = define('unpackSequence', (given) => {
  const [padded, lengths] = unpack(packed('unpackSequence', 'packedSequences', given), true, 0, undefined);
  return unpad(padded, lengths, true);
});
