/**
 * Headers of .safetensors files: JSON that says where in the file the elements of each tensor lie. Held to all of the
 * format's rules, so that two readers of one file never see different tensors.
 */
import { show } from '../../errors';
import { shapeText } from '../../torch/shape';
import { badData, quote } from '../bad-data';
import { safetensorsBits } from '../element';
import { parseStrictJson } from '../strict-json';

/** The bound of the format's own library. */
const maxHeader = 100_000_000;

/** A tensor of the file; `begin` and `end` count from the end of the header. */
export interface TensorEntry {
  readonly name: string;
  /** By the format's name: `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** All that a header says. */
export interface SafetensorsHeader {
  /** In the order in which their elements lie in the file. */
  readonly entries: readonly TensorEntry[];
  /** `undefined` if there is none. */
  readonly metadata: ReadonlyMap<string, string> | undefined;
  /** Where the elements begin. */
  readonly dataStart: number;
}

/** What a header is read from. */
export interface HeaderBytes {
  /** The bytes in all. */
  readonly size: number;
  /** The bytes from `offset` on; fewer than asked for only at the end. Users' types reach this: no type of Node's. */
  read(offset: number, count: number): Uint8Array;
}

/**
 * The header of a file; `name` stands for the file in messages.
 *
 * @throws TorchError `BAD_DATA` if anything in it is wrong.
 */
export function readSafetensorsHeader(name: string, file: HeaderBytes): SafetensorsHeader {
  const size = file.read(0, 8);
  if (size.length < 8) {
    throw badData(name, `expected 8 bytes with the length of the header, but the file has ${size.length}`, {
      offset: 0,
    });
  }
  const length = Number(Buffer.from(size).readBigUInt64LE());
  if (length > file.size - 8) {
    const reason = `expected a header of ${length} bytes, but the file has ${file.size - 8} more`;
    throw badData(name, reason, { offset: 0 });
  }
  if (length > maxHeader) {
    throw badData(name, `has a header of ${length} bytes; at most ${maxHeader} are allowed`, { offset: 0 });
  }
  const dataStart = 8 + length;
  const { __metadata__, ...tensors } = parseJson(name, file.read(8, length));
  const metadata = readMetadata(name, __metadata__);
  const entries = Object.entries(tensors).map(([key, value]) => readEntry(name, key, value));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkTiling(name, entries, dataStart, file.size - dataStart);
  return { entries, metadata, dataStart };
}

function parseJson(name: string, bytes: Uint8Array): Record<string, unknown> {
  // The format has it, so that other files are not taken for one. JSON that begins so is an object.
  if (bytes[0] !== 0x7b) throw badData(name, 'the header does not begin with {', { offset: 8 });
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as Record<
      string,
      unknown
    >;
  } catch (cause) {
    throw badData(name, `the header is not JSON: ${(cause as Error).message}`, { offset: 8, cause });
  }
}

/** Metadata is text by name. */
function readMetadata(name: string, metadata: unknown): ReadonlyMap<string, string> | undefined {
  if (metadata === undefined) return undefined;
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  if (isObject && Object.values(metadata).every((value) => typeof value === 'string')) {
    return new Map(Object.entries(metadata as Record<string, string>));
  }
  throw badData(name, '__metadata__ of the header is not an object of strings', { offset: 8 });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readEntry(file: string, name: string, value: unknown): TensorEntry {
  const fault = (reason: string): Error => badData(`${file}:${name}`, reason, { offset: 8 });
  if (typeof value !== 'object' || value === null)
    throw fault(`expected an object in the header, but received ${show(value)}`);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string') throw fault(`expected dtype to be a string, but received ${show(dtype)}`);
  if (!Array.isArray(shape)) throw fault(`expected shape to be an array, but received ${show(shape)}`);
  const wrong = shape.findIndex((size) => !isCount(size));
  if (wrong >= 0) throw fault(`expected shape[${wrong}] to be an integer >= 0, but received ${show(shape[wrong])}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw fault('expected data_offsets to be two integers >= 0');
  }
  const [begin, end] = offsets as [number, number];
  const bits = safetensorsBits.get(dtype);
  if (bits === undefined) throw fault(`the dtype ${quote(dtype)} is none of the format's`);
  checkBytes(fault, { dtype, bits, shape, begin, end });
  return { name, dtype, shape, begin, end };
}

function checkBytes(
  fault: (reason: string) => Error,
  { dtype, bits, shape, begin, end }: Omit<TensorEntry, 'name'> & { bits: number },
): void {
  const count = shape.reduce((product, size) => product * BigInt(size), 1n);
  if (count * BigInt(bits) === 8n * BigInt(end - begin)) return;
  const bytes = Number(count * BigInt(bits)) / 8;
  throw fault(`${dtype} of shape ${shapeText(shape)} needs ${bytes} bytes, but data_offsets are [${begin}, ${end}]`);
}

/** Holds the tensors to the format's rule: they cover the data from front to back, without gap and overlap. */
function checkTiling(file: string, sorted: readonly TensorEntry[], dataStart: number, length: number): void {
  let covered = 0;
  let previous = '';
  for (const { name, begin, end } of sorted) {
    const fault = (reason: string): Error => badData(`${file}:${name}`, reason, { offset: dataStart + begin });
    if (begin < covered) throw fault(`data_offsets [${begin}, ${end}] overlap those of ${quote(previous)}`);
    if (begin > covered)
      throw fault(`${begin - covered} bytes before data_offsets [${begin}, ${end}] belong to no tensor`);
    if (end > length)
      throw fault(`expected data up to byte ${dataStart + end}, but the file has ${dataStart + length}`);
    covered = end;
    previous = name;
  }
  if (covered < length) {
    throw badData(file, `${length - covered} bytes follow the data of the tensors`, { offset: dataStart + covered });
  }
}
