/** A loss that is declared in one place has everything that a loss has. */
import * as torch from 'libtorch-losses';
import type { TensorLike } from '../../../lib/nn/losses/arguments';
import { lossClass } from '../../../lib/nn/losses/class';
import { declareLoss, type Loss } from '../../../lib/nn/losses/declare';
import { numberOr, reduction, sum, tensor } from '../../../lib/nn/losses/option';
import { aten } from '../../../lib/torch/ops';
import type { Reduction } from '../../../lib/types';
import { refusal } from '../torch/support';

interface FocalOptions {
  gamma?: number | undefined;
  reduction?: Reduction | undefined;
}

/** `l = (1 - p)^gamma * -ln p` of the probability p of the outcome. */
const focalLoss: Loss<[input: TensorLike, target: TensorLike], FocalOptions, ['gamma']> = declareLoss({
  name: 'focalLoss',
  arguments: { input: tensor, target: tensor },
  options: { gamma: numberOr(2), reduction },
  positional: ['gamma'],
  compute({ input, target, gamma, reduction: code }) {
    const p = aten.abs(aten.sub.Tensor(aten.sigmoid(input), aten.rsub.Scalar(target, 1)));
    const losses = aten.mul.Tensor(aten.pow.Tensor_Scalar(aten.rsub.Scalar(p, 1), gamma), aten.neg(aten.log(p)));
    if (code === 0) return losses;
    return code === sum ? aten.sum(losses) : aten.mean(losses);
  },
  evaluation: { lossesOf: 'elements' },
});

class FocalLoss extends lossClass(focalLoss, 'FocalLoss', ['gamma', 'reduction'], ['gamma']) {}

const [x, y] = [torch.tensor([0.5, -1, 2]), torch.tensor([1, 0, 0])];
/** By hand, in float64. */
const expected = [0.5, -1, 2].map((score, i) => {
  const p = 1 / (1 + Math.exp(i === 0 ? -score : score));
  return (1 - p) ** 3 * -Math.log(p);
});
const total = expected.reduce((a, b) => a + b);

test('the function, by position and by name, and its forms', async () => {
  expect(focalLoss.name).toBe('focalLoss');
  expect(focalLoss(x, y, 3, { reduction: 'none' }).toArray()).toEqual(expected.map((loss) => expect.closeTo(loss, 5)));
  expect(focalLoss(x, y, { gamma: 3, reduction: 'sum' }).item()).toBeCloseTo(total, 5);
  expect(focalLoss.item(x, y, 3)).toBeCloseTo(total / 3, 6);
  expect((await focalLoss.async(x, y, 3)).item()).toBeCloseTo(total / 3, 6);
  expect(Array.from(focalLoss.out(new Float32Array(3), x, y, 3, { reduction: 'none' }))).toEqual(
    expected.map((loss) => expect.closeTo(loss, 5)),
  );
  expect(refusal(() => focalLoss(x, y, { gama: 1 } as never)).message).toContain("did you mean 'gamma'?");
});

test('its gradient, its class and its evaluation', () => {
  const leaf = x.clone().requiresGrad_();
  focalLoss(leaf, y, 3).backward();
  expect(torch.valueAndGrad(focalLoss)(x, y, 3).grad).toEqual(leaf.grad);
  const loss = new FocalLoss(3, { reduction: 'sum' });
  expect({ ...loss }).toEqual({ gamma: 3, reduction: 'sum', training: true });
  expect(loss(x, y).item()).toBeCloseTo(total, 5);
  const evaluator = new torch.BatchEvaluator(focalLoss, { gamma: 3 }).update(x, y);
  expect(evaluator.result().loss).toBeCloseTo(total / 3, 6);
});
