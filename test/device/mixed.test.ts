/** Tensors on several devices are refused before anything is computed of them. */
import type * as torch from '../../lib';
import type { TorchError } from '../../lib/errors';
import { type Loss, type LossCase, losses } from '../cases';
import { argumentsOf, leavesOf, nativeFunction, optionsOf } from '../cases/call';
import { quietly } from '../support/conditions';
import { devices, fake } from '../support/device';

quietly();

const [first, second] = devices;

function kernels(): number[] {
  return [fake.kernels(0), fake.kernels(1)];
}

/** Losses that are several operators here: those that only see tensors that fit have run before. */
const composed: readonly string[] = [
  'gaussianNllLoss',
  'huberLoss',
  'l1Loss',
  'linearCrossEntropy',
  'mseLoss',
  'multilabelSoftMarginLoss',
  'tripletMarginWithDistanceLoss',
];

/** The call with every tensor on the first device but one; what is wrong with what came of it. */
function fault(loss: Loss, lossCase: LossCase, name: string, elsewhere: torch.Device): string | undefined {
  const made = Object.entries(leavesOf(loss, lossCase, 'float32'));
  const leaves = Object.fromEntries(
    made.map(([own, leaf]) => [own, leaf.detach().to(own === name ? elsewhere : first)]),
  );
  const before = kernels();
  try {
    nativeFunction(loss)(...argumentsOf(lossCase, leaves), { ...optionsOf(lossCase, leaves) });
  } catch (error) {
    const { code, message } = error as TorchError;
    const ran = kernels().map((count, i) => count - (before[i] as number));
    if (!composed.includes(loss.name) && ran.some((count) => count > 0))
      return `${ran} kernels ran before it was refused: ${message}`;
    const isClear = code === 'INVALID_ARGUMENT' && /^\w+: expected '\w+' to be on \S+ as '\w+' is, but /.test(message);
    return isClear ? undefined : `${code} ${message}`;
  }
  return 'it is not refused';
}

// What PyTorch brings to the input's device itself.
const moved = ['ctcLoss'];

describe.each(losses.filter(({ name }) => !moved.includes(name)))('$name', (loss) => {
  const tensorsOf = (lossCase: LossCase): [string, torch.Tensor][] =>
    Object.entries(leavesOf(loss, lossCase, 'float32'));
  const cases = loss.valid.filter((lossCase) => tensorsOf(lossCase).filter(([, { ndim }]) => ndim > 0).length > 1);

  test.each(cases)('$name', (lossCase) => {
    const wrong: string[] = [];
    for (const [name, { ndim }] of tensorsOf(lossCase)) {
      for (const elsewhere of ndim === 0 ? [second] : ['cpu', second]) {
        const text = fault(loss, lossCase, name, elsewhere);
        if (text !== undefined) wrong.push(`${name} on ${elsewhere}: ${text}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
