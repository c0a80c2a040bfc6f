/** What is not merged: damaged states, missing shards and those that are there twice, other evaluations. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '../../../lib';
import { evaluate } from '../../../lib/cli/evaluate/evaluate';
import { merge } from '../../../lib/cli/evaluate/merge';
import { type CommandContext, packageVersion } from '../../../lib/cli/shared/command';
import { type Merged, mergeShards } from '../../../lib/evaluate/merge';
import { readShardText } from '../../../lib/evaluate/shard-state';
import { npy } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

quietly();

const here = folder('for each test');

function mergeFiles(paths: readonly string[]): Merged {
  return mergeShards(paths.map((path) => [path, readShardText(path)]));
}
const rows = 10;

function context(lines: string[] = [], env: Record<string, string> = {}): CommandContext {
  const report = { line: (text: string) => void lines.push(text), progress: () => ({ update() {}, stop() {} }) };
  return { env, report, signal: new AbortController().signal };
}

/** Evaluates a shard; gives the path of its state. */
async function state(name: string, shard: string, ...flags: string[]): Promise<string> {
  const values = Array.from({ length: rows * 3 }, (_, i) => ((i * 7) % 11) / 4);
  const input = here.file('logits.npy', npy({ kind: 'f4', shape: [rows, 3], values }));
  const labels = Array.from({ length: rows }, (_, i) => i % 3);
  const target = here.file('labels.npy', npy({ kind: 'i8', shape: [rows], values: labels }));
  const path = join(here.path, name);
  const args = ['--loss', 'cross-entropy', '--input', input, '--target', target, '--quiet'];
  await evaluate([...args, '--shard', shard, '--state', path, ...flags], context());
  return path;
}

/** The message by which files are refused, without the folder. */
function refusalOf(paths: readonly string[]): string {
  try {
    mergeFiles(paths);
  } catch (error) {
    expect((error as { code?: string }).code).toBe('BAD_DATA');
    return (error as Error).message.replaceAll(`${here.path}/`, '');
  }
  throw new Error('they were merged');
}

// biome-ignore lint/suspicious/noExplicitAny: a file with anything changed
type AnyState = any;

/** Changes a state as somebody would who knows how its checksum is made. */
function forge(path: string, change: (state: AnyState) => void): string {
  const { sha256: _, ...content } = JSON.parse(readFileSync(path, 'utf8')) as AnyState;
  change(content);
  const sha256 = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return here.file(path.slice(here.path.length + 1), JSON.stringify({ ...content, sha256 }));
}

test('a state says what was evaluated, by which version, under which options', async () => {
  const path = await state('a.json', '1/3', '--option', 'labelSmoothing=0.1');
  const { shard, rows: own, work, run } = JSON.parse(readFileSync(path, 'utf8')) as AnyState;
  expect(shard).toEqual({ index: 1, count: 3 });
  expect(own).toEqual({ first: 4, end: 7, total: rows });
  expect(work).toEqual({
    'libtorch-losses': packageVersion(),
    libtorch: expect.stringMatching(/^2\./),
    loss: 'crossEntropy',
    reduction: 'mean',
    options: { labelSmoothing: '0.1' },
    device: 'cpu',
    dtype: 'float32',
    predictions: false,
    details: false,
    files: { input: 'logits.npy: float32 [3]', target: 'labels.npy: int64 []' },
    rows,
  });
  expect(run).toEqual({ files: [expect.any(String), expect.any(String)], bytes: 3 * 20, seconds: expect.any(Number) });
});

test('missing shards are named', async () => {
  const [a, c] = [await state('a.json', '0/3'), await state('c.json', '2/3')];
  expect(refusalOf([c, a])).toBe('merge: shard 1 of 3 is missing (they are counted from 0)');
  expect(refusalOf([c])).toBe('merge: shards 0, 1 of 3 are missing (they are counted from 0)');
});

test('a shard that is there twice is named, with both files', async () => {
  const [a, b, again] = [await state('a.json', '0/2'), await state('b.json', '1/2'), await state('again.json', '0/2')];
  expect(refusalOf([a, b, again])).toBe('again.json: is shard 0 of 2, and so is a.json');
  expect(refusalOf([a, b, b])).toBe('b.json: is shard 1 of 2, and so is b.json');
});

test('shards that overlap are named', async () => {
  const [a, b] = [await state('a.json', '0/2'), await state('b.json', '1/3')];
  expect(refusalOf([a, b])).toBe('b.json: is shard 1 of 3, but a.json is shard 0 of 2');
  const other = await state('other.json', '1/2');
  forge(other, ({ rows: own }) => {
    own.first = 4;
  });
  expect(refusalOf([a, other])).toBe('other.json: begins at row 4, but a.json ends before row 5');
});

test.each<[string, string[], string]>([
  [
    'an option',
    ['--option', 'labelSmoothing=0.1'],
    "b.json: was evaluated with option 'labelSmoothing' 0.1, but a.json without option 'labelSmoothing'",
  ],
  ['the reduction', ['--reduction', 'sum'], 'b.json: was evaluated with reduction sum, but a.json with reduction mean'],
  ['the dtype', ['--dtype', 'float64'], 'b.json: was evaluated with dtype float64, but a.json with dtype float32'],
  ['what is kept', ['--json'], 'b.json: was evaluated with predictions true, but a.json with predictions false'],
])('%s differs', async (_, flags, message) => {
  const a = await state('a.json', '0/2');
  expect(refusalOf([a, await state('b.json', '1/2', ...flags)])).toBe(message);
});

