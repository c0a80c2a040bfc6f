/** `libtorch-losses evaluate` on the outputs of a real classifier, against what PyTorch made of them. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEvaluateArguments } from '../../lib/cli/evaluate/evaluate';
import { npy, npyDictionary, npyStart } from '../support/arrays';
import { dist, type Outcome } from '../support/child';
import { testWhere } from '../support/where';

jest.setTimeout(120_000);

const digits = resolve(__dirname, '../data/digits');
const main = join(dist, 'cli', 'main.js');
const expected = JSON.parse(readFileSync(join(digits, 'expected.json'), 'utf8'));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evaluate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

function evaluate(args: readonly string[], input?: Buffer): Outcome {
  const options = {
    encoding: 'utf8',
    env,
    cwd: digits,
    timeout: 60_000,
    ...(input === undefined ? {} : { input }),
  } as const;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [main, 'evaluate', ...args], options);
  return { status, signal, stdout, stderr };
}

const files = ['--input', 'logits.npy', '--target', 'labels.npy'];
const crossEntropy = ['--loss', 'cross-entropy'];

/** The JSON of an evaluation that must work. */
function found(...args: string[]) {
  const { stdout, ...end } = evaluate([...crossEntropy, ...args, '--json', '--quiet']);
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

/** The loss that `--quiet` prints. */
function lossOf(args: readonly string[], input?: Buffer): number {
  const { stdout, ...end } = evaluate([...crossEntropy, ...args, '--quiet'], input);
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  expect(stdout).toMatch(/^[\d.e-]+\n$/);
  return Number(stdout);
}

/** Within what float32 arithmetic may round. */
function near(value: number): unknown {
  return expect.closeTo(value, 6);
}

/** The header of a .npy file, and its elements. */
function readNpy(path: string): { header: string; elements: Float32Array } {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  return {
    header: bytes.toString('latin1', 10, start),
    elements: new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer),
  };
}

