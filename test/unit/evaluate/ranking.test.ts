/** That the fast way to predictions and ranks says what argmax and comparisons of the scores say. */
import * as torch from '../../../lib';
import { argmaxOf, rank } from '../../../lib/evaluate/ranking';
import { quietly } from '../../support/conditions';

const { BatchEvaluator } = torch;
const { functional: F } = torch.nn;

quietly();

const numbersOf = (tensor: torch.Tensor): number[] => Array.from(tensor.to('float64').toTypedArray() as Float64Array);

/** Scores of few values, so that many are equal. */
function tied(rows: number, classes: number, dtype: torch.DType): torch.Tensor {
  return torch.randint(-4, 4, [rows, classes]).to(dtype);
}

describe.each<[string, number, number]>([
  ['a few rows', 7, 5],
  ['more classes than float16 counts', 5, 5000],
  ['rows that are cut', 3000, 700],
])('%s', (_, rows, classes) => {
  test.each<torch.DType>(['float64', 'float32', 'float16', 'bfloat16'])('of %s', (dtype) => {
    torch.scope(() => {
      torch.manualSeed(3);
      const labels = torch.randint(0, classes, [rows]);
      for (const scores of [torch.randn([rows, classes]).to(dtype), tied(rows, classes, dtype)]) {
        const found = rank(scores, labels);
        const own = scores.gather(1, labels.unsqueeze(1));
        expect(numbersOf(found.predicted)).toEqual(numbersOf(scores.argmax(1)));
        expect(numbersOf(found.ranks)).toEqual(numbersOf(scores.gt(own).sum(1)));
        expect(numbersOf(found.best)).toEqual(numbersOf(scores.amax(1)));
        expect(numbersOf(found.own)).toEqual(numbersOf(own));
      }
    });
  });
});

test('a row with NaN has no prediction of its own', () => {
  torch.scope(() => {
    const scores = torch.tensor([
      [1, Number.NaN, 2, Number.NaN],
      [1, 2, 3, 0],
    ]);
    expect(numbersOf(rank(scores, torch.tensor([0, 0], { dtype: 'int64' })).predicted)).toEqual([4, 2]);
    expect(numbersOf(argmaxOf(scores, [0, 1]))).toEqual([1, 2]);
  });
});

test('the evaluator predicts the first NaN, as argmax does', () => {
  torch.scope(() => {
    torch.manualSeed(5);
    const [rows, classes] = [40, 6];
    const scores = torch.randn([rows, classes]).toTypedArray() as Float32Array;
    for (let i = 0; i < scores.length; i += 11) scores[i] = Number.NaN;
    const input = torch.tensor(scores, { shape: [rows, classes] });
    const labels = torch.randint(0, classes, [rows]);
    const evaluator = new BatchEvaluator(F.crossEntropy, {}, { details: true, worst: rows });
    const { worst = [], classification, nan } = evaluator.update(input, labels).result();
    const predicted = numbersOf(input.argmax(1));
    expect(nan).toBeGreaterThan(10);
    expect(worst).toHaveLength(rows);
    for (const sample of worst) expect(sample.predicted).toBe(predicted[sample.index]);
    expect(classification?.accuracy).toBe(Number(input.argmax(1).eq(labels).to('float64').mean().item()));
  });
});
