/** Labels and other plain data beside an input on a device: they are brought there, and looked at before. */
import { cuda, nn, type Tensor, tensor, valueAndGrad } from '../../lib';
import { devices, fake } from '../support/device';
import { refusal } from '../unit/reference/support';

const F = nn.functional;
const [device] = devices;
const scores = (): Tensor =>
  tensor(
    [
      [1, 2, 0.5],
      [0.1, 0.2, 0.4],
    ],
    { device },
  );

afterEach(() => cuda.setValidateArgs(false));

describe('plain data goes where the input is', () => {
  test.each([
    ['numbers', [1, 2]],
    ['an array of integers', Int32Array.of(1, 2)],
    ['an array of bigints', BigInt64Array.of(1n, 2n)],
    ['data with dims', { data: [1, 2], dims: [2] }],
    [
      'probabilities',
      [
        [0, 1, 0],
        [0, 0, 1],
      ],
    ],
  ])('%s', (_kind, target) => {
    const expected = F.crossEntropy(scores().cpu(), target).item();
    for (let i = 0; i < 3; i++) {
      const loss = F.crossEntropy(scores(), target);
      expect([loss.device, loss.item()]).toEqual([device, expected]);
      expect(F.crossEntropy.item(scores(), target)).toBe(expected);
      expect(valueAndGrad(F.crossEntropy)(scores(), target).value.item()).toBe(expected);
    }
  });

  test('options too', async () => {
    const options = { weight: [1, 2, 3], labelSmoothing: 0.1 };
    const expected = F.crossEntropy(scores().cpu(), [1, 2], options).item();
    expect(F.crossEntropy(scores(), [1, 2], options).item()).toBe(expected);
    expect((await F.crossEntropy.async(scores(), [1, 2], options)).item()).toBe(expected);
    expect(
      F.mseLoss(scores(), [
        [1, 2, 3],
        [4, 5, 6],
      ]).item(),
    ).toBe(
      F.mseLoss(scores().cpu(), [
        [1, 2, 3],
        [4, 5, 6],
      ]).item(),
    );
  });
});

/** Calls with a class index that is out of range, as tensors or data, and what is said of it. */
const wrong: [string, (x: Tensor, target: (data: number[] | number[][]) => never) => unknown, string][] = [
  ['crossEntropy', (x, target) => F.crossEntropy(x, target([0, 3])), '[0, 3) or -100 (ignoreIndex)'],
  ['nllLoss', (x, target) => F.nllLoss(x, target([0, 3]), { ignoreIndex: -1 }), '[0, 3) or -1 (ignoreIndex)'],
  ['multiMarginLoss', (x, target) => F.multiMarginLoss(x, target([0, 3])), '[0, 3)'],
  [
    'multilabelMarginLoss',
    (x, target) =>
      F.multilabelMarginLoss(
        x,
        target([
          [0, 3, -1],
          [0, -1, -1],
        ]),
      ),
    '[-1, 3)',
  ],
  [
    'linearCrossEntropy',
    (x, target) =>
      F.linearCrossEntropy(
        x,
        [
          [1, 2, 3],
          [0.5, 1, 2],
          [3, 1, 0],
        ],
        target([0, 3]),
      ),
    '[0, 3) or -100 (ignoreIndex)',
  ],
];
const asData = (data: unknown): never => data as never;
const onDevice = (data: unknown): never => tensor(data as number[], { dtype: 'int64', device }) as never;

describe.each(wrong)('%s with an index out of range', (op, call, range) => {
  const words = `${op}: expected 'target' to hold class indices in ${range}, but received 3 at index 1`;

  test('is refused before it reaches the device, where it is plain data', () => {
    for (let i = 0; i < 2; i++) {
      const x = scores();
      const kernels = fake.kernels(0);
      expect(refusal(() => call(x, asData))).toMatchObject({ code: 'INDEX', message: words, argument: 'target' });
      expect(fake.kernels(0)).toBe(kernels);
    }
  });

  test('is refused on the device, where values are looked at', () => {
    cuda.setValidateArgs(true);
    for (let i = 0; i < 3; i++) {
      expect(refusal(() => call(scores(), onDevice))).toMatchObject({
        code: 'INDEX',
        message: words,
        argument: 'target',
      });
    }
  });
});

test('what is in range passes where values are looked at, in every form', async () => {
  cuda.setValidateArgs(true);
  expect(cuda.getValidateArgs()).toBe(true);
  const [x, y] = [scores(), onDevice([0, -100])];
  const expected = F.crossEntropy(x.cpu(), [0, -100]).item();
  for (let i = 0; i < 2; i++) {
    expect(F.crossEntropy(x, y).item()).toBe(expected);
    expect(F.crossEntropy.item(x, y)).toBe(expected);
    expect(valueAndGrad(F.crossEntropy)(x, y).value.item()).toBe(expected);
    expect((await F.crossEntropy.async(x, y)).item()).toBe(expected);
  }
});

test('and what is not is refused in every form, also after others of the same shape have passed', async () => {
  cuda.setValidateArgs(true);
  const x = scores();
  const bad = onDevice([0, 3]);
  for (const call of [
    () => F.crossEntropy(x, bad),
    () => F.crossEntropy.item(x, bad),
    () => valueAndGrad(F.crossEntropy)(x, bad),
  ]) {
    expect(refusal(call)).toMatchObject({ code: 'INDEX', op: 'crossEntropy' });
  }
  await expect(F.crossEntropy.async(x, bad)).rejects.toMatchObject({ code: 'INDEX', op: 'crossEntropy' });
});

test('values that are not probabilities are refused on the device, where values are looked at', () => {
  cuda.setValidateArgs(true);
  const x = tensor([0.5, 1.5], { device });
  expect(refusal(() => F.binaryCrossEntropy(x, [0, 1])).message).toBe(
    "binaryCrossEntropy: expected 'input' to be probabilities in [0, 1], but received 1.5 at index 1",
  );
  expect(refusal(() => F.binaryCrossEntropy(tensor([0.5], { device }), [NaN])).message).toContain('NaN at index 0');
  expect(F.binaryCrossEntropy(tensor([0.5], { device }), [1]).item()).toBeCloseTo(Math.log(2));
});

test('nothing is looked at otherwise: the kernels say what they refuse', () => {
  const kernels = fake.kernels(0);
  const [x, y] = [scores(), onDevice([0, 1])];
  F.crossEntropy(x, y);
  const once = fake.kernels(0) - kernels;
  cuda.setValidateArgs(true);
  F.crossEntropy(x, y);
  expect(fake.kernels(0) - kernels).toBeGreaterThan(2 * once);
});

test('only a boolean says whether values are looked at', () => {
  expect(refusal(() => cuda.setValidateArgs(1 as never))).toMatchObject({ argument: 'value' });
});
