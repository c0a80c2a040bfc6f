/**
 * What the compiler must refuse, and what it must accept, of the losses. Nothing here runs: an `@ts-expect-error` above
 * a line without an error is an error itself.
 */
import { nn, type Reduction, type Tensor, tensor } from 'libtorch-losses';

const { functional: F } = nn;

export function accepted(input: Tensor, target: Tensor, weight: Tensor, reduction: Reduction): Tensor[] {
  return [
    F.crossEntropy(input, target),
    F.crossEntropy(input, target, undefined),
    F.crossEntropy(input, target, { weight, ignoreIndex: -1, reduction, labelSmoothing: 0.1 }),
    F.crossEntropy(input, target, { weight: undefined, reduction: undefined }),
    F.crossEntropy([[0.1, 0.2]], [1], { weight: [1, 2] }),
    F.crossEntropy({ data: new Float32Array(2), dims: [1, 2] }, new Int32Array(1)),
    F.nllLoss(input, target, { reduction: 'sum' }),
    F.klDiv(input, target, { reduction: 'batchmean', logTarget: true }),
    F.binaryCrossEntropy(input, target, { weight, reduction: 'none' }),
    F.binaryCrossEntropyWithLogits(input, target, { weight, posWeight: weight }),
    F.softmax(input, 1),
    new nn.CrossEntropyLoss().forward(input, target),
    new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(input, [0]),
    new nn.KLDivLoss({ reduction: 'batchmean' }).forward(input, target),
    new nn.LogSoftmax({ dim: 1 }).forward(input),
  ];
}

export function readOnly(loss: nn.CrossEntropyLoss): Reduction {
  // @ts-expect-error: the options of a module are fixed when it is made
  loss.reduction = 'sum';
  return loss.reduction;
}

export function wrongReductions(input: Tensor, target: Tensor, text: string): void {
  // @ts-expect-error: not a reduction
  F.crossEntropy(input, target, { reduction: 'average' });
  // @ts-expect-error: reductions are lower case
  F.nllLoss(input, target, { reduction: 'Mean' });
  // @ts-expect-error: ATen's numbers are not the API
  F.binaryCrossEntropy(input, target, { reduction: 1 });
  // @ts-expect-error: only klDiv has batchmean
  F.crossEntropy(input, target, { reduction: 'batchmean' });
  // @ts-expect-error: batchmean is one word
  F.klDiv(input, target, { reduction: 'batch_mean' });
  // @ts-expect-error: null is not absent
  F.crossEntropy(input, target, { reduction: null });
  // @ts-expect-error: a string may be anything
  F.crossEntropy(input, target, { reduction: text });
  // @ts-expect-error: not a reduction
  new nn.BCELoss({ reduction: 'average' });
  // @ts-expect-error: only KLDivLoss has batchmean
  new nn.NLLLoss({ reduction: 'batchmean' });
}

export function wrongOptions(input: Tensor, target: Tensor, weight: Tensor): void {
  // @ts-expect-error: PyTorch's Python spelling
  F.crossEntropy(input, target, { label_smoothing: 0.1 });
  // @ts-expect-error: misspelled
  F.crossEntropy(input, target, { ignoreindex: 0 });
  // @ts-expect-error: deprecated in PyTorch, absent here
  F.crossEntropy(input, target, { sizeAverage: false });
  // @ts-expect-error: nllLoss has no label smoothing
  F.nllLoss(input, target, { labelSmoothing: 0.1 });
  // @ts-expect-error: only binaryCrossEntropyWithLogits has posWeight
  F.binaryCrossEntropy(input, target, { posWeight: weight });
  // @ts-expect-error: klDiv has no weight
  F.klDiv(input, target, { weight });
  // @ts-expect-error: a number, not text
  F.crossEntropy(input, target, { labelSmoothing: '0.1' });
  // @ts-expect-error: true or false
  F.klDiv(input, target, { logTarget: 1 });
  // @ts-expect-error: a tensor or numbers, not text
  F.crossEntropy(input, target, { weight: 'balanced' });
  // @ts-expect-error: options are an object
  F.crossEntropy(input, target, 'mean');
  // @ts-expect-error: the weight is an option, not the third argument
  F.crossEntropy(input, target, weight);
  // @ts-expect-error: options are one object
  F.crossEntropy(input, target, { weight }, { reduction: 'sum' });
  // @ts-expect-error: modules refuse them too
  new nn.CrossEntropyLoss({ label_smoothing: 0.1 });
  // @ts-expect-error: a module takes its options in an object
  new nn.CrossEntropyLoss(weight);
  // @ts-expect-error: unlike PyTorch's, the module does not guess the dimension
  new nn.LogSoftmax({});
  // @ts-expect-error: unlike PyTorch's, the module does not guess the dimension
  new nn.Softmax();
}

export function wrongArguments(input: Tensor): void {
  // @ts-expect-error: no target
  F.crossEntropy(input);
  // @ts-expect-error: no arguments
  F.klDiv();
  // @ts-expect-error: undefined is no target
  F.crossEntropy(input, undefined);
  // @ts-expect-error: null is no target
  F.binaryCrossEntropy(input, null);
  // @ts-expect-error: text is no tensor
  F.nllLoss('logits', [0]);
  // @ts-expect-error: an object without data is no tensor
  F.nllLoss(input, { dims: [1] });
  // @ts-expect-error: softmax needs its dimension
  F.softmax(input);
  // @ts-expect-error: forward takes a target
  new nn.CrossEntropyLoss().forward(input);
  // @ts-expect-error: options belong to the constructor
  new nn.CrossEntropyLoss().forward(input, [0], { reduction: 'sum' });
  // @ts-expect-error: a class is made with new
  nn.CrossEntropyLoss();
  // @ts-expect-error: there is no such loss
  F.crossEntropyLoss(input, tensor([0]));
}
