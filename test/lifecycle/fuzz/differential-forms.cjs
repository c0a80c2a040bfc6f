// Every form of a loss, held to the plain call with a graph: to the bit, and refusal for refusal.

function formsOf({ torch, bitsOf, difference }) {
  const attempt = async (action) => {
    try {
      return { result: await action() };
    } catch (error) {
      return { error };
    }
  };
  // Without libtorch's own words: of several values that it refuses, its threads name any.
  const described = (error) => `${error.code ?? error.name}: ${error.message.replace(/ \(libtorch: .*\)$/s, '')}`;
  const isTensor = (x) => x instanceof torch.Tensor;
  const copy = (x) => (isTensor(x) ? x.clone() : x);

  /** The typed array that elements of a dtype go into, filled with something else. */
  const arrayLike = (tensor) => tensor.detach().clone().toTypedArray().fill(7);

  /** Arguments as typed arrays where the elements lie in row-major order. */
  function asData(x) {
    const kinds = ['float32', 'float64', 'int64'];
    if (!isTensor(x) || !x.isContiguous || !kinds.includes(x.dtype)) return x;
    return { data: x.toTypedArray(), dims: x.shape };
  }

  /** The value and the gradient by the first argument, of a sum where there are several elements. */
  function throughGraph(loss, [first, ...rest]) {
    const leaf = first.detach().requiresGrad_();
    const value = loss(leaf, ...rest);
    value.backward(value.ndim === 0 ? {} : { gradient: torch.ones(value.shape, { dtype: value.dtype }) });
    return { value: value.detach(), grad: leaf.grad };
  }

  /** Compares all forms of a case; gives what differs, and value and gradient, or why there are none. */
  async function forms({ name, call: { args, options } }) {
    const loss = torch.nn.functional[name];
    const found = [];
    const given = [...args, options];
    const same = (label, actual, expected) => {
      if (isTensor(actual)) {
        found.push(difference(label, bitsOf(actual.detach()), bitsOf(expected), undefined, 'the graph gives'));
      } else if (!Object.is(actual, expected)) found.push(`${label} is ${actual}, but the graph gives ${expected}`);
    };
    const graph = await attempt(() => throughGraph(loss, given));
    const plain = await attempt(() => torch.noGrad(() => loss(...given)));
    if (plain.error !== undefined) {
      await refusals(loss, given, plain.error, found);
      return { found, refusal: plain.error };
    }
    if (graph.error !== undefined)
      return { found: [`the graph alone refuses: ${described(graph.error)}`], refusal: graph.error };
    const { value, grad } = graph.result;
    same('plain', plain.result, value);

    const check = async (label, action, expected, read = (result) => result) => {
      const { result, error } = await attempt(action);
      if (error !== undefined) found.push(`${label} refuses: ${described(error)}`);
      else same(label, read(result), expected);
    };
    const comparedWithGraph = async (label, action) => {
      const { result, error } = await attempt(action);
      if (error !== undefined) {
        found.push(`${label} refuses: ${described(error)}`);
        return;
      }
      const gradient = isTensor(result.grad)
        ? result.grad
        : torch.tensor(result.grad, { dtype: grad.dtype, shape: grad.shape });
      same(`${label}, value`, result.value, value);
      same(`${label}, gradient`, gradient, grad);
    };

    await check('plain, again', () => torch.noGrad(() => loss(...given)), value);
    if (value.numel === 1) {
      await check('item', () => loss.item(...given), value.item());
      await check('item, again', () => loss.item(...given), value.item());
    }
    await check('out, a tensor', () => loss.out(torch.full(value.shape, 7, { dtype: value.dtype }), ...given), value);
    const intoArray = (out) => torch.tensor(out, { dtype: value.dtype, shape: value.shape });
    await check('out, a typed array', () => loss.out(arrayLike(value), ...given), value, intoArray);
    await check('async', () => loss.async(...given), value);
    const leaf = args[0].clone().detach();
    if (args[0].isContiguous) {
      leaf.requiresGrad_();
      await check(
        'backward of async',
        async () => {
          const later = await loss.async(leaf, ...given.slice(1));
          later.backward(later.ndim === 0 ? {} : { gradient: torch.ones(later.shape, { dtype: later.dtype }) });
          return leaf.grad;
        },
        grad,
      );
    }

    // Of one number alone.
    const both = value.numel === 1 ? comparedWithGraph : async () => {};
    const direct = torch.valueAndGrad(loss);
    await both('valueAndGrad', () => direct(...given));
    await both('valueAndGrad, again', () => direct(...given));
    await both('valueAndGrad.async', () => direct.async(...given));
    const into = (buffer) => torch.valueAndGrad(loss, { gradInto: buffer });
    const fresh = () => torch.full(grad.shape, 7, { dtype: grad.dtype });
    await both('gradInto a tensor', () => into(fresh())(...given));
    await both('gradInto a tensor, async', () => into(fresh()).async(...given));
    await both('gradInto a typed array', () => into(arrayLike(grad))(...given));
    if (args[0].isContiguous) {
      const own = copy(args[0]);
      await both('gradInto the input', () => into(own)(own, ...given.slice(1)));
    }

    // Typed arrays in place of tensors: of the same layout.
    if (args.every((x) => x.isContiguous)) {
      const data = [
        ...args.map(asData),
        Object.fromEntries(Object.entries(options).map(([key, x]) => [key, asData(x)])),
      ];
      // Lengths are of one kind.
      if (name === 'ctcLoss') for (const at of [2, 3]) data[at] = args[at];
      await check('typed arrays', () => loss(...data), value);
      await check('typed arrays, async', () => loss.async(...data), value);
      if (value.numel === 1) await check('typed arrays, item', () => loss.item(...data), value.item());
      await both('typed arrays, valueAndGrad', () => direct(...data));
    }
    return { found, value, grad };
  }

  /** A loss that refuses must do so in every form, with the same words. */
  async function refusals(loss, given, error, found) {
    const expected = described(error);
    const forms = {
      item: () => loss.item(...given),
      out: () => loss.out(torch.zeros([]), ...given),
      async: () => loss.async(...given),
      valueAndGrad: () => torch.valueAndGrad(loss)(...given),
    };
    for (const [label, action] of Object.entries(forms)) {
      const outcome = await attempt(action);
      const text = outcome.error === undefined ? 'gives a result' : described(outcome.error);
      if (text !== expected) found.push(`${label}: ${text}, but the plain call: ${expected}`);
    }
  }

  return { forms, throughGraph };
}

module.exports = { formsOf };
