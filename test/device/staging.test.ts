/** Batches on their way to a device: they arrive as they were, beside the device's work, and nobody reads what is not there. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { arange, full, rand, type Tensor, tensor, zeros } from '../../lib';
import { native } from '../../lib/binding/load';
import { bitsOf } from '../../lib/parity/bits';
import { stage } from '../../lib/torch/staging';
import { devices, fake } from '../support/device';

const [first, second] = devices;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function pending(): number {
  return fake.pendingCopies(0);
}

afterEach(() => {
  native().synchronize(first);
  native().synchronize(second);
});

test.each(devices)('tensors of every dtype and layout arrive as they were on %s', (device) => {
  const given = [
    rand([5, 3], { dtype: 'float64' }),
    rand([4, 6]).transpose(0, 1),
    rand([3, 8]).narrow(1, 2, 3),
    rand([4]).to('float16'),
    tensor([3n, -1n]),
    tensor([true, false]),
    rand([1, 3]).expand([5, 3]),
    zeros([0, 4]),
    tensor(7),
  ];
  const arrived = stage(given, device)();
  expect(arrived.map((there) => there.device)).toEqual(given.map(() => device));
  expect(arrived.map(bitsOf)).toEqual(given.map(bitsOf));
});

test('copies are under way while the device works, and only what uses them waits', () => {
  const other = rand([4], { device: first });
  const arrive = stage([arange(4), arange(4).add(10)], first);
  expect(pending()).toBe(2);
  expect(other.add(1).sum().item()).toBeGreaterThan(4);
  expect(pending()).toBe(2);
  const [x, y] = arrive() as [Tensor, Tensor];
  expect(pending()).toBe(2);
  const sum = x.add(y);
  expect(pending()).toBe(0);
  expect(sum.toArray()).toEqual([10, 12, 14, 16]);
});

test('several batches are under way, each with its own memory', () => {
  const arrivals = [1, 2, 3].map((value) => stage([full([100], value)], first));
  expect(pending()).toBe(3);
  const sums = arrivals.map((arrive) => (arrive()[0] as Tensor).sum().item());
  expect(sums).toEqual([100, 200, 300]);
});

test('what changes after stage() has returned does not arrive', () => {
  const x = full([4], 1);
  const arrive = stage([x], first);
  x.fill_(2);
  expect(arrive()[0]?.toArray()).toEqual([1, 1, 1, 1]);
});

test('what is on the device already stays where it is', () => {
  const x = rand([3], { device: first });
  const kernels = fake.kernels(0);
  const [same] = stage([x], first)() as [Tensor];
  same.fill_(5);
  expect(x.toArray()).toEqual([5, 5, 5]);
  expect(fake.kernels(0)).toBe(kernels + 1);
});

test('a device without an index is the current one', () => {
  expect(stage([tensor([1])], 'cuda')()[0]?.device).toBe(first);
});

test('memory that is still read is not given to the next batch', () => {
  const [x] = stage([full([256], 1)], first)() as [Tensor];
  x.add_(1);
  const copy = x.to({ device: 'cpu', nonBlocking: true });
  x.dispose();
  const [next] = stage([full([256], 3)], first)() as [Tensor];
  expect(next.sum().item()).toBe(768);
  native().synchronize(first);
  expect(copy.toArray()).toEqual(new Array(256).fill(2));
});

test('a long row of batches takes the memory of a few', () => {
  const sumOf = (value: number): number => {
    const [x] = stage([full([1024], value)], first)() as [Tensor];
    const sum = x.sum();
    x.dispose();
    const found = sum.item<number>();
    sum.dispose();
    return found;
  };
  expect(sumOf(1)).toBe(1024);
  const { reserved } = fake.stats(0);
  for (let value = 2; value < 50; value++) expect(sumOf(value)).toBe(1024 * value);
  expect(fake.stats(0).reserved).toBeLessThanOrEqual(reserved + 2 * 4096);
});

test('batches that nobody takes give their memory back', () => {
  collect();
  const { allocated } = fake.stats(0);
  (() => {
    for (let i = 0; i < 5; i++) stage([full([1024], i)], first);
  })();
  expect(fake.stats(0).allocated).toBe(allocated + 5 * 4096);
  collect();
  expect(fake.stats(0).allocated).toBe(allocated);
  // Their copies are still queued, and write to nobody else's memory.
  const [x] = stage([full([1024], 7)], first)() as [Tensor];
  native().synchronize(first);
  expect(x.sum().item()).toBe(7 * 1024);
});
