/**
 * The CUDA libraries that a CUDA build of libtorch needs. A PyTorch wheel does not contain them: they are separate
 * Python packages, in an `nvidia/` directory beside `torch/`.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type LibtorchTree, namesIn } from './libtorch-tree';
import { minorOf } from './libtorch-versions';

/** A library that the dynamic linker did not find, and how to get it. */
export interface MissingLibrary {
  /** `'libcusparse.so.12'`. */
  library: string;
  /** The Python package that contains it: `'nvidia-cusparse'`. */
  package: string;
  /** The argument for pip, with the version if libtorch's metadata names one: `'nvidia-nccl-cu13==2.30.7'`. */
  requirement: string;
  /** Commands that help, each with its effect. */
  remedies: string[];
}

/** A package, by the library's name without `lib` and version. */
interface CudaPackage {
  /** Its name without the suffix for the CUDA version. */
  name: string;
  /** Its name among the extras of the package `cuda-toolkit`; the others have the CUDA version in their name. */
  extra?: string;
}

const packages: readonly [library: RegExp, brought: CudaPackage][] = [
  [/^cudart$/, { name: 'nvidia-cuda-runtime', extra: 'cudart' }],
  [/^cupti$/, { name: 'nvidia-cuda-cupti', extra: 'cupti' }],
  [/^nvrtc/, { name: 'nvidia-cuda-nvrtc', extra: 'nvrtc' }],
  [/^cublas(Lt)?$/, { name: 'nvidia-cublas', extra: 'cublas' }],
  [/^cufft/, { name: 'nvidia-cufft', extra: 'cufft' }],
  [/^cufile/, { name: 'nvidia-cufile', extra: 'cufile' }],
  [/^curand$/, { name: 'nvidia-curand', extra: 'curand' }],
  [/^cusolver/, { name: 'nvidia-cusolver', extra: 'cusolver' }],
  [/^cusparse$/, { name: 'nvidia-cusparse', extra: 'cusparse' }],
  [/^nvJitLink$/, { name: 'nvidia-nvjitlink', extra: 'nvjitlink' }],
  [/^nvToolsExt$/, { name: 'nvidia-nvtx', extra: 'nvtx' }],
  [/^cusparseLt$/, { name: 'nvidia-cusparselt' }],
  [/^cudnn/, { name: 'nvidia-cudnn' }],
  [/^nccl$/, { name: 'nvidia-nccl' }],
  [/^nvshmem/, { name: 'nvidia-nvshmem' }],
];

/** The CUDA library that a message of the dynamic linker says is missing; `undefined` if it says something else. */
export function missingCudaLibrary(failure: string, tree: LibtorchTree): MissingLibrary | undefined {
  const [, library, stem] = /\b(lib(\w+)\.so[.\d]*): cannot open shared object file/.exec(failure) ?? [];
  const brought = packages.find(([pattern]) => pattern.test(stem ?? ''))?.[1];
  if (library === undefined || brought === undefined) return undefined;
  const build = /\+(cu(\d\d)\d+)$/.exec(tree.version ?? '');
  const [name, requirement] = namesOf(brought, requirementsOf(tree), build?.[2]);
  return { library, package: name, requirement, remedies: remediesFor(requirement, name, tree, build?.[1]) };
}

/** The failure, with the package that contains the missing library, if that is a CUDA library. */
export function explainFailure(failure: string, tree: LibtorchTree): string {
  const missing = missingCudaLibrary(failure, tree);
  if (missing === undefined) return failure;
  const none = tree.nvidia === undefined ? `; there is no nvidia directory in ${dirname(tree.root)}` : '';
  return `${failure} (the Python package ${missing.package} brings ${missing.library}${none})`;
}

/** The package's name and the argument for pip; `cuda` is the major version of CUDA. */
function namesOf(
  { name, extra }: CudaPackage,
  requirements: readonly string[],
  cuda = '13',
): [name: string, requirement: string] {
  const own = requirements.find((line) => new RegExp(`^${name}(-cu\\d+)?(?![\\w-])`).test(line));
  if (own !== undefined) return [/^[\w-]+/.exec(own)?.[0] ?? name, own];
  // From CUDA 13 on, packages of the toolkit have names without a version.
  const full = extra !== undefined && cuda !== '12' ? name : `${name}-cu${cuda}`;
  const toolkit = requirements.find((line) => line.startsWith('cuda-toolkit['));
  const version = /==[\w.]+/.exec(toolkit ?? '')?.[0];
  return [full, extra !== undefined && version !== undefined ? `cuda-toolkit[${extra}]${version}` : full];
}

/** What the wheel of torch requires, without conditions: `nvidia-nccl-cu13==2.30.7`. */
function requirementsOf(tree: LibtorchTree): string[] {
  const site = dirname(tree.root);
  const info = namesIn(site).find((name) => /^torch-\d[^-]*\.dist-info$/.test(name));
  if (info === undefined) return [];
  try {
    const metadata = readFileSync(join(site, info, 'METADATA'), 'utf8');
    return [...metadata.matchAll(/^Requires-Dist: *([^;\r\n]+)/gm)].map(([, line]) => (line as string).trim());
  } catch {
    return [];
  }
}

function remediesFor(requirement: string, name: string, tree: LibtorchTree, build: string | undefined): string[] {
  const release = /^\d+\.\d+\.\d+/.exec(tree.version ?? '')?.[0] ?? `${minorOf(tree.version ?? '')}.0`;
  const install = build === undefined ? '--cuda <build>' : `--version ${release} --cuda ${build}`;
  return [
    `pip install --target ${dirname(tree.root)} "${requirement}"   brings ${name} for this libtorch`,
    `npx libtorch-losses install ${install}   installs a libtorch with all of its CUDA libraries`,
  ];
}
