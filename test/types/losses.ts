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
    F.crossEntropy(input, target, null),
    F.crossEntropy(input, target, weight),
    F.crossEntropy(input, target, [1, 2], { ignoreIndex: -1, reduction: null }),
    F.crossEntropy(input, target, null, { labelSmoothing: 0.1 }),
    F.crossEntropy(input, target, { weight, ignoreIndex: -1, reduction, labelSmoothing: 0.1 }),
    F.crossEntropy(input, target, { weight: undefined, reduction: undefined }),
    F.crossEntropy([[0.1, 0.2]], [1], { weight: [1, 2] }),
    F.crossEntropy({ data: new Float32Array(2), dims: [1, 2] }, new Int32Array(1)),
    F.nllLoss(input, target, { reduction: 'sum' }),
    F.nllLoss(input, target, weight, { reduction: 'sum' }),
    F.klDiv(input, target, { reduction: 'batchmean', logTarget: true }),
    F.binaryCrossEntropy(input, target, { weight, reduction: 'none' }),
    F.binaryCrossEntropy(input, target, weight, { reduction: 'none' }),
    F.binaryCrossEntropyWithLogits(input, target, { weight, posWeight: weight }),
    F.binaryCrossEntropyWithLogits(input, target, undefined, { posWeight: [1, 2] }),
    F.softmax(input, 1),
    F.l1Loss(input, target, { weight, reduction: 'sum' }),
    F.mseLoss([1, 2], [0, 1], { weight: [1, 2] }),
    F.smoothL1Loss(input, target, { beta: 0.5 }),
    F.huberLoss(input, target, { delta: 2, weight }),
    F.poissonNllLoss(input, target, { logInput: false, full: true, eps: 1e-6, reduction }),
    F.gaussianNllLoss(input, target, 1, { full: true, eps: 1e-4 }),
    F.poissonNllLoss(input, target, false, true, { eps: 1e-6, reduction: null }),
    F.gaussianNllLoss(input, target, weight),
    F.gaussianNllLoss(input, target, 1, true, 1e-4, reduction),
    F.gaussianNllLoss(input, target, 1, null, { eps: 1e-4 }),
    F.hingeEmbeddingLoss(input, target, { margin: 2 }),
    F.hingeEmbeddingLoss(input, target, 2, { reduction }),
    F.softMarginLoss(input, target, { reduction }),
    F.multiMarginLoss(input, [1, 0], { p: 2, margin: 0.5, weight }),
    F.multiMarginLoss(input, [1, 0], 2, 0.5, weight, { reduction }),
    F.multiMarginLoss(input, [1, 0], null, { margin: 0.5, weight: [1, 2] }),
    F.multilabelMarginLoss(input, target, { reduction }),
    F.multilabelSoftMarginLoss(input, target, { weight }),
    F.multilabelSoftMarginLoss(input, target, [1, 2], { reduction }),
    F.marginRankingLoss(input, input, target, { margin: 1 }),
    F.marginRankingLoss(input, input, target, 1, { reduction }),
    F.cosineEmbeddingLoss(input, input, target, { margin: 0.5 }),
    F.cosineEmbeddingLoss(input, input, target, 0.5),
    F.tripletMarginLoss(input, input, target, { margin: 2, p: 1, eps: 1e-3, swap: true }),
    F.tripletMarginLoss(input, input, target, 2, 1, 1e-3, true, { reduction }),
    F.tripletMarginLoss(input, input, target, 2, { swap: true }),
    F.tripletMarginWithDistanceLoss(input, input, target, { distanceFunction: (a, b) => a.sub(b).abs().sum(-1) }),
    F.tripletMarginWithDistanceLoss(input, input, target, { distanceFunction: F.pairwiseDistance }),
    F.pairwiseDistance(input, target, 1, 1e-3, true),
    F.pairwiseDistance(input, target, 1, { keepdim: true }),
    F.cosineSimilarity(input, target, -1, { eps: 1e-6 }),
    F.ctcLoss(input, target, [5, 4], [2, 1], { blank: 1, zeroInfinity: true }),
    F.ctcLoss(input, target, { data: [5, 4], dims: [2] }, { data: Int32Array.of(2, 1), shape: [2] }),
    F.crossEntropy(input, target, { ignoreIndex: 2n ** 60n }),
    F.ctcLoss(input, [1, 2], Int32Array.of(5), BigInt64Array.of(2n)),
    F.ctcLoss(input, target, weight, weight),
    F.ctcLoss(input, target, { data: Int32Array.of(5), dims: [1] }, [2], 1n, 'sum', true),
    F.ctcLoss(input, target, [5], [2], 1, { zeroInfinity: true }),
    F.linearCrossEntropy(input, weight, target, { linearBias: [1, 2], labelSmoothing: 0.1 }),
    F.linearCrossEntropy(input, weight, target, { options: { batchChunkSize: 4, chunkingMethod: null } }),
    new nn.SmoothL1Loss({ beta: 0 }).forward(input, target),
    new nn.GaussianNLLLoss({ full: true }).forward(input, target, 1),
    new nn.PoissonNLLLoss({ logInput: false }).forward(input, target),
    new nn.PoissonNLLLoss(false, true, { eps: 1e-6 })(input, target),
    new nn.MultiLabelSoftMarginLoss({ weight }).forward(input, target),
    new nn.MultiLabelSoftMarginLoss(weight, { reduction })(input, target),
    new nn.HingeEmbeddingLoss(2)(input, target),
    new nn.MultiMarginLoss(2, 0.5, weight)(input, [1, 0]),
    new nn.MarginRankingLoss(1, { reduction })(input, input, target),
    new nn.CosineEmbeddingLoss(0.5)(input, input, target),
    new nn.TripletMarginLoss(2, 1, 1e-3, true)(input, input, target),
    new nn.PairwiseDistance(1, { keepdim: true })(input, target),
    new nn.CosineSimilarity(-1, 1e-6)(input, target),
    new nn.TripletMarginWithDistanceLoss({ swap: true }).forward(input, input, target),
    new nn.CTCLoss({ blank: 3 }).forward(input, target, [5], [2]),
    new nn.CTCLoss(3, 'sum', true)(input, target, [5], [2]),
    new nn.LinearCrossEntropyLoss(5, 4, { bias: true }).forward(input, target),
    new nn.CrossEntropyLoss().forward(input, target),
    new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(input, [0]),
    new nn.CrossEntropyLoss(weight)(input, target),
    new nn.NLLLoss([1, 2], { reduction: 'sum' })(input, [0]),
    new nn.BCELoss(weight, { reduction: 'sum' })(input, target),
    new nn.BCEWithLogitsLoss(null, { posWeight: weight })(input, target),
    new nn.KLDivLoss({ reduction: 'batchmean' }).forward(input, target),
    new nn.LogSoftmax({ dim: 1 }).forward(input),
  ];
}

