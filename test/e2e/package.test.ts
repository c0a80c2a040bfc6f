/**
 * The package as npm packs it, installed in an empty folder where no compiler is on the path and no script may run, and
 * used as its users do.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, posix, resolve } from 'node:path';
import { thisHost } from '../../lib/binding/host';
import { locateLibtorch } from '../../lib/binding/locate';

jest.setTimeout(300_000);

const root = resolve(__dirname, '../..');
const digits = join(root, 'test', 'data', 'digits');
const libtorch = locateLibtorch().root;

let folder: string;
/** The empty project that has the package as its only dependency. */
let project: string;
let tarball: string;
let packed: string[];

interface End {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): End {
  const shell = process.platform === 'win32';
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell });
  if (error) throw error;
  return { status, stdout, stderr };
}

function runWell(command: string, args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = run(command, args, cwd, env);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** A user with Node and npm and nothing else; libtorch is where the variables say. */
function user(variables: NodeJS.ProcessEnv = { LIBTORCH: libtorch }): NodeJS.ProcessEnv {
  const own = { HOME: join(folder, 'home'), PATH: join(folder, 'bin'), LIBTORCH_LOSSES_CACHE: join(folder, 'cache') };
  return { ...own, OMP_NUM_THREADS: '1', ...variables };
}

/** Runs a program of the user's. */
function node(args: readonly string[], variables?: NodeJS.ProcessEnv): End {
  return run(process.execPath, args, project, user(variables));
}

function command(args: readonly string[], variables?: NodeJS.ProcessEnv): End {
  const main = join(project, 'node_modules', '.bin', 'libtorch-losses');
  return run(main, args, project, user(variables));
}

/** What is packed, from a folder that holds what a checkout does after its build, and addons for one libtorch. */
function pack(): { tarball: string; files: string[] } {
  const source = join(folder, 'source');
  const parts = [
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'dist',
    'docs',
    'examples',
    'lib',
    'native',
    'scripts',
  ];
  for (const part of [...parts, join('test', 'golden', 'vectors')]) {
    cpSync(join(root, part), join(source, part), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  const prebuild = ['scripts/prebuild.mjs', '--libtorch', libtorch, '--out', join(source, 'addons')];
  runWell(process.execPath, prebuild, root);
  const report = runWell('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], source);
  const [{ filename, files }] = JSON.parse(report) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-package-'));
  project = join(folder, 'project');
  for (const name of ['project', 'home', 'bin']) mkdirSync(join(folder, name));
  const npm = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, 'npm'));
  symlinkSync(process.execPath, join(folder, 'bin', 'node'));
  const found = npm.find((path) => run('sh', ['-c', `test -x '${path}'`], root).status === 0);
  symlinkSync(found as string, join(folder, 'bin', 'npm'));
  ({ tarball, files: packed } = pack());
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true }));
  // npm's own settings and cache are the machine's; the path is the user's.
  const env = { ...process.env, PATH: join(folder, 'bin') };
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'];
  runWell(join(folder, 'bin', 'npm'), ['install', '--ignore-scripts', ...quiet, tarball], project, env);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the tarball', () => {
  test('holds what users need, and nothing else', () => {
    const known = [
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
      /^dist\/[\w./-]+\.(js|d\.ts|d\.ts\.map)$/,
      /^lib\/[\w./-]+\.ts$/,
      /^examples\/[\w./-]+\.(ts|py|mjs|txt|json|pt|safetensors|csv\.gz|md)$/,
      /^docs\/[\w./-]+\.(md|svg)$/,
      /^addons\/(loader|libtorch-2\.\d\d)\/prebuilds\/[a-z0-9]+-[a-z0-9]+\/libtorch-losses(\.glibc|\.musl)?\.node$/,
      /^test\/golden\/vectors\/[\w./-]+$/,
    ];
    expect(packed.filter((file) => !known.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const pattern of known) expect(packed.some((file) => pattern.test(file))).toBe(true);
    expect(packed.filter((file) => file.endsWith('.node'))).toHaveLength(2);
  });

  test('asks for no script at installation, and for few packages', () => {
    const { scripts, dependencies, gypfile } = JSON.parse(
      readFileSync(join(project, 'node_modules/libtorch-losses/package.json'), 'utf8'),
    ) as { scripts: Record<string, string>; dependencies: Record<string, string>; gypfile?: boolean };
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
    expect(gypfile).toBeUndefined();
    expect(Object.keys(dependencies)).toEqual(['cli-progress', 'node-gyp-build', 'tinyglobby', 'yauzl']);
  });
});

