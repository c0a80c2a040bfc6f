/** Arrays in .safetensors files: a header in JSON, then the elements of all tensors without gaps. */
import { show } from '../../errors';
import { shapeText } from '../../torch/shape';
import type { ArraySource } from '../source';
import { badData, listNames, quote } from './bad-data';
import { safetensorsBits, safetensorsElements } from './element';
import { checkShape } from './layout';
import { StoredRows } from './rows';
import { StoredFile } from './stored-file';
import { parseStrictJson } from './strict-json';

/** The bound of the format's own library. */
const maxHeader = 100_000_000;

interface TensorEntry {
  name: string;
  dtype: string;
  shape: readonly number[];
  begin: number;
  end: number;
}

/**
 * The tensor of a name; by default the only one.
 *
 * @throws TorchError `BAD_DATA` if anything in the header is wrong, also about other tensors of the file.
 */
export async function openSafetensors(path: string, name: string, tensor: string | undefined): Promise<ArraySource> {
  const file = StoredFile.open(path, name);
  try {
    const { entries, dataStart } = readHeader(name, file);
    const entry = findTensor(name, entries, tensor);
    const fullName = `${name}:${entry.name}`;
    const element = safetensorsElements.get(entry.dtype);
    if (element === undefined) {
      const known = [...safetensorsElements.keys()].join(', ');
      throw badData(fullName, `has the dtype ${quote(entry.dtype)}; ${known} are read`);
    }
    const shape = checkShape(fullName, entry.shape, element, dataStart + entry.begin);
    const layout = { element, shape, fortranOrder: false, offset: dataStart + entry.begin };
    return new StoredRows(fullName, file, layout, file.stamp);
  } catch (error) {
    file.close();
    throw error;
  }
}

function findTensor(name: string, entries: readonly TensorEntry[], wanted: string | undefined): TensorEntry {
  const names = listNames(entries.map((entry) => entry.name));
  if (entries.length === 0) throw badData(name, 'has no tensors');
  if (wanted === undefined) {
    if (entries.length === 1) return entries[0] as TensorEntry;
    throw badData(name, `has ${entries.length} tensors; choose one by ${name}:<name>: ${names}`);
  }
  const found = entries.find((entry) => entry.name === wanted);
  if (found === undefined) throw badData(name, `has no tensor ${quote(wanted)}; its tensors are ${names}`);
  return found;
}

function readHeader(name: string, file: StoredFile): { entries: TensorEntry[]; dataStart: number } {
  const size = file.read(0, 8);
  if (size.length < 8) {
    throw badData(name, `expected 8 bytes with the length of the header, but the file has ${size.length}`, {
      offset: 0,
    });
  }
  const length = Number(size.readBigUInt64LE());
  if (length > file.size - 8) {
    const reason = `expected a header of ${length} bytes, but the file has ${file.size - 8} more`;
    throw badData(name, reason, { offset: 0 });
  }
  if (length > maxHeader) {
    throw badData(name, `has a header of ${length} bytes; at most ${maxHeader} are allowed`, { offset: 0 });
  }
  const dataStart = 8 + length;
  const entries = Object.entries(parseJson(name, file.read(8, length)))
    .filter(([key, value]) => key !== '__metadata__' || checkMetadata(name, value))
    .map(([key, value]) => readEntry(name, key, value));
  checkTiling(name, entries, dataStart, file.size - dataStart);
  return { entries, dataStart };
}

function parseJson(name: string, bytes: Buffer): object {
  // The format has it, so that other files are not taken for one. JSON that begins so is an object.
  if (bytes[0] !== 0x7b) throw badData(name, 'the header does not begin with {', { offset: 8 });
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as object;
  } catch (cause) {
    throw badData(name, `the header is no JSON: ${(cause as Error).message}`, { offset: 8, cause });
  }
}

/** Metadata is text by name; it is no tensor. */
function checkMetadata(name: string, metadata: unknown): false {
  const isText = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  if (isText && Object.values(metadata).every((value) => typeof value === 'string')) return false;
  throw badData(name, '__metadata__ of the header is no object of strings', { offset: 8 });
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
function checkTiling(file: string, entries: readonly TensorEntry[], dataStart: number, length: number): void {
  let covered = 0;
  let previous = '';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
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
