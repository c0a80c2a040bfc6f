/** Damaged files beside what NumPy and safetensors make of them (scripts/reliability/damaged-files.py). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

quietly();

interface Verdict {
  shape: number[];
  sha256: string;
}

type Case = [base: string, splices: [at: number, removed: number, inserted: string][], Record<string, Verdict | null>];

const data = join(__dirname, '../../data');
const { cases } = JSON.parse(readFileSync(join(data, 'damaged.json'), 'utf8')) as { cases: Case[] };
const here = folder();

function damaged(base: string, splices: Case[1]): Buffer {
  return splices.reduce(
    (bytes, [at, removed, inserted]) =>
      Buffer.concat([bytes.subarray(0, at), Buffer.from(inserted, 'hex'), bytes.subarray(at + removed)]),
    readFileSync(join(data, 'arrays', base)),
  );
}

/** What is read, or the code of the error. */
async function read(spec: string): Promise<Verdict | string> {
  try {
    const source = await openArray(spec);
    try {
      const shape = [source.rows as number, ...source.rowShape];
      const hash = createHash('sha256');
      for (let block = await source.read(2); block !== undefined; block = await source.read(2)) {
        const values = block.to('float64').toTypedArray<Float64Array>();
        hash.update(Buffer.from(values.map((value) => (Number.isNaN(value) ? Number.NaN : value)).buffer));
      }
      return { shape, sha256: hash.digest('hex').slice(0, 16) };
    } finally {
      source.close();
    }
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

test.each(['.npy', '.npz', '.safetensors'])(
  '%s: what the reference refuses is refused, the rest is the same',
  async (type) => {
    const wrong: unknown[] = [];
    let [both, stricter] = [0, 0];
    for (const [base, splices, verdicts] of cases) {
      if (extname(base) !== type) continue;
      const path = here.file(`damaged${type}`, damaged(base, splices));
      for (const [name, verdict] of Object.entries(verdicts)) {
        const found = await read(name === '' ? path : `${path}:${name}`);
        if (typeof found === 'string') {
          if (found !== 'BAD_DATA') wrong.push({ base, splices, name, found });
          if (verdict !== null) stricter += 1;
        } else if (verdict === null || JSON.stringify(found) !== JSON.stringify(verdict)) {
          wrong.push({ base, splices, name, found, verdict });
        } else both += 1;
      }
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    // A reader that refused everything would be no reader. Python's zipfile looks for the directory of an archive into
    // which bytes were put; here that is damage.
    expect(both).toBeGreaterThan(type === '.npz' ? stricter / 4 : stricter);
  },
  60_000,
);
