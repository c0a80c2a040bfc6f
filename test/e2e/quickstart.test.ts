/** The quickstart as a newcomer runs it, and its training against PyTorch's (examples/quickstart/train.py). */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError, parseDigits, readDigits } from '../../examples/quickstart/data';
import { parseOptions, UsageError } from '../../examples/quickstart/options';
import type { Run } from '../../examples/quickstart/record';

const root = join(__dirname, '../..');
const program = join(root, 'build/examples/quickstart/quickstart.js');
const golden = JSON.parse(readFileSync(join(root, 'test/golden/quickstart.json'), 'utf8')) as Omit<
  Run,
  'reference' | 'seconds'
>;

/** What train.py sets for a recording: kernels that every x86-64 has, and one thread. */
const pinned = {
  ATEN_CPU_CAPABILITY: 'default',
  MKL_CBWR: 'COMPATIBLE',
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
};

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  if (!existsSync(program)) throw new Error(`${program} is missing: run \`npm run build\``);
  const child = spawnSync(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 100_000,
    maxBuffer: 2 ** 26,
  });
  if (child.error) throw child.error;
  return child;
}

function record(args: readonly string[], env: Readonly<Record<string, string>>): Run {
  const { status, stdout, stderr } = start(['--json', '-', ...args], env);
  if (status !== 0) throw new Error(`the quickstart ended with status ${status}:\n${stderr}`);
  return JSON.parse(stdout) as Run;
}

/** The float32 of eight hexadecimal digits. */
function float(hex: string): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, Number.parseInt(hex, 16));
  return view.getFloat32(0);
}

/** How many float32 lie between two, by their bits. */
function ulps(a: string, b: string): number {
  const place = (hex: string): number => {
    const value = Number.parseInt(hex, 16);
    return value >= 0x80000000 ? 0x80000000 - value : value;
  };
  return Math.abs(place(a) - place(b));
}

