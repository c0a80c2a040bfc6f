import { parseArgs } from 'node:util';

/** What the command line asked for. */
export interface Options {
  epochs: number;
  seed: number;
  /** Where the machine-readable run goes: a file, `'-'` for standard output. */
  json: string | undefined;
  help: boolean;
}

/** A command line that cannot be run. */
export class UsageError extends Error {}

export const help = `Trains a classifier of handwritten digits with PyTorch's own cross entropy.

  npm run quickstart -- [options]

  --epochs N    how often the training images are gone through, 1 to 10000 (default 40)
  --seed N      seed of weights, split and order of batches, 0 to 9007199254740991 (default 0)
  --json FILE   also write the run as JSON, every loss as the bits of its float32; '-' is standard output
  --help        show this text
`;

const known = {
  epochs: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** The options of the command line; a {@link UsageError} says what is wrong with it. */
export function parseOptions(args: readonly string[]): Options {
  const options: Options = { epochs: 40, seed: 0, json: undefined, help: false };
  // Not strict, since strict parsing reports in words of its own; every token is judged here.
  for (const token of parseArgs({ args: [...args], options: known, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') {
      throw new UsageError(`quickstart: expected options only, but received ${JSON.stringify(token.value)}`);
    }
    if (token.kind !== 'option') continue;
    switch (token.rawName) {
      case '--epochs':
        options.epochs = integer(token.rawName, token.value, 1, 10_000);
        break;
      case '--seed':
        options.seed = integer(token.rawName, token.value, 0, Number.MAX_SAFE_INTEGER);
        break;
      case '--json':
        options.json = fileName(token.rawName, token.value);
        break;
      case '--help':
        if (token.value !== undefined) throw refused(token.rawName, 'to have no value', token.value);
        options.help = true;
        break;
      default: {
        const list = Object.keys(known).map((name) => `'--${name}'`);
        throw new UsageError(`quickstart: unknown option '${token.rawName}'; known options are ${list.join(', ')}`);
      }
    }
  }
  return options;
}

function integer(option: string, value: string | undefined, low: number, high: number): number {
  const parsed = /^\d+$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (parsed >= low && parsed <= high) return parsed;
  throw refused(option, `to be an integer from ${low} to ${high}`, value);
}

function fileName(option: string, value: string | undefined): string {
  if (value !== undefined && value !== '' && !value.startsWith('--')) return value;
  throw refused(option, "to be a file name or '-'", value);
}

function refused(option: string, what: string, value: string | undefined): UsageError {
  const actual = value === undefined ? 'nothing' : JSON.stringify(value);
  return new UsageError(`quickstart: expected option '${option}' ${what}, but received ${actual}`);
}
