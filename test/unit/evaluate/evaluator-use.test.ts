/** How an evaluator is used: what it takes, merging, states, background work, memory, and what it refuses. */
import * as torch from '../../../lib';
import type { EvaluatorState } from '../../../lib/evaluate';
import { quietly } from '../../support/conditions';
import { refusal } from '../reference/support';

const { BatchEvaluator } = torch;
const { functional: F } = torch.nn;

quietly();

const rows = 150;

interface Rows {
  logits: torch.Tensor;
  labels: torch.Tensor;
  /** Some of them. */
  at(start: number, count: number): [torch.Tensor, torch.Tensor];
}

function classified(): Rows {
  torch.manualSeed(3);
  const logits = torch.randn([rows, 6]);
  const labels = torch.randint(0, 6, [rows]);
  return { logits, labels, at: (start, count) => [logits.narrow(0, start, count), labels.narrow(0, start, count)] };
}

function regressed(): Rows {
  torch.manualSeed(4);
  const [logits, labels] = [torch.randn([rows, 2]), torch.randn([rows, 2])];
  return { logits, labels, at: (start, count) => [logits.narrow(0, start, count), labels.narrow(0, start, count)] };
}

/** Numbers to the 12th place; they are added up in another order. */
function near(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? expect.closeTo(value, 12) : value;
  if (Array.isArray(value)) return value.map(near);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, near(own)]));
}

const throughJson = (state: EvaluatorState): EvaluatorState => JSON.parse(JSON.stringify(state));

