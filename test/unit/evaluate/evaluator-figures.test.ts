/** What an evaluator finds beside the loss: predictions, groups, details; against straightforward computations. */
import * as torch from '../../../lib';
import type { EvaluationResult } from '../../../lib/evaluate';
import { feed, inBatches } from '../../support/batches';
import { quietly } from '../../support/conditions';

const { BatchEvaluator } = torch;
const { functional: F } = torch.nn;

quietly();

const rows = 143;
const classes = 12;

interface Data {
  logits: torch.Tensor;
  labels: torch.Tensor;
  scores: number[][];
  targets: number[];
}

function data(ignored = -100): Data {
  torch.manualSeed(7);
  const logits = torch.randn([rows, classes], { dtype: 'float64' }).mul(2);
  const drawn = torch.randint(0, classes, [rows]);
  const labels = torch.where(torch.rand([rows]).lt(0.1), torch.full([rows], ignored, { dtype: 'int64' }), drawn);
  const targets = Array.from(labels.toTypedArray<BigInt64Array>(), Number);
  return { logits, labels, scores: logits.toArray() as number[][], targets };
}

function evaluate({ logits, labels }: Data, options: object = {}, own: object = {}, sizes = [37, 100, 1]) {
  const evaluated = { args: [logits, labels], description: described(F.crossEntropy) };
  const evaluator = new BatchEvaluator(F.crossEntropy, options, own);
  return feed(evaluator as never, inBatches(evaluated as never, sizes) as never) as typeof evaluator;
}

function described(loss: typeof F.crossEntropy) {
  return { loss, arguments: ['input', 'target'], constant: [], batchDim: {} };
}