describe('figures', () => {
  test('are PyTorch’s', () => {
    const result = found(...files);
    expect(result).toMatchObject({
      name: 'crossEntropy',
      reduction: 'mean',
      loss: near(expected.loss),
      sum: expect.closeTo(expected.sum, 4),
      count: expected.rows,
      denominator: expected.rows,
      ignored: 0,
      nan: 0,
    });
    const { classification, worst, histogram, run } = result;
    expect(classification.accuracy).toBeCloseTo(expected.accuracy, 12);
    expect(classification.top5).toBeCloseTo(expected.top5, 12);
    expect(classification.perplexity).toBeCloseTo(expected.perplexity, 5);
    expect(classification.calibrationError).toBeCloseTo(expected.calibrationError, 5);
    expect(classification.classes.map(({ loss }: { loss: number }) => loss)).toEqual(expected.classes.map(near));
    expect(worst.slice(0, 5).map(({ index }: { index: number }) => index)).toEqual(expected.worst);
    expect(histogram.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(expected.rows);
    expect(run).toMatchObject({ files: ['logits.npy', 'labels.npy'], device: 'cpu', bytes: expected.rows * 48 });
  });

  test('of float64 are PyTorch’s to the last digits', () => {
    const result = found(...files, '--dtype', 'float64');
    expect(result.loss).toBeCloseTo(expected.loss, 14);
    expect(result.classification.calibrationError).toBeCloseTo(expected.calibrationError, 12);
    expect(result.classification.perplexity).toBeCloseTo(expected.perplexity, 12);
  });

  test.each([
    ['class weights', ['--weight', 'weight.npy'], 'weighted'],
    ['class weights as an option', ['--option', 'weight=weight.npy'], 'weighted'],
    ['label smoothing', ['--option', 'labelSmoothing=0.1'], 'smoothed'],
    ['an ignored class', ['--option', 'ignoreIndex=3'], 'ignoring3'],
    ['the sum', ['--reduction', 'sum'], 'sum'],
  ] as const)('with %s', (_, args, name) => {
    const result = found(...files, '--dtype', 'float64', ...args);
    expect(result.loss / expected[name]).toBeCloseTo(1, 12);
    if (name === 'weighted') expect(result.denominator).toBeCloseTo(expected.denominator, 9);
    if (name === 'ignoring3') expect(result.count + result.ignored).toBe(expected.rows);
  });

  test('with class weights of another dtype than the input', () => {
    const values = Array.from({ length: 10 }, (_, i) => 0.5 + i / 6);
    const path = join(folder, 'weight.npy');
    writeFileSync(path, npy({ kind: 'f8', shape: [10], values }));
    expect(lossOf([...files, '--weight', path])).toBeCloseTo(expected.weighted, 6);
  });

  test('by group', () => {
    const { groups } = found(...files, '--group-by', 'groups.npy');
    expect(groups).toEqual(
      expected.groups.map((loss: number, group: number) => ({ group, count: 120, loss: near(loss) })),
    );
  });

  test('do not depend on the size of the batches', () => {
    const whole = lossOf(files);
    for (const rows of ['1', '7', '359']) expect(lossOf([...files, '--batch-size', rows])).toBeCloseTo(whole, 15);
    expect(lossOf([...files, '--batch-size', 'auto'])).toBe(whole);
  });
});

describe('several devices', () => {
  test('give what one gives, files and all', () => {
    const outputs = (name: string): string[] => [
      ...['--per-sample', join(folder, `${name}-losses.npy`), '--gradient', join(folder, `${name}-gradient.npy`)],
      ...['--weight', 'weight.npy', '--group-by', 'groups.npy', '--batch-size', '50'],
    ];
    const { run: one, ...alone } = found(...files, ...outputs('one'), '--device', 'cpu');
    const { run: three, ...shared } = found(...files, ...outputs('three'), '--device', 'cpu,cpu,cpu');
    expect(shared).toEqual(alone);
    expect([one.device, three.device]).toEqual(['cpu', 'cpu, cpu, cpu']);
    for (const kind of ['losses', 'gradient']) {
      expect(readFileSync(join(folder, `three-${kind}.npy`))).toEqual(readFileSync(join(folder, `one-${kind}.npy`)));
    }
  });

  test('give what one gives where rows wait for others', () => {
    const path = join(folder, 'target.npy');
    const args = ['--loss', 'mse', '--input', 'logits.npy', '--target', path];
    writeFileSync(path, npy({ kind: 'f4', shape: [360, 10], values: Array.from({ length: 3600 }, (_, i) => i % 7) }));
    const outcomes = ['cpu', 'cpu,cpu'].map((devices) =>
      evaluate([...args, '--batch-size', '100', '--quiet', '--device', devices]),
    );
    expect(outcomes[0]).toMatchObject({ status: 0, stderr: '' });
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});

describe('input', () => {
  test.each([
    [
      '.npz, deflated, in Fortran order, labels of 8 bits',
      ['--input', 'digits.npz:logits', '--target', 'digits.npz:labels'],
    ],
    ['.safetensors', ['--input', 'digits.safetensors:logits', '--target', 'digits.safetensors:labels']],
    ['of different formats', ['--input', 'digits.safetensors:logits', '--target', 'labels.npy']],
  ])('%s', (_, args) => {
    expect(lossOf(args)).toBe(lossOf(files));
  });

  test('.safetensors of bfloat16', () => {
    const args = ['--input', 'digits.safetensors:logits_bf16', '--target', 'labels.npy', '--dtype', 'float64'];
    expect(lossOf(args)).toBeCloseTo(expected.bfloat16, 12);
  });

  test('shards, by pattern and one by one', () => {
    const bytes = readFileSync(join(digits, 'logits.npy'));
    const elements = bytes.subarray(bytes.length - expected.rows * 40);
    const cuts = [0, 100, 107, expected.rows];
    for (let i = 0; i < 3; i++) {
      const [from, to] = [cuts[i] as number, cuts[i + 1] as number];
      const start = npyStart(npyDictionary("'<f4'", [to - from, 10]));
      writeFileSync(join(folder, `shard-${9 + i}.npy`), Buffer.concat([start, elements.subarray(from * 40, to * 40)]));
    }
    const target = ['--target', 'labels.npy'];
    const whole = lossOf(files);
    expect(lossOf(['--input', join(folder, 'shard-*.npy'), ...target])).toBeCloseTo(whole, 15);
    const each = [9, 10, 11].flatMap((i) => ['--input', join(folder, `shard-${i}.npy`)]);
    expect(lossOf([...each, ...target])).toBeCloseTo(whole, 15);
  });

  test('of several dtypes is computed in the one that holds them all', () => {
    const values = Array.from({ length: expected.rows * 10 }, (_, i) => (i % 7) / 3);
    const target = join(folder, 'target.npy');
    writeFileSync(target, npy({ kind: 'f8', shape: [expected.rows, 10], values }));
    const losses = join(folder, 'losses.npy');
    const args = ['--loss', 'mse', '--input', 'logits.npy', '--target', target, '--quiet'];
    const plain = evaluate(args);
    const written = evaluate([...args, '--per-sample', losses, '--gradient', join(folder, 'gradient.npy')]);
    expect(plain).toMatchObject({ status: 0, stderr: '' });
    expect(written).toEqual(plain);
    expect(readFileSync(losses, 'latin1')).toContain("'descr': '<f8'");
  });

  test('without rows has no loss, and with NaN the loss is NaN; neither is an error', () => {
    const [input, target] = [join(folder, 'input.npy'), join(folder, 'target.npy')];
    writeFileSync(input, npy({ kind: 'f4', shape: [0, 10], values: [] }));
    writeFileSync(target, npy({ kind: 'i8', shape: [0], values: [] }));
    const none = evaluate([...crossEntropy, '--input', input, '--target', target]);
    expect(none).toMatchObject({ status: 0, stdout: expect.stringContaining('No samples') });
    writeFileSync(input, npy({ kind: 'f4', shape: [2, 2], values: [1, Number.NaN, 1, 2] }));
    writeFileSync(target, npy({ kind: 'u1', shape: [2], values: [0, 1] }));
    const odd = found('--input', input, '--target', target);
    expect(odd).toMatchObject({ loss: 'NaN', count: 2, nan: 1, worst: [{ index: 0, loss: 'NaN' }, { index: 1 }] });
  });

  test('standard input: .npy, and raw elements', () => {
    const bytes = readFileSync(join(digits, 'logits.npy'));
    const args = ['--input', '-', '--target', 'labels.npy'];
    expect(lossOf(args, bytes)).toBe(lossOf(files));
    const raw = bytes.subarray(bytes.length - expected.rows * 40);
    expect(lossOf([...args, '--stdin-dtype', 'float32', '--stdin-row', '10'], raw)).toBe(lossOf(files));
  });
});

describe('output', () => {
  test('a table for people, without progress in it', () => {
    const { status, stdout } = evaluate([...crossEntropy, ...files]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^crossEntropy 0\.353212\nMean of 360 losses\n/);
    for (const text of ['89.72 %', '99.17 %', '1.42363', '3.35 %', 'class']) expect(stdout).toContain(text);
    expect(stdout).not.toContain('evaluating');
  });

  test('a page, and where it is', () => {
    mkdirSync(join(folder, 'deeper'));
    const page = join(folder, 'deeper', 'report.html');
    const { status, stdout } = evaluate([...crossEntropy, ...files, '--report', page]);
    expect(status).toBe(0);
    expect(stdout).toContain(`The page is ${page}`);
    const text = readFileSync(page, 'utf8');
    for (const phrase of ['<!doctype html>', '89.72 %', '<svg', 'labels.npy']) expect(text).toContain(phrase);
    expect(readdirSync(join(folder, 'deeper'))).toEqual(['report.html']);
  });

  test('each loss, as NumPy reads it', () => {
    const path = join(folder, 'losses.npy');
    lossOf([...files, '--per-sample', path, '--batch-size', '7']);
    const { header, elements } = readNpy(path);
    expect(header).toContain("'descr': '<f4', 'fortran_order': False, 'shape': (360,)");
    expect([...elements]).toEqual(expected.losses.map(near));
    expect(readdirSync(folder)).toEqual(['losses.npy']);
  });

  test.each([['auto'], ['7']])('the gradient of the weighted, smoothed mean, in batches of %s', (rows) => {
    const path = join(folder, 'gradient.npy');
    const options = ['--weight', 'weight.npy', '--option', 'labelSmoothing=0.1'];
    lossOf([...files, ...options, '--gradient', path, '--batch-size', rows]);
    const { header, elements } = readNpy(path);
    expect(header).toContain("'shape': (360, 10)");
    const squares = elements.reduce((sum, element) => sum + element ** 2, 0);
    expect(squares / expected.gradient['sum of squares']).toBeCloseTo(1, 5);
    for (const [row, column, value] of expected.gradient.elements) {
      expect(elements[row * 10 + column]).toBeCloseTo(value, 9);
    }
  });
});

describe('refusals', () => {
  /** What an evaluation that must fail says; no file may be left. */
  function failure(status: number, args: readonly string[], input?: Buffer): string {
    const before = readdirSync(folder);
    const outputs = ['losses.npy', 'gradient.npy', 'report.html'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const all = [...crossEntropy, ...args, '--per-sample', outputs[0], '--report', outputs[2]];
    const outcome = evaluate([...all, ...(input === undefined ? ['--gradient', outputs[1]] : []), '--quiet'], input);
    expect(outcome).toMatchObject({ status, stdout: '' });
    expect(readdirSync(folder)).toEqual(before);
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
    return outcome.stderr;
  }

  function broken(name: string, bytes: Buffer): string {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  }

  const logits = readFileSync(join(digits, 'logits.npy'));

  test('a file that is cut off', () => {
    for (const length of [3, 70, 1000, logits.length - 1]) {
      const path = broken('cut.npy', logits.subarray(0, length));
      expect(failure(1, ['--input', path, '--target', 'labels.npy'])).toContain(path);
    }
  });

  test('a stream that is cut off', () => {
    const message = failure(1, ['--input', '-', '--target', 'labels.npy'], logits.subarray(0, logits.length - 1));
    expect(message).toContain('standard input');
  });

  test('a file that is not there, and one that is none', () => {
    expect(failure(1, ['--input', 'no.npy', '--target', 'labels.npy'])).toBe('no.npy: there is no such file\n');
    expect(failure(1, ['--input', 'expected.json', '--target', 'labels.npy'])).toContain('expected.json');
    expect(failure(1, ['--input', 'no-*.npy', '--target', 'labels.npy'])).toContain('no file matches the pattern');
    expect(failure(1, ['--input', 'digits.npz:none', '--target', 'labels.npy'])).toContain('"logits"');
  });

  test('a label out of range, by its index in the data', () => {
    const values = Array.from({ length: expected.rows }, (_, i) => (i === 333 ? 10 : 0));
    const path = broken('labels.npy', npy({ kind: 'i8', shape: [expected.rows], values }));
    const message = failure(1, ['--input', 'logits.npy', '--target', path, '--batch-size', '100']);
    expect(message).toContain(path);
    expect(message).toContain('[0, 10)');
    expect(message).toContain('received 10 at index 333');
  });

  test('targets, groups of another length', () => {
    const path = broken('short.npy', npy({ kind: 'i8', shape: [4], values: [0, 1, 2, 3] }));
    expect(failure(1, ['--input', 'logits.npy', '--target', path])).toBe(
      `${path}: has 4 rows, but logits.npy has 360\n`,
    );
    expect(failure(1, [...files, '--group-by', path])).toContain(`${path}: has 4 rows`);
    const raw = ['--input', '-', '--stdin-dtype', 'float32', '--stdin-row', '10', '--target', path];
    const stream = failure(1, raw, logits.subarray(logits.length - expected.rows * 40));
    expect(stream).toBe(`${path}: ends after 4 rows, before the others\n`);
  });

  test('groups that are no integers', () => {
    const values = Array.from({ length: expected.rows }, (_, i) => i / 2);
    const path = broken('groups.npy', npy({ kind: 'f4', shape: [expected.rows], values }));
    expect(failure(1, [...files, '--group-by', path])).toContain('0.5 at index 1');
  });

  test('a place that cannot be written to', () => {
    const path = join(folder, 'no', 'losses.npy');
    for (const flag of ['--per-sample', '--gradient', '--report']) {
      const outcome = evaluate([...crossEntropy, ...files, flag, path, '--quiet']);
      expect(outcome).toMatchObject({ status: 2, stdout: '' });
      expect(outcome.stderr).toContain(`expected '${flag}' to be in a folder that is there`);
      expect(outcome.stderr).toContain(`make it with mkdir -p ${JSON.stringify(join(folder, 'no'))}`);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test('each output over an input, another output or a link', () => {
    const [input, link] = [broken('input.npy', logits), join(folder, 'link.npy')];
    symlinkSync(input, link);
    const bytes = readdirSync(folder);
    for (const flag of ['--per-sample', '--gradient', '--report']) {
      for (const path of [input, link]) {
        const given = ['--input', input, '--target', 'labels.npy', flag, path, '--quiet'];
        expect(evaluate([...crossEntropy, ...given])).toMatchObject({ status: 2, stdout: '' });
      }
    }
    const twice = ['--per-sample', join(folder, 'p'), '--gradient', `${folder}/./p`];
    const { status, stderr } = evaluate([...crossEntropy, ...files, ...twice]);
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('each output') });
    expect(readdirSync(folder)).toEqual(bytes);
    expect(readFileSync(input)).toEqual(logits);
  });

  test.each([
    ['no loss', files, "'--loss'"],
    ['an unknown loss', ['--loss', 'cross-entrpy', ...files], 'crossEntropy'],
    ['no input', [...crossEntropy, '--target', 'labels.npy'], "'--input'"],
    ['no target', [...crossEntropy, '--input', 'logits.npy'], "'--target'"],
    ['an unknown flag', [...crossEntropy, ...files, '--batchsize', '7'], '--batch-size'],
    ['a batch size of 0', [...crossEntropy, ...files, '--batch-size', '0'], "'--batch-size'"],
    ['an unknown dtype', [...crossEntropy, ...files, '--dtype', 'float'], "'--dtype'"],
    ['a dtype of integers', [...crossEntropy, ...files, '--dtype', 'int64'], "'--dtype'"],
    ['one stream for two arrays', [...crossEntropy, '--input', '-', '--target', '-'], "expected '-' to be given once"],
    [
      'the gradient of the mean of a stream',
      [...crossEntropy, '--input', '-', '--target', 'labels.npy', '--gradient', 'no.npy'],
      "'--gradient' to come with '--reduction sum'",
    ],
    [
      'an output over an input',
      [...crossEntropy, ...files, '--per-sample', './labels.npy'],
      "'--per-sample' to be another",
    ],
    [
      'an output over a weight',
      [...crossEntropy, ...files, '--weight', 'weight.npy', '--gradient', 'weight.npy'],
      "'--gradient'",
    ],
    [
      'an output over a match',
      [...crossEntropy, '--input', 'logi*.npy', '--target', 'labels.npy', '--gradient', 'logits.npy'],
      "'--gradient'",
    ],
    ['an unknown device', [...crossEntropy, ...files, '--device', 'gpu'], "'--device'"],
    ['an unknown device beside a known one', [...crossEntropy, ...files, '--device', 'cpu,gpu'], 'several with commas'],
    ['an unknown reduction', [...crossEntropy, ...files, '--reduction', 'none'], "'--reduction'"],
    ['a reduction of another loss', [...crossEntropy, ...files, '--reduction', 'batchmean'], "'reduction'"],
    ['an option without value', [...crossEntropy, ...files, '--option', 'weight'], "'--option'"],
    ['an unknown option', [...crossEntropy, ...files, '--option', 'labelsmoothing=0.1'], 'labelSmoothing'],
    ['an option out of range', [...crossEntropy, ...files, '--option', 'labelSmoothing=2'], 'labelSmoothing'],
    ['an unknown argument', [...crossEntropy, ...files, '--argument', 'variance=x.npy'], "'--argument'"],
    ['half of what raw input needs', [...crossEntropy, ...files, '--stdin-row', '10'], '--stdin-dtype'],
    ['one file for two outputs', [...crossEntropy, ...files, '--per-sample', 'a', '--report', 'a'], 'each output'],
    ['a word too many', [...crossEntropy, ...files, 'more'], "'more'"],
  ])('%s ends with 2', (_, args, phrase) => {
    const outcome = evaluate(args);
    expect(outcome).toMatchObject({ status: 2, stdout: '' });
    expect(outcome.stderr).toContain(phrase);
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
  });
});

/** A .npy file of zeros that takes no place on the disk. */
function zeros(name: string, descriptor: string, shape: readonly number[], bytes: number): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  const start = npyStart(npyDictionary(`'${descriptor}'`, shape));
  writeSync(file, start);
  ftruncateSync(file, start.length + bytes);
  closeSync(file);
  return path;
}

const onWindows = process.platform === 'win32';

// Windows has no signals that a process could send to another one.
if (!onWindows) {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s in the middle leaves nothing', async (signal, status) => {
    const rows = 750_000;
    const input = zeros('logits.npy', '<f4', [rows, 1000], rows * 4000);
    const target = zeros('labels.npy', '<i8', [rows], rows * 8);
    const [losses, report] = [join(folder, 'losses.npy'), join(folder, 'report.html')];
    const outputs = ['--per-sample', losses, '--report', report];
    const args = [main, 'evaluate', ...crossEntropy, '--input', input, '--target', target, ...outputs];
    const child = spawn(process.execPath, args, { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    const ended = new Promise<[number | null, string | null]>((done) => child.on('close', (...end) => done(end)));
    const partial = (): string | undefined =>
      readdirSync(folder).find((name) => name.startsWith('losses.npy.partial-'));
    while (child.exitCode === null && !statSync(join(folder, partial() ?? ''), { throwIfNoEntry: false })?.isFile()) {
      await new Promise((done) => setTimeout(done, 10));
    }
    while (child.exitCode === null && statSync(join(folder, partial() as string)).size <= 20_000) {
      await new Promise((done) => setTimeout(done, 10));
    }
    child.kill(signal);
    expect(await ended).toEqual([status, null]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/interrupted; nothing was written\n$/);
    expect(readdirSync(folder).sort()).toEqual(['labels.npy', 'logits.npy']);
  });
}

if (!onWindows) {
  const waiting = (args: readonly string[], stdin: 'ignore' | 'pipe'): Promise<unknown> => {
    const child = spawn(process.execPath, [main, 'evaluate', ...crossEntropy, ...args, '--target', 'labels.npy'], {
      cwd: digits,
      env,
      stdio: [stdin, 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr?.on('data', (data) => (stderr += data));
    // Whether it waits by now cannot be seen from outside; before that, the signal has to work as well.
    setTimeout(() => child.kill('SIGINT'), 1500);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    return new Promise((done) =>
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        done({ status, signal, stderr });
      }),
    );
  };
  const end = { status: 130, signal: null, stderr: 'interrupted; nothing was written\n' };

  test('the first SIGINT ends what waits for a pipe without a writer', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await waiting(['--input', pipe, '--per-sample', join(folder, 'losses.npy')], 'ignore')).toEqual(end);
    expect(readdirSync(folder)).toEqual(['pipe']);
  });

  test('the first SIGINT ends what waits for standard input', async () => {
    expect(await waiting(['--input', '-'], 'pipe')).toEqual(end);
  });

  test('a pipe gives what a file gives', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('cp', [join(digits, 'logits.npy'), pipe]);
    expect(lossOf(['--input', pipe, '--target', 'labels.npy'])).toBe(lossOf(files));
    writer.kill();
  });
}

describe('several at once', () => {
  test('to one output do not meet', async () => {
    const path = join(folder, 'losses.npy');
    const args = [main, 'evaluate', ...crossEntropy, ...files, '--per-sample', path, '--quiet'];
    const ended = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, args, { env, cwd: digits });
      return new Promise((done) => child.on('close', done));
    });
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0]);
    expect([...readNpy(path).elements]).toEqual(expected.losses.map(near));
    expect(readdirSync(folder)).toEqual(['losses.npy']);
  });
});