/** Where two lists of losses part for the first time, in words; nothing if they are equal. */
function firstDifference(actual: readonly string[], expected: readonly string[]): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} losses instead of ${expected.length}`;
  const at = expected.findIndex((loss, i) => loss !== actual[i]);
  if (at === -1) return undefined;
  const [got, wanted] = [actual[at] as string, expected[at] as string];
  const differing = expected.filter((loss, i) => loss !== actual[i]).length;
  return (
    `step ${at} gives ${float(got)} (${got}), PyTorch ${float(wanted)} (${wanted}): ${ulps(got, wanted)} ulp; ` +
    `${differing} of ${expected.length} losses differ`
  );
}

/** Bits are comparable for one processor family and one minor version of libtorch. */
function sameKernels(run: Run): boolean {
  const minor = (version: string): string => version.split('.').slice(0, 2).join('.');
  return process.arch === 'x64' && minor(run.recorded.torch) === minor(golden.recorded.torch);
}

describe('the training of the quickstart with pinned kernels', () => {
  let run: Run;

  beforeAll(() => {
    run = record([], pinned);
  }, 120_000);

  test('has the settings of the recording', () => {
    expect(run.settings).toEqual(golden.settings);
    if (sameKernels(run)) {
      const { torch: _, ...environment } = run.recorded;
      const { torch: __, ...recorded } = golden.recorded;
      expect(environment).toEqual(recorded);
    }
  });

  test('starts from the weights of PyTorch', () => {
    expect(run.weights.initial).toBe(golden.weights.initial);
  });

  test('has the loss curve of PyTorch: every step bit for bit; on other kernels the first epoch within 1e-4', () => {
    expect(golden.losses.flat()).toHaveLength(40 * 45);
    if (sameKernels(run)) {
      expect(firstDifference(run.losses.flat(), golden.losses.flat())).toBeUndefined();
      expect(run.losses.map((epoch) => epoch.length)).toEqual(golden.losses.map((epoch) => epoch.length));
      return;
    }
    // Last places grow by training on them, so that only the beginning of the curves can be compared.
    console.warn(`compared by tolerance: ${process.arch}, libtorch ${run.recorded.torch}`);
    const [actual = [], expected = []] = [run.losses[0], golden.losses[0]];
    expect(actual).toHaveLength(expected.length);
    expected.forEach((loss, step) => {
      expect(Math.abs(float(actual[step] as string) / float(loss) - 1)).toBeLessThan(1e-4);
    });
  });

  test('ends with the held-out figures and the weights of PyTorch', () => {
    if (!sameKernels(run)) return;
    const losses = (figures: Run['heldOut']): string[] => figures.map(({ loss }) => loss);
    expect(firstDifference(losses(run.heldOut), losses(golden.heldOut))).toBeUndefined();
    expect(firstDifference(losses(run.byClass), losses(golden.byClass))).toBeUndefined();
    expect(run.heldOut).toEqual(golden.heldOut);
    expect(run.byClass).toEqual(golden.byClass);
    expect(run.weights.final).toBe(golden.weights.final);
  });

  test('recognises at least 96 % of the held-out images', () => {
    const last = run.heldOut.at(-1);
    expect(last?.count).toBe(360);
    expect((last?.correct ?? 0) / 360).toBeGreaterThanOrEqual(0.96);
  });

  test("agrees with the reference within PyTorch's tolerance for float32", () => {
    const { all, byClass } = run.reference;
    const native = [run.heldOut.at(-1), ...run.byClass];
    expect(native).toHaveLength(11);
    [all, ...byClass].forEach((figures, i) => {
      const { loss, correct, count } = native[i] ?? { loss: '7fc00000', correct: -1, count: -1 };
      expect(Math.abs(float(loss) - figures.loss)).toBeLessThanOrEqual(1e-5 + 1.3e-6 * Math.abs(figures.loss));
      expect({ correct, count }).toEqual({ correct: figures.correct, count: figures.count });
    });
    expect(byClass.reduce((sum, { count }) => sum + count, 0)).toBe(all.count);
  });
});

describe('the quickstart on the command line', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'quickstart-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  test('trains at full speed, prints plain lines to a pipe and the accuracy last', () => {
    const { status, stdout, stderr } = start([]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, accuracy] = /^accuracy (\d+\.\d) %\n$/m.exec(stdout.slice(stdout.lastIndexOf('accuracy'))) ?? [];
    expect(Number(accuracy)).toBeGreaterThanOrEqual(96);
    for (const digit of '0123456789') expect(stdout).toMatch(new RegExp(`^ {5}${digit} +\\d+ `, 'm'));
    expect(stdout).toMatch(/^ +40 +\d\.\d{4} +\d\.\d{4} +\d+\.\d %/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a pipe must get none
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  }, 120_000);

  test('takes the number of epochs, the seed and a file for the record', () => {
    const file = join(directory, 'run.json');
    const { status, stdout } = start(['--epochs', '2', '--seed=1', '--json', file]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^accuracy /m);
    const run = JSON.parse(readFileSync(file, 'utf8')) as Run;
    expect(run.settings).toMatchObject({ epochs: 2, seed: 1 });
    expect(run.losses).toHaveLength(2);
    expect(run.weights.initial).not.toBe(golden.weights.initial);
  }, 120_000);

  test('ends with status 2 and the known options after a wrong one', () => {
    const { status, stdout, stderr } = start(['--epoch', '3']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^quickstart: unknown option '--epoch'; known options are '--epochs', /);
    expect(stderr).toContain('--seed N');
  });

  test('prints its options with --help', () => {
    const { status, stdout } = start(['--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('--json FILE');
  });
});

describe('parseOptions', () => {
  test('has defaults', () => {
    expect(parseOptions([])).toEqual({ epochs: 40, seed: 0, json: undefined, help: false });
  });

  test.each([
    [['--epochs', '0'], 'quickstart: expected option \'--epochs\' to be an integer from 1 to 10000, but received "0"'],
    [['--epochs', '2.5'], 'but received "2.5"'],
    [['--epochs', 'NaN'], 'but received "NaN"'],
    [['--epochs'], 'but received nothing'],
    [['--epochs', '--seed', '1'], 'but received "--seed"'],
    [['--seed', '-1'], "expected option '--seed' to be an integer from 0 to 9007199254740991"],
    [['--seed', '9007199254740992'], 'but received "9007199254740992"'],
    [['--json'], "quickstart: expected option '--json' to be a file name or '-', but received nothing"],
    [['--help=1'], "expected option '--help' to have no value"],
    [['40'], 'quickstart: expected options only, but received "40"'],
    [['-h'], "unknown option '-h'"],
    [['--__proto__'], "unknown option '--__proto__'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe('the digits', () => {
  const pixels = Array.from({ length: 64 }, (_, i) => i % 17).join(',');

  test('are 1,797 images of 64 pixels in [0, 1] with their classes', () => {
    const digits = readDigits(join(root, 'examples/quickstart/data/digits.csv.gz'));
    expect(digits.count).toBe(1797);
    expect(digits.pixels).toHaveLength(1797 * 64);
    expect([Math.min(...digits.classes), Math.max(...digits.classes)]).toEqual([0, 9]);
    // The first line of the file by hand: 0,0,5,13,9,1,0,0,… and class 0.
    expect(Array.from(digits.pixels.subarray(0, 8), (pixel) => pixel * 16)).toEqual([0, 0, 5, 13, 9, 1, 0, 0]);
    expect(digits.classes[0]).toBe(0);
  });

  test('may have lines that end in CR LF', () => {
    expect(parseDigits(`${pixels},3\r\n${pixels},4\r\n`).classes).toEqual(Int32Array.of(3, 4));
  });

  test.each([
    ['no line', '', 'readDigits: expected line 1 to be 64 pixels and a class, but received an empty line'],
    ['a short line', `${pixels},1\n1,2,3`, 'expected line 2 to be 64 pixels and a class, but received 3 fields'],
    ['a gap', `${pixels},1\n\n${pixels},1`, 'expected line 2 to be 64 pixels and a class, but received an empty line'],
    [
      'a bright pixel',
      `17${pixels.slice(1)},1`,
      'expected field 1 of line 1 to be an integer from 0 to 16, but received "17"',
    ],
    ['a word', `x${pixels.slice(1)},1`, 'but received "x"'],
    ['an empty field', `${pixels.slice(1)},1`, 'expected field 1 of line 1'],
    [
      'an eleventh class',
      `${pixels},10`,
      'expected field 65 of line 1 to be an integer from 0 to 9, but received "10"',
    ],
  ])('are refused with %s', (_, text, message) => {
    expect(() => parseDigits(text)).toThrow(DataError);
    expect(() => parseDigits(text)).toThrow(message);
  });

  test('are refused if the file is missing, no gzip file or cut short', () => {
    const directory = mkdtempSync(join(tmpdir(), 'digits-'));
    try {
      const file = join(directory, 'digits.csv.gz');
      expect(() => readDigits(file)).toThrow(/^readDigits: expected '.*' to be a gzipped file, but received ENOENT/);
      writeFileSync(file, `${pixels},1\n`);
      expect(() => readDigits(file)).toThrow(DataError);
      writeFileSync(file, gzipSync(`${pixels},1\n`).subarray(0, -12));
      expect(() => readDigits(file)).toThrow(DataError);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
