/** libtorch's losses against the reference, values and gradients: every case, reduction and floating dtype. */
import * as torch from '../../lib';
import { disagreement } from '../../lib/parity/tolerance';
import type { FloatingDType } from '../../lib/types';
import { gradientsOf, type Loss, type LossCase, losses } from '../cases';
import { arrayOf, callNative, callReference, tensorOf } from '../cases/call';
import { random } from '../cases/values';
import { quietly } from '../support/conditions';

quietly();

describe.each(losses)('$name', (loss) => {
  describe.each(loss.valid)('$name', (lossCase) => {
    test.each(lossCase.dtypes ?? loss.dtypes)('%s', (dtype) => {
      const wrong = loss.reductions.flatMap((reduction) =>
        torch.scope(() => disagreements(loss, lossCase, dtype, reduction)).map((text) => `${reduction}: ${text}`),
      );
      expect(wrong).toEqual([]);
    });
  });
});

function disagreements(loss: Loss, lossCase: LossCase, dtype: FloatingDType, reduction: string): string[] {
  const native = callNative(loss, lossCase, dtype, reduction);
  const expected = callReference(loss, lossCase, native.leaves, reduction);
  const accuracy = { terms: lossCase.terms ?? 0 };
  const wrong = [disagreement('value', native.value, expected.value, accuracy)];
  const minor = Number(torch.libtorchVersion().split('.')[1]);
  const differentiable = minor >= (lossCase.otherGradientSince ?? Infinity) ? [] : gradientsOf(loss, lossCase);
  if (differentiable.length > 0) {
    const upstream = tensorOf(random(reduction.length, expected.value.shape, 0.5, 2), dtype);
    native.value.backward({ gradient: upstream });
    const gradients = expected.backward(arrayOf(upstream));
    for (const name of differentiable) {
      const [actual, wanted] = [native.leaves[name]?.grad, gradients[name]];
      if (actual === undefined || wanted === undefined) wrong.push(`there is no gradient of ${name}`);
      else wrong.push(disagreement(`gradient of ${name}`, actual, wanted, accuracy));
    }
  }
  return wrong.filter((text) => text !== undefined);
}
