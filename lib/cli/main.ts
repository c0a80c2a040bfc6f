#!/usr/bin/env node
/** The command `libtorch-losses`. */
import { oneOf } from '../options';
import { doctor } from './doctor/doctor';
import { evaluate } from './evaluate/evaluate';
import { merge } from './evaluate/merge';
import { install } from './install/install';
import { parity } from './parity/parity';
import { type CommandContext, packageVersion } from './shared/command';
import { exitStatusOf, messageOf } from './shared/failures';
import { type Output, reportTo } from './shared/report';
import { printableLines } from './shared/text';

const usage = `Usage: libtorch-losses <command> [options]

Commands:
  doctor     what was found on this machine, whether it works, and what to do if not (libtorch-losses doctor --help)
  evaluate   a loss over files and streams, bigger than memory (libtorch-losses evaluate --help)
  install    installs libtorch into this package's cache (libtorch-losses install --help)
  merge      one result of the parts of an evaluation (libtorch-losses merge --help)
  parity     compares this machine's libtorch with PyTorch's recorded answers (libtorch-losses parity --help)

Options:
  --version, -v  the version of this package
  --help, -h     this text; of a command with its name: libtorch-losses help evaluate`;

/** A command resolves to its exit status; 0 where it has none to tell. */
type Command = (args: string[], context: CommandContext) => Promise<number | undefined>;

const commands = {
  doctor,
  evaluate,
  install: async (args, context) => {
    await install(args, context);
    return undefined;
  },
  merge,
  parity,
} satisfies Record<string, Command>;

/** What to add to the word `interrupted`. */
const interrupted: Partial<Record<string, string>> = {
  install: '; nothing was installed',
  evaluate: '; nothing was written',
  merge: '; nothing was written',
};

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
  const written = watchOutput(output, interruption);
  // Nothing is left to tell it to.
  errors.on('error', () => {});
  const say = (text: string): void => void errors.write(`${printableLines(text)}\n`);
  try {
    const status = (await run(args, context)) ?? 0;
    await written();
    return status;
  } catch (error) {
    const failure = await written().catch((failed: NodeJS.ErrnoException) => failed);
    if (failure !== undefined) {
      // A reader that has enough (`… | head`) closes its end: not an error.
      if (failure.code !== 'EPIPE') say(`libtorch-losses: the output cannot be written: ${failure.message}`);
      return 1;
    }
    if (interruption.signal.aborted) {
      say(`interrupted${interrupted[args[0] ?? ''] ?? ''}`);
      return interruption.signal.reason === 'SIGTERM' ? 143 : 130;
    }
    say(messageOf(error, args[0] ?? 'libtorch-losses'));
    return exitStatusOf(error);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** Ends the command once its output cannot be written. Gives what waits for the output, and rejects if it failed. */
function watchOutput(output: Output, interruption: AbortController): () => Promise<void> {
  let failure: Error | undefined;
  output.on('error', (error: Error) => {
    failure ??= error;
    interruption.abort(error);
  });
  return () =>
    new Promise((done, refuse) => {
      if (failure !== undefined) refuse(failure);
      else output.write('', (error) => (error ? refuse(failure ?? error) : done()));
    });
}

async function run(args: readonly string[], context: CommandContext): Promise<number | undefined> {
  const [first, ...rest] = args;
  if (first === '--version' || first === '-v') context.report.line(packageVersion());
  else if (first === 'help' && rest[0] !== undefined) return await commandOf(rest[0])(['--help'], context);
  else if (first === undefined || first === '--help' || first === '-h' || first === 'help') context.report.line(usage);
  else return await commandOf(first)(rest, context);
  return undefined;
}

function commandOf(name: string): Command {
  return commands[oneOf('libtorch-losses', 'command', name, Object.keys(commands) as (keyof typeof commands)[])];
}

if (require.main === module) {
  void main(process.argv.slice(2), process.stdout, process.stderr).then((status) => {
    process.exitCode = status;
  });
}