test('arrays among the options differ by their elements', async () => {
  const weigh = (...values: number[]): string[] => {
    return ['--weight', here.file('weight.npy', npy({ kind: 'f4', shape: [3], values }))];
  };
  const a = await state('a.json', '0/2', ...weigh(1, 2, 3));
  expect(mergeFiles([a, await state('b.json', '1/2', ...weigh(1, 2, 3))]).shards).toBe(2);
  expect(refusalOf([a, await state('b.json', '1/2', ...weigh(1, 2, 4))])).toMatch(
    /^b.json: was evaluated with option 'weight' float32 \[3\] of SHA-256 [0-9a-f]{64}, but a.json with option 'weight'/,
  );
});

test.each<[string, (state: AnyState) => void, string]>([
  [
    'the version of this package',
    ({ work }) => {
      work['libtorch-losses'] = '0.0.9';
    },
    `b.json: was evaluated with libtorch-losses 0.0.9, but a.json with libtorch-losses ${packageVersion()}`,
  ],
  [
    'the version of libtorch',
    ({ work }) => {
      work.libtorch = '2.11.0';
    },
    'b.json: was evaluated with libtorch 2.11.0, but a.json with libtorch 2.',
  ],
  [
    'the loss',
    ({ work }) => {
      work.loss = 'nllLoss';
    },
    'b.json: was evaluated with loss nllLoss, but a.json with loss crossEntropy',
  ],
  [
    'a file',
    ({ work }) => {
      work.files.target = 'other.npy: int64 []';
    },
    "b.json: was evaluated with the file of 'target' other.npy: int64 [], but a.json with the file of 'target' labels.npy",
  ],
  [
    'the number of rows',
    ({ work }) => {
      work.rows = 11;
    },
    'b.json: was evaluated with rows 11, but a.json with rows 10',
  ],
  [
    'the format',
    (own) => {
      own.version = 2;
    },
    'b.json: has version 2 of the format; this package reads 1',
  ],
])('%s differs', async (_, change, message) => {
  const [a, b] = [await state('a.json', '0/2'), await state('b.json', '1/2')];
  expect(refusalOf([a, forge(b, change)])).toContain(message);
});

test('files that are no whole state are named', async () => {
  const [a, b] = [await state('a.json', '0/2'), await state('b.json', '1/2')];
  const text = readFileSync(b, 'utf8');
  for (const length of [0, 1, 100, text.length - 2]) {
    here.file('b.json', text.slice(0, length));
    expect(refusalOf([a, b])).toMatch(/^b.json: is cut off or damaged: /);
  }
  here.file('b.json', text.replace('"count":5,"ignored":0', '"count":6,"ignored":0'));
  expect(refusalOf([a, b])).toBe('b.json: was changed since evaluate --state has written it');
  for (const other of ['{}', 'null', '[1]', '"text"', '{"format":"npy"}']) {
    here.file('b.json', other);
    expect(refusalOf([a, b])).toBe('b.json: is not what evaluate --state writes');
  }
  expect(refusalOf([a, join(here.path, 'none.json')])).toBe('none.json: the file does not exist');
});

describe('the command', () => {
  test('takes files in any order and patterns, and prints what an evaluation prints', async () => {
    for (const shard of ['2/3', '0/3', '1/3']) await state(`${shard[0]}.json`, shard, '--json');
    const printed = async (...args: string[]): Promise<string> => {
      const lines: string[] = [];
      expect(await merge(args, context(lines))).toBe(0);
      return lines.join('\n');
    };
    const paths = [2, 0, 1].map((index) => join(here.path, `${index}.json`));
    const { run, ...result } = JSON.parse(await printed(...paths, '--json'));
    const { run: other, ...again } = JSON.parse(await printed(join(here.path, '*.json'), '--json'));
    expect([again, other.shards, other.seconds]).toEqual([result, 3, run.seconds]);
    expect(run).toMatchObject({ shards: 3, device: 'cpu', bytes: 200, version: packageVersion() });
    expect(await printed(...paths, '--quiet')).toBe(String(result.loss));
    const page = join(here.path, 'page.html');
    const text = await printed(...paths, '--report', page);
    expect(text).toContain('Mean of 10 losses\nMerged from 3 shards\n');
    expect(text).toMatch(/ in the slowest shard · 200 bytes · libtorch-losses /);
    expect(text).toContain(`The page is ${page}`);
    expect(readFileSync(page, 'utf8')).toContain('Merged from 3 shards');
  });

  test('writes over none of its inputs', async () => {
    const a = await state('a.json', '0/1');
    await expect(merge([a, '--report', a], context())).rejects.toThrow("expected '--report' to be another file");
    expect(mergeFiles([a]).shards).toBe(1);
  });

  test('says what it takes', async () => {
    await expect(merge([], context())).rejects.toThrow(
      'merge: expected the arguments to be files that evaluate --state',
    );
    await expect(merge([join(here.path, '*.json')], context())).rejects.toThrow('no file matches the pattern');
    await expect(merge(['a.json', '--jsno'], context())).rejects.toThrow(
      'options are --report, --json, --quiet, --help',
    );
    const lines: string[] = [];
    expect(await merge(['--help'], context(lines))).toBe(0);
    expect(lines[0]).toMatch(/^Usage: libtorch-losses merge /);
    for (const line of (lines[0] as string).split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});

test('what a shard cannot do is refused', async () => {
  const gradient = ['--gradient', join(here.path, 'gradient.npy')];
  await expect(state('a.json', '0/2', ...gradient)).rejects.toThrow(
    "expected '--gradient' to come with '--reduction sum'",
  );
  await state('a.json', '0/2', ...gradient, '--reduction', 'sum');
  await state('a.json', '0/1', ...gradient);
  await expect(state('a.json', '0/1', '--per-sample', join(here.path, 'a.json'))).rejects.toThrow('a file of its own');
});
