// The command line.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { peers } from './peers/index.mjs';

export const sections = ['speed', 'operators', 'training', 'memory', 'event-loop', 'loop', 'evaluate'];

export const usage = `Usage: npm run bench -- [options]

Measures this library beside Python's PyTorch, C++ on the same libtorch, the reference and TensorFlow.js.

Options:
  --section LIST    of ${sections.join(',')}; all by default
  --filter TEXT     only cases whose name contains the text ("crossEntropy 3x4 float32"); for the sections speed, operators and training
  --peers LIST      of ${peers.map(({ id }) => id).join(',')}; all available ones by default
  --threads LIST    of counts and "all"; 1,all by default
  --rounds N        at most so many rounds a measurement; 7 by default
  --quick           small sizes, short batches and 3 rounds: to see that it runs, not to quote
  --json FILE       writes everything that was measured
  --plot FILE       writes an SVG of the ratio to PyTorch against the size
  --help            this text`;

/** The arguments were not understood. */
export class UsageError extends Error {}

/** Reads the arguments; `{ help: true }` where they ask for help. */
export function readOptions(args) {
  const values = parse(args);
  if (values.help) return { help: true };
  const quick = values.quick ?? false;
  const rounds = values.rounds === undefined ? (quick ? 3 : 7) : wholeNumber('--rounds', values.rounds);
  return {
    sections: list('--section', values.section, sections),
    filter: values.filter ?? '',
    peers: list(
      '--peers',
      values.peers,
      peers.map(({ id }) => id),
    ),
    threads: readThreads(values.threads ?? '1,all'),
    quick,
    measure: { rounds, ...(quick ? { batchSeconds: 0.02, budgetSeconds: 0.5 } : {}) },
    json: values.json,
    plot: values.plot,
  };
}

function parse(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  const options = { section: text, filter: text, peers: text, threads: text, rounds: text, quick: flag };
  try {
    return parseArgs({ args, options: { ...options, json: text, plot: text, help: flag } }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function list(option, value, known) {
  if (value === undefined) return known;
  const wanted = value.split(',');
  const unknown = wanted.filter((word) => !known.includes(word));
  if (unknown.length > 0) throw new UsageError(`${option}: '${unknown.join(',')}' is none of ${known.join(', ')}`);
  return known.filter((word) => wanted.includes(word));
}

function readThreads(value) {
  const counts = value
    .split(',')
    .map((word) => (word === 'all' ? availableParallelism() : wholeNumber('--threads', word)));
  return [...new Set(counts)].sort((a, b) => a - b);
}

function wholeNumber(option, word) {
  const number = Number(word);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new UsageError(`${option}: expected a whole number > 0, but received '${word}'`);
}
