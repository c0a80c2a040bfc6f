/** What torch.nn.init refuses, and what it leaves alone; its numbers are in test/golden/calls. */
import { isGradEnabled, manualSeed, nn, ones, zeros } from '../../../lib';

const { init } = nn;
const vector = zeros([3]);
const matrix = zeros([2, 3]);

const refused: [name: string, call: () => unknown, message: string][] = [
  ['a nonlinearity', () => init.calculateGain('rleu'), "calculateGain: expected 'nonlinearity' to be one of"],
  [
    'a slope',
    () => init.calculateGain('leaky_relu', true as never),
    "expected 'param' to be a number, but received true",
  ],
  [
    'a fan of a vector',
    () => init.kaimingUniform_(vector),
    "kaimingUniform_: expected 'tensor' to have at least 2 dimensions, but received shape [3]",
  ],
  [
    'a mode',
    () => init.kaimingNormal_(matrix, { mode: 'fan_on' }),
    "kaimingNormal_: expected 'mode' to be one of 'fan_in', 'fan_out', but received \"fan_on\" (did you mean 'fan_in'?)",
  ],
  ['no elements', () => init.xavierNormal_(zeros([0, 0])), "xavierNormal_: expected 'tensor' to have elements"],
  ['an identity of a vector', () => init.eye_(vector), "eye_: expected 'tensor' to have 2 dimensions"],
  ['filters of a matrix', () => init.dirac_(matrix), "dirac_: expected 'tensor' to have 3, 4 or 5 dimensions"],
  ['groups', () => init.dirac_(zeros([3, 1, 1]), 2), "dirac_: expected 'groups' to divide 3"],
  [
    'an orthogonal vector',
    () => init.orthogonal_(vector),
    "orthogonal_: expected 'tensor' to have 2 or more dimensions",
  ],
  ['a sparse vector', () => init.sparse_(vector, 0.5), "sparse_: expected 'tensor' to have 2 dimensions"],
  ['no deviation', () => init.truncNormal_(matrix, 0, 0), "truncNormal_: expected 'std' to be other than 0"],
  [
    'an unknown option',
    () => init.normal_(matrix, { stds: 1 } as never),
    "normal_: unknown option 'stds' (did you mean 'std'?)",
  ],
];

test.each(refused)('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
});

test('a tensor of a graph is filled outside of it, and given back', () => {
  const weight = ones([2, 2], { requiresGrad: true });
  expect(init.orthogonal_(weight)).toBe(weight);
  expect(init.eye_(weight)).toBe(weight);
  expect([weight.requiresGrad, weight.isLeaf, weight.gradFn, isGradEnabled()]).toEqual([true, true, undefined, true]);
  expect(weight.toArray()).toEqual([
    [1, 0],
    [0, 1],
  ]);
});

test('the same seed gives the same values', () => {
  const drawn = (): unknown => {
    manualSeed(3);
    return init.truncNormal_(zeros([5]), { b: 0.1 }).toArray();
  };
  expect(drawn()).toEqual(drawn());
});
