/**
 * The printed form of a tensor, character for character what Python's `repr(tensor)` gives.
 *
 * Only the elements that appear in the text decide how numbers are written, so a tensor of any size is printed from few
 * elements: {@link printedIndices} says which, and {@link formatTensor} takes just those.
 */
import { expected, show } from '../errors';
import { boolean, integer, withDefaults, within } from '../options';
import { type Complex, type DType, floatingDTypes, isComplex, type Scalar } from '../types';

/** How tensors are written; names and defaults are those of `torch.set_printoptions`. */
export interface PrintOptions {
  /** Digits after the point of floating numbers, 0 to 100 (default 4). */
  precision?: number | undefined;
  /** A tensor of more elements than this is summarized (default 1000; `Infinity` never). */
  threshold?: number | undefined;
  /** How many elements a summary keeps at either end of a dimension (default 3). */
  edgeitems?: number | undefined;
  /** Characters in a line, after which rows and suffixes wrap (default 80). */
  linewidth?: number | undefined;
  /** Scientific notation: always, never, or as the numbers ask for it (default `undefined`). */
  sciMode?: boolean | undefined;
}

/** The input for the text of a tensor. */
export interface PrintedTensor {
  dtype: DType;
  shape: readonly number[];
  /**
   * Every element in row-major order, or only those at {@link printedIndices}, in the same order; `undefined` for a
   * tensor of the meta device, which has none.
   */
  data: ArrayLike<Scalar> | undefined;
  /** The device as libtorch names it; any but `'cpu'` is printed. */
  device?: string | undefined;
  requiresGrad?: boolean | undefined;
  /** Name of the autograd node that made the tensor (`'NllLossBackward0'`). */
  gradFn?: string | undefined;
  printOptions?: PrintOptions | undefined;
}

type Settings = { [K in Exclude<keyof PrintOptions, 'sciMode'>]-?: number } & { sciMode: boolean | undefined };

/** The texts of the elements, padded to the width that lines are counted with; zeros and NaNs may be wider. */
interface Column {
  texts: string[];
  width: number;
}

const op = 'formatTensor';
const prefix = 'tensor(';

/** PyTorch's defaults of `torch.set_printoptions`. */
export const printDefaults: Readonly<Settings> = Object.freeze({
  precision: 4,
  threshold: 1000,
  edgeitems: 3,
  linewidth: 80,
  sciMode: undefined,
});

/**
 * The text of a tensor as PyTorch prints it.
 *
 * **Shapes**: `data` holds all elements of `shape`, or only those that are printed.
 *
 * **Dtypes and devices**: every dtype; 16-bit floats come as the numbers they stand for, booleans as such or as 0 and
 * 1.
 *
 * @throws TorchError `INVALID_ARGUMENT` if `data` has another length or a print option is out of range.
 * @example formatTensor({ dtype: 'float32', shape: [2], data: [1, 0.5] }) // 'tensor([1.0000, 0.5000])'
 *
 * **Source**: `torch.Tensor.__repr__`.
 */
export function formatTensor(tensor: PrintedTensor): string {
  const settings = checked(tensor.printOptions);
  const body = tensor.data === undefined ? '...' : formatElements(tensor, tensor.data, settings);
  return withSuffixes(prefix + body, suffixes(tensor, settings), settings.linewidth);
}

function formatElements({ dtype, shape }: PrintedTensor, data: ArrayLike<Scalar>, settings: Settings): string {
  const indices = indicesOf(shape, settings);
  const elements = printedElements(shape, data, indices);
  const column = isComplex(dtype)
    ? formatComplex(elements as unknown as ArrayLike<Complex>, settings)
    : floating(dtype)
      ? formatFloats(elements, settings)
      : formatExact(elements, dtype);
  return size(shape) === 0 ? '[]' : layOut(column, shape, indices, settings);
}

/**
 * The indices, dimension by dimension, of the elements that the text of a tensor shows: all of them up to `threshold`
 * elements, beyond that the `edgeitems` first and last of each dimension longer than both together.
 *
 * @example printedIndices([1000, 2]) // [[0, 1, 2, 997, 998, 999], [0, 1]]
 */
export function printedIndices(shape: readonly number[], printOptions?: PrintOptions): readonly number[][] {
  return indicesOf(shape, checked(printOptions));
}

