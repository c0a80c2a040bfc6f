/**
 * docs/troubleshooting.md describes errors that there are: each of its headings is provoked, or, where that takes a
 * machine that is not at hand, found in the sources. `…` in a heading stands for any text, and the first code of an entry
 * is the error's.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as torch from 'libtorch-losses';
import { throwing } from '../../lib/binding/failures';
import { loadedLibtorch } from '../../lib/binding/load';
import { folder } from '../support/folder';
import { bigLibrary, libraryPath, libtorchArchive, wheel, wheelName } from '../support/wheels';

const root = resolve(__dirname, '../..');
const F = torch.nn.functional;
const scratch = folder('for each test');

interface Entry {
  heading: string;
  code: string | undefined;
}

interface Failure {
  message: string;
  code?: string | undefined;
}

const entries: Entry[] = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
  .split(/^(?=### )/m)
  .filter((part) => part.startsWith('### '))
  .map((part) => ({
    heading: /^### `(.*)`$/m.exec(part)?.[1] ?? part,
    code: /^`([A-Z_]+)`/m.exec(part)?.[1],
  }));

/** What a call throws or rejects with. */
async function failure(call: () => unknown): Promise<Failure> {
  try {
    await call();
  } catch (error) {
    return error as torch.TorchError;
  }
  throw new Error('nothing was thrown');
}

/** The first use of the library in a process that finds nothing but what the environment names. */
function loading(environment: NodeJS.ProcessEnv, packageRoot = root): Failure {
  const program = `try { require(${JSON.stringify(join(packageRoot, 'dist', 'index.js'))}).zeros([1]) }
    catch ({ message, code }) { console.log(JSON.stringify({ message, code })) }`;
  const env = { PATH: scratch.path, HOME: scratch.path, LIBTORCH_LOSSES_CACHE: scratch.path, ...environment };
  const { stdout } = spawnSync(process.execPath, ['--preserve-symlinks', '-e', program], { encoding: 'utf8', env });
  return JSON.parse(stdout) as Failure;
}

/** A directory that looks like a libtorch. */
function fakeLibtorch(version: string): string {
  const tree = join(scratch.path, 'libtorch');
  mkdirSync(join(tree, 'lib'), { recursive: true });
  writeFileSync(join(tree, 'build-version'), `${version}\n`);
  for (const name of ['torch_cpu', 'c10']) {
    writeFileSync(join(tree, libraryPath(name).replace(/^torch\//, '')), 'no library');
  }
  return tree;
}

/** A copy of the package with other addons. */
function packageWith(writeAddons: (directory: string) => void): string {
  const copy = join(scratch.path, 'package');
  const addons = join(copy, 'build', 'native', 'Release');
  mkdirSync(addons, { recursive: true });
  for (const name of ['dist', 'node_modules']) symlinkSync(join(root, name), join(copy, name));
  writeAddons(addons);
  return copy;
}

/** What the command line prints, of a machine without pip and with an index that does not answer. */
function command(...args: string[]): Failure {
  const env = {
    ...process.env,
    PATH: scratch.path,
    LIBTORCH: loadedLibtorch().located.lib,
    LIBTORCH_LOSSES_CACHE: join(scratch.path, 'cache'),
    LIBTORCH_LOSSES_WHEEL_INDEX: 'http://127.0.0.1:9/',
  };
  const { stderr } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { encoding: 'utf8', env });
  return { message: stderr };
}

/** The text of a .npy file. */
function npy(descr: string, shape: string, bytes: number): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), Buffer.alloc(bytes)]);
}

function evaluating(input: string | Buffer, name = 'input.npy'): Failure {
  const path = typeof input === 'string' ? input : scratch.file(name, input);
  const target = scratch.file('target.npy', npy('<i8', '(2,)', 16));
  return command('evaluate', '--loss', 'cross-entropy', '--input', path, '--target', target);
}

function installing(name: string, content: Buffer): Failure {
  return command('install', '--from-file', scratch.file(name, content));
}

/** For what cannot be provoked here: the texts of the sources that make the message. */
function inSource(file: string, ...texts: string[]): Failure {
  const source = readFileSync(join(root, file), 'utf8');
  for (const text of texts) expect(source).toContain(text);
  return { message: texts.join('x') };
}

const scores = (): torch.Tensor => torch.zeros([2, 3]);
const parameter = (): torch.Tensor => torch.ones([2], { requiresGrad: true });

