import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Images of 8 x 8 pixels. */
export const pixelCount = 64;
export const classCount = 10;
const brightest = 16;

/** Handwritten digits: the pixels of all images one after the other, scaled to [0, 1], and the class of each image. */
export interface Digits {
  count: number;
  pixels: Float32Array;
  classes: Int32Array;
}

/** The file of images is missing or damaged. */
export class DataError extends Error {}

/** Reads a gzipped file of images. */
export function readDigits(file: string): Digits {
  let text: string;
  try {
    text = gunzipSync(readFileSync(file)).toString('latin1');
  } catch (cause) {
    const { message } = cause as Error;
    throw new DataError(`readDigits: expected '${file}' to be a gzipped file, but received ${message}`, { cause });
  }
  return parseDigits(text);
}

/** Reads images from text: one a line, 64 pixels from 0 to 16, then the class, separated by commas. */
export function parseDigits(text: string): Digits {
  const lines = text.trimEnd().split('\n');
  const pixels = new Float32Array(lines.length * pixelCount);
  const classes = new Int32Array(lines.length);
  lines.forEach((line, row) => {
    const fields = line.split(',');
    if (fields.length !== pixelCount + 1) {
      const actual = line.trim() === '' ? 'an empty line' : `${fields.length} fields`;
      throw refused(`line ${row + 1} to be ${pixelCount} pixels and a class`, actual);
    }
    fields.forEach((field, column) => {
      const isClass = column === pixelCount;
      const high = isClass ? classCount - 1 : brightest;
      const value = /^\s*\d+\s*$/.test(field) ? Number(field) : Number.NaN;
      if (!(value <= high)) {
        throw refused(
          `field ${column + 1} of line ${row + 1} to be an integer from 0 to ${high}`,
          JSON.stringify(field.slice(0, 20)),
        );
      }
      if (isClass) classes[row] = value;
      else pixels[row * pixelCount + column] = value / brightest;
    });
  });
  return { count: lines.length, pixels, classes };
}

function refused(what: string, actual: string): DataError {
  return new DataError(`readDigits: expected ${what}, but received ${actual}`);
}
