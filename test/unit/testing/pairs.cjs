// Two values each, that a test runner must tell apart or must take for equal.
module.exports = (torch) => {
  const { tensor } = torch;
  const disposed = () => {
    const gone = tensor([1]);
    gone.dispose();
    return gone;
  };
  const long = (last) => tensor(Float32Array.from({ length: 5000 }, (_, i) => (i === 2500 ? last : i)));
  const bits = (pattern) => tensor(Uint16Array.of(pattern), { dtype: 'float16' });
  const Loss = torch.nn.CrossEntropyLoss;
  const { Categorical } = torch.distributions;
  const newEvaluator = () => new torch.BatchEvaluator(torch.nn.functional.mseLoss);
  const different = {
    values: [tensor([1, 2]), tensor([1, 3])],
    'the last bit': [tensor([1]), tensor([1 + 2 ** -23])],
    'an element that is not printed': [long(0), long(1)],
    shapes: [tensor([1, 2]), tensor([[1, 2]])],
    'shapes without elements': [torch.zeros([0, 2]), torch.zeros([2, 0])],
    'numbers of dimensions without elements': [torch.zeros([0]), torch.zeros([0, 3])],
    'what no element has': [torch.zeros([0, 2]), torch.zeros([0, 3])],
    'in arrays without elements': [[torch.zeros([0])], [torch.zeros([0, 3])]],
    dtypes: [tensor([1, 2]), tensor([1, 2], { dtype: 'float64' })],
    'dtypes of the same bits': [torch.zeros([2], { dtype: 'float16' }), torch.zeros([2], { dtype: 'bfloat16' })],
    devices: [torch.zeros([2]), torch.zeros([2], { device: 'meta' })],
    'tensors of the meta device': [torch.zeros([2], { device: 'meta' }), torch.zeros([2], { device: 'meta' })],
    'NaN and a number': [tensor([NaN]), tensor([0])],
    zeros: [tensor([0]), tensor([-0])],
    'big integers': [tensor([2n ** 60n]), tensor([2n ** 60n + 1n])],
    'disposed tensors': [disposed(), disposed()],
    'a disposed tensor and a live one': [disposed(), tensor([1])],
    'a tensor and an empty object': [tensor([1]), {}],
    'a tensor and its elements': [tensor([1]), [1]],
    'in arrays': [[tensor([1])], [tensor([2])]],
    'in objects': [{ a: { b: tensor([1]) } }, { a: { b: tensor([2]) } }],
    'values of a Map': [new Map([[1, tensor([1])]]), new Map([[1, tensor([2])]])],
    'keys of a Map': [new Map([[tensor([1]), 1]]), new Map([[tensor([2]), 1]])],
    'in a Set': [new Set([tensor([1])]), new Set([tensor([2])])],
    modules: [new Loss({ weight: tensor([1, 2]) }), new Loss({ weight: tensor([1, 3]) })],
    layers: [new torch.nn.Linear(2, 2), new torch.nn.Linear(2, 2)],
    distributions: [new Categorical({ probs: tensor([0.5, 0.5]) }), new Categorical({ probs: tensor([0.25, 0.75]) })],
    evaluators: [newEvaluator(), newEvaluator().update(tensor([1]), tensor([2]))],
  };
  const evaluator = newEvaluator();
  const gone = disposed();
  const equal = {
    values: [tensor([1, 2]), tensor([1, 2])],
    'the same evaluator': [evaluator, evaluator],
    'the same disposed tensor': [gone, gone],
    NaN: [tensor([NaN, 1]), tensor([NaN, 1])],
    'NaNs of other bits': [bits(0x7e00), bits(0xfe01)],
    layouts: [tensor([[1, 2], [3, 4]]).t(), tensor([[1, 3], [2, 4]])], // biome-ignore format: one line
    'an expanded view': [tensor([1]).expand([3]), tensor([1, 1, 1])],
    'in a graph and not': [tensor([2], { requiresGrad: true }).mul(2), tensor([4])],
    'nothing at all': [torch.zeros([0, 2]), torch.zeros([0, 2])],
    booleans: [tensor([true]), tensor([1]).gt(0)],
    'in objects': [{ a: [tensor([1])] }, { a: [tensor([1])] }],
    'in a Map': [new Map([[tensor([1]), tensor([2])]]), new Map([[tensor([1]), tensor([2])]])],
    'in a Set': [new Set([tensor([1]), tensor([2])]), new Set([tensor([2]), tensor([1])])],
    distributions: [new Categorical({ probs: tensor([0.5, 0.5]) }), new Categorical({ probs: tensor([0.5, 0.5]) })],
  };
  return { different, equal };
};
