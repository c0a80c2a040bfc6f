/** Losses with a margin, of pairs and of triplets, and distances: options by position, by name, and both. */
import * as torch from 'libtorch-losses';
import { refusal } from '../torch/support';
import type { AnyClass, AnyLoss } from './support';

const { nn, tensor } = torch;
const F = nn.functional;

/** A function, its class, what they compute with, and options of which each changes the result. */
type Called<Function> = [name: string, call: Function, made: AnyClass, inputs: unknown[], options: object];

const scores = tensor([
  [0.1, 2, 0.5],
  [1, 0.2, -0.3],
]);
const others = tensor([
  [0.5, 1, -1],
  [-0.25, 2, 0.75],
]);
const thirds = tensor([
  [0.25, 1.5, -1],
  [-0.5, 1.5, 0.25],
]);
const signs = tensor([
  [1, -1, 1],
  [-1, -1, 1],
]);
const outcomes = tensor([
  [1, 0, 1],
  [0, 0, 1],
]);
const weight = tensor([0.5, 2, 1]);

/** Every option goes by position, but for the reduction. */
const losses = [
  ['hingeEmbeddingLoss', F.hingeEmbeddingLoss, nn.HingeEmbeddingLoss, [scores, signs], { margin: 2 }],
  ['multiMarginLoss', F.multiMarginLoss, nn.MultiMarginLoss, [scores, [0, 2]], { p: 2, margin: 0.5, weight }],
  ['multilabelSoftMarginLoss', F.multilabelSoftMarginLoss, nn.MultiLabelSoftMarginLoss, [scores, outcomes], { weight }],
  ['marginRankingLoss', F.marginRankingLoss, nn.MarginRankingLoss, [scores, others, signs], { margin: 1 }],
  ['cosineEmbeddingLoss', F.cosineEmbeddingLoss, nn.CosineEmbeddingLoss, [scores, others, [1, -1]], { margin: -0.9 }],
  [
    'tripletMarginLoss',
    F.tripletMarginLoss,
    nn.TripletMarginLoss,
    [scores, others, thirds],
    { margin: 3, p: 1, eps: 0.125, swap: true },
  ],
] as unknown as Called<AnyLoss>[];

/** All options go by name, as in Python. */
const named = [
  ['softMarginLoss', F.softMarginLoss, nn.SoftMarginLoss, [scores, signs], {}],
  [
    'multilabelMarginLoss',
    F.multilabelMarginLoss,
    nn.MultiLabelMarginLoss,
    [
      scores,
      [
        [1, -1, 0],
        [0, 2, -1],
      ],
    ],
    {},
  ],
  [
    'tripletMarginWithDistanceLoss',
    F.tripletMarginWithDistanceLoss,
    nn.TripletMarginWithDistanceLoss,
    [scores, others, thirds],
    {
      distanceFunction: (x: torch.Tensor, y: torch.Tensor) => x.sub(y).abs().sum(1),
      margin: 3,
      swap: true,
    },
  ],
] as unknown as Called<AnyLoss>[];

const distances = [
  ['pairwiseDistance', F.pairwiseDistance, nn.PairwiseDistance, [scores, others], { p: 1, eps: 0.125, keepdim: true }],
  ['cosineSimilarity', F.cosineSimilarity, nn.CosineSimilarity, [scores, others], { dim: 0, eps: 4 }],
] as unknown as Called<(...args: unknown[]) => torch.Tensor>[];

/** The calls that say the same: the first of the options by position, the others by name. */
function split(options: object): unknown[][] {
  const entries = Object.entries(options);
  return entries.map((_, count) => [
    ...entries.slice(0, count).map(([, value]) => value),
    Object.fromEntries(entries.slice(count)),
  ]);
}