testWhere(process.platform === 'linux', 'prlimit belongs to Linux')('an output beyond the limit of files', () => {
  const [losses, gradient] = [join(folder, 'losses.npy'), join(folder, 'gradient.npy')];
  const args = [main, 'evaluate', ...crossEntropy, ...files, '--per-sample', losses, '--gradient', gradient];
  const options = { encoding: 'utf8', env, cwd: digits } as const;
  const { status, stderr } = spawnSync('prlimit', ['--fsize=8192', process.execPath, ...args, '--quiet'], options);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `${gradient}: cannot be written: EFBIG: file too large, write\n`,
  });
  expect(readdirSync(folder)).toEqual([]);
});

describe('--help', () => {
  const { status, stdout, stderr } = evaluate(['--help']);

  test('is printed, whatever else is asked for', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: libtorch-losses evaluate /);
    expect(evaluate(['-h']).stdout).toBe(stdout);
  });

  test('lists every flag that is known, and no other', () => {
    let known: string[] = [];
    try {
      parseEvaluateArguments(['--unknown']);
    } catch (error) {
      known = /options are (.*)$/.exec((error as Error).message)?.[1]?.split(', ') ?? [];
    }
    expect(known.length).toBeGreaterThan(10);
    const listed = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag);
    expect(listed.sort()).toEqual(known.sort());
  });

  test('has lines that a terminal shows whole', () => {
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});
