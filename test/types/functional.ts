/** What the compiler takes and refuses of torch.nn's functions. Nothing here runs. */
import { nn, type Tensor } from 'libtorch-losses';

const { functional: F, init, utils } = nn;

export function accepted(x: Tensor, w: Tensor, model: nn.Module, flag: boolean): unknown[] {
  const [pooled, indices]: [Tensor, Tensor] = F.maxPool2d(x, 2, { returnIndices: true });
  const plain: Tensor = F.maxPool2d(x, [2, 2], 1);
  const either: Tensor | [Tensor, Tensor] = F.maxPool2d(x, 2, { returnIndices: flag });
  const [attended, weights]: [Tensor, Tensor | undefined] = F.multiHeadAttentionForward({
    ...{ query: x, key: x, value: x, embedDimToCheck: 4, numHeads: 2, inProjWeight: w, inProjBias: null },
    ...{ biasK: null, biasV: null, addZeroAttn: false, dropoutP: 0, outProjWeight: w, outProjBias: null },
  });
  return [
    ...[pooled, indices, plain, either, attended, weights],
    F.conv2d(x, w, null, { stride: [1, 2], padding: 'same' }),
    F.conv2d(x, w, null, 2, 1, { groups: 2n }),
    F.interpolate(x, null, 2, { mode: 'bilinear', alignCorners: true }),
    F.adaptiveAvgPool2d(x, [null, 3]),
    F.batchNorm(x, null, null, { training: true }),
    F.softmax({ input: x, dim: -1, dtype: 'float64' }),
    init.kaimingUniform_(w, Math.sqrt(5)),
    init.truncNormal_(w, { std: 0.02, generator: null }),
    utils.clipGradNorm_(model.parameters(), 1, { errorIfNonfinite: true }),
    utils.rnn.packSequence([x, w], { enforceSorted: false }).data,
    utils.parametrizations.spectralNorm(new nn.Linear(2, 2), 'weight', { eps: 1e-6 }).weight,
    utils.skipInit(nn.Linear, 2, 3, { bias: false }).inFeatures,
  ];
}

export function refused(x: Tensor, w: Tensor): void {
  // @ts-expect-error: a mode goes by name behind sizes
  F.interpolate(x, 'nearest');
  // @ts-expect-error: no such option
  F.relu(x, { inPlace: true });
  // @ts-expect-error: one result without returnIndices
  const _pair: [Tensor, Tensor] = F.maxPool2d(x, 2);
  // @ts-expect-error: the weight has no default
  F.linear(x);
  // @ts-expect-error: a dtype by its name
  F.softmax(x, -1, { dtype: 'double' });
  // @ts-expect-error: a gain is a number
  init.xavierNormal_(w, '1');
  // @ts-expect-error: a module is no tensor
  utils.clipGradNorm_(new nn.Linear(2, 2), 1);
  // @ts-expect-error: a map by its name
  utils.parametrizations.orthogonal(new nn.Linear(2, 2), { orthogonalMap: 'caley' });
}
