/** Programs that run in a process of their own, against the built library: what a process does as a whole, and its end. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const index = join(resolve(__dirname, '../..'), 'dist', 'index.js');

/** How a process ended, and what it printed. */
export interface Outcome {
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Runs a program that has the library as `torch`, `F`, and may call `gc()`. */
export function runProgram(program: string, env: Readonly<Record<string, string>> = {}): Outcome {
  if (!existsSync(index)) throw new Error(`${index} is missing: run \`npm run build\``);
  const prologue = `const torch = require(${JSON.stringify(index)}); const F = torch.nn.functional;`;
  const { status, signal, stdout, stderr, error } = spawnSync(
    process.execPath,
    ['--expose-gc', '-e', `${prologue}\n${program}`],
    { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 120_000, maxBuffer: 2 ** 26 },
  );
  if (error) throw error;
  return { status, signal, stdout, stderr };
}

/** What a program printed as JSON, if it ended as it should and complained about nothing. */
export function printedBy<T>(program: string, env?: Readonly<Record<string, string>>): T {
  const { stdout, ...end } = runProgram(program, env);
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** The path of the built library, as a literal for programs that load it in another way. */
export const libraryLiteral = JSON.stringify(index);
