/** `libtorch-losses parity`: this machine's libtorch against what PyTorch recorded, and against the reference. */
import { fork } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ErrorCode, expected, show, TorchError } from '../../errors';
import { oneOf } from '../../options';
import { Outputs } from '../../output/outputs';
import type { ParityMessage, ParityReport, ParityRequest } from '../../parity/report';
import { type Manifest, readManifest, vectors } from '../../parity/vectors';
import { type CommandContext, packageVersion, parseArguments } from '../shared/command';
import { printable } from '../shared/text';
import { parityPage } from './page';
import { parityTable } from './table';

const usage = `Usage: libtorch-losses parity [options]

Runs PyTorch's recorded answers through the libtorch that is found here: values, gradients and refusals of every loss,
compared to the bit where bits can be expected, else within PyTorch's tolerances; and against the float64 reference.

Options:
  --device <device>  cpu (the default), cuda or cuda:<index>
  --loss <name>      this loss alone, as crossEntropy, cross_entropy or CrossEntropyLoss; may be given several times
  --json             prints one JSON document instead of the table
  --html <file>      writes a page with a heat map, too
  --vectors <folder> other vectors than those of this package, as scripts/golden/generate.py writes them
  --help             this text

Exit status: 0 if all agrees, 1 if anything does not, 2 if the arguments are not understood.

On the CPU the kernels and the thread are those of the vectors, whatever the environment says.`;

/** What the arguments ask for. */
export interface ParityArguments {
  help: boolean;
  device: string;
  losses: string[];
  json: boolean;
  html: string | undefined;
  vectors: string | undefined;
}

/**
 * Runs `libtorch-losses parity` with the arguments after `parity`.
 *
 * @returns the exit status: 1 if something does not agree.
 */
export async function parity(args: readonly string[], context: CommandContext): Promise<number> {
  const wanted = parseParityArguments(args);
  const { line } = context.report;
  if (wanted.help) {
    line(usage);
    return 0;
  }
  const folder = resolve(wanted.vectors ?? vectors);
  if (!existsSync(resolve(folder, 'manifest.json'))) {
    throw expected('parity', "'--vectors'", 'to be a folder with a manifest.json', folder);
  }
  const manifest = readManifest(folder);
  const operators = chosenOperators(manifest, wanted.losses);
  const order: ParityRequest = { folder, device: wanted.device, operators, version: packageVersion() };
  const outputs = new Outputs('parity');
  try {
    for (const name of readdirSync(folder)) outputs.protect(join(folder, name));
    const page = wanted.html === undefined ? undefined : outputs.open("'--html'", wanted.html);
    const report = await runApart(order, environmentFor(manifest, wanted.device, context.env), context.signal);
    page?.write(Buffer.from(parityPage(report)), 0);
    context.signal.throwIfAborted();
    outputs.finish();
    if (wanted.json) line(JSON.stringify(report, null, 2));
    else {
      line(parityTable(report));
      if (wanted.html !== undefined) line(`The page is ${printable(wanted.html)}`);
    }
    return report.passed ? 0 : 1;
  } finally {
    outputs.discard();
  }
}

/** Reads the arguments; every mistake is an `INVALID_ARGUMENT` error. */
export function parseParityArguments(args: readonly string[]): ParityArguments {
  const options = {
    device: { type: 'string' },
    loss: { type: 'string', multiple: true },
    json: { type: 'boolean' },
    html: { type: 'string' },
    vectors: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = parseArguments('parity', args, { options });
  const device = values.device ?? 'cpu';
  if (!/^(cpu|cuda(:\d{1,3})?)$/.test(device)) {
    throw expected('parity', "'--device'", 'to be cpu, cuda or cuda:<index>', show(device));
  }
  const { help = false, json = false, loss: losses = [], html, vectors } = values;
  return { help, device, losses, json, html, vectors };
}

/** The operators that the names stand for, in the manifest's order; all of them without names. */
function chosenOperators({ files }: Manifest, names: readonly string[]): string[] {
  const all = Object.keys(files);
  if (names.length === 0) return all;
  const fold = (name: string): string => name.replaceAll('_', '').toLowerCase();
  const chosen = names.map(
    (name) =>
      all.find((op) => [op, files[op]?.module ?? op].some((known) => fold(known) === fold(name))) ??
      oneOf('parity', "'--loss'", name, all),
  );
  return all.filter((op) => chosen.includes(op));
}

/** On the CPU, the settings that the vectors were recorded with, in place of what the user has set. */
function environmentFor(manifest: Manifest, device: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return device === 'cpu' ? { ...env, ...manifest.environment } : env;
}

/** Runs the cases in a process of their own; see lib/parity/child.ts. */
function runApart(order: ParityRequest, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<ParityReport> {
  return new Promise((done, refuse) => {
    // Warnings of PyTorch belong to the cases. What libraries print must not get between the lines of a document.
    const child = fork(require.resolve('../../parity/child'), [JSON.stringify(order)], {
      env,
      execArgv: [...process.execArgv, '--no-warnings'],
      stdio: ['ignore', 2, 2, 'ipc'],
      signal,
    });
    const progress = progressOn(process.stderr, order.operators.length);
    let running = 'libtorch loads';
    let report: ParityReport | undefined;
    let failure: Error | undefined;
    child.on('message', (message: ParityMessage) => {
      if (message.kind === 'report') report = message.report;
      else if (message.kind === 'error') failure = new TorchError(message.code as ErrorCode, message.message);
      else {
        running = `${message.op} runs`;
        progress.show(message.index, message.op);
      }
    });
    child.on('error', (error) => {
      failure ??= error;
    });
    child.on('close', (status, killed) => {
      progress.clear();
      if (failure !== undefined) refuse(failure);
      else if (report !== undefined) done(report);
      else
        refuse(
          new TorchError('RUNTIME', `parity: the process ended by ${killed ?? `status ${status}`} while ${running}`),
        );
    });
  });
}

/** A line on a terminal that tells how far the run is. */
function progressOn(
  stream: NodeJS.WriteStream,
  count: number,
): { show(index: number, op: string): void; clear(): void } {
  const write = (text: string): void => {
    if (stream.isTTY) stream.write(`\r\u001b[K${text}`);
  };
  return { show: (index, op) => write(`  ${index + 1} of ${count} · ${op}`), clear: () => write('') };
}
