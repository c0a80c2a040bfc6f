/** The benchmark, once through on the smallest work. Only what it says is tested; how long anything took is not. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(__dirname, '../../scripts/bench/bench.mjs');
const scratch = mkdtempSync(join(tmpdir(), 'libtorch-losses-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function bench(...args: string[]) {
  // No interpreter is there, whatever this machine has.
  const env = { ...process.env, LIBTORCH_LOSSES_PYTHON: join(scratch, 'no-python') };
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env, timeout: 240_000 });
}

interface Written {
  host: { libtorch: string };
  unavailable: { id: string; reason: string; remedy: string }[];
  speed: { size: string; form: string; times: Record<string, { seconds: number; samples: number[] }> }[];
}

test('measures, compares results, and writes; what is missing is named', () => {
  const json = join(scratch, 'bench.json');
  const peers = 'tensors,arrays,pytorch,cpp,reference';
  const args = [
    '--section',
    'speed',
    '--quick',
    '--rounds',
    '1',
    '--filter',
    '3x4',
    '--threads',
    '1',
    '--peers',
    peers,
  ];
  const { status, stdout, stderr } = bench(...args, '--json', json);
  expect(stderr).toMatch(/pytorch is left out: .*no-python cannot import torch; to have it: .*pip install torch==/);
  expect(status).toBe(0);
  expect(stdout).toMatch(/crossEntropy\s+3x4\s+value and gradient/);
  const { host, unavailable, speed } = JSON.parse(readFileSync(json, 'utf8')) as Written;
  expect(host.libtorch).toMatch(/^2\./);
  expect(unavailable.map(({ id }) => id)).toEqual(['pytorch']);
  expect(speed.map(({ size, form }) => `${size} ${form}`)).toEqual(
    Array.from({ length: 2 }, () => ['3x4 number', '3x4 tensor', '3x4 gradient']).flat(),
  );
  expect(Object.keys(speed[2]?.times ?? {})).toEqual(['tensors', 'arrays', 'cpp', 'cpp-direct', 'reference']);
  expect(speed[0]?.times.tensors?.samples).toHaveLength(1);
});

test('measures small calls, with another shape at each among them', () => {
  const json = join(scratch, 'operators.json');
  const args = ['--section', 'operators', '--quick', '--rounds', '1', '--peers', 'tensors', '--json', json];
  const { status, stdout } = bench(...args);
  expect(status).toBe(0);
  expect(stdout).toMatch(/crossEntropyInTurn\s+40 shapes\s+tensor/);
  const { operators } = JSON.parse(readFileSync(json, 'utf8')) as {
    operators: { call: string; times: Record<string, { seconds: number }> }[];
  };
  expect(operators.map(({ call }) => call)).toEqual([
    ...['add', 'relu', 'view', 'matmul', 'sum'],
    ...Array.from({ length: 4 }, () => 'crossEntropy'),
    ...['crossEntropyWithGraph', 'crossEntropyInTurn'],
  ]);
  for (const { times } of operators) expect(times.tensors?.seconds).toBeGreaterThan(0);
});

test('evaluates a file, and says what of it stays in memory', () => {
  const json = join(scratch, 'evaluate.json');
  const { status, stdout } = bench('--section', 'evaluate', '--quick', '--rounds', '1', '--json', json);
  expect(status).toBe(0);
  expect(stdout).toMatch(/the loss alone .* GB\/s/);
  const { evaluate } = JSON.parse(readFileSync(json, 'utf8')) as {
    evaluate: { bytes: number; records: { form: string; file: number; toMemory: number; peak?: number }[] };
  };
  expect(evaluate.bytes).toBe(60e6);
  expect(evaluate.records.map(({ form }) => form)).toEqual(['loss', 'predictions']);
  for (const { file, toMemory, peak } of evaluate.records) {
    expect(file).toBeGreaterThan(0);
    expect(toMemory).toBeGreaterThan(0);
    // The kernel of Linux alone tells it.
    expect(peak === undefined).toBe(process.platform !== 'linux');
  }
});

test.each([
  [['--sections', 'speed'], /Unknown option '--sections'/],
  [
    ['--section', 'sped'],
    /--section: 'sped' is none of speed, operators, training, memory, event-loop, loop, evaluate/,
  ],
  [['--rounds', '0'], /--rounds: expected a whole number > 0, but received '0'/],
  [['--threads', 'some'], /--threads: expected a whole number > 0/],
])('%j is refused, with the usage', (args, message) => {
  const { status, stderr } = bench(...args);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/Usage: npm run bench/);
});

test('--help explains the options', () => {
  const { status, stdout } = bench('--help');
  expect(status).toBe(0);
  expect(stdout).toMatch(/--plot FILE/);
});
