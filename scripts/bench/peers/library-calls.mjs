// The calls of the sections `operators` and `training`: their cost is compared with Python's. peer.py has the same
// calls.
import { torch } from './library.mjs';

const F = torch.nn.functional;

const optimizers = {
  Sgd: (parameters) => new torch.optim.SGD(parameters, 0.01, 0.9),
  AdamW: (parameters) => new torch.optim.AdamW(parameters),
};

/** A model of linear layers with the given weights, and its optimizer. */
function perceptron(name, weights) {
  const layers = weights.map((weight) => {
    const layer = new torch.nn.Linear(weight.size(1), weight.size(0));
    torch.noGrad(() => {
      layer.weight.copy_(weight).mul_(0.02);
      layer.bias.zero_();
    });
    return layer;
  });
  const model = new torch.nn.Sequential(
    ...layers.flatMap((layer, i) => (i === 0 ? [layer] : [new torch.nn.ReLU(), layer])),
  );
  return { model, optimizer: optimizers[name](model.parameters()) };
}

/** A whole training step; returns the loss. */
const train =
  (name) =>
  (x, y, ...weights) => {
    const { model, optimizer } = perceptron(name, weights);
    return () => {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    };
  };

/** The optimizer's step alone; returns a weight. */
const step =
  (name) =>
  (x, y, ...weights) => {
    const { model, optimizer } = perceptron(name, weights);
    F.crossEntropy(model(x), y).backward();
    const [first] = model.parameters();
    return () => {
      optimizer.step();
      return first;
    };
  };

/** The calls, by their names, as functions of the inputs. */
const makers = {
  trainSgd: train('Sgd'),
  trainAdamW: train('AdamW'),
  stepSgd: step('Sgd'),
  stepAdamW: step('AdamW'),
  add: (x, y) => () => x.add(y),
  relu: (x) => () => x.relu(),
  view: (x) => () => x.view(-1),
  matmul: (x, y) => () => x.matmul(y),
  sum: (x) => () => x.sum(1),
  crossEntropyWithGraph: (x, y) => {
    const leaf = x.detach().requiresGrad_();
    return () => F.crossEntropy(leaf, y);
  },
  // Each call has inputs of another shape than the one before.
  crossEntropyInTurn: (...inputs) => {
    let next = 0;
    return () => {
      const at = next;
      next = (next + 2) % inputs.length;
      return F.crossEntropy(inputs[at], inputs[at + 1]);
    };
  },
};

/** Whether it is one of them. */
export const isCall = (name) => name in makers;

/** The call as a peer has it; `check` returns the elements of the results of one turn. */
export function callOf(name, inputs) {
  const tensor = makers[name](...inputs);
  const turn = name === 'crossEntropyInTurn' ? inputs.length / 2 : 1;
  return {
    tensor,
    check: () => ({ value: Array.from({ length: turn }, () => tensor().detach().toTypedArray()) }),
  };
}
