/** The categorical distribution against its definition. */
import * as torch from 'libtorch-losses';
import { refusal } from '../torch/support';

const { Categorical } = torch.distributions;
const { tensor } = torch;
const double = (data: torch.TensorData): torch.Tensor => tensor(data, { dtype: 'float64' });

const weights = [
  [1, 2, 5],
  [0.1, 0.1, 0.2],
];
const probabilities = weights.map((row) => row.map((w) => w / row.reduce((a, b) => a + b)));
const entropies = probabilities.map((row) => -row.reduce((sum, p) => sum + p * Math.log(p), 0));

test('probabilities are divided by their sum, logits shifted', () => {
  const byProbs = new Categorical({ probs: double(weights) });
  const byLogits = new Categorical({ logits: double(weights).log() });
  const logs = probabilities.map((row) => row.map((p) => expect.closeTo(Math.log(p), 13)));
  for (const distribution of [byProbs, byLogits]) {
    expect(distribution.probs.toArray()).toEqual(probabilities.map((row) => row.map((p) => expect.closeTo(p, 14))));
    expect(distribution.logits.toArray()).toEqual(logs);
    expect(distribution.entropy().toArray()).toEqual(entropies.map((h) => expect.closeTo(h, 13)));
    expect(distribution.batchShape).toEqual([2]);
  }
});

test('classes that cannot be have no part in the entropy', () => {
  expect(new Categorical({ probs: double([0, 0.5, 0.5]) }).entropy().item()).toBeCloseTo(Math.LN2, 13);
  expect(new Categorical({ logits: double([-Infinity, 0, 0]) }).entropy().item()).toBeCloseTo(Math.LN2, 13);
  expect(new Categorical({ probs: double([1]) }).entropy().item()).toBeCloseTo(0, 13);
});

test('log-probabilities of classes, which broadcast with the batch', () => {
  const distribution = new Categorical({ probs: double(weights) });
  const log = (row: number, k: number): unknown => expect.closeTo(Math.log(probabilities[row]?.[k] as number), 13);
  expect(distribution.logProb(tensor([2n, 0n])).toArray()).toEqual([log(0, 2), log(1, 0)]);
  expect(distribution.logProb(tensor(1n)).toArray()).toEqual([log(0, 1), log(1, 1)]);
  expect(distribution.logProb(tensor([[0], [2]])).toArray()).toEqual([
    [log(0, 0), log(1, 0)],
    [log(0, 2), log(1, 2)],
  ]);
});

test('entropy has a gradient', () => {
  const logits = double([0.5, -1, 2]).requiresGrad_();
  new Categorical({ logits }).entropy().backward();
  // dH/dx_j = -p_j (ln p_j + H)
  const p = logits.detach().softmax(0).toArray<number[]>();
  const h = -p.reduce((sum, value) => sum + value * Math.log(value), 0);
  expect(logits.grad?.toArray()).toEqual(p.map((value) => expect.closeTo(-value * (Math.log(value) + h), 12)));
});

test.each<[string, () => unknown, string]>([
  ['nothing', () => new Categorical({}), 'options'],
  ['both', () => new Categorical({ probs: double([1]), logits: double([0]) }), 'options'],
  ['an unknown option', () => new Categorical({ prob: double([1]) } as never), 'prob'],
  ['a tensor in the place of options', () => new Categorical(double([1]) as never), 'options'],
  ['numbers', () => new Categorical({ probs: [0.5, 0.5] as never }), 'probs'],
  ['logits that are numbers', () => new Categorical({ logits: [0.5] as never }), 'logits'],
  ['a scalar', () => new Categorical({ probs: tensor(1) }), 'probs'],
  ['negative probabilities', () => new Categorical({ probs: double([-0.5, 1.5]) }), 'probs'],
  ['probabilities of sum 0', () => new Categorical({ probs: double([0, 0]) }), 'probs'],
  ['NaN among probabilities', () => new Categorical({ probs: double([NaN, 1]) }), 'probs'],
  ['an infinite one', () => new Categorical({ probs: double([Infinity, 1]) }), 'probs'],
  ['NaN among logits', () => new Categorical({ logits: double([NaN, 1]) }), 'logits'],
])('%s: refused', (_name, make, argument) => {
  expect(refusal(make)).toMatchObject({ op: 'Categorical', argument });
});

test.each<[string, unknown]>([
  ['a class beyond the last', tensor(3n)],
  ['a negative class', tensor([-1n, 0n])],
  ['a fraction', tensor([0.5, 1])],
  ['NaN', tensor(NaN)],
  ['a number that is not a tensor', 1],
])('log-probability of %s: refused', (_name, value) => {
  const distribution = new Categorical({ probs: double(weights) });
  const refused = { op: 'Categorical.logProb', argument: 'value' };
  expect(refusal(() => distribution.logProb(value as never))).toMatchObject(refused);
});

test('of a disposed tensor', () => {
  const probs = double([1, 2]);
  probs.dispose();
  expect(refusal(() => new Categorical({ probs })).code).toBe('DISPOSED');
});
