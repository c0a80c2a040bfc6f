/** Value and gradient together: by the graph or by a loss's own derivative, recorded once and run again, written into buffers. */
import * as torch from 'libtorch-losses';
import { byGraph, detach, elements, expectNative, refusal, scores } from './support';

const { functional: F } = torch.nn;

const tensor = (data: torch.TensorData): torch.Tensor => torch.tensor(data, { dtype: 'float64' });

const crossEntropy = torch.valueAndGrad(F.crossEntropy);

describe('what it gives', () => {
  test('value and gradient, in no graph, with the other arguments passed on; nobody’s grad changes', () => {
    const logits = torch.tensor([[1, 2, 0.5]], { dtype: 'float64', requiresGrad: true });
    const { value, grad } = crossEntropy(logits, [1], { reduction: 'sum' });
    const p = logits.detach().softmax(1).toArray<number[][]>()[0] as number[];
    expect(value.item()).toBeCloseTo(-Math.log(p[1] as number), 12);
    expect(grad.toArray()).toEqual([p.map((v, i) => expect.closeTo(v - (i === 1 ? 1 : 0), 12))]);
    expect([value.requiresGrad, grad.requiresGrad, logits.grad]).toEqual([false, false, undefined]);
  });

  test('inside of noGrad too, which holds afterwards', () => {
    const square = torch.valueAndGrad((x: torch.Tensor) => x.square().sum());
    torch.noGrad(() => {
      expect(square(tensor([3])).grad.item()).toBe(6);
      expect(crossEntropy(scores(), [0, 1]).grad.requiresGrad).toBe(false);
      expect(torch.isGradEnabled()).toBe(false);
    });
  });

  test('inside of a graph: other tensors of the function are not recorded either', () => {
    const weight = torch.rand([3], { requiresGrad: true });
    const { value, grad } = torch.valueAndGrad((x: torch.Tensor) => x.mul(weight).sum())(torch.ones([3]));
    expect([value.requiresGrad, grad.requiresGrad, weight.grad]).toEqual([false, false, undefined]);
    expect(grad.toTypedArray()).toEqual(weight.toTypedArray());
  });

  test('arrays as the first argument, nested, typed and with dims', () => {
    const expected = elements(crossEntropy(scores(), [0, 1]));
    const data = Float32Array.of(1, 2, 0.5, 0, -1, 3);
    const inputs: torch.TensorData[] = [
      [
        [1, 2, 0.5],
        [0, -1, 3],
      ],
      { data, dims: [2, 3] },
      { data, shape: [2, 3] },
      { data: [...data], dims: [2, 3] },
    ];
    for (const input of inputs) {
      for (const labels of [[0, 1], BigInt64Array.of(0n, 1n), Int32Array.of(0, 1), torch.tensor([0n, 1n])]) {
        for (let i = 0; i < 2; i++) expect(elements(crossEntropy(input, labels))).toEqual(expected);
      }
    }
    const flat = torch.valueAndGrad(F.mseLoss)(Float64Array.of(1, 2), Float64Array.of(0, 0));
    expect([flat.value.dtype, flat.value.item(), flat.grad.toArray()]).toEqual(['float64', 2.5, [1, 2]]);
  });

  test('results do not share the memory of arrays that were borrowed', () => {
    const [x, y] = [Float32Array.of(1, 2), Float32Array.of(0, 0)];
    const { value, grad } = torch.valueAndGrad(F.klDiv)(x, y, { reduction: 'sum' });
    x.fill(9);
    y.fill(9);
    expect([value.item(), grad.toArray()]).toEqual([0, [-0, -0]]);
    detach(x);
    expect(grad.add(1).toArray()).toEqual([1, 1]);
  });

  test('a detached array is refused', () => {
    const x = Float32Array.of(1, 2);
    torch.valueAndGrad(F.mseLoss)(x, [0, 0]);
    detach(x);
    expect(() => torch.valueAndGrad(F.mseLoss)(x, [0, 0])).toThrow(torch.TorchError);
    const shared = Float32Array.of(1, 2);
    // As long as a tensor of it lives, no backward pass runs.
    torch.scope(() => {
      const t = torch.fromTypedArray(shared);
      torch.valueAndGrad(F.mseLoss)(t, [0, 0]);
      detach(shared);
      expect(refusal(() => torch.valueAndGrad(F.mseLoss)(t, [0, 0]))).toMatchObject({ code: 'DETACHED' });
    });
  });
});

