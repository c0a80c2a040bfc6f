/** Arrays in .npy format: files, members of archives, streams. */

import { badData } from '../../io/bad-data';
import type { ByteStream } from '../../io/byte-stream';
import type { FileStamp } from '../../io/file-stamp';
import { type ArrayLayout, arrayBytes } from '../../io/layout';
import { type NextBytes, readNpyHeader } from '../../io/npy-header';
import { StoredFile } from '../../io/stored-file';
import { shapeText } from '../../torch/shape';
import type { ArraySource } from '../source';
import { StoredRows, StreamedRows } from './rows';

/**
 * The array of a .npy file.
 *
 * @throws TorchError `BAD_DATA`.
 */
export async function openNpy(path: string, name: string): Promise<ArraySource> {
  const file = StoredFile.open(path, name);
  try {
    const layout = await readNpyHeader(name, within(file, 0, file.size));
    checkLength(name, layout, file.size);
    return new StoredRows(name, file, layout, file.stamp);
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * The array of a stream in .npy format. Its end is waited for before the last rows are given.
 *
 * @throws TorchError `BAD_DATA`; also for Fortran order, in which every row is spread over the whole stream.
 */
export async function openNpyStream(name: string, stream: ByteStream): Promise<ArraySource> {
  const layout = await readNpyHeader(name, (count) => stream.take(count));
  if (!layout.fortranOrder || layout.shape.length === 1) return streamedRows(name, stream, layout);
  throw badData(name, 'has an array in Fortran order, which a stream cannot give by rows; read it from a file');
}

/** The rows of a stream whose header was read. */
export function streamedRows(
  name: string,
  stream: ByteStream,
  { element, shape }: ArrayLayout,
  stamps?: readonly FileStamp[],
): ArraySource {
  return new StreamedRows(name, stream, { element, rowShape: shape.slice(1), rows: shape[0] }, stamps);
}

/** Reads the bytes `[start, end)` of a file from front to back. */
export function within(file: StoredFile, start: number, end: number): NextBytes {
  let position = start;
  return async (count) => {
    const bytes = file.read(position, Math.min(count, end - position));
    position += bytes.length;
    return bytes;
  };
}

/** Refuses an array whose elements do not end where its file or member does, after `length` bytes. */
export function checkLength(name: string, layout: ArrayLayout, length: number): void {
  const { element, shape, offset } = layout;
  const [wanted, there] = [arrayBytes(layout), length - offset];
  if (there < wanted) {
    const what = `${wanted} bytes of data for ${element.name} of shape ${shapeText(shape)}`;
    throw badData(name, `expected ${what}, but received ${there}`, { offset });
  }
  if (there > wanted) {
    throw badData(name, `${there - wanted} bytes follow the data of the array`, { offset: offset + wanted });
  }
}
