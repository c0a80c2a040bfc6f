// Tensors, native handles and typed arrays in every state: live, disposed, in a graph, shared, pending, foreign.
const { detach, dtypes } = require('./values.cjs');

/** Results with more elements are not kept: what they multiply to would take time and memory, and show nothing. */
const largest = 1000;

/** What hostile values are made of; `renew()` makes all of it anew. */
function newState(torch, native, addonFile, { below, pick, chance }) {
  const state = {
    Tensor: torch.Tensor,
    tensors: [],
    handles: [],
    foreign: [],
    shared: [],
    programs: [],
    transfers: [],
  };

  // The same addon once more: its handles are another environment's.
  delete require.cache[addonFile];
  const other = require(addonFile);
  other.connect({ emitWarning: () => {} });

  function newTensors() {
    const made = dtypes.map((dtype) =>
      torch.tensor([1, 0, 1, 1, 0, 1], { dtype }).reshape(pick([[6], [2, 3], [3, 2]])),
    );
    const leaf = torch.randn([3, 4], { requiresGrad: true });
    const gone = torch.ones([2]);
    gone.dispose();
    return [
      ...made,
      leaf,
      leaf.mul(2),
      leaf.exp().sum(),
      gone,
      leaf.detach().t(),
      torch.rand([3, 4]),
      torch.rand([3, 4]),
      torch.zeros([0, 3]),
      torch.tensor(0.25),
      torch.tensor([1n, 3n, 0n]),
      torch.tensor([NaN, Infinity, -Infinity]),
      torch.rand([1]).expand([3, 4]),
      torch.zeros([3, 4], { device: 'meta' }),
      torch.inferenceMode(() => torch.rand([3, 4])),
      ...state.shared.slice(0, 3).map((array) => torch.fromTypedArray(array)),
      torch.fromTypedArray(state.shared[0]).reshape([2, 3]).t(),
      torch.fromTypedArray(state.shared[2], { requiresGrad: true }),
      // In a graph that has saved it.
      torch.fromTypedArray(state.shared[2]).mul(torch.randn([4], { requiresGrad: true })),
    ];
  }

  function newHandles() {
    const plain = () => native.fromBytes(new Float32Array(6).fill(0.5), 6, pick([[6], [2, 3], [3, 2]]));
    const graph = plain();
    native.setRequiresGrad(graph, true);
    const disposed = plain();
    native.dispose(disposed);
    let pending;
    const program = native.trace([plain()], ([input]) => {
      pending = native.operator('aten::exp', '')(input);
      return [pending];
    });
    const transfer = native.startTransfer([plain()], 'cpu');
    state.programs = [{ program, inputs: [plain()] }];
    state.transfers = [transfer];
    state.foreign = [
      program,
      transfer,
      pending,
      other.fromBytes(new Float32Array(2), 6, [2]),
      other.startTransfer([], 'cpu'),
      torch.tensor,
    ];
    return [
      plain(),
      plain(),
      graph,
      native.operator('aten::exp', '')(graph),
      disposed,
      native.fromBytes(new BigInt64Array([1n, 0n]), 4, [2]),
      native.fromBytes(new Uint8Array([1, 0]), 11, [2]),
      native.fromBytes(new Float64Array(0), 7, [0, 2]),
      native.share(state.shared[0], 6, [2, 3]),
      native.share(state.shared[2], 7, [4]),
      native.share(state.shared[3], 6, [3]),
    ];
  }

  state.renew = () => {
    state.shared = [
      new Float32Array(6).fill(0.5),
      new BigInt64Array(3),
      new Float64Array(4),
      new Float32Array(new ArrayBuffer(12, { maxByteLength: 48 })),
      new Float32Array(new SharedArrayBuffer(12)),
    ];
    state.tensors = newTensors();
    state.handles = newHandles();
  };
  /** Puts a result in the place of something that is there, so that later calls meet what earlier ones made. */
  state.adopt = (value) => {
    const [list, numel] =
      value instanceof torch.Tensor ? [state.tensors, () => value.numel()] : [state.handles, native.numel()];
    try {
      if (numel(value) <= largest) list[below(list.length)] = value;
    } catch {
      // No tensor, or one that has no size yet.
    }
  };
  state.disposeAny = () => {
    pick(state.tensors).dispose();
    native.dispose(pick(state.handles));
  };
  state.detachAny = () => detach(pick(state.shared));
  state.resizeAny = () => {
    const { buffer } = state.shared[3];
    if (buffer.byteLength > 0) buffer.resize(chance(0.5) ? 4 : 48);
  };
  return state;
}

module.exports = { newState };
