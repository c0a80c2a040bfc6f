/** A loss that a user defines has everything that a loss has. */
import * as torch from 'libtorch-losses';
import { refusal } from '../torch/support';

const F = torch.nn.functional;

const focalLoss = torch.defineLoss({
  name: 'focalLoss',
  arguments: ['input', 'target'],
  options: { alpha: 0.25, gamma: 2, weight: null, balanced: true },
  losses({ input, target, alpha, gamma, weight, balanced }) {
    const p = input.sigmoid();
    const no = target.neg().add(1);
    const losses = F.binaryCrossEntropyWithLogits(input, target, { reduction: 'none' }).mul(
      p.mul(target).add(p.neg().add(1).mul(no)).neg().add(1).pow(gamma),
    );
    const weighed = weight === undefined ? losses : losses.mul(weight);
    return balanced
      ? target
          .mul(alpha)
          .add(no.mul(1 - alpha))
          .mul(weighed)
      : weighed;
  },
});

const [x, y] = [torch.tensor([0.5, -1, 2]), torch.tensor([1, 0, 0])];

/** By hand, with the same operators. */
function byHand(input: torch.Tensor, gamma: number): torch.Tensor {
  const p = input.sigmoid();
  const no = y.neg().add(1);
  const losses = F.binaryCrossEntropyWithLogits(input, y, { reduction: 'none' }).mul(
    p.mul(y).add(p.neg().add(1).mul(no)).neg().add(1).pow(gamma),
  );
  return y.mul(0.25).add(no.mul(0.75)).mul(losses);
}

test('the function and its forms, to the bit', async () => {
  const losses = byHand(x, 3);
  expect(focalLoss(x, y, { gamma: 3, reduction: 'none' })).toEqual(losses);
  expect(focalLoss([0.5, -1, 2], y, { gamma: 3 })).toEqual(losses.mean());
  for (let i = 0; i < 3; i++) expect(focalLoss.item(x, y, { gamma: 3 })).toBe(losses.mean().item());
  expect(await focalLoss.async(x, y, { gamma: 3, reduction: 'sum' })).toEqual(losses.sum());
  expect(focalLoss.out(new Float32Array(3), x, y, { gamma: 3, reduction: 'none' })).toEqual(losses.numpy());
  expect(focalLoss(x, y, { weight: [0, 0, 0], balanced: false }).item()).toBe(0);
});

test('what the function looks at besides its arguments counts at every call', () => {
  let power = 2;
  const loss = torch.defineLoss({
    name: 'powered',
    arguments: ['input', 'target'],
    losses: ({ input, target }) => input.sub(target).abs().pow(power),
  });
  const [a, b] = [torch.tensor([3, 4]), torch.tensor([1, 1])];
  const evaluator = new torch.BatchEvaluator(loss).update(a, b);
  const seen = (): number[] => [loss(a, b).item(), loss.item(a, b), evaluator.result().sum];
  expect([seen(), seen(), seen()]).toEqual([
    [6.5, 6.5, 13],
    [6.5, 6.5, 13],
    [6.5, 6.5, 13],
  ]);
  power = 3;
  expect(seen()).toEqual([17.5, 17.5, 35]);
});

test('gradients, the class and the evaluator', () => {
  const [own, other] = [x.clone().requiresGrad_(), x.clone().requiresGrad_()];
  focalLoss(own, y, { gamma: 3, reduction: 'sum' }).backward();
  byHand(other, 3).sum().backward();
  expect(own.grad).toEqual(other.grad);
  expect(torch.valueAndGrad(focalLoss)(x, y, { gamma: 3, reduction: 'sum' }).grad).toEqual(other.grad);
  const criterion = new focalLoss.Module({ gamma: 3, reduction: 'sum' });
  expect({ ...criterion }).toMatchObject({ alpha: 0.25, gamma: 3, reduction: 'sum' });
  expect(criterion(x, y)).toEqual(byHand(x, 3).sum());
  const evaluator = new torch.BatchEvaluator(focalLoss, { gamma: 3 });
  for (const i of [0, 1, 2]) evaluator.update(x.narrow(0, i, 1), y.narrow(0, i, 1));
  expect(evaluator.result().loss).toBeCloseTo(byHand(x, 3).mean().item(), 6);
});

test('class indices', () => {
  const smoothed = torch.defineLoss({
    name: 'smoothed',
    arguments: ['input', { name: 'target', holds: 'indices' }],
    lossesOf: 'samples',
    losses: ({ input, target }) => F.crossEntropy(input, target, { reduction: 'none', labelSmoothing: 0.1 }),
  });
  const scores = torch.tensor([
    [2, 0],
    [0, 1],
  ]);
  const losses = F.crossEntropy(scores, [0, 0], { reduction: 'none', labelSmoothing: 0.1 });
  expect(smoothed(scores, [0, 0], { reduction: 'sum' })).toEqual(losses.sum());
  const evaluator = new torch.BatchEvaluator(smoothed).update(scores, [0, 0]);
  expect(evaluator.result().loss).toBeCloseTo(losses.mean().item(), 6);
});

test('what is wrong with a call is named', () => {
  expect(refusal(() => focalLoss(x, y, { gama: 1 } as never)).message).toContain("did you mean 'gamma'?");
  expect(refusal(() => focalLoss(x, y, { gamma: '1' as never }))).toMatchObject({ argument: 'gamma' });
  const none = torch.defineLoss({ name: 'none', arguments: ['input'], losses: () => 3 as never });
  expect(refusal(() => none(x)).message).toBe("none: expected 'losses' to give a Tensor, but received 3");
});

const losses = (): torch.Tensor => x;
test.each<[string, unknown, string]>([
  ['nothing', undefined, "'definition'"],
  ['no name', { arguments: ['x'], losses }, "'name'"],
  ['a name that is not a word', { name: 'a b', arguments: ['x'], losses }, "'name'"],
  ['no arguments', { name: 'f', arguments: [], losses }, "'arguments'"],
  ['an argument that is none', { name: 'f', arguments: [1], losses }, "'arguments[0]'"],
  ['no losses', { name: 'f', arguments: ['x'] }, "'losses'"],
  ['a misspelled field', { name: 'f', arguments: ['x'], option: {}, losses }, "did you mean 'options'?"],
  ['an option like an argument', { name: 'f', arguments: ['x'], options: { x: 1 }, losses }, "option 'x'"],
  ['an option that is there anyway', { name: 'f', arguments: ['x'], options: { reduction: 1 }, losses }, 'of its own'],
  ['a default that is none', { name: 'f', arguments: ['x'], options: { a: 'b' }, losses }, "default of option 'a'"],
  ['losses of something else', { name: 'f', arguments: ['x'], losses, lossesOf: 'rows' }, "'lossesOf'"],
])('a definition with %s is refused', (_what, definition, words) => {
  expect(refusal(() => torch.defineLoss(definition as never)).message).toContain(words);
});