describe.each([...losses, ...distances])('%s', (name, call, made, inputs, options) => {
  const values = Object.values(options);
  const expected = call(...inputs, options);

  test('takes its options by position, by name, and both', () => {
    for (const args of [...split(options), values, [...values, null]]) {
      expect(call(...inputs, ...args).equal(expected)).toBe(true);
    }
  });

  test('knows each option by its place', () => {
    const seen = new Set([JSON.stringify(call(...inputs).toArray())]);
    for (const [i, [key, value]] of Object.entries(options).entries()) {
      const alone = call(...inputs, { [key]: value });
      expect(call(...inputs, ...values.slice(0, i).fill(null), value).equal(alone)).toBe(true);
      seen.add(JSON.stringify(alone.toArray()));
    }
    expect(seen.size).toBe(values.length + 1);
  });

  test('has a class that is called like it', () => {
    for (const args of [...split(options), values]) {
      const module = new made(...args);
      expect({ ...module }).toMatchObject(options);
      expect(module(...inputs).equal(expected)).toBe(true);
      expect(module.forward(...inputs).equal(expected)).toBe(true);
    }
    expect(new made()(...inputs).equal(call(...inputs))).toBe(true);
  });

  test('refuses an option that is given twice, and one too many', () => {
    const [first] = Object.keys(options) as [string];
    const isLoss = losses.some(([loss]) => loss === name);
    const tooMany = isLoss ? 'options' : 'the call';
    const wrong: [args: unknown[], argument: string][] = [
      [[values[0], { [first]: values[0] }], first],
      [[...values, 'sum'], tooMany],
      // Elsewhere nothing, and no keywords, are not too much.
      ...(isLoss ? [[[...values, null, {}], tooMany] as [unknown[], string]] : []),
    ];
    for (const [args, argument] of wrong) {
      expect(refusal(() => call(...inputs, ...args))).toMatchObject({ code: 'INVALID_ARGUMENT', op: name, argument });
      expect(refusal(() => new made(...args))).toMatchObject({ code: 'INVALID_ARGUMENT', op: made.name, argument });
    }
  });
});

describe.each(named)('%s', (name, loss, made, inputs, more) => {
  const options = { ...more, reduction: 'sum' };

  test('has a class that is called like it', () => {
    const expected = loss(...inputs, options);
    expect(expected.equal(loss(...inputs))).toBe(false);
    const module = new made(options);
    expect({ ...module }).toMatchObject(options);
    expect(module(...inputs).equal(expected)).toBe(true);
    expect(module.forward(...inputs).equal(expected)).toBe(true);
    expect(new made(null)(...inputs).equal(loss(...inputs, null))).toBe(true);
  });

  test('takes no option by position', () => {
    const wrong = { code: 'INVALID_ARGUMENT', argument: 'options' };
    for (const args of [['sum'], [1], [null, options], [options, options]]) {
      expect(refusal(() => loss(...inputs, ...args))).toMatchObject({ ...wrong, op: name });
      expect(refusal(() => new made(...args))).toMatchObject({ ...wrong, op: made.name });
    }
  });
});

test.each(losses)('%s: its other forms are called like it', async (_name, loss, _made, inputs, options) => {
  const expected = loss(...inputs, { ...options, reduction: 'sum' }).item();
  const args = [...inputs, ...Object.values(options), { reduction: 'sum' }];
  expect(loss.item(...args)).toBe(expected);
  expect(loss.out(new Float32Array(1), ...args)[0]).toBe(expected);
  expect((await loss.async(...args)).item()).toBe(expected);
  const { value } = torch.valueAndGrad(loss)(...args);
  expect(value.item()).toBe(expected);
});

test('without a distance of one’s own, the class keeps pairwiseDistance', () => {
  expect(new nn.TripletMarginWithDistanceLoss().distanceFunction).toBe(F.pairwiseDistance);
});

test('a weight of classes is a vector, whatever it is made of', () => {
  const wrong = { code: 'INVALID_ARGUMENT', argument: 'weight' };
  for (const given of [weight.unsqueeze(0), [[1, 2, 3]], { data: [1, 2, 3], dims: [3, 1] }, 2]) {
    expect(refusal(() => F.multiMarginLoss(scores, [0, 2], { weight: given }))).toMatchObject(wrong);
    expect(refusal(() => new nn.MultiMarginLoss(1, 1, given))).toMatchObject({ ...wrong, op: 'MultiMarginLoss' });
  }
  expect(new nn.MultiMarginLoss(1, 1, [1, 2, 3]).weight?.toArray()).toEqual([1, 2, 3]);
});
