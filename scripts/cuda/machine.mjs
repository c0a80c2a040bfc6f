// The context of the figures: the machine, its GPUs and their driver, versions.
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** Processor, memory, system, Node. */
export function machine() {
  return {
    date: new Date().toISOString(),
    platform: `${process.platform} ${process.arch} ${release()}`,
    processors: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'an unknown processor',
    memory: totalmem(),
    node: process.versions.node,
  };
}

const fields = ['index', 'name', 'driver_version', 'memory.total', 'pcie.link.gen.max', 'pcie.link.width.max'];

/** The output of nvidia-smi for each GPU; `unavailable` says why there is none. */
export function nvidiaSmi() {
  const all = asked(fields);
  // Not every driver tells of the bus.
  return all.gpus === undefined ? asked(fields.slice(0, 4)) : all;
}

function asked(names) {
  const args = [`--query-gpu=${names.join(',')}`, '--format=csv,noheader'];
  const { status, stdout, stderr, error } = spawnSync('nvidia-smi', args, { encoding: 'utf8', timeout: 60_000 });
  if (error) return { unavailable: `nvidia-smi cannot be started (${error.code})` };
  if (status !== 0) return { unavailable: `nvidia-smi ended with status ${status}: ${(stdout + stderr).trim()}` };
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(', '));
  return { gpus: rows.map((values) => Object.fromEntries(names.map((name, i) => [name, values[i]]))) };
}

/** The findings of `libtorch-losses doctor`, `{ text, report }`; it opens libtorch in its own process. */
export async function doctor(root, env) {
  const program = join(root, 'dist', 'cli', 'main.js');
  const [table, json] = [await output([program, 'doctor'], env), await output([program, 'doctor', '--json'], env)];
  try {
    return { text: table.trimEnd(), report: JSON.parse(json) };
  } catch {
    return { text: `${table}${json}`.trimEnd(), report: undefined };
  }
}

function output(args, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more));
    child.on('error', (error) => resolve(`${text}${error.message}`));
    child.on('close', () => resolve(text));
  });
}
