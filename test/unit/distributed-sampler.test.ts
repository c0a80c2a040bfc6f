/** Shares of a data set, beside what PyTorch 2.13 gives. */
import { utils } from '../../lib';

const { DistributedSampler } = utils.data;

/** list(DistributedSampler(range(n), num_replicas, rank, shuffle, seed, drop_last)), with set_epoch(epoch) before. */
const recorded = [
  { n: 11, numReplicas: 4, rank: 0, shuffle: true, seed: 0, dropLast: false, epoch: 0, indices: [10, 5, 9] },
  { n: 11, numReplicas: 4, rank: 3, shuffle: true, seed: 5, dropLast: false, epoch: 2, indices: [2, 10, 3] },
  { n: 11, numReplicas: 4, rank: 3, shuffle: true, seed: 5, dropLast: true, epoch: 2, indices: [2, 10] },
  { n: 11, numReplicas: 4, rank: 2, shuffle: false, seed: 0, dropLast: false, epoch: 0, indices: [2, 6, 10] },
  { n: 12, numReplicas: 4, rank: 1, shuffle: true, seed: 0, dropLast: true, epoch: 1, indices: [4, 0, 9] },
  { n: 2, numReplicas: 5, rank: 4, shuffle: true, seed: 0, dropLast: false, epoch: 0, indices: [0] },
  { n: 2, numReplicas: 5, rank: 3, shuffle: false, seed: 0, dropLast: false, epoch: 0, indices: [1] },
];

test.each(recorded)(
  '$n elements, rank $rank of $numReplicas, shuffle $shuffle, dropLast $dropLast',
  ({ n, epoch, indices, ...options }) => {
    const sampler = new DistributedSampler(n, options);
    sampler.setEpoch(epoch);
    expect([...sampler]).toEqual(indices);
    expect(sampler.length).toBe(indices.length);
  },
);

test('shares are of anything with a length, and ranks beyond are refused', () => {
  expect([...new DistributedSampler(['a', 'b', 'c'], { numReplicas: 2, rank: 1, shuffle: false })]).toEqual([1, 0]);
  expect([...new DistributedSampler(new Set([7]), { numReplicas: 1, rank: 0 })]).toEqual([0]);
  expect(() => new DistributedSampler(3, { numReplicas: 2, rank: 2 })).toThrow(
    "DistributedSampler: expected option 'rank' to be in [0, 2), but received 2",
  );
  expect(() => new DistributedSampler({} as never, { numReplicas: 1, rank: 0 })).toThrow("expected 'dataset' to have");
  expect(() => new DistributedSampler(3)).toThrow('call initProcessGroup first');
});
