/** Streams, seeds, memory figures and page-locked memory, by the functions of `cuda`, which take any device by its name. */
import { cuda, full, memory, nn, rand, tensor, zeros } from '../../lib';
import { native } from '../../lib/binding/load';
import { devices, fake } from '../support/device';
import { refusal } from '../unit/reference/support';

const [first, second] = devices;
const kibibyte = 1024;

afterEach(() => {
  native().synchronize(first);
  native().synchronize(second);
});

describe('streams', () => {
  test('are current while a function runs, and so is their device', () => {
    const stream = new cuda.Stream(second);
    const before = cuda.currentStream(second);
    expect(before.equals(cuda.defaultStream(second))).toBe(true);
    const inside = cuda.stream(stream, () => {
      expect(native().currentDevice('cuda')).toBe(1);
      return cuda.currentStream(second);
    });
    expect([inside.equals(stream), inside.device, stream.equals(before)]).toEqual([true, second, false]);
    expect(cuda.currentStream(second).equals(before)).toBe(true);
    expect(native().currentDevice('cuda')).toBe(0);
  });

  test('end with a function that throws', () => {
    const before = cuda.currentStream(first);
    expect(() =>
      cuda.stream(new cuda.Stream(first), () => {
        throw new Error('from inside');
      }),
    ).toThrow('from inside');
    expect(cuda.currentStream(first).equals(before)).toBe(true);
  });

  test('wait for each other without anybody waiting here', () => {
    const copying = new cuda.Stream(first);
    const pinned = full([kibibyte], 3).pinMemory();
    const there = cuda.stream(copying, () => pinned.to({ device: first, nonBlocking: true }));
    there.recordStream(cuda.currentStream(first));
    cuda.currentStream(first).waitStream(copying);
    expect(fake.pendingCopies(0)).toBe(1);
    expect(there.sum().item()).toBe(3 * kibibyte);
    expect([fake.pendingCopies(0), copying.query()]).toEqual([0, true]);
  });

  test('are waited for', () => {
    const copying = new cuda.Stream(first);
    const pinned = full([kibibyte], 3).pinMemory();
    cuda.stream(copying, () => pinned.to({ device: first, nonBlocking: true }));
    copying.synchronize();
    expect(fake.pendingCopies(0)).toBe(0);
  });

  test('are those of the thread that starts a call off the main thread', async () => {
    const copying = new cuda.Stream(first);
    const pinned = full([1, 4], 2).pinMemory();
    const [loss] = cuda.stream(copying, () => {
      const logits = pinned.to({ device: first, nonBlocking: true });
      return [nn.functional.crossEntropy.async(logits, tensor([1n]).to({ device: first }))];
    });
    expect((await loss)?.item()).toBeCloseTo(Math.log(4));
  });

  test('of a CPU there are none, and what is none is refused', () => {
    expect(refusal(() => new cuda.Stream('cpu')).message).toMatch(/a device beside the CPU, but received 'cpu'$/);
    expect(refusal(() => new cuda.Stream('cuda:2')).message).toContain('one of 2 CUDA devices');
    expect(refusal(() => native().withStream({} as never, () => 0)).message).toContain("expected 'stream'");
    expect(
      refusal(() => native().streamDevice(native().fromBytes(new Float32Array(1), 6, [1]) as never)),
    ).toBeDefined();
  });
});

test('the same seed gives a device the same numbers, and other devices none of them', () => {
  const drawn = (device: string): number[] => rand([4], { device }).toArray<number[]>();
  cuda.manualSeed(5, first);
  const numbers = drawn(first);
  cuda.manualSeed(6, second);
  drawn(second);
  cuda.manualSeed(5, first);
  expect(drawn(first)).toEqual(numbers);
  cuda.manualSeed(6, first);
  expect(drawn(first)).not.toEqual(numbers);
});

describe('memory', () => {
  test('is told by device, with its peak', () => {
    native().emptyDeviceCache(first);
    cuda.resetPeakMemoryStats(first);
    const before = cuda.memoryStats(first);
    const x = zeros([256 * kibibyte], { device: first });
    x.dispose();
    const after = cuda.memoryStats(first);
    expect(after.allocatedBytes.peak - before.allocatedBytes.current).toBe(2 ** 20);
    expect(after.allocatedBytes.current).toBe(before.allocatedBytes.current);
    expect(after.reservedBytes.current - before.reservedBytes.current).toBe(2 ** 20);
    native().emptyDeviceCache(first);
    expect(cuda.memoryStats(first).reservedBytes.current).toBeLessThan(after.reservedBytes.current);
    expect(after).toEqual({
      allocatedBytes: expect.objectContaining({ allocated: expect.any(Number), freed: expect.any(Number) }),
      reservedBytes: expect.any(Object),
      activeBytes: expect.any(Object),
      requestedBytes: expect.any(Object),
      numAllocRetries: expect.any(Number),
      numOoms: expect.any(Number),
    });
  });

  test('of a device is counted as a tensor’s', () => {
    const { bytes } = memory();
    const x = zeros([kibibyte], { device: first });
    expect(memory().bytes - bytes).toBe(4 * kibibyte);
    x.dispose();
  });

  test('can be page-locked', () => {
    const x = tensor([1, 2]);
    const pinned = x.pinMemory();
    expect([x.isPinned(), pinned.isPinned(), pinned.toArray()]).toEqual([false, true, [1, 2]]);
    expect(pinned.to({ device: first }).isPinned()).toBe(false);
  });
});

describe('reading without waiting', () => {
  test('gives what is computed by the time it is there', async () => {
    const x = full([kibibyte], 3).pinMemory().to({ device: first, nonBlocking: true });
    const reading = x.toTypedArrayAsync<Float32Array>();
    // What follows on the device changes nothing of it.
    x.fill_(7);
    expect(Array.from(await reading)).toEqual(new Array(kibibyte).fill(3));
    expect(await x.sum().itemAsync()).toBe(7 * kibibyte);
  });

  test('reads every dtype and layout', async () => {
    for (const x of [tensor([[1n, 2n]]), tensor([true]), rand([3, 4]).to('bfloat16'), rand([3, 4]).transpose(0, 1)]) {
      expect(await x.to({ device: second }).toTypedArrayAsync()).toEqual(x.toTypedArray());
    }
    expect(await tensor(5n).to({ device: second }).itemAsync()).toBe(5);
    expect(await zeros([0], { device: second }).toTypedArrayAsync()).toEqual(new Float32Array(0));
  });

  test('many at once, of tensors that are disposed meanwhile', async () => {
    const sums = Array.from({ length: 100 }, (_, i) => {
      const x = full([8], i, { device: first });
      const reading = x.toTypedArrayAsync<Float32Array>();
      x.dispose();
      return reading;
    });
    expect((await Promise.all(sums)).map(([value]) => value)).toEqual(sums.map((_, i) => i));
  });

  test('keeps what is in no graph out of one', async () => {
    const x = full([2], 3, { device: first }).requiresGrad_();
    expect(await x.square().toTypedArrayAsync()).toEqual(Float32Array.of(9, 9));
  });
});
