// Programs of the sections that need a process of their own; each prints one line of JSON.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Runs one of them to its end and returns its output. */
export async function runNode(name, args) {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const env = { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' };
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env });
  return JSON.parse(stdout);
}
