/** What optimizers and schedules take, by position and by name, with which defaults, against PyTorch's own signatures. */
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { declarationOf } from '../../lib/optim/declare';
import { valueText } from '../../lib/optim/names';
import signatures from './optimizer-signatures.json';

interface Parameter {
  name: string;
  default?: unknown;
  keywordOnly?: boolean;
}

const { optim } = torch;

/** Schedules of schedules take no options. */
const compositions = ['ChainedScheduler', 'SequentialLR'];

const rooms = [
  ['optim', optim, signatures.optim],
  ['lrScheduler', optim.lrScheduler, signatures.lrScheduler],
  ['swaUtils', optim.swaUtils, signatures.swaUtils],
] as const;

const classes = rooms.flatMap(([room, here, there]) =>
  Object.entries(there as unknown as Record<string, Parameter[]>).map(
    ([name, parameters]) => [`${room}.${name}`, (here as unknown as Record<string, object>)[name], parameters] as const,
  ),
);

test('all classes of PyTorch are there', () => {
  expect(classes.filter(([, here]) => typeof here !== 'function').map(([name]) => name)).toEqual([]);
  expect(classes.length).toBe(31);
});

const declared = classes.filter(([name]) => !compositions.some((other) => name.endsWith(other)));

test.each(declared)('%s', (_, here, [, ...parameters]) => {
  const { options, positional } = declarationOf(here as object) as NonNullable<ReturnType<typeof declarationOf>>;
  expect(Object.keys(options)).toEqual(expect.arrayContaining(parameters.map(({ name }) => camelCase(name))));
  expect(Object.keys(options)).toHaveLength(parameters.length);
  expect(positional).toEqual(parameters.filter(({ keywordOnly }) => !keywordOnly).map(({ name }) => camelCase(name)));
  for (const { name, default: theirs } of parameters) {
    const ours = options[camelCase(name)]?.default;
    // Tuples are recorded as Python writes them.
    expect([name, Array.isArray(ours) ? valueText(ours) : ours]).toEqual([name, theirs]);
  }
});
