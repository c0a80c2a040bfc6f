/** What every command needs: its context, its arguments, and the description of this package. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { TorchError } from '../../errors';
import { nearest } from '../../options';
import type { Report } from './report';

/** What a command runs with. */
export interface CommandContext {
  env: NodeJS.ProcessEnv;
  report: Report;
  signal: AbortSignal;
}

/**
 * Reads a command's arguments with Node's `parseArgs`.
 *
 * @throws TorchError `INVALID_ARGUMENT` that lists the options of the command.
 */
export function parseArguments<const T extends ParseArgsConfig>(
  command: string,
  args: readonly string[],
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs<T>({ ...config, args: [...args] });
  } catch (error) {
    const known = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    const { code, message } = error as NodeJS.ErrnoException;
    const [, unknown] = (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && /^Unknown option '(.+?)'/.exec(message)) || [];
    const near = unknown === undefined ? undefined : nearest(unknown, known);
    const what = unknown === undefined ? message : `unknown option '${unknown}'`;
    const hint = near === undefined ? '' : ` (did you mean '${near}'?)`;
    const text = `${command}: ${what}${hint}; options are ${known.join(', ')}`;
    throw new TorchError('INVALID_ARGUMENT', text, { op: command, cause: error });
  }
}

/** The directory of this package. */
export const packageRoot = resolve(__dirname, '..', '..', '..');

/** The part of package.json that commands report. */
export interface PackageDescription {
  version: string;
  engines: { node: string };
}

/** Reads this package's package.json. */
export function packageDescription(): PackageDescription {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as PackageDescription;
}

/** The version of this package. */
export function packageVersion(): string {
  return packageDescription().version;
}