const figures = `
const logits = torch.tensor([[1, 2, 3], [1, 2, 3]], { requiresGrad: true });
const loss = torch.nn.functional.crossEntropy(logits, [2, 0]);
loss.backward();
console.log(loss.item().toFixed(5), logits.grad.toArray().flat().map((g) => g.toFixed(4)).join(' '));
`;
const printed = '1.40761 0.0450 0.1224 -0.1674 -0.4550 0.1224 0.3326\n';

describe('what is linked', () => {
  const installed = (): string => join(project, 'node_modules', 'libtorch-losses');

  test('in documents lies in the tarball', () => {
    const folders = new Set(
      packed.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
    );
    const known = new Set([...packed, ...folders]);
    const dead = packed
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...readFileSync(join(installed(), file), 'utf8').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
          .map(([, link]) => link as string)
          .filter((link) => !link.includes('://') && !known.has(posix.join(posix.dirname(file), link)))
          .map((link) => `${file}: ${link}`),
      );
    expect(dead).toEqual([]);
  });

  test('by the maps of declarations is the source', () => {
    const maps = packed.filter((file) => file.endsWith('.d.ts.map'));
    expect(maps.length).toBeGreaterThan(100);
    const missing = maps.flatMap((file) => {
      const { sources } = JSON.parse(readFileSync(join(installed(), file), 'utf8')) as { sources: string[] };
      return sources.filter((source) => !packed.includes(posix.join(posix.dirname(file), source)));
    });
    expect(missing).toEqual([]);
  });
});

describe('the description of the package', () => {
  test('is what publint wants', () => {
    expect(
      node([join(root, 'node_modules/publint/src/cli.js'), 'node_modules/libtorch-losses', '--strict']),
    ).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('All good!'),
    });
  });

  test('gives every resolution its types', () => {
    const program = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const { status, stdout, stderr } = node([program, tarball, '--format', 'json', '--quiet']);
    expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
  });
});

describe('a program', () => {
  test('of CommonJS', () => {
    writeFileSync(join(project, 'a.cjs'), `const torch = require('libtorch-losses');${figures}`);
    expect(node(['a.cjs'])).toEqual({ status: 0, stdout: printed, stderr: '' });
  });

  test('of modules', () => {
    writeFileSync(join(project, 'b.mjs'), `import * as torch from 'libtorch-losses';${figures}`);
    expect(node(['b.mjs'])).toEqual({ status: 0, stdout: printed, stderr: '' });
  });

  test('of strict TypeScript, which refuses what is none', () => {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--noEmit', '--types', ''];
    const program = (reduction: string): string => `
      import { nn, tensor, BatchEvaluator } from 'libtorch-losses';
      const loss: number = nn.functional.crossEntropy(tensor([[1, 2]]), [1], { reduction: '${reduction}' }).item() as number;
      export const evaluated = new BatchEvaluator(nn.functional.mseLoss).update([loss], [0]).result().loss;
    `;
    writeFileSync(join(project, 'c.mts'), program('sum'));
    expect(node([compiler, ...options, 'c.mts'])).toEqual({ status: 0, stdout: '', stderr: '' });
    writeFileSync(join(project, 'd.mts'), program('total'));
    const { status, stdout } = node([compiler, ...options, 'd.mts']);
    expect(status).not.toBe(0);
    expect(stdout).toContain('"total"');
  });

  test('without libtorch uses the reference', () => {
    const program = `
      const { crossEntropy } = require('libtorch-losses/reference');
      console.log(crossEntropy([[1, 2, 3]], [2]).value.data[0].toFixed(5));
    `;
    expect(node(['-e', program], {})).toEqual({ status: 0, stdout: '0.40761\n', stderr: '' });
  });
});