export const modules: readonly nn.Module[] = [new nn.KLDivLoss(), new nn.Linear(2, 1)];

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
  // @ts-expect-error: a string may be anything
  F.crossEntropy(input, target, { reduction: text });
  // @ts-expect-error: not a reduction
  new nn.BCELoss({ reduction: 'average' });
  // @ts-expect-error: only KLDivLoss has batchmean
  new nn.NLLLoss({ reduction: 'batchmean' });
  // @ts-expect-error: nor has any loss of numbers
  F.mseLoss(input, target, { reduction: 'batchmean' });
  // @ts-expect-error: not a reduction
  new nn.CTCLoss({ reduction: 'average' });
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
  // @ts-expect-error: behind the target comes the weight
  F.crossEntropy(input, target, 'mean');
  // @ts-expect-error: only the weight is given by position
  F.crossEntropy(input, target, weight, -1);
  // @ts-expect-error: given twice
  F.nllLoss(input, target, weight, { weight });
  // @ts-expect-error: options are one object
  F.crossEntropy(input, target, { weight }, { reduction: 'sum' });
  // @ts-expect-error: modules take no more by position either
  new nn.BCELoss(weight, 'sum');
  // @ts-expect-error: modules refuse them too
  new nn.CrossEntropyLoss({ label_smoothing: 0.1 });
}

