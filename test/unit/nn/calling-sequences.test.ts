/** Losses between distributions, of sequences and with a linear layer, called as in Python. */
import { nn, type Tensor, tensor } from 'libtorch-losses';
import { refusal } from '../torch/support';

const F = nn.functional;

/** A function that is called as no compiler would allow. */
// biome-ignore lint/suspicious/noExplicitAny: the point
type Anyhow = (...args: any[]) => Tensor;

/** The elements of each, which are to be the same. */
function elementsOf(losses: readonly Tensor[]): unknown[] {
  return losses.map((loss) => loss.toArray());
}

const alike = (losses: readonly Tensor[]): void => {
  const [first, ...others] = elementsOf(losses);
  expect(others).toEqual(others.map(() => first));
};

describe('losses between distributions', () => {
  const input = tensor([0.5, -1, 2]);
  const target = tensor([1, 2, 3]);

  test('klDiv takes its options by name alone, as Python behind its deprecated ones', () => {
    const loss = new nn.KLDivLoss({ reduction: 'batchmean', logTarget: true });
    alike([
      F.klDiv(input, target, { reduction: 'batchmean', logTarget: true }),
      loss(input, target),
      loss.forward(input, target),
    ]);
    expect(refusal(() => (F.klDiv as Anyhow)(input, target, 'sum'))).toMatchObject({ argument: 'options' });
    expect(refusal(() => new nn.KLDivLoss('sum' as never))).toMatchObject({ op: 'KLDivLoss', argument: 'options' });
  });

  test('poissonNllLoss takes logInput and full by position', () => {
    const rates = tensor([0.5, 1, 2]);
    const loss = new nn.PoissonNLLLoss(false, true, { reduction: 'none' });
    alike([
      F.poissonNllLoss(rates, target, { logInput: false, full: true, reduction: 'none' }),
      F.poissonNllLoss(rates, target, false, true, { reduction: 'none' }),
      F.poissonNllLoss(rates, target, false, { full: true, reduction: 'none' }),
      loss(rates, target),
      loss.forward(rates, target),
    ]);
    const anyhow = F.poissonNllLoss as Anyhow;
    expect(refusal(() => anyhow(rates, target, false, { logInput: true }))).toMatchObject({ argument: 'logInput' });
    expect(refusal(() => anyhow(rates, target, false, true, 1e-8))).toMatchObject({ argument: 'options' });
    expect(refusal(() => anyhow(rates, target, 'sum'))).toMatchObject({ argument: 'logInput' });
  });

  test('gaussianNllLoss takes all of its options by position, its class none', () => {
    const loss = new nn.GaussianNLLLoss({ full: true, eps: 0.5, reduction: 'sum' });
    alike([
      F.gaussianNllLoss(input, target, 0.25, { full: true, eps: 0.5, reduction: 'sum' }),
      F.gaussianNllLoss(input, target, 0.25, true, 0.5, 'sum'),
      F.gaussianNllLoss(input, target, 0.25, true, 0.5, { reduction: 'sum' }),
      F.gaussianNllLoss(input, target, tensor([0.25, 0.25, 0.25]), true, { eps: 0.5, reduction: 'sum' }),
      loss(input, target, 0.25),
      loss.forward(input, target, 0.25),
    ]);
    const anyhow = F.gaussianNllLoss as Anyhow;
    expect(refusal(() => anyhow(input, target, 1, true, { full: true }))).toMatchObject({ argument: 'full' });
    expect(refusal(() => anyhow(input, target, 1, true, 0.5, 'sum', 2))).toMatchObject({ argument: 'options' });
    expect(refusal(() => new nn.GaussianNLLLoss(true as never))).toMatchObject({ argument: 'options' });
  });
});

describe('the loss of sequences', () => {
  const logProbs = tensor([[[0.5, 0.25, 0.25]], [[0.25, 0.5, 0.25]], [[0.125, 0.125, 0.75]]]).log();
  const given = [logProbs, [[0]], [3], [1]] as const;

  test('ctcLoss and its class take all options by position', () => {
    const loss = new nn.CTCLoss(1, 'sum', true);
    alike([
      F.ctcLoss(...given, { blank: 1, reduction: 'sum', zeroInfinity: true }),
      F.ctcLoss(...given, 1, 'sum', true),
      F.ctcLoss(...given, 1, { reduction: 'sum', zeroInfinity: true }),
      loss(...given),
      loss.forward(...given),
    ]);
    const anyhow = F.ctcLoss as Anyhow;
    expect(refusal(() => anyhow(...given, 1, { blank: 1 }))).toMatchObject({ argument: 'blank' });
    expect(refusal(() => anyhow(...given, 1, 'sum', true, 0))).toMatchObject({ argument: 'options' });
  });

  test('the blank may be a bigint, and lengths data with their shape', () => {
    const loss = new nn.CTCLoss(1n);
    expect(loss.blank).toBe(1);
    const data = (length: number): { data: Int32Array; dims: number[] } => ({ data: Int32Array.of(length), dims: [1] });
    alike([
      F.ctcLoss(...given, 1),
      F.ctcLoss(...given, 1n),
      F.ctcLoss(logProbs, [[0]], data(3), data(1), 1),
      F.ctcLoss(logProbs, [[0]], { data: [3], shape: [1] }, [1], 1),
      loss(...given),
    ]);
    expect(refusal(() => F.ctcLoss(logProbs, [[0]], { data: [2.5], dims: [1] }, [1]))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('linear cross entropy', () => {
  const input = tensor([[1, 2]]);
  const weight = tensor([1, 0, 0, 1, 0, 0.25]).reshape([3, 2]);

  test('takes its options by name alone, as in Python', () => {
    alike([F.linearCrossEntropy(input, weight, [1]), F.linearCrossEntropy(input, weight, [1], { linearBias: null })]);
    const anyhow = F.linearCrossEntropy as Anyhow;
    expect(refusal(() => anyhow(input, weight, [1], tensor([0, 0, 0])))).toMatchObject({ argument: 'options' });
    const loss = new nn.LinearCrossEntropyLoss(2, 3, { reduction: 'sum', dtype: null });
    alike([loss(input, [1]), loss.forward(input, [1])]);
  });

  test('a chunking method of null is none, not the default', () => {
    const { options } = new nn.LinearCrossEntropyLoss(2, 3, { options: { chunkingMethod: null } });
    expect(options).toMatchObject({ chunkingMethod: null, accPolicy: 'auto' });
    const noFeatures = [tensor([]).reshape([1, 0]), tensor([]).reshape([0, 3]).t()] as const;
    expect(F.linearCrossEntropy(...noFeatures, [1], { options: { chunkingMethod: null } }).item()).toBeCloseTo(
      Math.log(3),
    );
    expect(F.linearCrossEntropy(input, weight, [1], { options: null }).shape).toEqual([]);
  });
});
