/** What the compiler must refuse, and what it must accept, of the other forms of losses and of valueAndGrad. */
import { fromTypedArray, nn, type Tensor, type ValueAndGrad, valueAndGrad } from 'libtorch-losses';

const { functional: F } = nn;

export function numbers(input: Tensor, target: Tensor): number[] {
  return [
    F.crossEntropy.item(input, target),
    F.crossEntropy.item({ data: new Float32Array(2), dims: [1, 2] }, BigInt64Array.of(1n), { reduction: 'sum' }),
    F.gaussianNllLoss.item(input, target, 1),
    F.ctcLoss.item(input, target, [5, 4], [2, 1], { blank: 1 }),
    F.linearCrossEntropy.item(input, input, target, { options: { batchChunkSize: 4 } }),
    F.tripletMarginLoss.item(input, input, target, { swap: true }),
  ];
}

export function buffers(input: Tensor, target: Tensor): [Tensor, Float32Array, Float64Array] {
  return [
    F.mseLoss.out(input, input, target),
    F.crossEntropy.out(new Float32Array(1), input, target, { labelSmoothing: 0.1 }),
    F.klDiv.out(new Float64Array(4), input, target, { reduction: 'none' }),
  ];
}

export async function promises(input: Tensor, target: Tensor): Promise<Tensor[]> {
  const both: ValueAndGrad = await valueAndGrad(F.crossEntropy).async(input, target, { reduction: 'sum' });
  return [await F.crossEntropy.async(input, [1]), await F.mseLoss.async([1], [2], { weight: [1] }), both.grad];
}

export function gradients(input: Tensor, target: Tensor, array: Float32Array): unknown[] {
  const into: Tensor = valueAndGrad(F.mseLoss, { gradInto: input })(input, target).grad;
  const written: Float32Array = valueAndGrad(F.mseLoss, { gradInto: array })(array, target).grad;
  const shared: Promise<ValueAndGrad<Float32Array>> = valueAndGrad(F.mseLoss, { gradInto: array }).async(array, target);
  const fresh: Tensor = valueAndGrad(F.mseLoss, {})(fromTypedArray(array), target).grad;
  const own: Tensor = valueAndGrad((x: Tensor, by: number) => x.mul(by).sum())([1, 2], 3).grad;
  return [into, written, shared, fresh, own, valueAndGrad(F.mseLoss, { gradInto: undefined })([1], [2])];
}

export function wrongForms(input: Tensor, target: Tensor): void {
  // @ts-expect-error: a number is not a tensor
  F.crossEntropy.item(input, target).backward();
  // @ts-expect-error: options are those of the loss
  F.crossEntropy.item(input, target, { beta: 1 });
  // @ts-expect-error: the buffer comes first
  F.crossEntropy.out(input, target);
  // @ts-expect-error: a plain array is not a buffer
  F.mseLoss.out([0], input, target);
  // @ts-expect-error: a promise has no elements
  F.crossEntropy.async(input, target).item();
  // @ts-expect-error: no target
  F.crossEntropy.async(input);
  // @ts-expect-error: what is not a loss has no other forms
  F.softmax.item(input, 1);
  // @ts-expect-error: nor have modules
  new nn.CrossEntropyLoss().async(input, target);
}

export function wrongGradients(input: Tensor, target: Tensor): void {
  // @ts-expect-error: misspelled
  valueAndGrad(F.mseLoss, { into: input });
  // @ts-expect-error: a plain array is not a buffer
  valueAndGrad(F.mseLoss, { gradInto: [0] });
  // @ts-expect-error: a function that gives no tensor
  valueAndGrad((x: Tensor) => x.numel());
  // @ts-expect-error: the arguments are those of the loss
  valueAndGrad(F.mseLoss)(input, target, { beta: 1 });
  // @ts-expect-error: a new tensor is not a typed array
  const array: Float32Array = valueAndGrad(F.mseLoss)(input, target).grad;
  void array;
}
