/** What belongs to the process: threads, versions, CUDA, warnings. */
import * as torch from 'libtorch-losses';
import { loadedLibtorch } from '../../../lib/binding/load';
import { refusal } from './support';

test('threads are set and read, within bounds', () => {
  const before = torch.getNumThreads();
  torch.setNumThreads(1);
  expect(torch.getNumThreads()).toBe(1);
  torch.setNumThreads(before);
  for (const count of [0, -1, 1025, 1.5, NaN, Infinity, '2', null, undefined, 2n]) {
    expect(refusal(() => torch.setNumThreads(count as never))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      op: 'setNumThreads',
      argument: 'count',
    });
  }
  expect(torch.getNumThreads()).toBe(before);
});

test('version and kernels', () => {
  expect(torch.libtorchVersion()).toMatch(/^2\.1[1-4]\.\d+/);
  expect(torch.cpuCapability()).toMatch(/^(DEFAULT|AVX2|AVX512|NEON|SVE.*|VSX|ZVECTOR|[A-Z0-9 ]+)$/i);
  expect(loadedLibtorch().version).toBe(torch.libtorchVersion());
});

test('where CUDA cannot be used, the reason is named', () => {
  const { cuda } = torch;
  expect(cuda.isAvailable()).toBe(cuda.deviceCount() > 0);
  if (cuda.isAvailable()) {
    expect(cuda.whyUnavailable()).toBeUndefined();
    for (const device of [-1, cuda.deviceCount(), 0.5, '0']) {
      expect(refusal(() => cuda.synchronize(device as never))).toMatchObject({ argument: 'device' });
    }
    cuda.synchronize();
    return;
  }
  expect(cuda.whyUnavailable()).toMatch(/without CUDA; .*install --cuda|cannot be opened|no NVIDIA driver|too old/);
  expect(refusal(() => cuda.synchronize()).message).toMatch(
    /^cuda\.synchronize: expected CUDA to be available, but received none \(/,
  );
});

test('memory() has figures of this thread and of the process', () => {
  const { tensors, bytes, allocated, cached } = torch.memory();
  for (const figure of [tensors, bytes, allocated, cached])
    expect(Number.isSafeInteger(figure) && figure >= 0).toBe(true);
  expect(torch.emptyCache()).toBeUndefined();
});

test('libtorch’s warnings reach process.emitWarning, each text once, and a failing listener fails no operator', () => {
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const warn = (): void => torch.ones([1], { requiresGrad: true }).square().sum().backward({ createGraph: true });
  warn();
  warn();
  const [[message, options] = []] = emit.mock.calls.filter(([text]) => /create_graph/.test(String(text)));
  expect(emit.mock.calls.length).toBeLessThanOrEqual(1);
  if (message !== undefined) expect(options).toMatchObject({ type: 'TorchWarning' });
  emit.mockRestore();
});
