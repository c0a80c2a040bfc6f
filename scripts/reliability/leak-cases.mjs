// One small call of each loss: `args(torch)` gives its tensors, of which the first takes a gradient.

const [rows, classes] = [8, 5];

const real = (torch) => torch.randn([rows, classes]);
const unit = (torch) => torch.rand([rows, classes]);
const labels = (torch) => torch.randint(0, classes, [rows]);
const signs = (torch, shape = [rows]) => torch.randint(0, 2, shape).mul(2).sub(1).to('float32');
const rowsOf = (torch, count) => Array.from({ length: count }, () => real(torch));

/** By the name of the loss. */
export const leakCases = {
  binaryCrossEntropy: (torch) => [unit(torch), unit(torch)],
  binaryCrossEntropyWithLogits: (torch) => [real(torch), unit(torch)],
  cosineEmbeddingLoss: (torch) => [...rowsOf(torch, 2), signs(torch)],
  crossEntropy: (torch) => [real(torch), labels(torch)],
  ctcLoss: (torch) => [
    torch.randn([12, 2, classes]).logSoftmax(-1),
    torch.randint(1, classes, [2, 4]),
    torch.full([2], 12, { dtype: 'int64' }),
    torch.full([2], 4, { dtype: 'int64' }),
  ],
  gaussianNllLoss: (torch) => [...rowsOf(torch, 2), unit(torch).add(0.5)],
  hingeEmbeddingLoss: (torch) => [real(torch), signs(torch, [rows, classes])],
  huberLoss: (torch) => rowsOf(torch, 2),
  klDiv: (torch) => [real(torch).logSoftmax(-1), real(torch).softmax(-1)],
  l1Loss: (torch) => rowsOf(torch, 2),
  linearCrossEntropy: (torch) => [torch.randn([rows, 4]), torch.randn([classes, 4]), labels(torch)],
  marginRankingLoss: (torch) => [torch.randn([rows]), torch.randn([rows]), signs(torch)],
  mseLoss: (torch) => rowsOf(torch, 2),
  multiMarginLoss: (torch) => [real(torch), labels(torch)],
  multilabelMarginLoss: (torch) => [real(torch), torch.randint(0, classes, [rows, classes])],
  multilabelSoftMarginLoss: (torch) => [real(torch), unit(torch)],
  nllLoss: (torch) => [real(torch).logSoftmax(-1), labels(torch)],
  poissonNllLoss: (torch) => rowsOf(torch, 2),
  smoothL1Loss: (torch) => rowsOf(torch, 2),
  softMarginLoss: (torch) => [real(torch), signs(torch, [rows, classes])],
  tripletMarginLoss: (torch) => rowsOf(torch, 3),
  tripletMarginWithDistanceLoss: (torch) => rowsOf(torch, 3),
};