function indicesOf(shape: readonly number[], { threshold, edgeitems }: Settings): number[][] {
  const numel = size(shape);
  const summarized = numel > threshold;
  return shape.map((length) => {
    // Nothing is printed of it, however long this dimension is.
    if (numel === 0 && length > threshold) return [];
    if (!summarized || length <= 2 * edgeitems) return Array.from({ length }, (_, i) => i);
    return Array.from({ length: 2 * edgeitems }, (_, i) => (i < edgeitems ? i : length - 2 * edgeitems + i));
  });
}

function checked(options: PrintOptions | undefined): Settings {
  const settings = withDefaults<Settings>(op, options as Partial<Settings> | undefined, printDefaults);
  within(op, "option 'precision'", integer(op, "option 'precision'", settings.precision), 0, 100);
  within(op, "option 'threshold'", settings.threshold, 0, Infinity);
  for (const key of ['edgeitems', 'linewidth'] as const) {
    within(op, `option '${key}'`, integer(op, `option '${key}'`, settings[key]), 0, Number.MAX_SAFE_INTEGER);
  }
  if (settings.sciMode !== undefined) boolean(op, "option 'sciMode'", settings.sciMode);
  return settings;
}

/** The elements that are printed, picked out of `data` unless it holds nothing else. */
function printedElements(
  shape: readonly number[],
  data: ArrayLike<Scalar>,
  indices: readonly number[][],
): ArrayLike<Scalar> {
  const printed = size(indices.map((list) => list.length));
  if (data.length === printed) return data;
  if (data.length !== size(shape)) {
    const lengths = `to hold the ${size(shape)} elements of shape [${shape.join(', ')}] or the ${printed} printed ones`;
    throw expected(op, "'data'", lengths, show(data));
  }
  let offsets = [0];
  indices.forEach((list, dim) => {
    const length = shape[dim] as number;
    offsets = offsets.flatMap((offset) => list.map((index) => offset * length + index));
  });
  return offsets.map((offset) => data[offset] as Scalar);
}

/** Integers and booleans, all as wide as the widest. */
function formatExact(elements: ArrayLike<Scalar>, dtype: DType): Column {
  const text =
    dtype === 'bool' ? (value: Scalar) => (value ? 'True' : 'False') : (value: Scalar) => BigInt(value).toString();
  const texts = Array.from(elements, text);
  const width = texts.reduce((widest, one) => Math.max(widest, one.length), 1);
  return { texts: texts.map((one) => one.padStart(width)), width };
}

/** Floating numbers in the one notation that their magnitudes ask for; zeros, infinities and NaNs do not widen it. */
function formatFloats(elements: ArrayLike<Scalar>, settings: Settings): Column {
  const values = Array.from(elements, Number);
  const notation = chooseNotation(values.filter(counts), settings);
  const texts = values.map((value) => (Number.isFinite(value) ? notation(value) : nonFinite(value)));
  const width = texts.reduce((w, text, i) => (counts(values[i] as number) ? Math.max(w, text.length) : w), 1);
  return { texts: texts.map((text) => text.padStart(width)), width };
}

/** Complex numbers: real parts in one notation, imaginary ones in another. */
function formatComplex(elements: ArrayLike<Complex>, settings: Settings): Column {
  const numbers = Array.from(elements);
  const part = (name: keyof Complex): Column =>
    formatFloats(
      numbers.map((number) => number[name]),
      settings,
    );
  const [re, im] = [part('re'), part('im')];
  const texts = re.texts.map((text, i) => {
    const imaginary = `${im.texts[i]?.trimStart()}j`;
    return imaginary.startsWith('-') ? text + imaginary : `${text}+${imaginary}`;
  });
  return { texts, width: re.width + im.width + 1 };
}

function counts(value: number): boolean {
  return Number.isFinite(value) && value !== 0;
}

function chooseNotation(counted: readonly number[], { precision, sciMode }: Settings): (value: number) => string {
  let [smallest, largest] = [Infinity, 0];
  for (const value of counted) {
    smallest = Math.min(smallest, Math.abs(value));
    largest = Math.max(largest, Math.abs(value));
  }
  const spread = largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4;
  if (counted.length > 0 && (sciMode ?? spread)) return (value) => exponential(value, precision);
  if (counted.every(Number.isInteger)) return (value) => `${fixed(value, 0)}.`;
  return (value) => fixed(value, precision);
}

