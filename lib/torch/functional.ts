/** The functions of `torch` that PyTorch writes in Python, or that JavaScript's numbers ask for. */
import { expected, show } from '../errors';
import { classIndex } from '../options';
import type { Complex, Device, DType, Layout, Scalar } from '../types';
import { tensor } from './create';
import { scalarDType } from './elements';
import { defineFunction, type Variadic } from './functions';
import { aten } from './ops';
import { shapeText } from './shape';
import type { Tensor } from './tensor';

type Integer = number | bigint;
type Integers = readonly Integer[];

/** Options of factories, by PyTorch's names. */
export interface FactoryOptions {
  /** Element type; what it is by default, each factory says. */
  dtype?: DType | null;
  /** How elements are laid out. Default `'strided'`. */
  layout?: Layout | null | undefined;
  /** Where the tensor is made. Default `'cpu'`. */
  device?: Device | null | undefined;
  /** Whether the memory is page-locked, for copies to a GPU. Default `false`. */
  pinMemory?: boolean | null | undefined;
  /** Whether operations on the tensor are recorded for gradients. Default `false`. */
  requiresGrad?: boolean | null | undefined;
}

/**
 * A tensor filled with one value; by default float32 for a number, int64 for a bigint and bool for a boolean.
 *
 * **Source**: `torch.full`, whose default for Python's integers is int64: JavaScript has one kind of number.
 */
export const full: (
  size: Integers,
  fillValue: Scalar | Complex,
  options?: FactoryOptions & { out?: Tensor | null | undefined },
) => Tensor = defineFunction(
  'full',
  `(SymInt[] size, Scalar fill_value, *, Tensor? out=None, ScalarType? dtype=None, Layout? layout=None,
    Device? device=None, bool? pin_memory=None)`,
  (
    size: Integers,
    value: Scalar | Complex,
    out?: Tensor,
    dtype?: DType,
    layout?: Layout,
    device?: Device,
    pin?: boolean,
  ) => {
    if (out !== undefined) {
      for (const [key, asked] of Object.entries({ dtype, layout, device }) as ['dtype', unknown][]) {
        if (asked === undefined || asked === out[key]) continue;
        throw expected('full', `'${key}'`, `to be '${out[key]}', as 'out' has`, show(asked));
      }
      return aten.full.out(size, value, { out });
    }
    const type = dtype ?? (typeof value === 'object' ? 'complex64' : scalarDType(value));
    return aten.full(size, value, { dtype: type, layout, device, pin_memory: pin });
  },
);

/**
 * The indices of the elements that are not 0: int64 `[n, ndim]`, or with `asTuple` one vector for each dimension.
 *
 * **Source**: `torch.nonzero`.
 */
export const nonzero: {
  (input: Tensor, options?: { asTuple?: false; out?: Tensor | null | undefined }): Tensor;
  (input: Tensor, options: { asTuple: true }): Tensor[];
} = defineFunction(
  'nonzero',
  '(Tensor self, *, bool as_tuple=False, Tensor? out=None)',
  (input: Tensor, asTuple: boolean, out?: Tensor) => {
    if (asTuple && out !== undefined)
      throw expected('nonzero', "'out'", "to be absent where 'asTuple' is true", show(out));
    if (asTuple) return aten.nonzero_numpy(input);
    return out === undefined ? aten.nonzero(input) : aten.nonzero.out(input, { out });
  },
);

/**
 * Grids of coordinates: from vectors of n, m, … elements as many tensors of shape [n, m, …]. `indexing: 'xy'` exchanges
 * the first two dimensions.
 *
 * **Source**: `torch.meshgrid`, whose default indexing is `'ij'`.
 */
export const meshgrid: Variadic<Tensor[], { indexing?: 'ij' | 'xy' | null | undefined }> = defineFunction(
  'meshgrid',
  "(Tensor[] tensors, *, str indexing='ij')",
  (tensors: readonly Tensor[], indexing: string) => aten.meshgrid.indexing(tensors, { indexing }),
);

