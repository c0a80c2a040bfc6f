/** Blocks that are cut into chunks for all threads give what small batches give, at once and in the background. */
import { BatchEvaluator, manualSeed, nn, randint, randn } from 'libtorch-losses';

const { crossEntropy, nllLoss } = nn.functional;
const [rows, classes] = [3000, 700];

manualSeed(11n);
const logits = randn([rows, classes]);
const labels = randint(0, classes, [rows]);
labels.narrow(0, 500, 40).fill_(-100);

test.each([
  ['crossEntropy', crossEntropy, {}, logits],
  ['crossEntropy, smoothed', crossEntropy, { labelSmoothing: 0.1 }, logits],
  ['nllLoss', nllLoss, {}, logits.logSoftmax(1)],
] as const)('%s', async (_name, loss, options, scores) => {
  const make = () => new BatchEvaluator<typeof crossEntropy>(loss, options, { details: true, keepLosses: true });
  const small = make();
  for (let i = 0; i < rows; i += 100) small.update(scores.narrow(0, i, 100), labels.narrow(0, i, 100));
  const large = make().update(scores, labels);
  const background = await make().updateAsync(scores, labels);
  expect(large.result()).toEqual(small.result());
  expect(background.result()).toEqual(small.result());
  expect(large.losses().equal(small.losses())).toBe(true);
  expect(background.losses().equal(small.losses())).toBe(true);
});