describe('refusals', () => {
  test('what cannot be differentiated', () => {
    const square = torch.valueAndGrad((x: torch.Tensor) => x.square());
    expectNative(
      refusal(() => square(tensor([1, 2]))),
      'RUNTIME',
      /only for scalar outputs/,
    );
    expectNative(
      refusal(() => square(torch.tensor([1n]))),
      'RUNTIME',
      /floating point/,
    );
    const other = torch.ones([1], { requiresGrad: true });
    const constant = torch.valueAndGrad(() => other.sum());
    expectNative(
      refusal(() => constant(tensor([1]))),
      'RUNTIME',
      /not have been used/,
    );
    expect(refusal(() => torch.valueAndGrad((() => 1) as never)(tensor([1])))).toMatchObject({ argument: 'outputs' });
    const inference = torch.inferenceMode(() => torch.ones([1]));
    expect(refusal(() => square(inference)).message).toMatch(/made outside of inferenceMode/);
    expect(square([2]).grad.toArray()).toEqual([4]);
  });

  test('no function, no tensor, no options', () => {
    expect(refusal(() => torch.valueAndGrad(1 as never)).argument).toBe('fn');
    expect(refusal(() => torch.valueAndGrad(F.mseLoss, { into: 1 } as never))).toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
    for (const input of [undefined, null, 'x', {}, () => 1, Symbol('x')]) {
      expect(() => torch.valueAndGrad(F.mseLoss)(input as never, [1])).toThrow(torch.TorchError);
    }
  });

  test('of losses: the same as the plain call’s, first and again', () => {
    const gone = scores();
    gone.dispose();
    const calls: [torch.Tensor, unknown, object?][] = [
      [scores(), [0, 7]],
      [scores(), [0, 1, 2]],
      [scores(), [0, 1], { labelSmoothing: 2 }],
      [scores(), [0, 1], { reduction: 'average' }],
      [scores(), [0, 1], { weight: [1, 2] }],
      [scores(), [0, 1], { label_smoothing: 1 }],
      [gone, [0, 1]],
    ];
    for (const [input, target, options] of calls) {
      const run = (fn: (...args: never[]) => unknown) => refusal(() => fn(...([input, target, options] as never[])));
      const expected = run(byGraph(F.crossEntropy) as never);
      for (let i = 0; i < 2; i++) {
        const actual = run(crossEntropy as never);
        expect([actual.code, actual.message, actual.argument]).toEqual([
          expected.code,
          expected.message,
          expected.argument,
        ]);
      }
    }
  });

  test('a function that throws: what it threw, and the modes as before', () => {
    const mine = new Error('mine');
    const fn = torch.valueAndGrad((x: torch.Tensor): torch.Tensor => {
      x.mul(2);
      throw mine;
    });
    torch.noGrad(() => {
      expect(() => fn([1])).toThrow(mine);
      expect(torch.isGradEnabled()).toBe(false);
    });
    expect(torch.isGradEnabled()).toBe(true);
  });
});

