/** Bytes of arrays in .npy, .npz and .safetensors format, good ones and bad ones, for tests of what reads them. */
import { encodeHalf } from '../../lib/torch/half';
import type { DType } from '../../lib/types';
import { zip } from './zip';

/** An element type by NumPy's kind and size: its bytes, and the dtype that it is read as. */
export interface Kind {
  kind: string;
  size: number;
  dtype: DType;
  /** Its name in .safetensors files. */
  safetensors: string;
  /** A value of this type for each number. */
  values(count: number): (number | bigint)[];
}

const integers =
  (low: number, high: number) =>
  (count: number): number[] =>
    Array.from({ length: count }, (_, i) => (i === 0 ? low : i === 1 ? high : low + ((i * 37) % (high - low + 1))));
const fractions = (count: number): number[] => Array.from({ length: count }, (_, i) => ((i * 29) % 64) / 8 - 3.5);
const large =
  (low: bigint, high: bigint) =>
  (count: number): bigint[] =>
    Array.from({ length: count }, (_, i) => (i === 0 ? low : i === 1 ? high : BigInt(i * i)));

/** Every element type that is read; the first two integers are the least and the greatest. */
export const kinds: readonly Kind[] = [
  { kind: 'f2', size: 2, dtype: 'float16', safetensors: 'F16', values: fractions },
  { kind: 'f4', size: 4, dtype: 'float32', safetensors: 'F32', values: fractions },
  { kind: 'f8', size: 8, dtype: 'float64', safetensors: 'F64', values: fractions },
  { kind: 'i1', size: 1, dtype: 'int8', safetensors: 'I8', values: integers(-128, 127) },
  { kind: 'i2', size: 2, dtype: 'int16', safetensors: 'I16', values: integers(-32768, 32767) },
  { kind: 'i4', size: 4, dtype: 'int32', safetensors: 'I32', values: integers(-(2 ** 31), 2 ** 31 - 1) },
  { kind: 'i8', size: 8, dtype: 'int64', safetensors: 'I64', values: large(-(2n ** 63n), 2n ** 63n - 1n) },
  { kind: 'u1', size: 1, dtype: 'uint8', safetensors: 'U8', values: integers(0, 255) },
  { kind: 'u2', size: 2, dtype: 'int32', safetensors: 'U16', values: integers(0, 65535) },
  { kind: 'u4', size: 4, dtype: 'int64', safetensors: 'U32', values: integers(0, 2 ** 32 - 1) },
  { kind: 'u8', size: 8, dtype: 'int64', safetensors: 'U64', values: large(0n, 2n ** 63n - 1n) },
  { kind: 'b1', size: 1, dtype: 'bool', safetensors: 'BOOL', values: integers(0, 1) },
];

/** bfloat16, which only .safetensors files have. */
export const bfloat16: Kind = { kind: 'bf', size: 2, dtype: 'bfloat16', safetensors: 'BF16', values: fractions };

/** The bytes of elements, one after the other. */
export function elementBytes(kind: string, values: readonly (number | bigint)[], bigEndian = false): Buffer {
  const size = kind === 'bf' ? 2 : Number(kind.slice(1));
  const bytes = Buffer.alloc(values.length * size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [i, value] of values.entries()) {
    const at = i * size;
    if (kind === 'bf') view.setUint16(at, encodeHalf([Number(value)], 'bfloat16')[0] as number, !bigEndian);
    else if (kind === 'f2') view.setUint16(at, encodeHalf([Number(value)], 'float16')[0] as number, !bigEndian);
    else if (kind === 'f4') view.setFloat32(at, Number(value), !bigEndian);
    else if (kind === 'f8') view.setFloat64(at, Number(value), !bigEndian);
    else if (size === 1) view.setUint8(at, Number(value) & 0xff);
    else if (size === 2) view.setUint16(at, Number(value) & 0xffff, !bigEndian);
    else if (size === 4) view.setUint32(at, Number(value) >>> 0, !bigEndian);
    else view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), !bigEndian);
  }
  return bytes;
}

/** Elements in C order as they lie in Fortran order. */
export function inFortranOrder<T>(values: readonly T[], shape: readonly number[]): T[] {
  const strides = shape.map((_, dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1));
  return values.map((_, place) => {
    let rest = place;
    let at = 0;
    for (const [dim, size] of shape.entries()) {
      at += (rest % size) * (strides[dim] as number);
      rest = Math.floor(rest / size);
    }
    return values[at] as T;
  });
}

/** The beginning of a .npy file; `text` is the dictionary. */
export function npyStart(text: string, version: 1 | 2 | 3 = 1): Buffer {
  const sizeBytes = version === 1 ? 2 : 4;
  const length = Math.ceil((8 + sizeBytes + text.length + 1) / 64) * 64 - 8 - sizeBytes;
  const size = Buffer.alloc(sizeBytes);
  size.writeUIntLE(length, 0, sizeBytes);
  const magic = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\x00`, 'latin1');
  return Buffer.concat([magic, size, Buffer.from(`${text.padEnd(length - 1)}\n`, version === 3 ? 'utf8' : 'latin1')]);
}

/** The dictionary in the header of a .npy file. */
export function npyDictionary(descr: string, shape: readonly (number | bigint)[], fortranOrder = false): string {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  return `{'descr': ${descr}, 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${tuple}, }`;
}

/** What a .npy file is made of. */
export interface NpyContent {
  kind: string;
  shape: readonly number[];
  /** In C order. */
  values: readonly (number | bigint)[];
  bigEndian?: boolean;
  fortranOrder?: boolean;
  version?: 1 | 2 | 3;
}

/** The bytes of a .npy file. */
export function npy({ kind, shape, values, bigEndian = false, fortranOrder = false, version = 1 }: NpyContent): Buffer {
  const order = kind.endsWith('1') ? '|' : bigEndian ? '>' : '<';
  const ordered = fortranOrder ? inFortranOrder(values, shape) : values;
  const start = npyStart(npyDictionary(`'${order}${kind}'`, shape, fortranOrder), version);
  return Buffer.concat([start, elementBytes(kind, ordered, bigEndian)]);
}

/** The bytes of an .npz file, stored or deflated; `padding` moves the members off their alignment. */
export function npz(members: Readonly<Record<string, Buffer>>, method = 0, padding = 0): Buffer {
  return zip(Object.entries(members).map(([name, content]) => ({ name: `${name}.npy`, content, method, padding })));
}

/** A tensor of a .safetensors file. */
export interface SafeTensor {
  dtype: string;
  shape: readonly number[];
  bytes: Buffer;
}

/** The bytes of a .safetensors file with a header of any kind, in front of data. */
export function safetensorsFile(header: string, data: Buffer): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** The bytes of a .safetensors file; `padding` spaces behind the header decide how the data is aligned. */
export function safetensors(tensors: Readonly<Record<string, SafeTensor>>, padding = 0): Buffer {
  let at = 0;
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const text = JSON.stringify(header) + ' '.repeat(padding);
  return safetensorsFile(text, Buffer.concat(Object.values(tensors).map(({ bytes }) => bytes)));
}
