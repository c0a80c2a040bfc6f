/** What the compiler must refuse, and what it must accept, of the reference. Nothing here runs. */
import { crossEntropy, klDiv, NdArray, nllLoss } from 'libtorch-losses/reference';

export function accepted(): unknown[] {
  const loss = crossEntropy([[1, 2]], [0], { reduction: 'none', weight: Float64Array.of(1, 2) });
  const value: NdArray = loss.value;
  const number: number = loss.item();
  const gradient: NdArray = loss.backward(2).input;
  const maybe: NdArray | undefined = loss.backward([1]).target;
  return [value, number, gradient, maybe, klDiv(NdArray.zeros([2]), { data: [0.5, 0.5], shape: [2] })];
}

export function refused(): void {
  // @ts-expect-error: not a reduction
  crossEntropy([[1, 2]], [0], { reduction: 'average' });
  // @ts-expect-error: misspelled
  crossEntropy([[1, 2]], [0], { labelSmooth: 0.1 });
  // @ts-expect-error: half-precision bits are not numbers
  crossEntropy(new Uint16Array(2), 0);
  // @ts-expect-error: no target
  nllLoss([1, 2]);
  // @ts-expect-error: nllLoss has no gradient by its target
  nllLoss([1, 2], 0).backward().target;
}
