/** When bits are asked for, and when PyTorch's tolerances judge instead. */
import { tolerances } from '../../lib/parity/bits';
import { judgeFor, toleranceOf } from '../../lib/parity/judge';
import { readManifest, vectors } from '../../lib/parity/vectors';

const kernels = { capability: 'DEFAULT', threads: 1 };
const recorded = { torch: '2.13.0+cpu', machine: 'x86_64', libc: 'glibc 2.36', ...kernels };
const manifest = { ...readManifest(vectors), ...recorded };
const host = { libtorch: '2.13.0', arch: 'x64', libc: 'glibc 2.36', exactRoots: true, ...kernels };

test('the same libtorch minor, architecture, C library, kernels and threads must give the same bits', () => {
  expect(judgeFor(manifest, host)).toEqual({ exact: true });
  expect(judgeFor(manifest, { ...host, libtorch: '2.13.7' })).toEqual({ exact: true });
});

test.each([
  [{ libtorch: '2.14.0' }, 'recorded with libtorch 2.13.0+cpu, this is 2.14.0'],
  [{ arch: 'arm64' }, 'recorded on x64, this is arm64'],
  [{ libc: 'glibc 2.41' }, 'recorded with glibc 2.36, this is glibc 2.41'],
  [{ libc: '' }, 'recorded with glibc 2.36, this is another C library'],
  [{ capability: 'AVX512' }, 'recorded with DEFAULT kernels, this is AVX512'],
  [{ threads: 8 }, 'recorded with 1 thread, this is 8 threads'],
])('elsewhere tolerances judge: %o', (change, because) => {
  expect(judgeFor(manifest, { ...host, ...change })).toEqual({ exact: false, because });
});

test('on another device tolerances judge, whatever the kernels of the CPU', () => {
  const because = 'recorded on the CPU, this is cuda:0';
  expect(judgeFor(manifest, { ...host, capability: 'AVX2', threads: 4 }, 'cuda:0')).toEqual({ exact: false, because });
});

test('where square roots are rounded otherwise, the bits of losses without them must still be the same', () => {
  const judge = judgeFor(manifest, { ...host, exactRoots: false });
  expect(toleranceOf('float32', judge, 'mse_loss')).toBeUndefined();
  expect(toleranceOf('float32', judge, 'cosine_embedding_loss')).toEqual(tolerances.float32);
});
