/** How an evaluator is used: what it takes, merging, states, background work and memory. */
import * as torch from '../../../lib';
import type { EvaluatorState } from '../../../lib/evaluate';
import { quietly } from '../../support/conditions';

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
      expect(evaluator.losses().numel()).toBe(0);
      expect(evaluator.update(...at(5, 90)).result()).toEqual(
        begun()
          .update(...at(5, 90))
          .result(),
      );
    });
  });

  test('a reset forgets the batches that are on their way', async () => {
    const { at } = make();
    const evaluator = begun();
    const first = evaluator.updateAsync(...at(0, 97));
    evaluator.reset();
    await Promise.all([first, evaluator.updateAsync(...at(5, 90))]);
    torch.scope(() => {
      expect(evaluator.result()).toEqual(
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
    const record = { ...options, onLosses: (losses: torch.Tensor) => inOrder.push(losses.numel()) };
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
    expect(inOrder.reduce((sum, count) => sum + count, 0)).toBe(evaluator.losses().numel());
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
