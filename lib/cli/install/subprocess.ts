/** Runs another program and keeps the end of its output. */
import { spawn } from 'node:child_process';

/** How a program ended. */
export interface ProgramResult {
  /** The exit status; -1 if the program could not be started or was killed. */
  status: number;
  /** The last lines of standard output and error combined. */
  output: string;
}

const maxOutput = 16_000;

/** Runs a program without a shell and without standard input. */
export function runProgram(
  command: readonly string[],
  options: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<ProgramResult> {
  const [file, ...args] = command as [string, ...string[]];
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(file, args, { env: options.env, stdio: ['ignore', 'pipe', 'pipe'], signal: options.signal });
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-maxOutput);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      if (options.signal.aborted) reject(options.signal.reason);
      else resolve({ status: -1, output: `${output}${error.message}\n` });
    });
    child.on('close', (code) => {
      if (options.signal.aborted) reject(options.signal.reason);
      else resolve({ status: code ?? -1, output });
    });
  });
}

/** The last lines of a program's output, indented for an error message. */
export function tail(output: string, lines: number): string {
  const kept = output.trimEnd().split('\n').slice(-lines);
  return kept.map((line) => `    ${line}`).join('\n');
}
