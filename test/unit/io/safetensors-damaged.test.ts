/** Damaged .safetensors files beside what Python's library makes of them (scripts/reliability/damaged-files.py). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { safetensors } from '../../../lib';
import { folder } from '../../support/folder';

type Case = [base: string, splices: [at: number, removed: number, inserted: string][], Record<string, Verdict>];
type Verdict = { shape: number[]; sha256: string } | null;

const data = join(__dirname, '../../data');
const { cases } = JSON.parse(readFileSync(join(data, 'damaged.json'), 'utf8')) as { cases: Case[] };
const here = folder();

function read(open: () => safetensors.SafeOpen, name: string): unknown {
  try {
    using file = open();
    const tensor = file.getTensor(name);
    const values = tensor.to('float64').toTypedArray<Float64Array>();
    const numbers = values.map((value) => (Number.isNaN(value) ? Number.NaN : value));
    return {
      shape: tensor.shape,
      sha256: createHash('sha256').update(Buffer.from(numbers.buffer)).digest('hex').slice(0, 16),
    };
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

test('what the reference refuses is refused, the rest is the same', () => {
  const wrong: unknown[] = [];
  let [same, refused] = [0, 0];
  for (const [base, splices, verdicts] of cases.filter(([base]) => base.endsWith('.safetensors'))) {
    const bytes = splices.reduce(
      (whole, [at, removed, inserted]) =>
        Buffer.concat([whole.subarray(0, at), Buffer.from(inserted, 'hex'), whole.subarray(at + removed)]),
      readFileSync(join(data, 'arrays', base)),
    );
    const path = here.file('damaged.safetensors', bytes);
    for (const [name, verdict] of Object.entries(verdicts)) {
      // Unsigned integers that libtorch has no arithmetic for are not read.
      if (/U(16|32|64)/.test(name)) continue;
      const found = read(() => safetensors.safeOpen(path), name);
      if (found === 'BAD_DATA') refused += 1;
      else if (verdict !== null && JSON.stringify(found) === JSON.stringify(verdict)) same += 1;
      else wrong.push({ base, splices, name, found, verdict });
    }
  }
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(refused).toBeGreaterThan(1000);
  expect(same).toBeGreaterThan(40);
});
