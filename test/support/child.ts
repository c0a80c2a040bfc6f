/** Programs that run in a process of their own, against the built library: what a process does as a whole, and its end. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The built library's folder. */
export const dist = join(resolve(__dirname, '../..'), 'dist');

/** How a process ended, and what it printed. */
export interface Outcome {
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Runs Node with arguments. */
export function runNode(...args: readonly string[]): Outcome {
  return runNodeUnder({}, ...args);
}

/** The same with environment variables. */
export function runNodeUnder(variables: NodeJS.ProcessEnv, ...args: readonly string[]): Outcome {
  if (!existsSync(join(dist, 'index.js'))) throw new Error(`${dist} is not built: run \`npm run build\``);
  // One thread: on small tensors a second one brings nothing but waiting where other programs want the processors too.
  const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', ...variables };
  const options = { encoding: 'utf8', env, timeout: 120_000, maxBuffer: 2 ** 26 } as const;
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, args, options);
  if (error) throw error;
  return { status, signal, stdout, stderr };
}

/** Runs a program that has the library as `torch` and its functions as `F`, and may call `gc()`. */
export function runProgram(program: string, ...flags: readonly string[]): Outcome {
  return runNode('--expose-gc', ...flags, '-e', `${prologue}\n${program}`);
}

const prologue = `const torch = require(${JSON.stringify(dist)}); const F = torch.nn.functional;`;

/** What a program printed as JSON, if it ended as it should and complained about nothing. */
export function printedBy<T>(program: string, ...flags: readonly string[]): T {
  return parsed(runProgram(program, ...flags));
}

/** The same of a program that is run with environment variables. */
export function printedUnder<T>(variables: NodeJS.ProcessEnv, program: string): T {
  return parsed(runNodeUnder(variables, '--expose-gc', '-e', `${prologue}\n${program}`));
}

function parsed<T>({ stdout, ...end }: Outcome): T {
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as T;
}