describe('input', () => {
  test('tensors, nested and typed arrays, and what onnxruntime gives are the same', () => {
    torch.scope(() => {
      const { logits, labels } = classified();
      const expected = new BatchEvaluator(F.crossEntropy).update(logits, labels).result();
      const data = logits.toTypedArray<Float32Array>();
      const indices = labels.toTypedArray<BigInt64Array>();
      const nested = logits.toArray() as number[][];
      const forms: [torch.TensorData, torch.TensorData][] = [
        [nested, Array.from(indices, Number)],
        [nested, indices],
        [nested, Int32Array.from(indices, Number)],
        [
          { data, dims: [rows, 6] },
          { data: indices, dims: [rows] },
        ],
        [{ data, shape: [rows, 6] }, Uint8Array.from(indices, Number)],
      ];
      for (const [input, target] of forms) {
        expect(new BatchEvaluator(F.crossEntropy).update(input, target).result()).toEqual(expected);
      }
    });
  });

  test('rows of other shapes and dtypes than those that wait', async () => {
    for (const form of ['update', 'updateAsync'] as const) {
      const evaluator = new BatchEvaluator(F.l1Loss, { reduction: 'none' }, { details: true });
      await evaluator[form](Float32Array.of(1, 2), Float32Array.of(0, 0));
      await evaluator[form](torch.full([70, 2], 3), torch.zeros([70, 2]));
      await evaluator[form](torch.full([1, 2], 4, { dtype: 'float64' }), torch.zeros([1, 2], { dtype: 'float64' }));
      await evaluator[form]([[5, 5, 5]], [[0, 0, 0]]);
      expect(evaluator.result()).toMatchObject({ count: 147, sum: 1 + 2 + 140 * 3 + 2 * 4 + 3 * 5 });
      expect((evaluator.losses().toArray() as number[]).filter((loss, i, all) => loss !== all[i - 1])).toEqual([
        1, 2, 3, 4, 5,
      ]);
    }
  });

  test('one variance for all elements', () => {
    torch.scope(() => {
      const { logits, labels, at } = regressed();
      const evaluator = new BatchEvaluator(F.gaussianNllLoss, { reduction: 'none', full: true });
      for (let start = 0; start < rows; start += 50) evaluator.update(...at(start, 50), 2);
      const whole = F.gaussianNllLoss(logits, labels, 2, { reduction: 'none', full: true });
      expect(evaluator.losses().equal(whole.reshape([-1]))).toBe(true);
    });
  });

  test('numbers of elementwise losses', () => {
    const evaluator = new BatchEvaluator(F.mseLoss);
    evaluator.update(Float32Array.of(1, 2), Float32Array.of(0, 0)).update([3], [0]);
    expect(evaluator.result()).toMatchObject({ loss: 14 / 3, count: 3 });
  });

  test('single samples without a batch dimension', () => {
    torch.scope(() => {
      const { logits, labels } = classified();
      const batched = new BatchEvaluator(F.crossEntropy).update(logits, labels).result();
      const single = new BatchEvaluator(F.crossEntropy);
      for (let i = 0; i < rows; i++) single.update(logits.select(0, i), labels.select(0, i));
      expect(single.result()).toEqual(batched);

      const pairs = new BatchEvaluator(F.mseLoss);
      for (let i = 0; i < 70; i++) pairs.update(torch.tensor(i), torch.tensor(0));
      expect(pairs.result()).toMatchObject({ count: 70, sum: (69 * 70 * 139) / 6 });

      const [one, other] = [torch.randn([5]), torch.randn([5])];
      const similar = new BatchEvaluator(F.cosineEmbeddingLoss).update(one, other, torch.tensor(1));
      expect(similar.result().loss).toBe(F.cosineEmbeddingLoss(one, other, torch.tensor(1)).item());

      const logProbs = torch.randn([9, 5]).logSoftmax(1);
      const sequence = new BatchEvaluator(F.ctcLoss).update(logProbs, [1, 2], [9], [2]);
      expect(sequence.result().loss).toBeCloseTo(Number(F.ctcLoss(logProbs, [1, 2], [9], [2]).item()), 6);
    });
  });

  test.each(['float16', 'bfloat16'] as const)('%s: losses have its bits, and are summed in float64', (dtype) => {
    torch.scope(() => {
      for (const [loss, { logits, labels }] of [
        [F.crossEntropy, classified()],
        [F.mseLoss, regressed()],
      ] as const) {
        const [input, target] = [logits.to(dtype), loss === F.mseLoss ? labels.to(dtype) : labels];
        const whole = loss(input, target, { reduction: 'none' }).reshape([-1]);
        const evaluator = new BatchEvaluator(loss, { reduction: 'none' });
        for (let at = 0; at < rows; at += 40) {
          const count = Math.min(40, rows - at);
          evaluator.update(input.narrow(0, at, count), target.narrow(0, at, count));
        }
        const losses = evaluator.losses();
        expect(losses.dtype).toBe(dtype);
        expect(losses.equal(whole)).toBe(true);
        expect(evaluator.result().sum).toBeCloseTo(Number(whole.to('float64').sum().item()), 9);
      }
    });
  });

  test('generators, synchronous or not', async () => {
    const { at } = classified();
    const expected = new BatchEvaluator(F.crossEntropy).update(...at(0, rows)).result();
    function* batches() {
      for (let start = 0; start < rows; start += 50) yield at(start, 50);
    }
    async function* later() {
      for (const batch of batches()) {
        await new Promise(setImmediate);
        yield batch;
      }
    }
    for (const source of [batches(), later(), [...batches()]]) {
      const evaluator = await new BatchEvaluator(F.crossEntropy).updateFrom(source);
      expect(evaluator.result()).toEqual(near(expected));
    }
  });

  test('a generator that fails, fails the update, and what came before counts', async () => {
    const { at } = classified();
    async function* batches() {
      yield at(0, 10);
      throw new Error('the stream broke');
    }
    const evaluator = new BatchEvaluator(F.crossEntropy);
    await expect(evaluator.updateFrom(batches())).rejects.toThrow('the stream broke');
    expect(evaluator.result().count).toBe(10);
  });
});

