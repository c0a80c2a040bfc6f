/** The layout of a tensor in memory is no part of its value: a view must give what its contiguous copy gives. */
import * as torch from '../../lib';
import type { FloatingDType } from '../../lib/types';
import { type Loss, type LossCase, losses } from '../cases';
import { applyNative, leavesOf, tensorOf } from '../cases/call';
import { calls } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

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
      if (refusesGradient(loss, view.input)) {
        expect(() => view.value.sum().backward()).toThrow('grad_input must be contiguous');
        continue;
      }
      for (const { value } of [whole, view]) value.sum().backward();
      compare('gradient', view.input.grad as torch.Tensor, whole.input.grad as torch.Tensor);
    }
  }

  test.each(Object.entries(layouts))('%s', (_, lay) => {
    holds(calls[loss.name], (lossCase) => check(lossCase, lay, (whole) => whole));
  });

  test('expanded', () => {
    const expand = (whole: torch.Tensor): torch.Tensor => whole.narrow(0, 0, 1).expand(whole.shape);
    holds(calls[loss.name], (lossCase) => check(lossCase, expand, (whole) => expand(whole).contiguous()));
  });
});

/** The loss of a case whose input has been laid out anew. */
function run(
  loss: Loss,
  lossCase: LossCase,
  dtype: FloatingDType,
  lay: Layout,
): { value: torch.Tensor; input: torch.Tensor } {
  const leaves = leavesOf({ ...lossCase, gradients: [] }, dtype);
  const input = lay(tensorOf(lossCase.input, dtype)).detach().requiresGrad_();
  return { value: applyNative(loss, lossCase, { ...leaves, input }, 'none'), input };
}

/** PyTorch's gradient of nll_loss has the strides of the input, and its kernel for images refuses to fill it then. */
function refusesGradient(loss: Loss, input: torch.Tensor): boolean {
  return loss.name === 'nllLoss' && input.ndim === 4 && !input.clone().isContiguous;
}
