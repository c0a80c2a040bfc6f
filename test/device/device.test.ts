/** The simulated devices behave as the tests on them suppose. */
import { arange, empty, full, manualSeed, rand, randn, type Tensor, tensor, zeros } from '../../lib';
import { native } from '../../lib/binding/load';
import { unwrap } from '../../lib/torch/bind';
import { ampleMemory, devices, fake } from '../support/device';

const [first, second] = devices;

describe('tensors', () => {
  test('are on the device that they are made on', () => {
    const x = tensor([[1, 2, 3]], { device: first });
    expect(x.device).toBe(first);
    expect(x.add(1).device).toBe(first);
    expect(x.add(1).toArray()).toEqual([[2, 3, 4]]);
    expect(zeros([2], { device: second }).to(first).toArray()).toEqual([0, 0]);
    expect(empty([1], { device: 'cuda' }).device).toBe(first);
  });

  test('of two devices do not mix, and no kernel has run', () => {
    const [x, y] = [zeros([2], { device: first }), zeros([2])];
    const before = fake.kernels(0);
    for (const other of [y, y.to(second)]) {
      expect(() => x.add(other)).toThrow('Expected all tensors to be on the same device');
      expect(() => x.gather(0, other.to('int64'))).toThrow('Expected all tensors to be on the same device');
    }
    expect(fake.kernels(0)).toBe(before);
    x.add(1);
    expect(fake.kernels(0)).toBe(before + 1);
  });

  test('share memory with their views', () => {
    const x = arange(6, { device: first }).reshape([2, 3]);
    const before = fake.kernels(0);
    const view = x.transpose(0, 1).select(0, 1);
    expect(fake.kernels(0)).toBe(before);
    view.add_(10);
    expect(x.toArray()).toEqual([
      [0, 11, 2],
      [3, 14, 5],
    ]);
  });

  test('have gradients', () => {
    const x = rand([3, 4], { device: first, requiresGrad: true });
    x.mul(x).sum().backward();
    expect(x.grad?.device).toBe(first);
    expect(x.grad?.toArray()).toEqual(x.detach().mul(2).toArray());
  });

  test('have random numbers of their device', () => {
    manualSeed(5);
    const onCpu = randn([4]).toArray();
    const [mine, again] = [0, 1].map(() => randn([4], { device: first }).toArray());
    expect(mine).not.toEqual(again);
    manualSeed(5);
    expect(randn([4], { device: first }).toArray()).toEqual(mine);
    expect(randn([4], { device: second }).toArray()).toEqual(mine);
    expect(randn([4]).toArray()).toEqual(onCpu);
  });
});

describe('copies that nobody waits for', () => {
  // What memory holds that nobody has written: 0xABAB, as uint8.
  const fresh = [0xab, 0xab, 0xab];

  test('arrive when somebody does', () => {
    const x = tensor(new Uint8Array([1, 2, 3]), { device: first });
    const back = x.to({ device: 'cpu', nonBlocking: true });
    expect(fake.pendingCopies(0)).toBe(1);
    expect(back.toArray()).toEqual(fresh);
    native().synchronize(first);
    expect(fake.pendingCopies(0)).toBe(0);
    expect(back.toArray()).toEqual([1, 2, 3]);
  });

  test('run before what is queued after them', () => {
    const x = tensor(new Uint8Array([1, 2, 3]), { device: first });
    const back = x.to({ device: 'cpu', nonBlocking: true });
    x.add_(1);
    expect(back.toArray()).toEqual([1, 2, 3]);
  });

  test('are those of fresh memory', () => {
    expect(empty([3], { dtype: 'uint8', device: first }).toArray()).toEqual(fresh);
  });
});

describe('memory', () => {
  const bytes = 2 ** 20;
  const block = (): Tensor => empty([bytes], { dtype: 'uint8', device: second });

  beforeEach(() => {
    fake.emptyCache();
    fake.resetPeak(1);
  });

  afterEach(() => fake.setLimit(1, ampleMemory));

  test('is counted, and kept for the next tensor', () => {
    const before = fake.stats(1);
    const [x, y] = [block(), block()];
    expect(fake.stats(1).allocated).toBe(before.allocated + 2 * bytes);
    x.dispose();
    y.dispose();
    expect(fake.stats(1)).toMatchObject({
      allocated: before.allocated,
      reserved: before.reserved + 2 * bytes,
      peakAllocated: before.allocated + 2 * bytes,
    });
    block().dispose();
    expect(fake.stats(1).reserved).toBe(before.reserved + 2 * bytes);
    fake.emptyCache();
    expect(fake.stats(1).reserved).toBe(before.reserved);
  });

  test('ends at the limit, after what is kept has been given back', () => {
    const { reserved, retries, refusals } = fake.stats(1);
    fake.setLimit(1, reserved + 2 * bytes);
    empty([bytes / 2], { dtype: 'uint8', device: second }).dispose();
    const [x, y] = [block(), block()];
    expect(fake.stats(1)).toMatchObject({ retries: retries + 1, refusals });
    expect(block).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(
          /out of memory\. Tried to allocate 1024\.00 KiB\. GPU 1 has a total capacity of/,
        ),
      }),
    );
    // Once more after what scripts have dropped was collected.
    expect(fake.stats(1).refusals).toBe(refusals + 2);
    x.dispose();
    expect(full([bytes], 7, { dtype: 'uint8', device: second }).to('cpu').sum().item()).toBe(7 * bytes);
    y.dispose();
  });

  test('is not given away while a copy from it is queued', () => {
    const x = full([bytes], 7, { dtype: 'uint8', device: second });
    const back = x.to({ device: 'cpu', nonBlocking: true });
    x.dispose();
    const other = full([bytes], 8, { dtype: 'uint8', device: second });
    native().synchronize(second);
    expect(back.sum().item()).toBe(7 * bytes);
    other.dispose();
  });
});

test('what the CPU refuses is refused there, too', () => {
  const x = tensor([[1, 2]], { device: first });
  expect(() => x.gather(1, tensor([[5]], { dtype: 'int64', device: first }))).toThrow('out of bounds');
});

test('a handle is a tensor of the device to libtorch, too', () => {
  const x = zeros([1], { device: first });
  expect(native().device(unwrap(x, 'test', 'x'))).toBe(first);
});
