#!/usr/bin/env node
/** The command `libtorch-losses`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TorchError } from '../errors';
import { oneOf } from '../options';
import { install } from './install';
import { type Output, reportTo } from './report';
import type { CommandContext } from './sources';

const usage = `Usage: libtorch-losses <command> [options]

Commands:
  install    installs libtorch into this package's cache (libtorch-losses install --help)

Options:
  --version  the version of this package
  --help     this text`;

const commands = { install } satisfies Record<string, (args: string[], context: CommandContext) => Promise<void>>;

/**
 * Runs the command line.
 *
 * @returns the exit status: 0, 1 if the command failed, 2 if it was not understood, 130 and 143 if it was interrupted.
 */
export async function main(args: readonly string[], output: Output, errors: NodeJS.WritableStream): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => interruption.abort(signal);
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const context: CommandContext = { env: process.env, report: reportTo(output), signal: interruption.signal };
  try {
    await run(args, context);
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) {
      errors.write('interrupted; nothing was installed\n');
      return interruption.signal.reason === 'SIGTERM' ? 143 : 130;
    }
    errors.write(`${error instanceof TorchError ? error.message : ((error as Error).stack ?? String(error))}\n`);
    return error instanceof TorchError && error.code === 'INVALID_ARGUMENT' ? 2 : 1;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

async function run(args: readonly string[], context: CommandContext): Promise<void> {
  const [first, ...rest] = args;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') context.report.line(usage);
  else if (first === '--version') context.report.line(packageVersion());
  else
    await commands[oneOf('libtorch-losses', 'command', first, Object.keys(commands) as (keyof typeof commands)[])](
      rest,
      context,
    );
}

function packageVersion(): string {
  const description = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(description) as { version: string }).version;
}

if (require.main === module) {
  void main(process.argv.slice(2), process.stdout, process.stderr).then((status) => {
    process.exitCode = status;
  });
}
