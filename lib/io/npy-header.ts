/** The header of the .npy format, versions 1.0, 2.0 and 3.0. **Source**: `numpy.lib.format`. */
import { badData, quote } from './bad-data';
import { type ElementType, numpyElement } from './element';
import { type ArrayLayout, checkShape } from './layout';
import { isTuple, LiteralError, type PythonLiteral, parsePythonLiteral } from './python-literal';

/** What every .npy file begins with. */
export const npyMagic = Buffer.from('\x93NUMPY', 'latin1');

/** Gives the next bytes of a file or stream: as many as asked for, fewer only at the end. */
export type NextBytes = (count: number) => Promise<Buffer>;

/** NumPy's own bound; a longer header does not describe an array of numbers. */
const maxHeader = 10_000;

/**
 * Reads the header from the beginning; the elements follow.
 *
 * @throws TorchError `BAD_DATA` for everything but a well-formed header of an array that can be read.
 */
export async function readNpyHeader(name: string, next: NextBytes): Promise<ArrayLayout> {
  const start = await next(8);
  if (start.length === 0) throw badData(name, 'is empty; expected an array in .npy format');
  const magic = start.subarray(0, 6);
  if (!magic.equals(npyMagic.subarray(0, magic.length))) {
    throw badData(name, `expected the magic bytes of .npy ("\\x93NUMPY"), but received ${bytesText(magic)}`, {
      offset: 0,
    });
  }
  if (start.length < 8) throw truncated(name, 8, start.length, 0);
  const [major, minor] = [start[6] as number, start[7] as number];
  if (major < 1 || major > 3 || minor !== 0) {
    throw badData(name, `has the format version ${major}.${minor}; 1.0, 2.0 and 3.0 are known`, { offset: 6 });
  }
  const sizeBytes = major === 1 ? 2 : 4;
  const size = await next(sizeBytes);
  if (size.length < sizeBytes) throw truncated(name, sizeBytes, size.length, 8);
  const length = size.readUIntLE(0, sizeBytes);
  const offset = 8 + sizeBytes;
  // Of a header that is too long no more is read than shows whether it is there.
  const header = await next(Math.min(length, maxHeader + 1));
  if (header.length < Math.min(length, maxHeader + 1)) throw truncated(name, length, header.length, offset);
  if (length > maxHeader) {
    throw badData(name, `has a header of ${length} bytes; one of an array has at most ${maxHeader}`, { offset: 8 });
  }
  return { ...parseHeader(name, header, offset, major === 3 ? 'utf8' : 'latin1'), offset: offset + length };
}

function truncated(name: string, wanted: number, there: number, offset: number): Error {
  return badData(name, `expected a header with ${wanted} bytes here, but the file has ${there} more`, { offset });
}

function bytesText(bytes: Buffer): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

const keys = ['descr', 'fortran_order', 'shape'];

function parseHeader(
  name: string,
  header: Buffer,
  offset: number,
  encoding: 'utf8' | 'latin1',
): Omit<ArrayLayout, 'offset'> {
  const text = headerText(name, header, offset, encoding);
  // Version 3.0, of Python 3, is the one in UTF-8.
  const fields = parseDictionary(name, text, offset, encoding === 'latin1');
  const missing = keys.filter((key) => !fields.has(key));
  if (missing.length > 0) throw badData(name, `the header lacks ${missing.join(' and ')}`, { offset });
  const extra = [...fields.keys()].filter((key) => !keys.includes(key));
  if (extra.length > 0) throw badData(name, `the header has an unknown key ${quote(extra[0] as string)}`, { offset });
  const element = readDescr(name, fields.get('descr') as PythonLiteral, offset);
  const fortranOrder = fields.get('fortran_order');
  if (typeof fortranOrder !== 'boolean') {
    throw badData(name, 'fortran_order of the header is neither True nor False', { offset });
  }
  const sizes = fields.get('shape');
  if (!isTuple(sizes) || !sizes.every((size) => typeof size === 'bigint')) {
    throw badData(name, 'shape of the header is not a tuple of integers', { offset });
  }
  return { element, fortranOrder, shape: checkShape(name, sizes, element, offset) };
}

function headerText(name: string, header: Buffer, offset: number, encoding: 'utf8' | 'latin1'): string {
  if (encoding === 'latin1') return header.toString('latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    throw badData(name, 'the header is not UTF-8', { offset, cause });
  }
}

function parseDictionary(name: string, text: string, offset: number, longs: boolean): Map<string, PythonLiteral> {
  let parsed: PythonLiteral;
  try {
    parsed = parsePythonLiteral(text, longs);
  } catch (cause) {
    if (!(cause instanceof LiteralError)) throw cause;
    const rest = text.slice(cause.position).trim();
    const place = rest === '' ? 'the end' : quote(rest);
    const reason = `the header is not a dictionary of Python: ${cause.message} at ${place}`;
    throw badData(name, reason, { offset: offset + cause.position, cause });
  }
  if (parsed instanceof Map) return parsed;
  throw badData(name, `the header is not a dictionary of Python, but ${quote(text.trim())}`, { offset });
}

function readDescr(name: string, descr: PythonLiteral, offset: number): ElementType {
  if (Array.isArray(descr)) {
    throw badData(name, 'has a structured dtype of several fields; only numbers and booleans are read', { offset });
  }
  if (typeof descr !== 'string') throw badData(name, 'descr of the header is not a dtype', { offset });
  const element = numpyElement(descr);
  if (typeof element !== 'string') return element;
  throw badData(name, `the dtype ${quote(descr)} ${element}`, { offset });
}