function nonFinite(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

/** Python's `f'{value:.{digits}f}'` of a finite number: the exact binary value, rounded half to even. */
function fixed(value: number, digits: number): string {
  if (Object.is(value, -0)) return `-${fixed(0, digits)}`;
  // From 1e21 on toFixed gives up; such doubles are integers.
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  const text = value.toFixed(digits);
  return halfway(value, digits) ? text.replace(/\d$/, toEven) : text;
}

/** Python's `f'{value:.{digits}e}'` of a finite number: rounded half to even, the exponent of at least two digits. */
function exponential(value: number, digits: number): string {
  if (Object.is(value, -0)) return `-${exponential(0, digits)}`;
  const [mantissa, exponent] = value.toExponential(digits).split('e') as [string, string];
  // A number halfway between 9.99…9 and 10 has come out as 1.00…0 with the exponent above, which is even as it must be.
  const even = halfway(value, digits - Number(exponent)) ? mantissa.replace(/\d$/, toEven) : mantissa;
  return `${even}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`;
}

/** The last digit of a tie: JavaScript has rounded it away from zero, so an odd one is one too high. */
function toEven(digit: string): string {
  return String(Number(digit) - (Number(digit) % 2));
}

/** Whether `value` lies exactly midway between two neighbouring multiples of 10^-digits. */
function halfway(value: number, digits: number): boolean {
  if (digits < 0) {
    const unit = 10n ** BigInt(-digits);
    return Number.isInteger(value) && (2n * BigInt(value)) % (2n * unit) === (value < 0 ? -unit : unit);
  }
  // value = (n + 1/2) / 10^digits means value * 2^(digits + 1) = (2n + 1) / 5^digits, which in binary is an odd
  // integer.
  return Math.abs((value * 2 ** (digits + 1)) % 2) === 1;
}

/** Brackets, commas, line breaks and the dots of a summary around the element texts. */
function layOut(
  { texts, width }: Column,
  shape: readonly number[],
  indices: readonly number[][],
  { edgeitems, linewidth }: Settings,
): string {
  let next = 0;
  const slice = (dim: number, indent: number): string => {
    const list = indices[dim];
    if (list === undefined) return texts[next++] as string;
    const parts = list.map(() => slice(dim + 1, indent + 1));
    const innermost = dim === shape.length - 1;
    // Python's summary of a row joins ' ...' like an element, hence the two spaces before its dots.
    if (list.length < (shape[dim] as number)) parts.splice(edgeitems, 0, innermost && edgeitems > 0 ? ' ...' : '...');
    const lines = innermost ? wrap(parts, width + 2, linewidth - indent) : parts;
    const breaks = '\n'.repeat(Math.max(1, shape.length - 1 - dim));
    return `[${lines.join(`,${breaks}${' '.repeat(indent + 1)}`)}]`;
  };
  return slice(0, prefix.length);
}

/** The elements of a row in lines of as many as fit into the width, but at least one. */
function wrap(elements: readonly string[], elementWidth: number, lineWidth: number): string[] {
  const perLine = Math.max(1, Math.floor(lineWidth / elementWidth));
  const lines: string[] = [];
  for (let i = 0; i < elements.length; i += perLine) lines.push(elements.slice(i, i + perLine).join(', '));
  return lines;
}

/** What follows the elements: all that a reader could not guess from them. */
function suffixes(tensor: PrintedTensor, { edgeitems }: Settings): string[] {
  const { dtype, shape, data, device, requiresGrad, gradFn } = tensor;
  const empty = size(shape) === 0;
  const guessed: readonly DType[] =
    empty || data === undefined ? ['float32'] : ['float32', 'int64', 'bool', 'complex64'];
  const parts: string[] = [];
  if (device !== undefined && device !== 'cpu') parts.push(`device='${device}'`);
  if (data === undefined || (empty ? shape.length !== 1 : edgeitems === 0)) parts.push(`size=${tuple(shape)}`);
  if (!guessed.includes(dtype)) parts.push(`dtype=torch.${dtype}`);
  if (gradFn !== undefined) parts.push(`grad_fn=<${gradFn}>`);
  else if (requiresGrad) parts.push('requires_grad=True');
  return parts;
}

function withSuffixes(text: string, parts: readonly string[], linewidth: number): string {
  let result = text;
  // PyTorch takes the last line for two characters longer than it is, so we do.
  let used = text.length - text.lastIndexOf('\n') + 1;
  for (const part of parts) {
    if (used + part.length + 2 > linewidth) {
      result += `,\n${' '.repeat(prefix.length)}${part}`;
      used = prefix.length + part.length;
    } else {
      result += `, ${part}`;
      used += part.length + 2;
    }
  }
  return `${result})`;
}

/** A shape as Python writes the tuple. */
function tuple(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

function size(lengths: readonly number[]): number {
  return lengths.reduce((product, length) => product * length, 1);
}

function floating(dtype: DType): boolean {
  return (floatingDTypes as readonly DType[]).includes(dtype);
}
