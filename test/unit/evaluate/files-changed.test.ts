/** Files that are not the same at the end as they were at the beginning. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import { readFileBytes } from '../../../lib/torch/file-bytes';
import { empty } from '../../../lib/torch/operators.generated';
import { elementBytes, inFortranOrder, npy, npz, safetensors } from '../../support/arrays';
import { printedBy } from '../../support/child';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';
import { testWhere } from '../../support/where';

quietly();

const here = folder('for each test');
const values = [1, 2, 3, 4, 5, 6, 7, 8];
const good = npy({ kind: 'f4', shape: [4, 2], values });
const formats: [string, Buffer][] = [
  ['x.npy', good],
  ['fortran.npy', npy({ kind: 'f4', shape: [4, 2], values, fortranOrder: true })],
  ['labels.npy', npy({ kind: 'i8', shape: [4, 2], values })],
  ['x.npz', npz({ x: good })],
  ['x.safetensors', safetensors({ x: { dtype: 'F32', shape: [4, 2], bytes: elementBytes('f4', values) } })],
];

/** A file that was last changed a while ago: what is written to it now has another time. */
function writtenLongAgo(name: string, bytes: Buffer): string {
  const path = here.file(name, bytes);
  utimesSync(path, 1e9, 1e9);
  return path;
}

const changes: [string, (path: string) => void, RegExp][] = [
  [
    'written to',
    (path) => {
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(4, 0xff), 0, 4, statSync(path).size - 4);
      closeSync(file);
    },
    /was changed while it was read/,
  ],
  ['cut off', (path) => truncateSync(path, 140), /had \d+ bytes when it was opened, and now has 140/],
  ['longer', (path) => appendFileSync(path, 'x'), /had \d+ bytes when it was opened, and now has \d+/],
  ['removed', (path) => rmSync(path), /was removed while it was read/],
  [
    'replaced',
    (path) => renameSync(writtenLongAgo('other', readFileSync(path)), path),
    /was replaced by another file while it was read/,
  ],
];

describe.each(formats)('%s', (name, bytes) => {
  test.each(changes)('%s', async (_, change, message) => {
    const path = writtenLongAgo(name, bytes);
    const source = await openArray(path);
    for (const stamp of source.stamps) stamp.check();
    await source.read(1);
    change(path);
    await expect(source.read(1)).rejects.toMatchObject({ code: 'BAD_DATA', message: expect.stringMatching(message) });
    expect(source.stamps.length).toBe(1);
    for (const stamp of source.stamps) expect(() => stamp.check()).toThrow(message);
    await expect(source.read(1)).rejects.toThrow(path);
    source.close();
  });
});

test('a file of several is the one that was first opened', async () => {
  const [a, b] = ['a.npy', 'b.npy'].map((name) => writtenLongAgo(name, good)) as [string, string];
  const source = await openArray([a, b]);
  await source.read(2);
  renameSync(writtenLongAgo('c.npy', good), b);
  await expect(source.read(8)).rejects.toThrow(`${b}: was replaced by another file while it was read`);
  source.close();
});

testWhere(process.platform !== 'win32', 'Windows has no SIGBUS')(
  'rows of a file that is cut off while they are computed with end no process',
  () => {
    const path = here.file('long.npy', npy({ kind: 'f4', shape: [65536, 8], values: Array(65536 * 8).fill(1) }));
    const found = printedBy<{ sum: number; lost: number; message: string }>(`
      const fs = require('node:fs');
      const { openArray } = require(${JSON.stringify(join(__dirname, '../../../dist/evaluate/files/open.js'))});
      (async () => {
        const source = await openArray(${JSON.stringify(path)});
        const rows = await source.read(60000);
        fs.truncateSync(${JSON.stringify(path)}, 4096);
        const sum = rows.sum().item();
        const { lostMappings } = require(${JSON.stringify(join(__dirname, '../../../dist/torch/file-bytes.js'))});
        const message = await source.read(1).then(() => '', (error) => error.message);
        console.log(JSON.stringify({ sum, lost: lostMappings(), message }));
      })();
    `);
    expect(found.sum).toBeLessThan(60000 * 8);
    expect(found.lost).toBeGreaterThan(0);
    expect(found.message).toMatch(/had \d+ bytes when it was opened, and now has 4096$/);
  },
);

testWhere(process.platform !== 'win32', 'Windows has no SIGBUS')('SIGBUS from elsewhere still ends the process', () => {
  const path = here.file('x.npy', good);
  const program = `
    const { openArray } = require(${JSON.stringify(join(__dirname, '../../../dist/evaluate/files/open.js'))});
    openArray(${JSON.stringify(path)}).then((s) => s.read(1)).then(() => process.kill(process.pid, 'SIGBUS'));
    setTimeout(() => {}, 20000);
  `;
  const { signal } = spawnSync(process.execPath, ['-e', program], { timeout: 20_000 });
  expect(signal).toBe('SIGBUS');
});

test('chunks that lie apart are put together, near and far', () => {
  for (const stride of [3, 100, 9000]) {
    const file = Buffer.from(Array.from({ length: stride * 40 + 7 }, (_, i) => (i * 31) % 251));
    const descriptor = openSync(here.file('bytes', file), 'r');
    const bytes = empty([83], { dtype: 'uint8' });
    const part = { offset: 5, size: 83, chunk: 3, stride };
    expect(readFileBytes(bytes, descriptor, part)).toBe(83);
    const wanted = Array.from({ length: 83 }, (_, i) => file[5 + Math.floor(i / 3) * stride + (i % 3)]);
    expect(bytes.toArray()).toEqual(wanted);
    // Twelve whole chunks and what is left of the thirteenth.
    expect(readFileBytes(bytes, descriptor, { ...part, offset: file.length - 12 * stride - 1 })).toBe(12 * 3 + 1);
    closeSync(descriptor);
  }
});

test('rows of Fortran order are those of C order, in blocks of any size', async () => {
  const shape = [301, 3, 7];
  const many = Array.from({ length: 301 * 21 }, (_, i) => i);
  expect(inFortranOrder([1, 2, 3, 4], [2, 2])).toEqual([1, 3, 2, 4]);
  const plain = here.file('c.npy', npy({ kind: 'i4', shape, values: many }));
  const fortran = { kind: 'i4', shape, values: many, fortranOrder: true };
  const others = [
    here.file('f.npy', npy(fortran)),
    here.file('b.npy', npy({ ...fortran, bigEndian: true })),
    here.file('s.npz', npz({ x: npy(fortran) }, 0)),
    here.file('d.npz', npz({ x: npy(fortran) }, 8)),
  ];
  for (const path of others) {
    const [source, other] = [await openArray(plain), await openArray(path)];
    for (;;) {
      const rows = await source.read(97);
      expect((await other.read(97))?.toArray()).toEqual(rows?.toArray());
      if (rows === undefined) break;
    }
    source.close();
    other.close();
  }
});
