// When the results of a run must be equal to the bit, and how far apart they may be otherwise.
import { library } from './part.mjs';

const { difference, numberOf, rawBits } = library('parity/bits');
const { toleranceFor } = library('parity/tolerance');
const { itemsizes } = library('types');

/**
 * Losses whose CUDA kernels add by atomic operations, in whichever order the threads arrive: two runs of one program
 * differ in the last bits. PyTorch's notes on reproducibility name them.
 */
export const atomics = Object.freeze([
  {
    losses: ['crossEntropy', 'nllLoss'],
    // A row of scores for each position: nll_loss2d.
    concerns: ({ lossCase, reduction }) => lossCase.args.input.shape.length > 2 && reduction !== 'none',
    because: 'nll_loss2d adds up the places by atomicAdd',
  },
  {
    losses: ['ctcLoss'],
    concerns: (_run, label) => label.startsWith('gradient'),
    because: 'ctc_loss_backward adds up the paths of a label by atomicAdd',
  },
]);

/** Why the bits of a result change from run to run on CUDA; `undefined` where they do not. */
export function whyNotRepeatable(run, label) {
  return atomics.find(({ losses, concerns }) => losses.includes(run.loss) && concerns(run, label))?.because;
}

/** Where this library answers on purpose otherwise than PyTorch; scripts/golden/cases says the same of its vectors. */
export const deviations = Object.freeze([
  {
    losses: ['multiMarginLoss', 'multilabelMarginLoss'],
    cases: /no rows$/,
    because: 'PyTorch gives memory that nothing was written to',
  },
  {
    losses: ['gaussianNllLoss'],
    cases: /variance as a number/,
    because: "PyTorch's own check refuses the number that its documentation allows",
  },
]);

/** Why PyTorch's answer does not count; `undefined` where it does. */
export function whyNotPyTorch(run) {
  return deviations.find(({ losses, cases }) => losses.includes(run.loss) && cases.test(run.lossCase.name))?.because;
}

/** A description of what differs by more than PyTorch's tolerances. */
export function apart(run, label, actual, expected, by) {
  const data = numbersOf(expected);
  // The argument or the result with the fewest bits; a loss of one dtype has the same in both.
  const tolerance = toleranceFor(expected.dtype, { data }, run.lossCase.terms);
  return difference(label, actual, expected, tolerance, by);
}

/** A description of any difference. */
export function unequal(label, actual, expected, by) {
  return difference(label, actual, expected, undefined, by);
}

function numbersOf(bits) {
  const count = bits.bytes.length / itemsizes[bits.dtype];
  return Array.from({ length: count }, (_, i) => Number(numberOf(bits.dtype, rawBits(bits, i))));
}