export function wrongOptionsOfNumbers(input: Tensor, target: Tensor, weight: Tensor): void {
  // @ts-expect-error: smoothL1Loss has no weight
  F.smoothL1Loss(input, target, { weight });
  // @ts-expect-error: huberLoss calls it delta
  F.huberLoss(input, target, { beta: 1 });
  // @ts-expect-error: the class has no weight, as PyTorch's
  new nn.L1Loss({ weight });
  // @ts-expect-error: PyTorch's Python spelling
  F.poissonNllLoss(input, target, { log_input: true });
  // @ts-expect-error: the variance is the third argument
  F.gaussianNllLoss(input, target, { full: true });
  // @ts-expect-error: and needed
  new nn.GaussianNLLLoss().forward(input, target);
  // @ts-expect-error: also where the module is called
  new nn.GaussianNLLLoss()(input, target);
  // @ts-expect-error: eps stands behind a deprecated argument of Python
  F.poissonNllLoss(input, target, true, false, 1e-6);
  // @ts-expect-error: the class takes everything by name
  new nn.GaussianNLLLoss(true);
  // @ts-expect-error: the power is 1 or 2
  F.multiMarginLoss(input, target, { p: 3 });
  // @ts-expect-error: multilabelMarginLoss has no margin
  F.multilabelMarginLoss(input, target, { margin: 1 });
  // @ts-expect-error: a number, not text
  F.hingeEmbeddingLoss(input, target, { margin: '1' });
  // @ts-expect-error: behind the target comes the power
  F.multiMarginLoss(input, target, weight);
  // @ts-expect-error: the reduction stands behind deprecated arguments of Python
  F.hingeEmbeddingLoss(input, target, 1, 'sum');
  // @ts-expect-error: softMarginLoss takes its option by name
  F.softMarginLoss(input, target, 'sum');
  // @ts-expect-error: given twice
  F.marginRankingLoss(input, input, target, 1, { margin: 1 });
}

export function wrongOptionsOfPairs(input: Tensor, target: Tensor): void {
  // @ts-expect-error: two inputs and a target
  F.marginRankingLoss(input, target);
  // @ts-expect-error: anchor, positive and negative
  F.tripletMarginLoss(input, target, { swap: true });
  // @ts-expect-error: true or false
  F.tripletMarginLoss(input, input, target, { swap: 1 });
  // @ts-expect-error: the norm is part of the distance
  F.tripletMarginWithDistanceLoss(input, input, target, { p: 2 });
  // @ts-expect-error: a distance is a function of tensors
  F.tripletMarginWithDistanceLoss(input, input, target, { distanceFunction: 'cosine' });
  // @ts-expect-error: a distance gives a tensor
  F.tripletMarginWithDistanceLoss(input, input, target, { distanceFunction: (a) => a.numel() });
  // @ts-expect-error: a distance is given by name
  F.tripletMarginWithDistanceLoss(input, input, target, (x: Tensor, y: Tensor) => x.sub(y));
  // @ts-expect-error: the class takes it by name, too
  new nn.TripletMarginWithDistanceLoss((x: Tensor, y: Tensor) => x.sub(y));
  // @ts-expect-error: lengths of inputs and of targets
  F.ctcLoss(input, target, [5]);
  // @ts-expect-error: lengths are numbers
  F.ctcLoss(input, target, '5', '2');
  // @ts-expect-error: PyTorch's Python spelling
  F.ctcLoss(input, target, [5], [2], { zero_infinity: true });
  // @ts-expect-error: the bias of the layer is linearBias
  F.linearCrossEntropy(input, input, target, { bias: input });
}

export function wrongArguments(input: Tensor): void {
  // @ts-expect-error: no target
  F.crossEntropy(input);
  // @ts-expect-error: no arguments
  F.klDiv();
  // @ts-expect-error: undefined is not a target
  F.crossEntropy(input, undefined);
  // @ts-expect-error: null is not a target
  F.binaryCrossEntropy(input, null);
  // @ts-expect-error: text is not a tensor
  F.nllLoss('logits', [0]);
  // @ts-expect-error: an object without data is not a tensor
  F.nllLoss(input, { dims: [1] });
  // @ts-expect-error: a dimension is a number
  F.softmax(input, '1');
  // @ts-expect-error: forward takes a target
  new nn.CrossEntropyLoss().forward(input);
  // @ts-expect-error: options belong to the constructor
  new nn.CrossEntropyLoss().forward(input, [0], { reduction: 'sum' });
  // @ts-expect-error: a class is made with new
  nn.CrossEntropyLoss();
  // @ts-expect-error: there is no such loss
  F.crossEntropyLoss(input, tensor([0]));
}