/** The tensors, expanded to one shape. **Source**: `torch.broadcast_tensors`. */
export const broadcastTensors: Variadic<Tensor[]> = defineFunction(
  'broadcastTensors',
  '(Tensor[] tensors)',
  (tensors: readonly Tensor[]) => aten.broadcast_tensors(tensors),
);

/** A tensor, or several, with at least so many dimensions. */
type AtLeast = {
  (tensor: Tensor): Tensor;
  (tensors: readonly Tensor[]): Tensor[];
  (...tensors: readonly [Tensor, Tensor, ...Tensor[]]): Tensor[];
};

const atLeast = (op: string, packetOf: () => typeof aten.atleast_1d): AtLeast =>
  defineFunction(op, ['(Tensor self)', '(Tensor[] tensors)'], (tensors: Tensor | readonly Tensor[]) =>
    Array.isArray(tensors) ? packetOf().Sequence(tensors) : packetOf().default(tensors as Tensor),
  );

/** With at least one dimension: a scalar as a vector of one element. **Source**: `torch.atleast_1d`. */
export const atleast1d: AtLeast = atLeast('atleast1d', () => aten.atleast_1d);

/** With at least two dimensions: a vector as a matrix of one row. **Source**: `torch.atleast_2d`. */
export const atleast2d: AtLeast = atLeast('atleast2d', () => aten.atleast_2d as never);

/** With at least three dimensions. **Source**: `torch.atleast_3d`. */
export const atleast3d: AtLeast = atLeast('atleast3d', () => aten.atleast_3d as never);

/** Named arguments of {@link norm}. */
export interface NormOptions {
  /** The order: a number, `'fro'` or `'nuc'`. Default `'fro'`. */
  p?: Scalar | string | null | undefined;
  /** The dimensions whose elements make one norm. Absent: all. */
  dim?: Integer | Integers | null | undefined;
  /** Keep these dimensions with size 1. Default `false`. */
  keepdim?: boolean | null | undefined;
  /** Convert to this dtype first. */
  dtype?: DType | null;
  /** Where to write the result. */
  out?: Tensor | null | undefined;
}

/**
 * A norm of vectors or matrices. `torch.linalg.vectorNorm` and `matrixNorm` say more exactly which.
 *
 * **Source**: `torch.norm`.
 */
export const norm: {
  (input: Tensor, p?: Scalar | string | null, dim?: Integer | Integers | null, keepdim?: boolean): Tensor;
  (input: Tensor, options: NormOptions): Tensor;
  (input: Tensor, p: Scalar | string | null, options: Omit<NormOptions, 'p'>): Tensor;
  (
    input: Tensor,
    p: Scalar | string | null,
    dim: Integer | Integers | null,
    options: Omit<NormOptions, 'p' | 'dim'>,
  ): Tensor;
} = defineFunction(
  'norm',
  [
    "(Tensor self, str p='fro', int[1]? dim=None, bool keepdim=False, Tensor? out=None, ScalarType? dtype=None)",
    '(Tensor self, Scalar? p, int[1]? dim=None, bool keepdim=False, Tensor? out=None, ScalarType? dtype=None)',
  ],
  (
    input: Tensor,
    p: Scalar | string | undefined,
    dim?: Integer | Integers,
    keepdim?: boolean,
    out?: Tensor,
    dtype?: DType,
  ) => {
    const dims = dim === undefined || Array.isArray(dim) ? (dim as Integers | undefined) : [dim as Integer];
    if (typeof p !== 'string' || (p === 'fro' && (dims === undefined || dims.length <= 2))) {
      const order = typeof p === 'string' ? 2 : (p ?? 2);
      if (out === undefined) return aten.linalg_vector_norm(input, order, dims, keepdim, { dtype });
      return aten.linalg_vector_norm.out(input, order, dims, keepdim, { dtype, out });
    }
    const all = dims ?? Array.from({ length: input.ndim }, (_, i) => i);
    if (out === undefined) return aten.linalg_matrix_norm.str_ord(input, p, all, keepdim, { dtype });
    return aten.linalg_matrix_norm.str_ord_out(input, p, all, keepdim, { dtype, out });
  },
);

