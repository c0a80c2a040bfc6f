/** libtorch's losses against the reference, values and gradients: every case, reduction and floating dtype. */
import * as torch from '../../lib';
import { type FloatingDType, floatingDTypes } from '../../lib/types';
import { gradientsOf, type Loss, type LossCase, losses } from '../cases';
import { arrayOf, callNative, callReference, tensorOf } from '../cases/call';
import { random } from '../cases/values';
import { quietly } from '../support/conditions';
import { disagreement } from '../support/tolerance';

quietly();

describe.each(losses)('$name', (loss) => {
  describe.each(loss.valid)('$name', (lossCase) => {
    test.each(lossCase.dtypes ?? floatingDTypes)('%s', (dtype) => {
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
  const upstream = tensorOf(random(reduction.length, expected.value.shape, 0.5, 2), dtype);
  native.value.backward({ gradient: upstream });
  const gradients = expected.backward(arrayOf(upstream));
  expect(Object.keys(gradients)).toEqual(expect.arrayContaining([...gradientsOf(lossCase)]));
  const wrong = [disagreement('value', native.value, expected.value)];
  for (const name of gradientsOf(lossCase)) {
    const [actual, wanted] = [native.leaves[name]?.grad, gradients[name]];
    if (actual === undefined || wanted === undefined) wrong.push(`there is no gradient of ${name}`);
    else wrong.push(disagreement(`gradient of ${name}`, actual, wanted));
  }
  return wrong.filter((text) => text !== undefined);
}
