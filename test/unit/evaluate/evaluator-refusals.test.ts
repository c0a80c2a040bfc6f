/** What evaluators refuse, with which words, and that what is refused counts for nothing. */
import * as torch from '../../../lib';
import { quietly } from '../../support/conditions';
import { refusal } from '../reference/support';

const { BatchEvaluator } = torch;
const { functional: F } = torch.nn;

quietly();

describe('refusals', () => {
  const logits = [
    [1, 2, 3],
    [3, 2, 1],
  ];
  const code = 'INVALID_ARGUMENT';

  test.each<[string, () => unknown, string, string]>([
    [
      'no loss',
      () => new BatchEvaluator(Math.max as never),
      code,
      "BatchEvaluator: expected 'loss' to be a loss of nn.functional, but received ",
    ],
    [
      'another function of nn.functional',
      () => new BatchEvaluator(F.softmax as never),
      code,
      "expected 'loss' to be a loss",
    ],
    [
      'an unknown option',
      () => new BatchEvaluator(F.mseLoss, {}, { detail: true } as never),
      'UNKNOWN_OPTION',
      'details',
    ],
    [
      'an unknown reduction',
      () => new BatchEvaluator(F.mseLoss, { reduction: 'batchmean' as never }),
      code,
      "'reduction'",
    ],
    ['fewer than no worst samples', () => new BatchEvaluator(F.mseLoss, {}, { worst: -1 }), code, 'to be 0 or greater'],
    [
      'details that are neither true nor false',
      () => new BatchEvaluator(F.mseLoss, {}, { details: 1 as never }),
      code,
      "expected option 'details' to be true or false, but received 1",
    ],
    ['losses for no function', () => new BatchEvaluator(F.mseLoss, {}, { onLosses: 1 as never }), code, "'onLosses'"],
    ['half a worst sample', () => new BatchEvaluator(F.mseLoss, {}, { worst: 1.5 }), code, "'worst'"],
    [
      'an argument too few',
      () => new BatchEvaluator(F.crossEntropy).update(...([logits] as unknown as [number[][], number[]])),
      code,
      'to be given input, target, but received 1 arguments',
    ],
    [
      'rows that differ',
      () => new BatchEvaluator(F.crossEntropy).update(logits, [0]),
      code,
      "expected 'target' to have 2 rows, as 'input' has, but received 1 of shape [1]",
    ],
    [
      'a label out of range',
      () => new BatchEvaluator(F.crossEntropy).update(logits, [0, 1]).update(logits, [0, 3]),
      'INDEX',
      "'target' to hold class indices in [0, 3) or -100 (ignoreIndex), but received 3 at index 3",
    ],
    [
      'a negative label',
      () => new BatchEvaluator(F.nllLoss, { ignoreIndex: 1 }).update(logits, [-1, 3]),
      'INDEX',
      'or 1 (ignoreIndex), but received -1 at index 0',
    ],
    [
      'groups of another length',
      () => new BatchEvaluator(F.crossEntropy).updateGroups([1, 2, 3], logits, [0, 1]),
      code,
      "expected 'groups' to hold 2 integers, one a sample, but received 3 elements",
    ],
    [
      'groups that are not integers',
      () => new BatchEvaluator(F.crossEntropy).updateGroups([1, 0.5], logits, [0, 1]),
      code,
      '0.5 at index 1',
    ],
    [
      'losses that were not kept',
      () => new BatchEvaluator(F.mseLoss).losses(),
      code,
      "expected option 'keepLosses' to be true to keep each loss, but received false",
    ],
    [
      'an evaluator of another loss',
      () => new BatchEvaluator<never>(F.mseLoss as never).merge(new BatchEvaluator<never>(F.l1Loss as never)),
      code,
      "expected 'other' to be an evaluator of mseLoss, but received one of l1Loss",
    ],
    [
      'no evaluator',
      () => new BatchEvaluator(F.mseLoss).merge({} as never),
      code,
      "expected 'other' to be an evaluator of mseLoss",
    ],
    [
      'an evaluator without details',
      () => new BatchEvaluator(F.mseLoss, {}, { details: true }).merge(new BatchEvaluator(F.mseLoss)),
      code,
      'to have details',
    ],
    [
      'an evaluator without losses',
      () => new BatchEvaluator(F.mseLoss, { reduction: 'none' }).merge(new BatchEvaluator(F.mseLoss)),
      code,
      'to have kept its losses',
    ],
    [
      'the state of another loss',
      () => BatchEvaluator.fromState(new BatchEvaluator(F.l1Loss).state(), F.mseLoss),
      code,
      'expected \'state\' to be one of mseLoss, but received "l1Loss"',
    ],
    [
      'the state of another version',
      () => BatchEvaluator.fromState({ ...new BatchEvaluator(F.l1Loss).state(), version: 1 as never }, F.l1Loss),
      code,
      "expected 'state' to be one of l1Loss",
    ],
    [
      'no state',
      () => BatchEvaluator.fromState(null as never, F.mseLoss),
      code,
      "expected 'state' to be one of mseLoss, but received null",
    ],
    [
      'a damaged state',
      () => BatchEvaluator.fromState({ version: 2, loss: 'mseLoss', options: {}, tally: {} }, F.mseLoss),
      code,
      "'state'",
    ],
    [
      'a state without its sums',
      () => BatchEvaluator.fromState({ version: 2, loss: 'mseLoss', options: {} } as never, F.mseLoss),
      code,
      "'state'",
    ],
    [
      'the state of another option',
      () => BatchEvaluator.fromState(new BatchEvaluator(F.huberLoss, { delta: 2 }).state(), F.huberLoss, { delta: 3 }),
      code,
      "expected 'state' to be of option 'delta' 3, but received 2",
    ],
    [
      'an evaluator of another option',
      () => new BatchEvaluator(F.huberLoss, { delta: 2 }).merge(new BatchEvaluator(F.huberLoss)),
      code,
      "expected 'other' to be of option 'delta' 2, but received undefined",
    ],
    [
      'a state without details',
      () => BatchEvaluator.fromState(new BatchEvaluator(F.mseLoss).state(), F.mseLoss, {}, { details: true }),
      code,
      'to have details',
    ],
  ])('%s', (_, call, expectedCode, phrase) => {
    const error = torch.scope(() => refusal(call));
    expect(error.message).toContain(phrase);
    expect(error.message).toMatch(/^BatchEvaluator: /);
    expect(error.code).toBe(expectedCode);
  });

  test('unknown options of the loss', () => {
    const evaluator = new BatchEvaluator(F.crossEntropy, { labelsmoothing: 0.1 } as never);
    expect(refusal(() => evaluator.update(logits, [0, 1]))).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });

  test.each<[string, unknown, 'mean', (e: InstanceType<typeof BatchEvaluator>) => unknown]>([
    ['a label', F.crossEntropy, 'mean', (evaluator) => evaluator.update(logits, [0, 7])],
    ['rows', F.crossEntropy, 'mean', (evaluator) => evaluator.update(logits, [0])],
    ['groups', F.crossEntropy, 'mean', (evaluator) => evaluator.updateGroups([1], logits, [0, 1])],
  ])('a batch that is refused for its %s counts for nothing', (_, loss, reduction, call) => {
    torch.scope(() => {
      const evaluator = new BatchEvaluator(
        loss as typeof F.crossEntropy,
        { reduction },
        { details: true, keepLosses: true },
      );
      evaluator.update(logits, [0, 1]);
      const [before, losses] = [evaluator.result(), evaluator.losses()];
      expect(() => call(evaluator as never)).toThrow(torch.TorchError);
      expect(evaluator.result()).toEqual(before);
      expect(evaluator.losses().equal(losses)).toBe(true);
    });
  });

  test('a batch that the kernel refuses counts for nothing either, nor do rows that wait', () => {
    torch.scope(() => {
      const evaluator = new BatchEvaluator(F.binaryCrossEntropy, {}, { keepLosses: true });
      evaluator.update(torch.full([100], 0.5), torch.ones([100]));
      const [before, losses] = [evaluator.result(), evaluator.losses()];
      expect(() => evaluator.update(torch.full([90], 2), torch.ones([90]))).toThrow();
      expect(evaluator.result()).toEqual(before);
      expect(evaluator.losses().equal(losses)).toBe(true);
    });
  });

  test('a batch that fails in the background makes the result an error, until reset', async () => {
    const evaluator = new BatchEvaluator(F.crossEntropy);
    await expect(evaluator.updateAsync(logits, [0, 9])).rejects.toThrow('received 9 at index 1');
    expect(evaluator.result().count).toBe(0);
    const weighted = new BatchEvaluator(F.binaryCrossEntropy);
    await expect(weighted.updateAsync(torch.full([90], 2), torch.ones([90]))).rejects.toThrow();
    expect(() => weighted.result()).toThrow();
    expect(weighted.reset().result().count).toBe(0);
  });
});