/** Named arguments of {@link unique}. */
export interface UniqueOptions {
  /** Sort the elements. Default `true`. */
  sorted?: boolean | null | undefined;
  /** Also give where each element of the input is in the result. Default `false`. */
  returnInverse?: boolean | null | undefined;
  /** Also give how often each occurs. Default `false`. */
  returnCounts?: boolean | null | undefined;
  /** Compare slices along this dimension. Absent: elements. */
  dim?: number | null | undefined;
}

/** The tensor alone, or with what else was asked for. */
type Unique = Tensor | Tensor[];

function asked(results: readonly Tensor[], inverse: boolean, counts: boolean): Unique {
  const given = results.filter((_, i) => i === 0 || (i === 1 && inverse) || (i === 2 && counts));
  return given.length === 1 ? (given[0] as Tensor) : given;
}

/**
 * The elements without repetition, or with `dim` the slices; with `returnInverse` and `returnCounts` an array of them
 * and what else was asked for.
 *
 * **Source**: `torch.unique`.
 */
export const unique: {
  (input: Tensor): Tensor;
  (input: Tensor, options: UniqueOptions & ({ returnInverse: true } | { returnCounts: true })): Tensor[];
  (input: Tensor, options: UniqueOptions & { returnInverse?: false; returnCounts?: false }): Tensor;
  (input: Tensor, sorted?: boolean, returnInverse?: boolean, returnCounts?: boolean, dim?: number): Unique;
} = defineFunction(
  'unique',
  '(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, int? dim=None)',
  (input: Tensor, sorted: boolean, inverse: boolean, counts: boolean, dim?: number) => {
    const results =
      dim === undefined
        ? aten._unique2(input, sorted, inverse, counts)
        : aten.unique_dim(input, dim, sorted, inverse, counts);
    return asked([...results], inverse, counts);
  },
);

/**
 * The elements without those that equal the one before them.
 *
 * **Source**: `torch.unique_consecutive`.
 */
export const uniqueConsecutive: {
  (input: Tensor): Tensor;
  (input: Tensor, options: Omit<UniqueOptions, 'sorted'>): Unique;
  (input: Tensor, returnInverse?: boolean, returnCounts?: boolean, dim?: number): Unique;
} = defineFunction(
  'uniqueConsecutive',
  '(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None)',
  (input: Tensor, inverse: boolean, counts: boolean, dim?: number) =>
    asked([...aten.unique_consecutive(input, inverse, counts, dim)], inverse, counts),
);

/**
 * Indices into a flattened tensor as one tensor of indices for each dimension of its shape. **Source**:
 * `torch.unravel_index`.
 */
export const unravelIndex: (indices: Tensor, shape: Integer | Integers) => Tensor[] = defineFunction(
  'unravelIndex',
  '(Tensor indices, SymInt[1] shape)',
  (indices: Tensor, shape: Integer | Integers) => {
    if (!/^u?int/.test(indices.dtype)) {
      throw expected('unravelIndex', "'indices'", 'to be of an integer dtype', indices.dtype);
    }
    const sizes = [shape].flat().map((size) => BigInt(size as Integer));
    const negative = sizes.findIndex((size) => size < 0n);
    if (negative >= 0) {
      throw expected('unravelIndex', `'shape[${negative}]'`, 'to be an integer >= 0', String(sizes[negative]));
    }
    const steps = sizes.map((_, i) => sizes.slice(i + 1).reduce((product, size) => product * size, 1n));
    const vector = (values: readonly bigint[]): Tensor => tensor(values, { dtype: 'int64', device: indices.device });
    const along = aten.floor_divide(indices.unsqueeze(-1), vector(steps));
    return aten.unbind.int(aten.remainder.Tensor(along, vector(sizes)), -1);
  },
);

