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

/** Names in NumPy and in .safetensors files; of unsigned integers, what their bits are seen as and what holds their values. */
const elements: readonly (readonly [numpy: string | undefined, safetensors: string, stored: DType, dtype?: DType])[] = [
  ['f2', 'F16', 'float16'],
  [undefined, 'BF16', 'bfloat16'],
  ['f4', 'F32', 'float32'],
  ['f8', 'F64', 'float64'],
  ['i1', 'I8', 'int8'],
  ['i2', 'I16', 'int16'],
  ['i4', 'I32', 'int32'],
  ['i8', 'I64', 'int64'],
  ['u1', 'U8', 'uint8'],
  ['u2', 'U16', 'int16', 'int32'],
  ['u4', 'U32', 'int32', 'int64'],
  ['u8', 'U64', 'int64', 'int64'],
  ['b1', 'BOOL', 'bool'],
];

function elementsByName(column: 0 | 1): ReadonlyMap<string, ElementType> {
  const byName = new Map<string, ElementType>();
  for (const row of elements) {
    const [, , stored, dtype] = row;
    const name = row[column];
    if (name === undefined) continue;
    byName.set(name, { ...plainElement(stored, name), ...(dtype && { dtype, unsigned: true }) });
  }
  return byName;
}

/** NumPy's kinds and sizes. */
const numpyElements = elementsByName(0);

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
export const safetensorsElements: ReadonlyMap<string, ElementType> = elementsByName(1);

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
