// Random calls of losses that are meant to work: arguments of every layout and size, options of every kind.
//
// A call is { loss, name, args, options }, and `args` are tensors, of which the first is the input.

/** Sizes of a dimension: none, one, odd, whole vectors. */
const sizes = [0, 1, 2, 3, 5, 7, 16, 33, 64];
/** Shapes that are computed in chunks: from two megabytes of float32 on. */
const largeRows = [4097, 1500, 521];
const largeClasses = [130, 400, 1111];

exports.lossCalls = (torch, random) => {
  const { functional: F } = torch.nn;
  const { below, pick, chance, uniform } = random;

  const isLarge = () => chance(0.06);
  const matrix = () => (isLarge() ? [pick(largeRows), pick(largeClasses)] : [pick(sizes), 1 + pick(sizes)]);
  const anyShape = () =>
    chance(0.3) ? [pick(sizes)] : chance(0.2) ? [] : chance(0.2) ? [2, 3, pick(sizes)] : matrix();
  const dtype = () => pick(['float32', 'float32', 'float64', 'bfloat16', 'float16']);
  const normal = (shape, type) =>
    torch
      .randn(shape, { dtype: 'float32' })
      .mul(1 + 3 * uniform())
      .to(type);
  const uniformly = (shape, type) => torch.rand(shape, { dtype: 'float32' }).to(type);
  const signs = (shape, type) => torch.rand(shape).gt(0.5).to(type).mul(2).sub(1);
  const labels = (shape, classes) => torch.randint(0, Math.max(1, classes), shape);
  const reduction = () => pick(['mean', 'mean', 'sum', 'none']);
  const sometimes = (make) => (chance(0.4) ? make() : undefined);
  const present = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

  /** The same elements in another layout: transposed, in a wider tensor, at an offset, every second one. */
  function laidOut(x) {
    if (x.ndim === 0 || x.numel() === 0 || chance(0.5)) return x;
    const last = x.ndim - 1;
    const kind = below(3);
    if (kind === 0 && x.ndim > 1) return x.transpose(0, last).contiguous().transpose(0, last);
    const [before, size] = [1 + below(3), x.shape[last]];
    const wide = torch.zeros([...x.shape.slice(0, -1), before + size * (kind === 1 ? 2 : 1)], { dtype: x.dtype });
    const place =
      kind === 1 ? wide.index('...', torch.slice(before, before + 2 * size, 2)) : wide.narrow(last, before, size);
    return place.copy_(x);
  }

  const pointwise =
    (name, target, options = () => ({})) =>
    () => {
      const [shape, type] = [anyShape(), dtype()];
      return call(name, [normal(shape, type), target(shape, type)], {
        reduction: reduction(),
        ...options(shape, type),
      });
    };
  const call = (name, args, options) => ({ name, loss: F[name], args: args.map(laidOut), options: present(options) });

  const makers = [
    () => {
      const [[rows, classes], type] = [matrix(), dtype()];
      const soft = chance(0.3);
      const target = soft ? torch.softmax(normal([rows, classes], type), 1) : labels([rows], classes);
      return call('crossEntropy', [normal([rows, classes], type), target], {
        reduction: reduction(),
        weight: sometimes(() => uniformly([classes], type)),
        labelSmoothing: sometimes(uniform),
        ignoreIndex: soft ? undefined : sometimes(() => below(classes)),
      });
    },
    () => {
      const [[rows, classes], type] = [matrix(), dtype()];
      return call('nllLoss', [torch.logSoftmax(normal([rows, classes], type), 1), labels([rows], classes)], {
        reduction: reduction(),
        weight: sometimes(() => uniformly([classes], type)),
        ignoreIndex: sometimes(() => below(classes)),
      });
    },
    () => {
      const [shape, type] = [anyShape(), dtype()];
      const options = { reduction: reduction(), weight: sometimes(() => uniformly(shape, type)) };
      return call('binaryCrossEntropy', [uniformly(shape, type), uniformly(shape, type)], options);
    },
    pointwise('binaryCrossEntropyWithLogits', uniformly, (shape, type) => ({
      weight: sometimes(() => uniformly(shape, type)),
      posWeight: sometimes(() => uniformly(shape, type)),
    })),
    pointwise('mseLoss', normal),
    pointwise('l1Loss', normal),
    pointwise('smoothL1Loss', normal, () => ({ beta: sometimes(() => 2 * uniform()) })),
    pointwise('huberLoss', normal, () => ({ delta: sometimes(() => 0.1 + uniform()) })),
    pointwise('klDiv', uniformly, () => ({ logTarget: sometimes(() => chance(0.5)) })),
    pointwise('poissonNllLoss', uniformly, () => ({
      logInput: sometimes(() => chance(0.5)),
      full: sometimes(() => true),
    })),
    pointwise('softMarginLoss', signs),
    pointwise('hingeEmbeddingLoss', signs, () => ({ margin: sometimes(uniform) })),
    () => {
      const [shape, type] = [anyShape(), dtype()];
      const args = [normal(shape, type), normal(shape, type), uniformly(shape, type)];
      return call('gaussianNllLoss', args, { reduction: reduction(), full: sometimes(() => true) });
    },
    () => {
      const [[rows, classes], type] = [matrix(), pick(['float32', 'float64'])];
      const options = { reduction: reduction(), p: sometimes(() => 2), margin: sometimes(uniform) };
      return call('multiMarginLoss', [normal([rows, classes], type), labels([rows], classes)], options);
    },
    () => {
      const [[rows, classes], type] = [matrix(), pick(['float32', 'float64'])];
      const target = torch.randint(-1, classes, [rows, classes]);
      return call('multilabelMarginLoss', [normal([rows, classes], type), target], { reduction: reduction() });
    },
    () => {
      const [[rows, classes], type] = [matrix(), dtype()];
      const target = uniformly([rows, classes], type).gt(0.5).to(type);
      return call('multilabelSoftMarginLoss', [normal([rows, classes], type), target], { reduction: reduction() });
    },
    () => {
      const [shape, type] = [[pick(sizes)], dtype()];
      const args = [normal(shape, type), normal(shape, type), signs(shape, type)];
      return call('marginRankingLoss', args, { reduction: reduction(), margin: sometimes(uniform) });
    },
    () => {
      const [[rows, size], type] = [matrix(), dtype()];
      const args = [normal([rows, size], type), normal([rows, size], type), signs([rows], type)];
      return call('cosineEmbeddingLoss', args, { reduction: reduction(), margin: sometimes(uniform) });
    },
    () => {
      const [[rows, size], type] = [matrix(), dtype()];
      const options = { reduction: reduction(), margin: sometimes(uniform), swap: sometimes(() => true) };
      return call(
        'tripletMarginLoss',
        Array.from({ length: 3 }, () => normal([rows, size], type)),
        options,
      );
    },
  ];
  return () => pick(makers)();
};
