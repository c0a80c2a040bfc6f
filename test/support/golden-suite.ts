/** Makes the jest tests of a folder of golden files: one test a case, every form of the operator in each. */
import * as torch from '../../lib';
import { loadedLibtorch } from '../../lib/binding/load';
import {
  fileHash,
  type GoldenCase,
  type Manifest,
  type RandomCase,
  readCases,
  readManifest,
  readRandomCases,
} from './golden';
import { type Form, formsOf } from './golden-forms';
import { compare, type Judge, runCase } from './golden-run';

/** The machine and the library that the tests run on. */
export interface Host {
  /** libtorch's version, without the build after `+`. */
  libtorch: string;
  /** Node's name of the processor architecture. */
  arch: string;
  /** The C library as `glibc 2.36`, or empty. */
  libc: string;
}

/** This process. */
export function thisHost(): Host {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const glibc = report.header?.glibcVersionRuntime;
  return {
    libtorch: loadedLibtorch().version,
    arch: process.arch,
    libc: glibc === undefined ? '' : `glibc ${glibc}`,
  };
}

/**
 * Bits are expected where all that they depend on is the same: libtorch's minor version, the architecture, and the C
 * library, whose exp, log1p and their like the default kernels call.
 */
export function judgeFor(manifest: Manifest, host: Host): Judge {
  const because: string[] = [];
  const arch = { x86_64: 'x64', aarch64: 'arm64' }[manifest.machine] ?? manifest.machine;
  if (minor(host.libtorch) !== minor(manifest.torch)) {
    because.push(`recorded with libtorch ${manifest.torch}, this is ${host.libtorch}`);
  }
  if (host.arch !== arch) because.push(`recorded on ${arch}, this is ${host.arch}`);
  if (host.libc !== manifest.libc)
    because.push(`recorded with ${manifest.libc}, this is ${host.libc || 'another C library'}`);
  return because.length === 0 ? { exact: true } : { exact: false, because: because.join('; ') };
}

/** The tests of every operator in the folder. */
export function defineGoldenTests(folder: string, judge: Judge): void {
  const manifest = readManifest(folder);
  const manner = judge.exact ? 'bit for bit' : `within PyTorch's tolerances (${judge.because})`;
  const warnings = watchWarnings();
  for (const [op, file] of Object.entries(manifest.files)) {
    describe(`${op}, ${manner}`, () => {
      test('the file is the one that the manifest names', () => expect(fileHash(folder, op)).toBe(file.sha256));
      if (op === 'random_numbers') defineRandomTests(readRandomCases(folder), judge);
      else defineCaseTests(readCases(folder, op), formsOf(op, file.module), judge, warnings.expected);
    });
  }
  // A text is emitted once a process, so the texts of all cases are compared, not those of each.
  test('the warnings are those of PyTorch', () => {
    expect([...warnings.emitted].sort()).toEqual([...warnings.expected].sort());
  });
}

/** The texts that reach `process.emitWarning` while the tests run, and those that the cases which ran call for. */
function watchWarnings(): { emitted: Set<string>; expected: Set<string> } {
  const emitted = new Set<string>();
  beforeAll(() => {
    jest.spyOn(process, 'emitWarning').mockImplementation((warning) => {
      emitted.add(String(warning));
    });
  });
  afterAll(() => jest.restoreAllMocks());
  return { emitted, expected: new Set() };
}

function defineCaseTests(cases: GoldenCase[], forms: Form[], judge: Judge, warnings: Set<string>): void {
  for (const golden of cases) {
    test(golden.name, () => {
      for (const text of golden.warnings ?? []) warnings.add(text);
      for (const form of golden.form === 'function' ? forms.slice(0, 1) : forms) {
        try {
          torch.scope(() => runCase(golden, form, judge));
        } catch (error) {
          const note = golden.ours === undefined ? '' : ` (PyTorch is not followed here: ${golden.ours})`;
          throw new Error(`${form.form}: ${(error as Error).message}${note}`, { cause: error });
        }
      }
    });
  }
}

function defineRandomTests(cases: RandomCase[], judge: Judge): void {
  for (const golden of cases) {
    test(golden.case, () => {
      torch.manualSeed(golden.seed);
      golden.steps.forEach(([name, args, { dtype }, expected], step) => {
        compare(`step ${step}, ${name}(${JSON.stringify(args)}, ${dtype})`, draw(name, args, dtype), expected, judge);
      });
    });
  }
}

function draw(name: string, args: (number | number[])[], dtype: torch.DType): torch.Tensor {
  const [first, second, third] = args;
  switch (name) {
    case 'rand':
      return torch.rand(first as number[], { dtype });
    case 'randn':
      return torch.randn(first as number[], { dtype });
    case 'randint':
      return torch.randint(first as number, second as number, third as number[], { dtype });
    case 'uniform_':
      return torch.empty(first as number[], { dtype }).uniform_(second as number, third as number);
    case 'normal_':
      return torch.empty(first as number[], { dtype }).normal_(second as number, third as number);
    default:
      throw new Error(`no way to draw '${name}' is known`);
  }
}

function minor(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