function softmax(row: readonly number[]): number[] {
  const most = Math.max(...row);
  const powers = row.map((score) => Math.exp(score - most));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const bestOf = (row: readonly number[]): number => row.indexOf(Math.max(...row));

/** The samples that count: probabilities, target and prediction. */
function counted({ scores, targets }: Data, ignored = -100) {
  return scores
    .map((row, i) => ({ i, row: softmax(row), target: targets[i] as number, predicted: bestOf(row) }))
    .filter(({ target }) => target !== ignored);
}

/** `|accuracy - confidence|` by bins of the confidence, weighted by their samples. */
function expectedCalibrationError(samples: ReturnType<typeof counted>): number {
  let error = 0;
  for (let bin = 0; bin < 15; bin++) {
    const own = samples.filter(({ row }) => Math.max(...row) > bin / 15 && Math.max(...row) <= (bin + 1) / 15);
    if (own.length === 0) continue;
    const confidence = mean(own.map(({ row }) => Math.max(...row)));
    const accuracy = mean(own.map(({ target, predicted }) => (target === predicted ? 1 : 0)));
    error += (own.length / samples.length) * Math.abs(confidence - accuracy);
  }
  return error;
}

describe('predictions', () => {
  test.each([
    ['plain', {}, -100],
    ['weighted and smoothed', { labelSmoothing: 0.3, weight: Array.from({ length: classes }, (_, i) => i + 1) }, -100],
    ['with a class that is ignored', { ignoreIndex: 4 }, 4],
  ] as const)('are judged as one does it by hand: %s', (_, options, ignored) => {
    torch.scope(() => {
      const all = data(ignored);
      const samples = counted(all, ignored);
      const { classification, count, ignored: left } = evaluate(all, options).result();
      expect([count, left]).toEqual([samples.length, rows - samples.length]);
      const hits = samples.map(({ target, predicted }) => (target === predicted ? 1 : 0));
      const top5 = samples.map(({ row, target }) => {
        return row.filter((probability) => probability > (row[target] as number)).length < 5 ? 1 : 0;
      });
      expect(classification?.accuracy).toBeCloseTo(mean(hits), 12);
      expect(classification?.top5).toBeCloseTo(mean(top5), 12);
      const nll = mean(samples.map(({ row, target }) => -Math.log(row[target] as number)));
      expect(classification?.perplexity).toBeCloseTo(Math.exp(nll), 9);
      expect(classification?.calibrationError).toBeCloseTo(expectedCalibrationError(samples), 12);
    });
  });

  test('the loss, the accuracy and the count of each class', () => {
    torch.scope(() => {
      const all = data();
      const losses = F.crossEntropy(all.logits, all.labels, { reduction: 'none' }).toArray() as number[];
      const { classification } = evaluate(all).result();
      expect(classification?.classes).toHaveLength(classes);
      for (const found of classification?.classes ?? []) {
        const own = counted(all).filter(({ target }) => target === found.class);
        expect(found.count).toBe(own.length);
        expect(found.loss).toBeCloseTo(mean(own.map(({ i }) => losses[i] as number)), 12);
        expect(found.accuracy).toBeCloseTo(mean(own.map(({ predicted }) => (predicted === found.class ? 1 : 0))), 12);
      }
    });
  });

  test('bins of calibration hold every sample, in (low, high]', () => {
    const { classification, count } = torch.scope(() => evaluate(data()).result());
    const bins = classification?.calibration ?? [];
    expect(bins).toHaveLength(15);
    expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(count);
    for (const { low, high, count: own, confidence } of bins) {
      if (own > 0) expect(confidence > low && confidence <= high).toBe(true);
      else expect(confidence).toBeNaN();
    }
  });

  test('of places in samples are those of rows that the places are', () => {
    torch.scope(() => {
      const { logits, labels } = data();
      const places = { logits: logits.narrow(0, 0, 140).reshape([28, 5, classes]), labels: labels.narrow(0, 0, 140) };
      const flat = new BatchEvaluator(F.crossEntropy).update(logits.narrow(0, 0, 140), places.labels).result();
      const evaluator = new BatchEvaluator(F.crossEntropy);
      evaluator.update(places.logits.transpose(1, 2), places.labels.reshape([28, 5]));
      const result = evaluator.result();
      expect(result.classification?.classes.map(({ count }) => count)).toEqual(
        flat.classification?.classes.map(({ count }) => count),
      );
      expect(result.classification?.accuracy).toBe(flat.classification?.accuracy);
      expect(result.classification?.calibrationError).toBeCloseTo(flat.classification?.calibrationError as number, 12);
      expect(result.loss).toBeCloseTo(flat.loss, 12);
    });
  });

  test('of log-probabilities are those of the logits', () => {
    torch.scope(() => {
      const { logits, labels } = data();
      const { classification } = new BatchEvaluator(F.nllLoss).update(logits.logSoftmax(1), labels).result();
      const own = new BatchEvaluator(F.crossEntropy).update(logits, labels).result().classification;
      expect(classification?.accuracy).toBe(own?.accuracy);
      expect(classification?.perplexity).toBeCloseTo(own?.perplexity as number, 9);
      expect(classification?.calibrationError).toBeCloseTo(own?.calibrationError as number, 9);
    });
  });

  test('are absent where nobody asked, for probabilities and for other losses', () => {
    torch.scope(() => {
      const { logits, labels } = data();
      const results = [
        new BatchEvaluator(F.crossEntropy, {}, { predictions: false }).update(logits, labels),
        new BatchEvaluator(F.crossEntropy).update(logits, logits.softmax(1)),
        new BatchEvaluator(F.mseLoss).update(logits, logits),
      ].map((evaluator) => evaluator.result());
      for (const result of results) expect(result).not.toHaveProperty('classification');
    });
  });

  test('of logits of 16 bits are those of the same numbers in float64, as near as 16 bits are', () => {
    torch.scope(() => {
      for (const [dtype, places] of [
        ['float16', 2],
        ['bfloat16', 1],
      ] as const) {
        const { logits, labels } = data();
        const rounded = logits.to(dtype);
        const result = new BatchEvaluator(F.crossEntropy).update(rounded, labels).result();
        const exact = new BatchEvaluator(F.crossEntropy).update(rounded.to('float64'), labels).result();
        expect(result.classification?.accuracy).toBe(exact.classification?.accuracy);
        expect(result.classification?.top5).toBe(exact.classification?.top5);
        expect(result.loss).toBeCloseTo(exact.loss, places);
      }
    });
  });
});

describe('groups', () => {
  test('have the mean of their samples’ losses', () => {
    torch.scope(() => {
      const all = data();
      const groups = Array.from({ length: rows }, (_, i) => [3, -1, 8][i % 3] as number);
      const evaluator = new BatchEvaluator(F.crossEntropy);
      for (const [at, count] of [
        [0, 40],
        [40, 103],
      ] as const) {
        const batch = [all.logits, all.labels].map((tensor) => tensor.narrow(0, at, count)) as [
          torch.Tensor,
          torch.Tensor,
        ];
        evaluator.updateGroups(groups.slice(at, at + count), ...batch);
      }
      const losses = F.crossEntropy(all.logits, all.labels, { reduction: 'none' }).toArray() as number[];
      const result = evaluator.result().groups ?? [];
      expect(result.map(({ group }) => group)).toEqual([-1, 3, 8]);
      for (const { group, count, loss } of result) {
        const own = counted(all).filter(({ i }) => groups[i] === group);
        expect(count).toBe(own.length);
        expect(loss).toBeCloseTo(mean(own.map(({ i }) => losses[i] as number)), 12);
      }
    });
  });

  test('of elementwise losses count elements, also of rows that wait for others', () => {
    torch.scope(() => {
      const [input, target] = [
        torch.randn([rows, 3], { dtype: 'float64' }),
        torch.randn([rows, 3], { dtype: 'float64' }),
      ];
      const groups = Array.from({ length: rows }, (_, i) => i % 2);
      const losses = F.mseLoss(input, target, { reduction: 'none' }).toArray() as number[][];
      for (const size of [1, 5, 143]) {
        const evaluator = new BatchEvaluator(F.mseLoss);
        for (let at = 0; at < rows; at += size) {
          const count = Math.min(size, rows - at);
          evaluator.updateGroups(groups.slice(at, at + count), input.narrow(0, at, count), target.narrow(0, at, count));
        }
        const result = evaluator.result().groups ?? [];
        expect(result.map(({ group, count }) => [group, count])).toEqual([
          [0, 216],
          [1, 213],
        ]);
        for (const { group, loss } of result) {
          expect(loss).toBeCloseTo(mean(losses.filter((_, i) => i % 2 === group).flat()), 12);
        }
      }
    });
  });

  test('of some batches only count the rows of these', () => {
    torch.scope(() => {
      const input = torch.arange(0, 10, { dtype: 'float32' });
      const zeros = torch.zeros([10]);
      const half = (tensor: torch.Tensor, i: number): torch.Tensor => tensor.narrow(0, 5 * i, 5);
      const first = new BatchEvaluator(F.l1Loss)
        .updateGroups([1, 1, 1, 1, 1], half(input, 0), half(zeros, 0))
        .update(half(input, 1), half(zeros, 1));
      expect(first.result().groups).toEqual([{ group: 1, count: 5, loss: 2 }]);
      const second = new BatchEvaluator(F.l1Loss)
        .update(half(input, 0), half(zeros, 0))
        .updateGroups([2, 2, 2, 2, 2], half(input, 1), half(zeros, 1));
      expect(second.result().groups).toEqual([{ group: 2, count: 5, loss: 7 }]);
    });
  });
});

describe('details', () => {
  test('the worst are the worst, wherever they are, with target and prediction', () => {
    torch.scope(() => {
      const all = data();
      const losses = F.crossEntropy(all.logits, all.labels, { reduction: 'none' }).toArray() as number[];
      const expected = counted(all).sort((a, b) => (losses[b.i] as number) - (losses[a.i] as number));
      const result = evaluate(all, {}, { details: true, worst: 9 }).result();
      expect(result.worst).toHaveLength(9);
      result.worst?.forEach((sample, i) => {
        const { i: index, target, predicted } = expected[i] as (typeof expected)[0];
        expect(sample).toEqual({ index, target, predicted, loss: expect.closeTo(losses[index] as number, 12) });
      });
    });
  });

  test('the histogram counts every loss, within its bounds', () => {
    torch.scope(() => {
      const result = evaluate(data(), {}, { details: true }).result();
      const bins = result.histogram ?? [];
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(result.count);
      bins.forEach(({ low, high }, i) => {
        expect(low).toBeLessThan(high);
        if (i > 0) expect(low).toBeCloseTo(bins[i - 1]?.high as number, 12);
      });
    });
  });

  test('NaN is worst, infinities follow, and neither is in the histogram', () => {
    torch.scope(() => {
      const input = torch.tensor([1, Number.NaN, 3, Number.POSITIVE_INFINITY, 2, Number.NaN], { dtype: 'float32' });
      const evaluator = new BatchEvaluator(F.l1Loss, {}, { details: true });
      for (let i = 0; i < 6; i += 2) evaluator.update(input.narrow(0, i, 2), torch.zeros([2]));
      const result = evaluator.result();
      expect(result).toMatchObject({ loss: Number.NaN, count: 6, nan: 2 });
      expect(worstOf(result)).toEqual([1, 5, 3, 2, 4, 0]);
      expect(result.histogram?.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    });
  });

  test('equal losses have one bin, and the first ones are the worst', () => {
    torch.scope(() => {
      const evaluator = new BatchEvaluator(F.l1Loss, {}, { details: true, worst: 3 });
      evaluator.update(torch.full([70], 2.5), torch.zeros([70]));
      const result = evaluator.result();
      expect(result.histogram).toEqual([{ low: 2.5, high: 2.5, count: 70 }]);
      expect(worstOf(result)).toEqual([0, 1, 2]);
    });
  });
});

describe('losses that are not numbers', () => {
  test('count as NaN with and without details, in the sums too', () => {
    torch.scope(() => {
      for (const details of [false, true]) {
        const input = torch.zeros([200, 2]);
        input.narrow(0, 150, 1).fill_(Number.NaN);
        const evaluator = new BatchEvaluator(F.mseLoss, {}, { details });
        for (let at = 0; at < 200; at += 40) evaluator.update(input.narrow(0, at, 40), torch.zeros([40, 2]));
        expect(evaluator.result()).toMatchObject({ loss: Number.NaN, sum: Number.NaN, count: 400, nan: 2 });
      }
    });
  });

  test('infinities stay infinite', () => {
    torch.scope(() => {
      const logits = torch.tensor(
        [
          [0, 0],
          [0, Number.NEGATIVE_INFINITY],
        ],
        { dtype: 'float32' },
      );
      const result = new BatchEvaluator(F.crossEntropy).update(logits, [0, 1]).result();
      expect(result).toMatchObject({ loss: Number.POSITIVE_INFINITY, sum: Number.POSITIVE_INFINITY, nan: 0, count: 2 });
      expect(result.classification).toMatchObject({ accuracy: 0.5, perplexity: Number.POSITIVE_INFINITY });
    });
  });

  test('a label whose score is -Infinity still has a prediction with a confidence', () => {
    torch.scope(() => {
      const logits = torch.tensor([[2, 0, Number.NEGATIVE_INFINITY]], { dtype: 'float64' });
      const { classification } = new BatchEvaluator(F.crossEntropy).update(logits, [2]).result();
      const confidence = Math.exp(2) / (Math.exp(2) + 1);
      expect(classification?.calibrationError).toBeCloseTo(confidence, 12);
    });
  });

  test('ignored samples may hold anything', () => {
    torch.scope(() => {
      const logits = torch.tensor(
        [
          [1, 2],
          [Number.NaN, 0],
        ],
        { dtype: 'float64' },
      );
      const result = new BatchEvaluator(F.crossEntropy, {}, { details: true }).update(logits, [1, -100]).result();
      expect(result).toMatchObject({
        loss: expect.closeTo(Math.log(1 + Math.exp(-1)), 12),
        nan: 0,
        count: 1,
        ignored: 1,
      });
      expect(worstOf(result)).toEqual([0]);
    });
  });
});

function worstOf({ worst = [] }: EvaluationResult): number[] {
  return worst.map(({ index }) => index);
}
