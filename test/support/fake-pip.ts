/** A `python3` whose pip brings wheels from a directory, or fails as pip does. It is a Node script: POSIX systems only. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the pip does. */
export type PipBehaviour = 'works' | 'knows no such Python' | 'finds nothing' | 'is missing' | 'hangs';

/** A directory for `PATH`. */
export interface FakePip {
  path: string;
  /** The arguments of each download so far. */
  calls(): string[][];
}

/**
 * Writes the script.
 *
 * @param wheels the wheels that it brings, by file name; of a download with dependencies all, else torch alone.
 */
export function fakePip(directory: string, behaviour: PipBehaviour, wheels: Readonly<Record<string, Buffer>>): FakePip {
  const store = join(directory, 'wheels');
  const log = join(directory, 'calls');
  mkdirSync(store, { recursive: true });
  for (const [name, bytes] of Object.entries(wheels)) writeFileSync(join(store, name), bytes);
  const script = join(directory, 'python3');
  writeFileSync(script, `#!${process.execPath}\n(${pip.toString()})(${JSON.stringify({ behaviour, store, log })});\n`);
  chmodSync(script, 0o755);
  const calls = (): string[][] => {
    // Behind the last line feed stands a line that is being written.
    const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as string[]);
  };
  return { path: directory, calls };
}

/** Runs in the script: nothing from outside the function is there. */
function pip({ behaviour, store, log }: { behaviour: PipBehaviour; store: string; log: string }): void {
  const fs = require('node:fs') as typeof import('node:fs');
  const args = process.argv.slice(2);
  const fail = (text: string): never => {
    process.stderr.write(`${text}\n`);
    process.exit(1);
  };
  if (args[0] !== '-m' || args[1] !== 'pip') fail('only pip is here');
  if (behaviour === 'is missing') fail('No module named pip');
  if (args[2] === '--version') return void process.stdout.write('pip 99.0 from nowhere\n');
  fs.appendFileSync(log, `${JSON.stringify(args.slice(2))}\n`);
  if (behaviour === 'hangs') return void setTimeout(() => {}, 60_000);
  const asked = behaviour === 'works' || (behaviour === 'knows no such Python' && args.includes('--python-version'));
  if (!asked) fail('ERROR: No matching distribution found for torch');
  const target = args[args.indexOf('--dest') + 1];
  const isTorch = (name: string): boolean => name.startsWith('torch-');
  const wanted = fs.readdirSync(store).filter((name) => isTorch(name) === args.includes('--no-deps'));
  for (const name of wanted) fs.copyFileSync(`${store}/${name}`, `${target}/${name}`);
}
