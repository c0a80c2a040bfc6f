// The calls of the section `operators`: what one of them costs beside Python's. peer.py has the same.
import { torch } from './library.mjs';

const F = torch.nn.functional;

/** What each makes of the inputs that it is given. */
const makers = {
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

/** The call as a peer has it; `check` gives the elements of the results of one turn. */
export function callOf(name, inputs) {
  const tensor = makers[name](...inputs);
  const turn = name === 'crossEntropyInTurn' ? inputs.length / 2 : 1;
  return {
    tensor,
    check: () => ({ value: Array.from({ length: turn }, () => tensor().detach().toTypedArray()) }),
  };
}
