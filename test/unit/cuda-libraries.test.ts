/** The package that brings a CUDA library which a CUDA build of libtorch does not find. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainFailure, missingCudaLibrary } from '../../lib/binding/cuda-libraries';
import type { LibtorchTree } from '../../lib/binding/libtorch-tree';
import { folder } from '../support/folder';

const site = folder('for each test');

/** A Python package torch, whose wheel requires what is given. */
function tree(version: string, requirements: readonly string[] = []): LibtorchTree {
  const info = join(site.path, `torch-${version}.dist-info`);
  mkdirSync(info);
  const lines = requirements.map((line) => `Requires-Dist: ${line}\n`);
  writeFileSync(join(info, 'METADATA'), `Name: torch\n${lines.join('')}\nA description.\n`);
  const root = join(site.path, 'torch');
  return { root, lib: join(root, 'lib'), version, flavour: 'cuda' };
}

const notFound = (library: string): string => `${library}: cannot open shared object file: No such file or directory`;

/** What the wheel of torch 2.14.1+cu130 says of itself. */
const ofCuda13 = [
  'sympy>=1.13.3',
  'cuda-toolkit[cublas,cudart,cufft,cufile,cupti,curand,cusolver,cusparse,nvjitlink,nvrtc,nvtx]==13.0.3; platform_system == "Linux"',
  'nvidia-cudnn-cu13==9.24.0.43; platform_system == "Linux"',
  'nvidia-cusparselt-cu13==0.8.1; platform_system == "Linux"',
  'nvidia-nccl-cu13==2.30.7; platform_system == "Linux"',
  'nvidia-nvshmem-cu13==3.4.5; platform_system == "Linux"',
];

test.each([
  ['libcudart.so.13', 'nvidia-cuda-runtime', 'cuda-toolkit[cudart]==13.0.3'],
  ['libcupti.so.13', 'nvidia-cuda-cupti', 'cuda-toolkit[cupti]==13.0.3'],
  ['libcublasLt.so.13', 'nvidia-cublas', 'cuda-toolkit[cublas]==13.0.3'],
  ['libcusparse.so.12', 'nvidia-cusparse', 'cuda-toolkit[cusparse]==13.0.3'],
  ['libcusparseLt.so.0', 'nvidia-cusparselt-cu13', 'nvidia-cusparselt-cu13==0.8.1'],
  ['libcudnn.so.9', 'nvidia-cudnn-cu13', 'nvidia-cudnn-cu13==9.24.0.43'],
  ['libnccl.so.2', 'nvidia-nccl-cu13', 'nvidia-nccl-cu13==2.30.7'],
  ['libnvshmem_host.so.3', 'nvidia-nvshmem-cu13', 'nvidia-nvshmem-cu13==3.4.5'],
])('%s comes in %s, as the wheel requires it', (library, name, requirement) => {
  const missing = missingCudaLibrary(notFound(library), tree('2.14.1+cu130', ofCuda13));
  expect(missing).toMatchObject({ library, package: name, requirement });
  expect(missing?.remedies).toEqual([
    expect.stringContaining(`pip install --target ${site.path} "${requirement}" `),
    expect.stringContaining('npx libtorch-losses install --version 2.14.1 --cuda cu130 '),
  ]);
});

test('with CUDA 12 the names carry its version', () => {
  const cuda12 = tree('2.11.0+cu128', ['nvidia-cublas-cu12==12.8.4.1; platform_system == "Linux"']);
  expect(missingCudaLibrary(notFound('libcublas.so.12'), cuda12)).toMatchObject({
    package: 'nvidia-cublas-cu12',
    requirement: 'nvidia-cublas-cu12==12.8.4.1',
  });
  expect(missingCudaLibrary(notFound('libcudart.so.12'), cuda12)).toMatchObject({
    requirement: 'nvidia-cuda-runtime-cu12',
  });
});

test('without the wheel beside it the package is named without a version', () => {
  const alone = { root: '/opt/libtorch', lib: '/opt/libtorch/lib', version: '2.14.0+cu130', flavour: 'cuda' } as const;
  expect(missingCudaLibrary(notFound('libnccl.so.2'), alone)).toMatchObject({ requirement: 'nvidia-nccl-cu13' });
  expect(missingCudaLibrary(notFound('libcufft.so.12'), alone)).toMatchObject({ requirement: 'nvidia-cufft' });
});

test('a failure of another kind stays as it is', () => {
  const here = tree('2.14.1+cu130');
  for (const failure of [notFound('libgomp.so.1'), 'libtorch_cuda.so: undefined symbol: x', 'file too short']) {
    expect(missingCudaLibrary(failure, here)).toBeUndefined();
    expect(explainFailure(failure, here)).toBe(failure);
  }
});

test('the sentence says so if there is no nvidia directory at all', () => {
  const failure = notFound('libcudnn.so.9');
  const bare = tree('2.14.1+cu130', ofCuda13);
  const text = `${failure} (the Python package nvidia-cudnn-cu13 brings libcudnn.so.9`;
  expect(explainFailure(failure, bare)).toBe(`${text}; there is no nvidia directory in ${site.path})`);
  expect(explainFailure(failure, { ...bare, nvidia: join(site.path, 'nvidia') })).toBe(`${text})`);
});
