/** The layout of a tensor in memory is no part of its value: a view must give what its contiguous copy gives. */
import * as torch from '../../lib';
import type { FloatingDType } from '../../lib/types';
import { type Loss, type LossCase, losses } from '../cases';
import { applyNative, leavesOf, tensorOf } from '../cases/call';
import type { Values } from '../cases/values';
import { calls } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

/** How often each property is tried. */
const tries = 25;

type Layout = (whole: torch.Tensor) => torch.Tensor;

/** Views that hold the elements of a contiguous tensor of two dimensions or more. */
const layouts: Readonly<Record<string, Layout>> = {
  transposed: (whole) => whole.transpose(0, 1).contiguous().transpose(0, 1),
  'classes last': (whole) => whole.transpose(1, -1).contiguous().transpose(1, -1),
  'every second': (whole) => torch.stack([whole, whole.add(1)], -1).select(-1, 0),
  'with an offset': (whole) =>
    torch.cat([whole.add(1), whole]).narrow(0, whole.shape[0] as number, whole.shape[0] as number),
};

describe.each(losses)('$name', (loss) => {
  // Over classes the kernels copy what is not contiguous; those that go element by element compute strided elements
  // one at a time and contiguous ones several at once, which may differ in the last place.
  const compare = ['crossEntropy', 'nllLoss'].includes(loss.name) ? expectSame : expectNear;

  function check(lossCase: LossCase, lay: Layout, layWhole: Layout): void {
    for (const dtype of dtypes) {
      const whole = run(loss, lossCase, dtype, layWhole);
      const view = run(loss, lossCase, dtype, lay);
      compare('value', view.value, whole.value);
      for (const { value } of [whole, view]) value.sum().backward();
      compare('gradient', view.input.grad as torch.Tensor, whole.input.grad as torch.Tensor);
    }
  }

  test.each(Object.entries(layouts))('%s', (_, lay) => {
    holds(calls[loss.name], (lossCase) => check(lossCase, lay, (whole) => whole), tries);
  });

  test('expanded', () => {
    const expand = (whole: torch.Tensor): torch.Tensor => whole.narrow(0, 0, 1).expand(whole.shape);
    holds(calls[loss.name], (lossCase) => check(lossCase, expand, (whole) => expand(whole).contiguous()), tries);
  });
});

/** The loss of a case whose first argument has been laid out anew. */
function run(
  loss: Loss,
  lossCase: LossCase,
  dtype: FloatingDType,
  lay: Layout,
): { value: torch.Tensor; input: torch.Tensor } {
  const leaves = leavesOf(loss, { ...lossCase, gradients: [] }, dtype);
  const [name, values] = Object.entries(lossCase.args)[0] as [string, Values];
  const input = lay(tensorOf(values, dtype)).detach().requiresGrad_();
  return { value: applyNative(loss, lossCase, { ...leaves, [name]: input }, 'none'), input };
}