describe.each([
  ['crossEntropy', F.crossEntropy, classified],
  ['mseLoss', F.mseLoss, regressed],
] as const)('%s', (_, loss, make) => {
  const options = { details: true, worst: 7, keepLosses: true };
  const begun = () => new BatchEvaluator(loss, {}, options);

  test('merged evaluators are one', () => {
    torch.scope(() => {
      const { at } = make();
      const expected = begun().update(...at(0, rows));
      const merged = begun().update(...at(0, 70));
      merged
        .merge(begun().update(...at(70, 50)))
        .merge(begun())
        .update(...at(120, 30));
      expect(merged.result()).toEqual(near(expected.result()));
      expect(merged.losses().allclose(expected.losses())).toBe(true);
    });
  });

  test('an evaluator made of a state goes on where the other was', () => {
    torch.scope(() => {
      const { at } = make();
      const groups = Array.from({ length: rows }, (_own, i) => i % 4);
      const own = { details: true, worst: 7 };
      const evaluator = new BatchEvaluator(loss, {}, own);
      evaluator.updateGroups(groups.slice(0, 90), ...at(0, 90));
      const state = throughJson(evaluator.state());
      const made = BatchEvaluator.fromState(state, loss, {}, own);
      expect(made.result()).toEqual(evaluator.result());
      expect(throughJson(made.state())).toEqual(state);
      for (const each of [evaluator, made]) each.updateGroups(groups.slice(90), ...at(90, 60));
      expect(made.result()).toEqual(near(evaluator.result()));
    });
  });

  test('states hold NaN and infinities', () => {
    torch.scope(() => {
      for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const { at } = make();
        const [input, target] = at(0, 100);
        const changed = input.clone();
        changed.narrow(0, 3, 1).fill_(odd);
        const evaluator = begun().update(changed, target);
        const made = BatchEvaluator.fromState(throughJson(evaluator.state()), loss, {}, options);
        expect(made.result()).toEqual(evaluator.result());
        expect(evaluator.result().loss).not.toBeLessThan(Number.POSITIVE_INFINITY);
      }
      const empty = BatchEvaluator.fromState(throughJson(begun().state()), loss, {}, options);
      expect(empty.result()).toEqual(begun().result());
    });
  });

  test('a reset evaluator is a new one', () => {
    torch.scope(() => {
      const { at } = make();
      const evaluator = begun()
        .update(...at(0, 97))
        .reset();
      expect(evaluator.result()).toEqual(begun().result());
      expect(evaluator.losses().numel).toBe(0);
      expect(evaluator.update(...at(5, 90)).result()).toEqual(
        begun()
          .update(...at(5, 90))
          .result(),
      );
    });
  });

  test('each loss comes once and in order, the last with flush', () => {
    torch.scope(() => {
      const { at, logits, labels } = make();
      const seen: number[] = [];
      const evaluator = new BatchEvaluator(
        loss,
        {},
        { onLosses: (losses) => seen.push(...(losses.toArray() as number[])) },
      );
      for (let start = 0; start < rows; start += 25) evaluator.update(...at(start, 25));
      const before = evaluator.flush().result();
      expect(seen).toEqual(loss(logits, labels, { reduction: 'none' }).reshape([-1]).toArray());
      expect(evaluator.flush().result()).toEqual(before);
      expect(() => evaluator.losses()).toThrow("expected option 'keepLosses' to be true");
    });
  });

  test('batches in the background are the same, several in flight', async () => {
    const { at } = make();
    const inOrder: number[] = [];
    const record = { ...options, onLosses: (losses: torch.Tensor) => inOrder.push(losses.numel) };
    const [evaluator, expected] = [new BatchEvaluator(loss, {}, record), begun()];
    const sizes = [60, 1, 70, 9, 10];
    const running: Promise<unknown>[] = [];
    sizes.reduce((start, size) => {
      expected.update(...at(start, size));
      running.push(evaluator.updateAsync(...at(start, size)));
      return start + size;
    }, 0);
    await Promise.all(running);
    expect(evaluator.result()).toEqual(expected.result());
    expect(evaluator.flush().losses().equal(expected.losses())).toBe(true);
    expect(inOrder.reduce((sum, count) => sum + count, 0)).toBe(evaluator.losses().numel);
  });

  test('scopes of the caller take nothing from it', () => {
    const { at } = make();
    const evaluator = begun();
    for (let start = 0; start < rows; start += 30) torch.scope(() => void evaluator.update(...at(start, 30)));
    torch.scope(() => {
      const expected = begun().update(...at(0, rows));
      expect(evaluator.result()).toEqual(near(expected.result()));
      expect(evaluator.losses().equal(expected.losses())).toBe(true);
    });
  });
});

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
      'groups that are no integers',
      () => new BatchEvaluator(F.crossEntropy).updateGroups([1, 0.5], logits, [0, 1]),
      code,
      '0.5 at index 1',
    ],
    [
      'losses that were not kept',
      () => new BatchEvaluator(F.mseLoss).losses(),
      code,
      "expected option 'keepLosses' to be true, for each loss to be there, but received false",
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
      () => BatchEvaluator.fromState({ ...new BatchEvaluator(F.l1Loss).state(), version: 2 as never }, F.l1Loss),
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
      () => BatchEvaluator.fromState({ version: 1, loss: 'mseLoss', tally: {} }, F.mseLoss),
      code,
      "'state'",
    ],
    [
      'a state without its sums',
      () => BatchEvaluator.fromState({ version: 1, loss: 'mseLoss' } as never, F.mseLoss),
      code,
      "'state'",
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
