// Scores and labels as the .npy files that NumPy writes, made from a seed.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { torch } from '../peers/library.mjs';

/** Columns of the scores. */
export const classes = 1000;

const rowsAtOnce = 16_384;

export const inputFile = (folder) => join(folder, 'logits.npy');
export const targetFile = (folder) => join(folder, 'labels.npy');

/** Writes float32 scores of some `bytes` and their int64 labels, both in one stream. */
export function writeScores(folder, bytes) {
  const rows = Math.floor(bytes / (4 * classes));
  torch.manualSeed(0);
  const input = openSync(inputFile(folder), 'w');
  const target = openSync(targetFile(folder), 'w');
  try {
    writeSync(input, npyHeader('<f4', `(${rows}, ${classes})`));
    writeSync(target, npyHeader('<i8', `(${rows},)`));
    for (let done = 0; done < rows; done += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - done);
      torch.scope(() => {
        writeAll(input, torch.randn([count, classes]).toTypedArray());
        writeAll(target, torch.randint(0, classes, [count]).toTypedArray());
      });
    }
  } finally {
    closeSync(input);
    closeSync(target);
  }
}

/** A header of version 1.0: padded so that the elements begin at a multiple of 64 bytes. */
export function npyHeader(descr, shape) {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, length & 0xff, length >> 8]);
  return Buffer.concat([start, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}

/** Writes all bytes of a typed array. */
export function writeAll(descriptor, { buffer, byteOffset, byteLength }) {
  for (let done = 0; done < byteLength; ) {
    done += writeSync(descriptor, new Uint8Array(buffer, byteOffset + done, byteLength - done));
  }
}

/** Brings both files into the page cache. */
export function readOnce(folder) {
  const block = Buffer.allocUnsafe(16 * 2 ** 20);
  for (const path of [inputFile(folder), targetFile(folder)]) {
    const descriptor = openSync(path, 'r');
    while (readSync(descriptor, block) > 0);
    closeSync(descriptor);
  }
}
