/** scripts/cuda-check where no GPU is to be seen, from the build that is there. How long anything took is not tested. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadedLibtorch } from '../../lib/binding/load';
import { folder } from '../support/folder';
import { describeWhere, testWhere } from '../support/where';

const program = resolve(__dirname, '../../scripts/cuda-check');
const preload = resolve(__dirname, '../support/device/preload.cjs');
const scratch = folder();

const whereSh = describeWhere(process.platform !== 'win32', 'scripts/cuda-check, a program for sh');

function cudaCheck(args: readonly string[], variables: NodeJS.ProcessEnv = {}) {
  // Whatever GPU this machine has is hidden.
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: '', NODE: process.execPath, ...variables };
  return spawnSync(program, args, { encoding: 'utf8', env, cwd: scratch.path, timeout: 280_000 });
}

interface Part {
  checks: { name: string; passed: boolean }[];
  notRun: { name: string; why: string }[];
  tables: { rows: unknown[][] }[];
  failure?: unknown;
}

interface Written {
  passed: boolean;
  gpu: { devices: number; why: string };
  machine: { node: string };
  libtorch: { version: string; root: string };
  doctor: { report: { selfTest: { passed: boolean }[] } };
  parts: Record<string, Part>;
}

whereSh('scripts/cuda-check', () => {
  test('without a GPU: says so and why, does what the CPU can, and writes both documents', () => {
    const { status, stdout, stderr } = cudaCheck(['--no-build', '--quick', '--out', 'out']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/there is no GPU to be used: .+/);
    expect(status).toBe(0);
    const found = JSON.parse(readFileSync(join(scratch.path, 'out', 'cuda-check.json'), 'utf8')) as Written;
    expect(found).toMatchObject({ passed: true, gpu: { devices: 0, why: expect.stringMatching(/./) } });
    expect(found.machine.node).toBe(process.versions.node);
    expect(found.doctor.report.selfTest.every(({ passed }) => passed)).toBe(true);
    expect(Object.keys(found.parts)).toEqual([
      'doctor',
      'cases',
      'python',
      'recorded',
      'tensors',
      'evaluate',
      'faults',
      'bench',
    ]);
    const { cases, tensors, faults, bench } = found.parts as Record<string, Part>;
    expect(cases?.checks.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^\d{3} runs .* on the CPU$/),
      expect.stringMatching(/^\d{3} calls of \.async and valueAndGrad give the bits of the graph$/),
    ]);
    expect(tensors).toMatchObject({ checks: [], notRun: [{ why: 'there is no GPU' }] });
    expect(faults?.checks.map(({ name }) => name)).toContain('class indices out of range that come from the host');
    expect(faults?.notRun.map(({ name }) => name)).toContain('faults: a device-side assert');
    expect(bench?.tables[0]?.rows).toHaveLength(9);
    const summary = readFileSync(join(scratch.path, 'out', 'cuda-check.md'), 'utf8');
    expect(summary).toMatch(/^# cuda-check: ✔ (\d+) of \1 checks passed\n\n\*\*There is no GPU to be used:\*\*/);
    expect(summary).toMatch(/## Not run\n/);
    expect(stdout).toContain(summary);
  });

  const onFakes = testWhere(!loadedLibtorch().hasCuda, "simulated devices, whose place libtorch's CUDA half takes");

  onFakes('on simulated devices: everything that needs a GPU and no Python holds', () => {
    const args = ['--no-build', '--quick', '--only', 'tensors,evaluate,faults', '--out', 'fakes'];
    const { status, stdout, stderr } = cudaCheck(args, { NODE_OPTIONS: `--require ${preload}` });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/✔ no problem/);
    const found = JSON.parse(readFileSync(join(scratch.path, 'fakes', 'cuda-check.json'), 'utf8')) as Written;
    expect(found).toMatchObject({ passed: true, gpu: { devices: 2 } });
    const { tensors, evaluate, faults } = found.parts as Record<string, Part>;
    expect([tensors, evaluate, faults].map((part) => [part?.checks.length, part?.failure])).toEqual([
      [15, undefined],
      [4, undefined],
      [8, undefined],
    ]);
  });

  test('a part that breaks fails the whole, and the others run', () => {
    const { libtorch } = JSON.parse(readFileSync(join(scratch.path, 'out', 'cuda-check.json'), 'utf8')) as Written;
    // Has the right PyTorch to tell, and runs nothing.
    const answer = JSON.stringify({ version: libtorch.version, cuda: null, folder: '' });
    const python = scratch.file('python', `#!/bin/sh\nif [ "$1" = -c ]; then echo '${answer}'; else exit 3; fi\n`);
    chmodSync(python, 0o755);
    const from = ['--libtorch', libtorch.root, '--python', python];
    const args = ['--no-build', '--quick', '--only', 'python,evaluate', ...from, '--out', 'broken'];
    const { status, stdout } = cudaCheck(args);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^# cuda-check: ✘ 2 of 3 checks passed$/m);
    expect(stdout).toMatch(/^- ✘ it ended by status 1 while: PyTorch runs the cases$/m);
    expect(stdout).toMatch(/cases\.py ended by status 3/);
    expect(stdout).toMatch(/^- ✔ the result on cpu is the same for every size of the batch$/m);
  });

  test('parts that no time is left for are named', () => {
    const { status, stdout } = cudaCheck(['--no-build', '--only', 'cases', '--minutes', '0.001', '--out', 'late']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^- Every loss on the GPU against the CPU: the time was up$/m);
  });

  test('the bundle has what a machine without npm needs', () => {
    const file = join(scratch.path, 'bundle.tar.xz');
    const { status, stdout, stderr } = cudaCheck(['--bundle', file]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/bundle\.tar\.xz: \d+\.\d MB/);
    expect(statSync(file).size).toBeLessThan(60e6);
    const listed = spawnSync('tar', ['-tJf', file], { encoding: 'utf8' }).stdout.split('\n');
    for (const name of [
      './dist/index.js',
      './dist/parity/tolerance.js',
      './build/cuda-check/cases.json',
      './node_modules/node-addon-api/napi.h',
      './node_modules/node-api-headers/include/node_api.h',
      './node_modules/node-gyp-build/index.js',
      './node_modules/cli-progress/package.json',
    ]) {
      expect(listed).toContain(name);
    }
    expect(listed.filter((name) => /typescript|jest|\.node$/.test(name))).toEqual([]);
  });

  test.each([
    [['--benchmark'], /^cuda-check: Unknown option '--benchmark'.*; options are --node, --libtorch, /],
    [['--minutes', 'ten'], /^cuda-check: expected '--minutes' to be a number > 0, but received "ten"/],
    [['--only', 'cases,speed'], /^cuda-check: expected '--only' to be of cases, .*, but received "cases,speed"/],
    [
      ['--no-build', '--libtorch', 'nowhere'],
      /^cuda-check: expected '--libtorch' to be a libtorch root, .* but received .*nowhere \(/,
    ],
    [
      ['--no-build', '--python', 'no-python'],
      /^cuda-check: expected '--python' to be a Python with PyTorch .*no-python/,
    ],
    [
      ['--bundle', 'bundle.zip'],
      /^cuda-check: expected '--bundle' to be a file named \.tar\.xz, but received .*bundle\.zip/,
    ],
    [['--bundle-from', 'nothing.tar.xz'], /^cuda-check: expected '--bundle-from' to be a file .*nothing\.tar\.xz/],
    [['--node', 'no-node'], /^cuda-check: expected '--node' to be a Node program, but received no-node/],
  ])('%j is refused', (args, message) => {
    const { status, stderr } = cudaCheck(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('--help explains the options', () => {
    const { status, stdout } = cudaCheck(['--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: scripts\/cuda-check \[options\]\n/);
  });
});
