/** When bits are asked for, and when PyTorch's tolerances judge instead. */
import { readManifest, vectors } from '../support/golden';
import { judgeFor } from '../support/golden-suite';

const manifest = { ...readManifest(vectors), torch: '2.13.0+cpu', machine: 'x86_64', libc: 'glibc 2.36' };
const host = { libtorch: '2.13.0', arch: 'x64', libc: 'glibc 2.36' };

test('the same libtorch minor, architecture and C library must give the same bits', () => {
  expect(judgeFor(manifest, host)).toEqual({ exact: true });
  expect(judgeFor(manifest, { ...host, libtorch: '2.13.7' })).toEqual({ exact: true });
});

test.each([
  [{ libtorch: '2.14.0' }, 'recorded with libtorch 2.13.0+cpu, this is 2.14.0'],
  [{ arch: 'arm64' }, 'recorded on x64, this is arm64'],
  [{ libc: 'glibc 2.41' }, 'recorded with glibc 2.36, this is glibc 2.41'],
  [{ libc: '' }, 'recorded with glibc 2.36, this is another C library'],
])('elsewhere tolerances judge: %o', (change, because) => {
  expect(judgeFor(manifest, { ...host, ...change })).toEqual({ exact: false, because });
});
