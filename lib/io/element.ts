/** Elements as files hold them, and the dtypes that they become. */
import { type DType, itemsizes } from '../types';

/** How one element lies in a file. */
export interface ElementType {
  /** Its name in the file's own words, for messages: `<f4`, `BF16`. */
  readonly name: string;
  /** Its bytes. */
  readonly size: number;
  /** What its bytes, in the order of this machine, are seen as. */
  readonly stored: DType;
  /** What it becomes: the same, but a wider type for unsigned integers that libtorch has no arithmetic for. */
  readonly dtype: DType;
  readonly unsigned: boolean;
  /** Whether its first byte is the most significant one. */
  readonly bigEndian: boolean;
}

/** An element that is a dtype as it is, the least significant byte first. */
export function plainElement(dtype: DType, name: string = dtype): ElementType {
  return { name, size: itemsizes[dtype], stored: dtype, dtype, unsigned: false, bigEndian: false };
}

/** An unsigned integer: its bits as the signed one of its size, and what holds its values. */
function unsignedElement(stored: DType, dtype: DType, name: string): ElementType {
  return { ...plainElement(stored, name), dtype, unsigned: true };
}

/** NumPy's kinds and sizes. */
const numpyElements: ReadonlyMap<string, ElementType> = new Map(
  [
    plainElement('float16', 'f2'),
    plainElement('float32', 'f4'),
    plainElement('float64', 'f8'),
    plainElement('int8', 'i1'),
    plainElement('int16', 'i2'),
    plainElement('int32', 'i4'),
    plainElement('int64', 'i8'),
    plainElement('uint8', 'u1'),
    unsignedElement('int16', 'int32', 'u2'),
    unsignedElement('int32', 'int64', 'u4'),
    unsignedElement('int64', 'int64', 'u8'),
    plainElement('bool', 'b1'),
  ].map((element) => [element.name, element]),
);

/** What NumPy's other kinds are, for messages. */
const otherKinds: Readonly<Record<string, string>> = {
  O: 'Python objects',
  S: 'byte strings',
  a: 'byte strings',
  U: 'strings',
  V: 'raw bytes (save bfloat16 as float32, or in a .safetensors file)',
  c: 'complex numbers',
  m: 'time differences',
  M: 'dates',
};

/** The element of a dtype string of NumPy's, such as `<f4`; else why there is none. */
export function numpyElement(descr: string): ElementType | string {
  const [, order, kind, size] = /^([<>=|]?)([A-Za-z?])(\d*)/.exec(descr) ?? [];
  if (kind === undefined) return 'is not a dtype of NumPy';
  const element = numpyElements.get(descr.slice((order as string).length));
  if (element !== undefined) {
    return { ...element, name: descr, bigEndian: order === '>' && element.size > 1 };
  }
  const other = otherKinds[kind];
  if (other !== undefined) return `stands for ${other}; only numbers and booleans are read`;
  return `stands for elements of kind ${kind} with ${size === '' ? 'no' : size} bytes, which libtorch does not have`;
}

/** The dtypes of .safetensors files that are read. */
export const safetensorsElements: ReadonlyMap<string, ElementType> = new Map(
  [
    plainElement('float16', 'F16'),
    plainElement('bfloat16', 'BF16'),
    plainElement('float32', 'F32'),
    plainElement('float64', 'F64'),
    plainElement('int8', 'I8'),
    plainElement('int16', 'I16'),
    plainElement('int32', 'I32'),
    plainElement('int64', 'I64'),
    plainElement('uint8', 'U8'),
    unsignedElement('int16', 'int32', 'U16'),
    unsignedElement('int32', 'int64', 'U32'),
    unsignedElement('int64', 'int64', 'U64'),
    plainElement('bool', 'BOOL'),
  ].map((element) => [element.name, element]),
);

/** The dtypes that tensors of .safetensors files have as they are, in the order in which the format's library lays them. */
export const safetensorsDTypes: ReadonlyMap<string, DType> = new Map<string, DType>([
  ['I64', 'int64'],
  ['F64', 'float64'],
  ['C64', 'complex64'],
  ['F32', 'float32'],
  ['I32', 'int32'],
  ['BF16', 'bfloat16'],
  ['F16', 'float16'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

/** Bits of an element of all dtypes of the format, those included that are not read. **Source**: safetensors 0.8. */
export const safetensorsBits: ReadonlyMap<string, number> = new Map([
  ...[...safetensorsElements.values()].map(({ name, size }) => [name, 8 * size] as const),
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['C64', 64],
]);