describe('gradInto', () => {
  const target = [0, 1];

  test.each<[string, () => torch.Tensor | torch.TypedArray]>([
    ['a tensor', () => torch.full([2, 3], 9)],
    ['a view', () => torch.full([4, 3], 9).narrow(0, 1, 2)],
    ['a transposed view', () => torch.full([3, 2], 9).t()],
    ['a typed array', () => new Float32Array(6).fill(9)],
    ['a shared array', () => torch.fromTypedArray(new Float32Array(6).fill(9), { shape: [2, 3] })],
  ])('%s is written, and given back', (_name, make) => {
    const expected = crossEntropy(scores(), target);
    for (const loss of [F.crossEntropy, (x: torch.Tensor, y: number[]) => F.crossEntropy(x, y)]) {
      const gradInto = make();
      const differentiate = torch.valueAndGrad(loss as typeof F.crossEntropy, { gradInto });
      for (let i = 0; i < 2; i++) {
        const { value, grad } = differentiate(scores(), target);
        expect(grad).toBe(gradInto);
        expect(value.item()).toBe(expected.value.item());
        const written = grad instanceof torch.Tensor ? grad.toTypedArray() : grad;
        expect(written).toEqual(expected.grad.toTypedArray());
      }
    }
  });

  test.each<
    [string, (x: torch.Tensor, gradInto: torch.Tensor) => torch.ValueAndGrad, (x: torch.Tensor) => torch.ValueAndGrad]
  >([
    [
      'crossEntropy',
      (x, gradInto) => torch.valueAndGrad(F.crossEntropy, { gradInto })(x, target),
      (x) => byGraph(F.crossEntropy)(x, target),
    ],
    [
      'mseLoss',
      (x, gradInto) => torch.valueAndGrad(F.mseLoss, { gradInto })(x, scores().mul(2)),
      (x) => byGraph(F.mseLoss)(x, scores().mul(2)),
    ],
    [
      'smoothL1Loss',
      (x, gradInto) => torch.valueAndGrad(F.smoothL1Loss, { gradInto })(x, scores().mul(2)),
      (x) => byGraph(F.smoothL1Loss)(x, scores().mul(2)),
    ],
    [
      'huberLoss',
      (x, gradInto) => torch.valueAndGrad(F.huberLoss, { gradInto })(x, scores().mul(2)),
      (x) => byGraph(F.huberLoss)(x, scores().mul(2)),
    ],
    [
      'binaryCrossEntropyWithLogits',
      (x, gradInto) =>
        torch.valueAndGrad(F.binaryCrossEntropyWithLogits, { gradInto })(x, scores().sigmoid(), {
          posWeight: [1, 2, 3],
        }),
      (x) => byGraph(F.binaryCrossEntropyWithLogits)(x, scores().sigmoid(), { posWeight: [1, 2, 3] }),
    ],
    [
      'klDiv with itself as the target',
      (x, gradInto) => torch.valueAndGrad(F.klDiv, { gradInto })(x, x, { reduction: 'sum', logTarget: true }),
      (x) => byGraph(F.klDiv)(x, x, { reduction: 'sum', logTarget: true }),
    ],
    [
      'a function of the graph',
      (x, gradInto) => torch.valueAndGrad((y: torch.Tensor) => y.mul(y).sum(), { gradInto })(x),
      (x) => byGraph((y: torch.Tensor) => y.mul(y).sum())(x),
    ],
  ])('the input itself: %s', (_name, inPlace, plain) => {
    const [expected, x] = [plain(scores()), scores()];
    const { value, grad } = inPlace(x, x);
    expect(grad).toBe(x);
    expect(value.toTypedArray()).toEqual(expected.value.toTypedArray());
    expect(x.toTypedArray()).toEqual(expected.grad.toTypedArray());
  });

  test('a graph that saved what is written over says so', () => {
    const x = scores();
    const w = torch.ones([2, 3], { requiresGrad: true });
    const product = x.mul(w).sum();
    torch.valueAndGrad(F.crossEntropy, { gradInto: x })(x, target);
    expectNative(
      refusal(() => product.backward()),
      'RUNTIME',
      /modified by an inplace operation/,
    );
  });

  test.each<[string, unknown]>([
    ['of another shape', torch.zeros([3, 2])],
    ['of another dtype', torch.zeros([2, 3], { dtype: 'float64' })],
    ['that requires a gradient', torch.zeros([2, 3], { requiresGrad: true })],
    ['of another length', new Float32Array(5)],
    ['of another type', new Float64Array(6)],
    ['that is an array', [0, 0, 0, 0, 0, 0]],
  ])('one %s is refused, and nothing is computed', (_name, gradInto) => {
    const fn = jest.fn(F.crossEntropy);
    for (const loss of [F.crossEntropy, fn]) {
      const error = refusal(() => torch.valueAndGrad(loss, { gradInto: gradInto as never })(scores(), target));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'valueAndGrad', argument: 'gradInto' });
    }
    expect(fn).not.toHaveBeenCalled();
  });

  describe.each([
    ['small', [4, 3]],
    // Large enough to be computed in chunks.
    ['large', [1500, 400]],
  ])('%s ones that share memory', (_name, shape) => {
    const [rows, classes] = shape as [number, number];
    const labels = (): torch.Tensor => torch.randint(0, classes, [rows]);
    /** A tensor with room behind it. */
    const memory = (): torch.Tensor => torch.randn([rows + 2, classes]);
    const overlapping = (label: string) => ({
      code: 'INVALID_ARGUMENT',
      argument: 'gradInto',
      message: expect.stringMatching(new RegExp(`but received a tensor that overlaps ${label}$`)),
    });

    test('partly with the input', () => {
      const all = memory();
      const x = all.narrow(0, 0, rows);
      const before = x.clone();
      for (const gradInto of [
        all.narrow(0, 1, rows),
        all
          .flatten()
          .narrow(0, 1, rows * classes)
          .view(shape),
      ]) {
        const differentiate = torch.valueAndGrad(F.crossEntropy, { gradInto });
        expect(refusal(() => differentiate(x, labels()))).toMatchObject(overlapping("'input'"));
      }
      const square = torch.randn([rows, rows]);
      const transposed = torch.valueAndGrad(F.mseLoss, { gradInto: square.t() });
      expect(refusal(() => transposed(square, torch.zeros([rows, rows])))).toMatchObject(overlapping("'input'"));
      expect(x.eq(before).all().item()).toBe(true);
    });

    test('partly with another argument, and with an option', async () => {
      const [x, all] = [torch.randn(shape), memory()];
      const gradInto = all.narrow(0, 0, rows);
      const { async: later } = torch.valueAndGrad(F.mseLoss, { gradInto });
      await expect(later(x, all.narrow(0, 2, rows))).rejects.toMatchObject(overlapping('argument 2'));
      const weighted = torch.valueAndGrad(F.crossEntropy, { gradInto });
      const weight = gradInto.select(0, 1);
      expect(refusal(() => weighted(x, labels(), { weight }))).toMatchObject(overlapping("option 'weight'"));
      const array = new Float32Array(rows * classes + 1);
      const intoArray = torch.valueAndGrad(F.mseLoss, { gradInto: array.subarray(1) });
      const target = { data: array.subarray(0, -1), dims: shape };
      expect(refusal(() => intoArray(x, target))).toMatchObject(overlapping('argument 2'));
    });

    test('columns of one tensor, every second row, and other parts do not overlap', () => {
      const [x, target] = [torch.randn(shape), torch.randn(shape)];
      const expected = torch.valueAndGrad(F.mseLoss)(x, target).grad;
      const wide = torch.empty([rows, 2 * classes]);
      const long = torch.empty([2 * rows, classes]);
      const pairs: [torch.Tensor, torch.Tensor][] = [
        [wide.narrow(1, 0, classes), wide.narrow(1, classes, classes)],
        [
          long.view([rows, 2 * classes]).narrow(1, 0, classes),
          long.view([rows, 2 * classes]).narrow(1, classes, classes),
        ],
        [long.narrow(0, 0, rows), long.narrow(0, rows, rows)],
      ];
      for (const [own, gradInto] of pairs) {
        own.copy_(x);
        torch.valueAndGrad(F.mseLoss, { gradInto })(own, target);
        expect(gradInto.eq(expected).all().item()).toBe(true);
      }
    });

    test('of the same places with the target, and with both', () => {
      for (const loss of [F.mseLoss, F.binaryCrossEntropyWithLogits, F.huberLoss, F.softMarginLoss, F.poissonNllLoss]) {
        const [x, target] = [torch.randn(shape), torch.rand(shape)];
        const plain = torch.valueAndGrad(loss as typeof F.mseLoss);
        const expected = [plain(x, target).grad, plain(x, x).grad];
        const own = target.clone();
        torch.valueAndGrad(loss as typeof F.mseLoss, { gradInto: own })(x, own);
        const both = x.clone();
        torch.valueAndGrad(loss as typeof F.mseLoss, { gradInto: both })(both, both);
        expect(
          [own, both].map((grad, i) =>
            grad
              .eq(expected[i] as torch.Tensor)
              .all()
              .item(),
          ),
        ).toEqual([true, true]);
      }
    });

    test('with themselves are refused, transposed ones are not', () => {
      const [x, target] = [torch.randn(shape), torch.randn(shape)];
      const calls: [typeof F.mseLoss, torch.Tensor][] = [
        [F.mseLoss, target],
        [F.crossEntropy as typeof F.mseLoss, labels()],
      ];
      for (const [loss, given] of calls) {
        const gradInto = torch.empty([classes, rows]).t();
        torch.valueAndGrad(loss, { gradInto })(x, given);
        expect(gradInto.eq(torch.valueAndGrad(loss)(x, given).grad).all().item()).toBe(true);
        const expanded = torch.valueAndGrad(loss, { gradInto: torch.empty([rows, 1]).expand(shape) });
        expect(refusal(() => expanded(x, given))).toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringMatching(/to have memory for each element, but received an expanded tensor/),
        });
      }
    });

    test('as the out of a loss, anything it is computed from', () => {
      const [all, target] = [memory(), torch.randn(shape)];
      const [x, out] = [all.narrow(0, 0, rows), all.narrow(0, 1, rows)];
      const expected = F.mseLoss(x, target, { reduction: 'none' });
      F.mseLoss.out(out, x, target, { reduction: 'none' });
      expect(out.eq(expected).all().item()).toBe(true);
      const expanded = torch.empty([rows, 1]).expand(shape);
      expect(refusal(() => F.mseLoss.out(expanded, target, target, { reduction: 'none' }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'out',
      });
    });
  });

  test('one that is disposed is refused', () => {
    const gradInto = torch.zeros([2, 3]);
    gradInto.dispose();
    expect(refusal(() => torch.valueAndGrad(F.crossEntropy, { gradInto })(scores(), target))).toMatchObject({
      code: 'DISPOSED',
    });
  });

  test('an array takes the gradient of an array', () => {
    const [input, gradInto] = [Float32Array.of(3, 1), new Float32Array(2)];
    const differentiate = torch.valueAndGrad(F.mseLoss, { gradInto });
    expect(differentiate(input, [1, 1]).grad).toBe(gradInto);
    expect(gradInto).toEqual(Float32Array.of(2, 0));
    torch.valueAndGrad(F.mseLoss, { gradInto: input })(input, [1, 1]);
    expect(input).toEqual(Float32Array.of(2, 0));
  });
});

