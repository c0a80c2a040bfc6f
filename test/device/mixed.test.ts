/** Tensors on several devices are refused by name, before any kernel has run for nothing. */
import { nn, rand, type Tensor, tensor } from '../../lib';
import { shareDevice } from '../../lib/torch/share-device';
import { devices, fake } from '../support/device';
import { refusal } from '../unit/reference/support';

const F = nn.functional;
const [device, other] = devices;
const x = rand([2, 3], { device });
const there = rand([2, 3]);
const labels = tensor([1n, 2n]);

const calls: [argument: string, call: () => unknown][] = [
  ['target', () => F.crossEntropy(x, labels)],
  ['weight', () => F.crossEntropy(x, [1, 2], { weight: rand([3]) })],
  ['target', () => F.nllLoss(x, labels)],
  ['target', () => F.multiMarginLoss(x, labels)],
  ['target', () => F.multilabelMarginLoss(x, labels.expand([2, 2]))],
  ['target', () => F.multilabelSoftMarginLoss(x, there)],
  ['linearWeight', () => F.linearCrossEntropy(x, rand([4, 3]), [1, 2])],
  ['target', () => F.binaryCrossEntropy(x, there)],
  ['target', () => F.binaryCrossEntropyWithLogits(x, there)],
  ['target', () => F.l1Loss(x, there)],
  ['target', () => F.mseLoss(x, there)],
  ['target', () => F.smoothL1Loss(x, there)],
  ['target', () => F.huberLoss(x, there)],
  ['target', () => F.klDiv(x, there)],
  ['target', () => F.poissonNllLoss(x, there)],
  ['target', () => F.gaussianNllLoss(x, there, there)],
  ['target', () => F.softMarginLoss(x, there)],
  ['target', () => F.hingeEmbeddingLoss(x, there)],
  ['target', () => F.cosineEmbeddingLoss(x, x, tensor([1, -1]))],
  ['input2', () => F.marginRankingLoss(x, there, x)],
  ['positive', () => F.tripletMarginLoss(x, there, x)],
  ['negative', () => F.tripletMarginWithDistanceLoss(x, x, there)],
];

test.each(calls)('%s elsewhere: %p', (argument, call) => {
  for (let i = 0; i < 2; i++) {
    const kernels = fake.kernels(0);
    const error = refusal(call);
    expect({ code: error.code, argument: error.argument }).toEqual({ code: 'RUNTIME', argument });
    expect(error.message).toMatch(/to be on cuda:0 as '\w+' is, but received cpu; to\(\{ device: '.*' \}\) moves it$/);
    // That of another argument, which the call itself may make.
    expect(fake.kernels(0) - kernels).toBeLessThanOrEqual(1);
  }
});

test('so are tensors on two devices of a kind', () => {
  expect(refusal(() => F.mseLoss(x, rand([2, 3], { device: other }))).message).toContain(
    "expected 'target' to be on cuda:0 as 'input' is, but received cuda:1",
  );
});

test('and off the main thread', async () => {
  await expect(F.mseLoss.async(x, there)).rejects.toMatchObject({ code: 'RUNTIME', argument: 'target' });
});

test('a number on the CPU goes with any device, and the targets of ctcLoss may stay there', () => {
  expect([shareDevice([x, tensor(2)]), shareDevice([x, there])]).toEqual([true, false]);
  const scores: Tensor = rand([4, 1, 3]).logSoftmax(2);
  const loss = F.ctcLoss(scores.to({ device }), tensor([[1n, 2n]]), [4], [2]);
  expect([loss.device, loss.item()]).toEqual([device, F.ctcLoss(scores, [[1, 2]], [4], [2]).item()]);
});
