/** Losses are called as in Python: the first options by position, all of them by name, a module like its function. */
import * as torch from 'libtorch-losses';
import { refusal } from '../torch/support';
import type { AnyClass, AnyLoss } from './support';

const { nn, tensor } = torch;
const F = nn.functional;

describe('classes and probabilities', () => {
  const scores = tensor([
    [1, 2, 0.5],
    [0.1, 0.2, 0.3],
  ]);
  const logs = scores.logSoftmax(1);
  const chances = scores.sigmoid();
  const outcomes = tensor([
    [0, 1, 1],
    [1, 0, 0.5],
  ]);
  const weight = tensor([0.5, 2, 1]);
  const losses = [
    ['crossEntropy', F.crossEntropy, nn.CrossEntropyLoss, [scores, [0, 2]], { labelSmoothing: 0.1 }],
    ['nllLoss', F.nllLoss, nn.NLLLoss, [logs, [0, 2]], { ignoreIndex: 2 }],
    ['binaryCrossEntropy', F.binaryCrossEntropy, nn.BCELoss, [chances, outcomes], { reduction: 'sum' }],
    [
      'binaryCrossEntropyWithLogits',
      F.binaryCrossEntropyWithLogits,
      nn.BCEWithLogitsLoss,
      [scores, outcomes],
      { posWeight: [1, 2, 3] },
    ],
  ] as unknown as [name: string, loss: AnyLoss, made: AnyClass, inputs: unknown[], more: object][];

  test.each(losses)('%s takes its weight by position and by name', (_name, loss, _made, inputs, more) => {
    const weighted = loss(...inputs, { weight }).item();
    expect(weighted).not.toBe(loss(...inputs).item());
    expect(loss(...inputs, weight).item()).toBe(weighted);
    expect(loss(...inputs, weight, null).item()).toBe(weighted);
    expect(loss(...inputs, [0.5, 2, 1]).item()).toBe(weighted);
    const both = loss(...inputs, { weight, ...more }).item();
    expect(both).not.toBe(weighted);
    expect(loss(...inputs, weight, more).item()).toBe(both);
    expect(loss(...inputs, null, more).item()).toBe(loss(...inputs, more).item());
  });

  test.each(losses)('%s: its other forms are called like it', async (_name, loss, _made, inputs, more) => {
    const expected = loss(...inputs, { weight, ...more }).item();
    const args = [...inputs, weight, more];
    expect(loss.item(...args)).toBe(expected);
    expect(loss.out(new Float32Array(1), ...args)[0]).toBe(expected);
    expect((await loss.async(...args)).item()).toBe(expected);
    expect(
      torch
        .valueAndGrad(loss)(...args)
        .value.item(),
    ).toBe(expected);
  });

  test.each(losses)('%s: its class is called like it', (_name, loss, made, inputs, more) => {
    const expected = loss(...inputs, { weight, ...more });
    for (const module of [new made(weight, more), new made({ weight, ...more })]) {
      expect(module(...inputs).equal(expected)).toBe(true);
      expect(module.forward(...inputs).equal(expected)).toBe(true);
    }
    expect(new made()(...inputs).equal(loss(...inputs))).toBe(true);
  });

  test.each(losses)('%s refuses a weight that is given twice, and more by position', (name, loss, made, inputs) => {
    const wrong = [
      [[weight, { weight }], 'weight'],
      [[null, { weight }], 'weight'],
      [[weight, 'sum'], 'options'],
      [[weight, { reduction: 'sum' }, {}], 'options'],
      [[weight, null, {}], 'options'],
    ] as const;
    for (const [args, argument] of wrong) {
      expect(refusal(() => loss(...inputs, ...args))).toMatchObject({ code: 'INVALID_ARGUMENT', op: name, argument });
      expect(refusal(() => new made(...args))).toMatchObject({ code: 'INVALID_ARGUMENT', op: made.name, argument });
    }
  });
});