/** How to come by each message, in the order of the page. */
const provoked: [heading: string, provoke: () => Failure | Promise<Failure>][] = [
  ['libtorch: expected libtorch to be installed', () => loading({})],
  ['libtorch: expected LIBTORCH to be a libtorch root', () => loading({ LIBTORCH: '/nowhere' })],
  ['libtorch: expected LIBTORCH_USE_PYTORCH=1 to find', () => loading({ LIBTORCH_USE_PYTORCH: '1' })],
  ['libtorch: expected a libtorch of a version', () => loading({ CONDA_PREFIX: fakeLibtorch('2.10.0') })],
  ['libtorch: expected … to be a library', () => loading({ LIBTORCH: fakeLibtorch('2.13.0') })],
  [
    'libtorch: expected an addon for libtorch',
    () => {
      const loader = join(root, 'build', 'native', 'Release', 'loader.node');
      const copy = packageWith((directory) => copyFileSync(loader, join(directory, 'loader.node')));
      return loading({ LIBTORCH: loadedLibtorch().located.lib }, copy);
    },
  ],
  [
    'libtorch: expected … to be an addon that this Node can open',
    () =>
      loading(
        {},
        packageWith((directory) => writeFileSync(join(directory, 'loader.node'), 'no addon')),
      ),
  ],
  [
    "…: expected option 'device' to be available",
    () =>
      torch.cuda.isAvailable()
        ? inSource('lib/torch/cast.ts', 'to be available')
        : failure(() => torch.zeros([1], { device: 'cuda' })),
  ],
  ["…: expected option 'device' to be a device such as", () => failure(() => torch.zeros([1], { device: 'gpu' }))],
  [
    "…: expected '…' to be on … as '…' is",
    () => failure(() => F.mseLoss(scores(), torch.zeros([2, 3], { device: 'meta' }))),
  ],
  [
    '…: expected a GPU that works',
    () =>
      failure(() => {
        const failed = {};
        const lost = ['DEVICE_LOST', 'CUDA error: device-side assert triggered\n…', 'item', ''];
        throwing({ failed, failure: () => lost, item: () => failed } as never).item({} as never);
      }),
  ],
  [
    'Expected all tensors to be on the same device',
    () => failure(() => scores().add(torch.zeros([2, 3], { device: 'meta' }))),
  ],
  ["crossEntropy: expected 'target' to have shape", () => failure(() => F.crossEntropy(scores(), [0, 1, 2]))],
  [
    "binaryCrossEntropyWithLogits: expected 'target' to have shape",
    () => failure(() => F.binaryCrossEntropyWithLogits(torch.zeros([2, 1]), [0, 1])),
  ],
  ["mseLoss: expected 'target' to broadcast", () => failure(() => F.mseLoss(scores(), torch.zeros([4, 3])))],
  ["…: expected 'data[…]' to be an array of length", () => failure(() => torch.tensor([[1, 2], [3]]))],
  ["shape '…' is invalid for input of size", () => failure(() => torch.zeros([6]).view([4, 2]))],
  ['a Tensor with … elements cannot be converted', () => failure(() => scores().item())],
  [
    "crossEntropy: expected 'target' to hold class indices as int64",
    () => failure(() => F.crossEntropy(scores(), torch.tensor([0, 1]))),
  ],
  ["crossEntropy: expected 'target' to hold class indices in", () => failure(() => F.crossEntropy(scores(), [0, 3]))],
  [
    "crossEntropy: expected 'input' to be floating point",
    () => failure(() => F.crossEntropy(scores().to('int64'), [0, 1])),
  ],
  [
    "binaryCrossEntropy: expected 'input' to be probabilities",
    () => failure(() => F.binaryCrossEntropy(torch.tensor([1.5]), torch.tensor([1]))),
  ],
  [
    "binaryCrossEntropy: expected 'target' to be … as 'input' is",
    () => failure(() => F.binaryCrossEntropy(torch.rand([1]), torch.tensor([1], { dtype: 'int64' }))),
  ],
  ["tensor: expected element … of 'data'", () => failure(() => torch.tensor([0.5], { dtype: 'int64' }))],
  [
    "…: expected option 'reduction'",
    () => failure(() => F.mseLoss([1], [1], { reduction: 'average' as torch.Reduction })),
  ],
  ["…: unknown option '…'", () => failure(() => F.crossEntropy(scores(), [0, 1], { label_smoothing: 0.1 } as object))],
  [
    "…: expected 'input' to be a Tensor",
    () => failure(() => F.mseLoss(structuredClone(torch.zeros([1])) as unknown as number[], [1])),
  ],
  [
    "…: expected 'input' to be a live tensor",
    () => {
      let made: torch.Tensor | undefined;
      torch.scope(() => {
        made = scores();
      });
      return failure(() => made?.sum());
    },
  ],
  [
    '…: a tensor shares the memory of a typed array',
    () => {
      const array = new Float32Array(2);
      const shared = torch.fromTypedArray(array);
      structuredClone(array, { transfer: [array.buffer] });
      return failure(() => shared.sum());
    },
  ],
  [
    "fromTypedArray: expected 'array' to have memory of fixed size",
    () => {
      const Resizable = ArrayBuffer as unknown as new (size: number, options: { maxByteLength: number }) => ArrayBuffer;
      return failure(() => torch.fromTypedArray(new Float32Array(new Resizable(8, { maxByteLength: 16 }))));
    },
  ],
  [
    '…: expected a tensor that nobody uses to be changed',
    async () => {
      const x = torch.zeros([1000, 1000]);
      const pending = F.mseLoss.async(x, torch.zeros([1000, 1000]));
      const failed = failure(() => x.add_(1));
      await pending;
      return failed;
    },
  ],
  ["noGrad: expected 'fn' to be synchronous", () => failure(() => torch.noGrad(async () => 1))],
  ["… can't allocate memory", () => failure(() => torch.empty([2 ** 45]))],
  ['element 0 of tensors does not require grad', () => failure(() => scores().sum().backward())],
  [
    'Trying to backward through the graph a second time',
    () => {
      const x = parameter();
      const loss = x.mul(x).sum();
      loss.backward();
      return failure(() => loss.backward());
    },
  ],
  ['grad can be implicitly created only', () => failure(() => parameter().mul(2).backward())],
  ['a leaf Variable that requires grad', () => failure(() => parameter().add_(1))],
  [
    'one of the variables needed for gradient computation',
    () => {
      const y = parameter().exp();
      const loss = y.sum();
      y.add_(1);
      return failure(() => loss.backward());
    },
  ],
  [
    'Inference tensors cannot be saved for backward.',
    () => failure(() => parameter().mul(torch.inferenceMode(() => torch.ones([2])))),
  ],
  [
    "BatchEvaluator: expected 'target' to have … rows",
    () => failure(() => new torch.BatchEvaluator(F.crossEntropy).update(scores(), [0])),
  ],
  [
    "BatchEvaluator: expected 'loss' to be a loss",
    () => failure(() => new torch.BatchEvaluator((a: torch.Tensor, b: torch.Tensor) => F.mseLoss(a, b))),
  ],
  ['…: the file does not exist', () => evaluating(join(scratch.path, 'nowhere.npy'))],
  ['…: expected … bytes of data for', () => evaluating(npy('<f4', '(2, 3)', 20))],
  ['…: has … rows, but … has', () => evaluating(npy('<f4', '(3, 3)', 36))],
  ['…: the dtype "|O"', () => evaluating(npy('|O', '(2,)', 16))],
  ['…: is no .npy, .npz or .safetensors file', () => evaluating(Buffer.from('a text'), 'input.data')],
  ['…: is not a zip archive that can be read', () => evaluating(Buffer.from('a text'), 'input.npz')],
  [
    "install: … differs from what is listed in the wheel's RECORD",
    () => {
      const name = libraryPath('torch_cpu');
      const damaged = Buffer.from(bigLibrary);
      damaged[1000] = 0;
      const tamper = (files: { name: string; content: string | Buffer }[]) =>
        files.map((file) => (file.name === name ? { ...file, content: damaged } : file));
      return installing(wheelName(), wheel({ tamper }));
    },
  ],
  ['install: … is not a usable archive', () => installing(wheelName(), Buffer.from('<html>'))],
  ['cannot read the wheel index', () => command('install')],
  [
    '… has no SHA-256, SHA-384 or SHA-512 for',
    () => inSource('lib/cli/install/sources.ts', ' has no SHA-256, SHA-384 or SHA-512 for '),
  ],
  ['install: … is a libtorch archive', () => installing('libtorch.zip', libtorchArchive())],
  [
    '… was not made by this command',
    () => {
      mkdirSync(join(scratch.path, 'cache', 'libtorch-2.13.0-cpu'), { recursive: true });
      scratch.file(join('cache', 'libtorch-2.13.0-cpu', 'notes.txt'), 'of the user');
      return installing(wheelName(), wheel());
    },
  ],
  [
    'needs … in …, where … are free',
    () => inSource('lib/cli/install/wheel.ts', 'needs ', ' in ', ', where ', ' are free'),
  ],
  [
    '…, but this machine is',
    () => {
      const platform = process.arch === 'arm64' ? 'manylinux_2_28_x86_64' : 'manylinux_2_28_aarch64';
      return installing(wheelName({ platform }), wheel({ platform }));
    },
  ],
  ['install: expected the version of libtorch', () => command('install', '--version', '2.10.0')],
];

test('every entry is provoked here, and everything provoked has an entry', () => {
  expect(entries.length).toBe(provoked.length);
  for (const [i, { heading }] of entries.entries()) {
    expect(heading.slice(0, provoked[i]?.[0].length)).toBe(provoked[i]?.[0]);
  }
});

test.each(entries.map((entry, i) => ({ ...entry, provoke: provoked[i]?.[1] })))(
  '$heading',
  async ({ heading, code, provoke }) => {
    expect(code).toBeDefined();
    const failed = await provoke?.();
    const parts = heading.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    expect(failed?.message).toMatch(new RegExp(parts.join('[\\s\\S]*')));
    // What the command line prints has no code.
    if (failed?.code !== undefined) expect(failed.code).toBe(code);
  },
);
