/** What the doctor says of findings that this machine does not have, and that it outlives the process that looks. */
import { problemsOf } from '../../../../lib/cli/doctor/problems';
import { diagnose } from '../../../../lib/cli/doctor/process';
import { doctorTable } from '../../../../lib/cli/doctor/table';
import type { DoctorReport } from '../../../../lib/diagnosis/report';
import { folder } from '../../../support/folder';
import { testWhere } from '../../../support/where';

const scratch = folder();

const attempts = [{ source: 'LIBTORCH', path: '/opt/libtorch', outcome: 'libtorch 2.14.1+cu130 (cuda)' }];

const machine = {
  platform: 'linux',
  arch: 'x64',
  libc: 'glibc 2.36',
  release: '6.1',
  processor: 'a processor',
  processors: 8,
  memory: 64e9,
  node: '22.1.0',
  nodeApi: '10',
  executable: '/usr/bin/node',
};

type Examined = Parameters<typeof problemsOf>[0];

/** A machine with two CUDA devices on which all is well. */
const well: Examined = {
  attempts,
  addons: ['/package/addons/libtorch-2.14/prebuilds/linux-x64/libtorch-losses.glibc.node'],
  libtorch: {
    root: '/opt/libtorch',
    lib: '/opt/libtorch/lib',
    version: '2.14.1+cu130',
    flavour: 'cuda',
    source: 'LIBTORCH',
  },
  loaded: {
    version: '2.14.1',
    library: '/opt/libtorch/lib/libtorch_cuda.so',
    addon: '/package/x.node',
    builtFor: '2.14.0',
  },
  runtime: {
    capability: 'AVX2',
    threads: 4,
    allocator: { caching: true, allocated: 0, cached: 0 },
    cuda: { devices: 2, failed: false },
  },
  selfTest: [
    { device: 'cpu', what: 'cross entropy', computed: [0.5], known: [0.5], reference: [0.5], error: 0, passed: true },
  ],
  machine,
  environment: {},
  engine: '>=20.17',
  published: true,
};

test('control characters in paths and variables are shown', () => {
  const text = textOf({
    ...well,
    environment: { LD_PRELOAD: '/a\u001b[2J\nb' },
    machine: { ...machine, processor: '\u202e' },
  });
  expect(text).toContain('LD_PRELOAD=/a\\x1b[2J\\x0ab');
  expect(text).toContain('(\\u202e)');
});

function textOf(examined: Examined): string {
  const problems = problemsOf(examined);
  const healthy = problems.every(({ severity }) => severity === 'note');
  const report: DoctorReport = { ...examined, format: 1, version: '1.2.3', package: '/package', problems, healthy };
  return doctorTable(report);
}

function withCuda(cuda: Partial<NonNullable<Examined['runtime']>['cuda']>): Examined {
  const runtime = well.runtime as NonNullable<Examined['runtime']>;
  return { ...well, runtime: { ...runtime, cuda: { ...runtime.cuda, devices: 0, ...cuda } } };
}

test('all is well', () => {
  expect(problemsOf(well)).toEqual([]);
  expect(textOf(well)).toBe(
    [
      'libtorch-losses 1.2.3 in /package',
      'linux x64, glibc 2.36, 6.1: 8 processors (a processor), 64 GB of memory',
      'Node 22.1.0 (Node-API 10) in /usr/bin/node',
      '',
      'libtorch   2.14.1+cu130 (cuda build) in /opt/libtorch/lib',
      '           opened /opt/libtorch/lib/libtorch_cuda.so, which reports 2.14.1',
      'chosen by  LIBTORCH',
      'looked at  LIBTORCH  /opt/libtorch: libtorch 2.14.1+cu130 (cuda)',
      'addon      /package/x.node, built for libtorch 2.14.0',
      'kernels    AVX2',
      'threads    4 of 8 processors',
      'allocator  caching; keeps up to a gigabyte or an eighth of the memory, whichever is less',
      'devices    cpu, cuda:0, cuda:1',
      "self-test  ✔ cpu: cross entropy, 0.5000000, at most 0e+0 from PyTorch's",
      '',
      '✔ no problem',
    ].join('\n'),
  );
});

test('a CUDA build without a driver is a note', () => {
  const [note, ...others] = problemsOf(withCuda({ whyUnavailable: 'there is no NVIDIA driver: libcuda.so.1: …' }));
  expect(others).toEqual([]);
  expect(note).toMatchObject({ severity: 'note', text: expect.stringContaining('there is no NVIDIA driver') });
  expect(note?.remedies).toHaveLength(2);
});