/** Named arguments of {@link stft}. */
export interface StftOptions {
  /** How far neighbouring windows are apart. Default `nFft / 4`. */
  hopLength?: number | null | undefined;
  /** The length of the window. Default `nFft`. */
  winLength?: number | null | undefined;
  /** The window. Absent: ones. */
  window?: Tensor | null | undefined;
  /** Pad the signal so that windows are centred. Default `true`. */
  center?: boolean | null | undefined;
  /** How it is padded: `'reflect'`, `'constant'`, … Default `'reflect'`. */
  padMode?: string | null | undefined;
  /** Divide by the square root of the frame's length. Default `false`. */
  normalized?: boolean | null | undefined;
  /** Only the non-negative frequencies. Default: for real signals. */
  onesided?: boolean | null | undefined;
  /** Complex numbers, rather than a last dimension of two. */
  returnComplex?: boolean | null | undefined;
  /** Align windows to their own length; only where `center` is false. */
  alignToWindow?: boolean | null | undefined;
}

/**
 * The short-time Fourier transform: `[batch?, frequency, frame]` of a signal `[batch?, time]`.
 *
 * **Source**: `torch.stft`.
 */
export const stft: {
  (input: Tensor, nFft: number, options?: StftOptions): Tensor;
  (input: Tensor, nFft: number, hopLength: number | null, winLength: number | null, options?: StftOptions): Tensor;
} = defineFunction(
  'stft',
  `(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True,
    str pad_mode='reflect', bool normalized=False, bool? onesided=None, bool? return_complex=None,
    bool? align_to_window=None)`,
  (
    input: Tensor,
    nFft: number,
    hop?: number,
    length?: number,
    window?: Tensor,
    center?: boolean,
    mode?: string,
    ...flags: boolean[]
  ) => {
    const [normalized, onesided, complex, aligned] = flags;
    if (center === true && aligned !== undefined) {
      throw expected('stft', "'alignToWindow'", "to be absent where 'center' is true", String(aligned));
    }
    const signal = center === true ? centred(input, Math.floor(nFft / 2), mode as string) : input;
    return aten.stft(signal, nFft, hop, length, window, normalized, onesided, complex, aligned);
  },
);

function centred(signal: Tensor, by: number, mode: string): Tensor {
  const { shape } = signal;
  const extended = signal.view([...Array.from({ length: 3 - shape.length }, () => 1), ...shape]);
  const padded = aten.pad(extended, [by, by], mode);
  return padded.view(padded.shape.slice(-shape.length));
}

/** The LU factorisation with partial pivots; with `getInfos` whether each matrix had one. **Source**: `torch.lu`. */
export const lu: {
  (A: Tensor, pivot?: boolean, getInfos?: boolean): Tensor[];
  (A: Tensor, options: { pivot?: boolean | null | undefined; getInfos?: boolean | null | undefined }): Tensor[];
} = defineFunction(
  'lu',
  '(Tensor self, bool pivot=True, bool get_infos=False)',
  (A: Tensor, pivot: boolean, infos: boolean) => {
    const [factors, pivots, info] = aten._lu_with_info(A, pivot, !infos);
    return infos ? [factors, pivots, info] : [factors, pivots];
  },
);

/**
 * The shape that tensors of several shapes broadcast to.
 *
 * @throws TorchError `INVALID_ARGUMENT` for sizes that are not integers >= 0, and for shapes that do not fit together.
 *
 * **Source**: `torch.broadcast_shapes`.
 */
export function broadcastShapes(...shapes: readonly (Integer | Integers | null)[]): number[] {
  const op = 'broadcastShapes';
  const result: number[] = [];
  for (const [place, shape] of shapes.entries()) {
    if (shape === null) continue;
    const given: readonly Integer[] = Array.isArray(shape) ? shape : [shape as Integer];
    // In order, holes included: the first of four billion is refused at once.
    const sizes = Array.from(given, (size) => Number(classIndex(op, `'shapes[${place}]'`, size)));
    for (let back = 1; back <= sizes.length; back++) {
      const size = sizes.at(-back) as number;
      const found = result.at(-back);
      if (size < 0) throw expected(op, `'shapes[${place}]'`, 'to have sizes >= 0', shapeText(sizes));
      if (found === undefined) result.unshift(size);
      else if (found === 1) result[result.length - back] = size;
      else if (size !== 1 && size !== found) {
        throw expected(op, `'shapes[${place}]'`, `to broadcast to ${shapeText(result)}`, shapeText(sizes));
      }
    }
  }
  return result;
}
