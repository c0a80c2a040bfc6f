/** Files that are written whole or not at all. */
import { fileURLToPath } from 'node:url';
import { expected, show } from '../errors';
import { Outputs } from '../output/outputs';

/** A path, or a URL of `file:`. */
export type FileName = string | URL;

/** The path of a file that a caller named. */
export function pathOf(op: string, argument: string, name: FileName): string {
  if (name instanceof URL && name.protocol === 'file:') return fileURLToPath(name);
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return name;
  throw expected(op, argument, 'to be the path of a file', show(name));
}

/** Takes bytes, one after the other; keeps none of them. */
export type Sink = (bytes: Uint8Array) => void;

/** One of several files. */
export interface NewFile {
  readonly path: string;
  write(sink: Sink): void;
}

/**
 * Writes files under other names, hands them to the disk, and gives them their names once all are whole: what was there
 * before stays whole until then, whatever happens.
 *
 * @throws TorchError `INVALID_ARGUMENT` for a place that is a link, a device, a folder, or in none; `BAD_DATA` if one
 *   cannot be written.
 */
export function writeFiles(op: string, argument: string, files: readonly NewFile[]): void {
  const outputs = new Outputs(op);
  try {
    for (const { path, write } of files) {
      const output = outputs.open(argument, path);
      let at = 0;
      write((bytes) => {
        at = output.write(bytes, at);
      });
    }
    outputs.finish();
  } catch (error) {
    outputs.discard();
    throw error;
  }
}