describe('the command', () => {
  test('evaluates files', () => {
    const files = ['--input', join(digits, 'logits.npy'), '--target', join(digits, 'labels.npy')];
    const page = join(project, 'report.html');
    const { status, stdout, stderr } = command(['evaluate', '--loss', 'cross-entropy', ...files, '--report', page]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) });
    const { loss } = JSON.parse(readFileSync(join(digits, 'expected.json'), 'utf8')) as { loss: number };
    expect(stdout).toContain(`crossEntropy ${loss.toPrecision(6)}`);
    expect(readFileSync(page, 'utf8')).toContain('<svg');
  });

  test('compares with PyTorch’s recorded answers', () => {
    const { status, stdout } = command(['parity', '--loss', 'mse_loss']);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/mseLoss[\s\S]* cases bit-identical/),
    });
  });
});

test('the doctor finds nothing wrong', () => {
  const { status, stdout } = command(['doctor']);
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('✔ no problem') });
  expect(stdout).toContain(join('addons', 'libtorch-'));
});

describe('what cannot work says why', () => {
  const use = "const torch = require('libtorch-losses'); torch.zeros([1])";

  /** The error of a program that must fail. */
  function failure(program: string, variables: NodeJS.ProcessEnv): string {
    const caught = `try { ${program}; console.log('it worked') } catch (error) { console.log(error.code + ': ' + error.message) }`;
    const { status, stdout, stderr } = node(['-e', caught], variables);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  }

  /** A libtorch whose library holds these bytes. */
  function fake(version: string, bytes: Buffer | string): NodeJS.ProcessEnv {
    const tree = mkdtempSync(join(folder, 'libtorch-'));
    mkdirSync(join(tree, 'lib'));
    writeFileSync(join(tree, 'build-version'), `${version}\n`);
    for (const name of ['libtorch_cpu.so', 'libc10.so']) writeFileSync(join(tree, 'lib', name), bytes);
    return { LIBTORCH: tree };
  }

  test('no libtorch', () => {
    const message = failure(use, {});
    expect(message).toContain('LIBTORCH_NOT_FOUND: ');
    expect(message).toContain('npx libtorch-losses install');
  });

  test('a minor version that there is no addon for', () => {
    expect(failure(use, fake('2.9.1', ''))).toMatch(
      /^LIBTORCH_UNSUPPORTED: .*2\.9\.1 .*unsupported, 2\.11 to 2\.14 are/,
    );
  });

  test('a library that is corrupt', () => {
    expect(failure(use, fake('2.13.0', 'no library'))).toMatch(
      /^LIBTORCH_UNUSABLE: .*libtorch_cpu\.so to be a library that this machine can open, but received: .*(not a library|not a valid)/,
    );
  });

  test('a library for another processor', () => {
    // The head of a library for AArch64, or on AArch64 for x86-64.
    const head = Buffer.alloc(4096);
    head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    head.writeUInt16LE(3, 16);
    head.writeUInt16LE(thisHost().arch === 'arm64' ? 62 : 183, 18);
    expect(failure(use, fake('2.13.0', head))).toMatch(/^LIBTORCH_UNUSABLE: .*but received: .+/);
  });

  test('a CPU build where CUDA is asked for', () => {
    const message = failure(`${use}.to({ device: 'cuda' })`, { LIBTORCH: libtorch });
    expect(message).toMatch(/CUDA|cuda/);
    const why = node(['-p', "require('libtorch-losses').cuda.whyUnavailable()"]);
    expect(why.stdout).toMatch(
      /is a build without CUDA; npx libtorch-losses install --cuda|CUDA libraries cannot be opened: |NVIDIA driver/,
    );
  });

  test('the command tells the same, in one line for each thing to do', () => {
    const files = ['--input', join(digits, 'logits.npy'), '--target', join(digits, 'labels.npy')];
    const { status, stderr } = command(['evaluate', '--loss', 'cross-entropy', ...files], {});
    expect(status).toBe(1);
    expect(stderr).toContain('npx libtorch-losses install');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

test('npm found no compiler here', () => {
  for (const name of ['c++', 'g++', 'gcc', 'cmake', 'make', 'python3']) {
    expect(
      run('/bin/sh', ['-c', `command -v ${name} || echo none`], project, { PATH: join(folder, 'bin') }).stdout,
    ).toBe('none\n');
  }
});