test('a CUDA build whose libraries are missing is a problem, with the package that brings them', () => {
  const remedies = ['pip install …'];
  const missing = {
    library: 'libnccl.so.2',
    package: 'nvidia-nccl-cu13',
    requirement: 'nvidia-nccl-cu13==2',
    remedies,
  };
  const examined = withCuda({ failed: true, whyUnavailable: 'libnccl.so.2 is not there', missing });
  expect(problemsOf(examined)).toEqual([
    { severity: 'problem', text: 'libnccl.so.2 is not there; the CPU can be used', remedies },
  ]);
  expect(textOf(examined)).toContain(
    '\n✘ libnccl.so.2 is not there; the CPU can be used\n    pip install …\n\n✘ 1 problem',
  );
  const unknown = withCuda({ failed: true, whyUnavailable: 'a symbol is missing' });
  expect(problemsOf(unknown)[0]?.remedies[0]).toContain('npx libtorch-losses install --cuda cu');
});

test('a CPU build without CUDA is what it is', () => {
  const cpu = withCuda({ whyUnavailable: 'a build without CUDA' });
  cpu.libtorch = { ...(well.libtorch as NonNullable<Examined['libtorch']>), flavour: 'cpu' };
  expect(problemsOf(cpu)).toEqual([]);
  expect(textOf(cpu)).toContain('\ndevices    cpu\n           no CUDA: a build without CUDA\n');
});

test('a self-test that fails says what came out', () => {
  const [loss] = well.selfTest as [Examined['selfTest'][number]];
  const wrong = { ...loss, device: 'cuda:1', computed: [Number.NaN], error: null, passed: false };
  const gradient = { ...loss, what: 'its gradient', computed: [1, 0.25], known: [1, 0.5], error: 0.25, passed: false };
  const text = textOf({ ...well, selfTest: [wrong, gradient] });
  expect(text).toContain('✘ cuda:1: cross entropy, NaN, no number\n');
  expect(text).toContain('✘ cross entropy on cuda:1 is NaN, but PyTorch gives 0.5\n');
  expect(text).toContain('✘ its gradient on cpu is [1.000, 0.2500], but PyTorch gives [1.000, 0.5000]\n');
  expect(text).toContain('npx libtorch-losses parity');
  expect(text).toMatch(/✘ 2 problems$/);
});

test.each([
  ['20.17.0', 0],
  ['20.16.9', 1],
  ['18.20.0', 1],
  ['24.0.0', 0],
])('Node %s gives %i problems', (node, count) => {
  expect(problemsOf({ ...well, machine: { ...machine, node } })).toHaveLength(count);
});

test('a machine for which nothing is published says so where nothing was loaded', () => {
  const { loaded, runtime, ...nothing } = { ...well, published: false, machine: { ...machine, libc: 'musl' } };
  expect(problemsOf(nothing)[0]).toMatchObject({
    severity: 'note',
    text: expect.stringContaining('linux x64 with musl'),
  });
  expect(problemsOf({ ...nothing, ...(loaded && { loaded }) })).toEqual([]);
});

test('an unsupported version that is allowed is a note', () => {
  const libtorch = { ...(well.libtorch as NonNullable<Examined['libtorch']>), version: '2.15.0' };
  const loaded = { ...(well.loaded as NonNullable<Examined['loaded']>), version: '2.15.0' };
  expect(problemsOf({ ...well, libtorch, loaded })).toMatchObject([{ severity: 'note' }]);
});

describe('the process that looks', () => {
  const never = new AbortController().signal;
  const look = (script: string) => diagnose(process.env, never, scratch.file('look.js', script));

  testWhere(process.platform !== 'win32', 'ends by signals, which Windows has not')(
    'may be killed by a library that it opens',
    async () => {
      const { addons, error } = await look(`
      process.send({ found: { addons: ['an addon'] } });
      process.send({ begins: 'loading' });
      process.kill(process.pid, 'SIGSEGV');`);
      expect(addons).toEqual(['an addon']);
      expect(error).toMatchObject({ problem: 'the process ended by SIGSEGV while opening libtorch and the addon' });
      expect(error?.remedies[0]).toContain('npx libtorch-losses install');
      const problems = problemsOf({ ...well, ...(error && { error }) });
      expect(problems[0]?.text).toContain('SIGSEGV');
    },
  );

  test('may end by itself', async () => {
    const { error } = await look("process.send({ begins: 'testing' }); process.exitCode = 3;");
    expect(error?.problem).toBe('the process ended by status 3 while computing the self-test');
  });

  test('is ended with the command', async () => {
    const stop = new AbortController();
    const looking = diagnose(process.env, stop.signal, scratch.file('wait.js', 'setTimeout(() => {}, 60_000);'));
    stop.abort();
    await expect(looking).rejects.toThrow('aborted');
  });
});