describe('a loss that broadcasts', () => {
  test.each<[string, number[], number[]]>([
    ['the input', [3, 1], [3, 4]],
    ['the target', [3, 4], [4]],
    ['both', [3, 1], [1, 4]],
    ['to more dimensions', [4], [3, 4]],
    ['a scalar input', [], [3, 4]],
  ])('%s: the gradient has the input’s shape', (_name, own, other) => {
    const [x, y] = [torch.rand(own), torch.rand(other)];
    jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const calls = [
      [torch.valueAndGrad(F.mseLoss)(x, y), byGraph(F.mseLoss)(x, y)],
      [torch.valueAndGrad(F.smoothL1Loss)(x, y), byGraph(F.smoothL1Loss)(x, y)],
      [torch.valueAndGrad(F.huberLoss)(x, y), byGraph(F.huberLoss)(x, y)],
      [torch.valueAndGrad(F.klDiv)(x, y), byGraph(F.klDiv)(x, y)],
      [torch.valueAndGrad(F.klDiv)(x, y, { logTarget: true }), byGraph(F.klDiv)(x, y, { logTarget: true })],
    ] as const;
    for (const [direct, graph] of calls) expect(elements(direct)).toEqual(elements(graph));
    for (const gradInto of [torch.zeros(own), new Float32Array(x.numel()), x.clone()]) {
      const { grad } = torch.valueAndGrad(F.mseLoss, { gradInto })(gradInto instanceof torch.Tensor ? x : x, y);
      const written = grad instanceof torch.Tensor ? grad.toTypedArray() : grad;
      expect(written).toEqual(byGraph(F.mseLoss)(x, y).grad.toTypedArray());
    }
    jest.restoreAllMocks();
  });
});
