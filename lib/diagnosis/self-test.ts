/**
 * One loss and one gradient on a device, against the answers of PyTorch and of the reference: whether libtorch, the addon
 * and the device work together.
 */
import { type Device, nn, type Tensor, tensor } from '../index';
import { crossEntropy as reference } from '../reference';
import type { SelfTestResult } from './report';

const scores = [
  [1, 2, 0.5, 0.1],
  [0.1, 0.2, 0.3, 0.4],
  [2, 1, 0.1, 0.5],
];
const classes = [1, 3, 0];

/** What PyTorch gives in float64, rounded. */
const knownLoss = [0.783656755605];
const knownGradient = [
  0.0704515769204, -0.141826092004, 0.0427310414273, 0.0286434736567, 0.0712794067887, 0.0787759274405, 0.087060864052,
  -0.237116198281, -0.141826092004, 0.0704515769204, 0.0286434736567, 0.0427310414273,
];

/** Beyond this the float32 of a device is wrong, not rounded. */
const tolerance = 1e-6;

/** Computes both. */
export function selfTest(device: Device): SelfTestResult[] {
  const input = tensor(scores, { device, requiresGrad: true });
  const loss = nn.functional.crossEntropy(input, tensor(classes, { dtype: 'int64', device }));
  loss.backward();
  const expected = reference(scores, classes);
  const gradient = expected.backward().input.toArray() as number[][];
  return [
    judged(device, 'cross entropy', [loss.item() as number], knownLoss, [expected.item()]),
    judged(device, 'its gradient', numbersOf(input.grad), knownGradient, gradient.flat()),
  ];
}

function numbersOf(gradient: Tensor | undefined): number[] {
  return (gradient?.to('cpu').toArray() as number[][] | undefined)?.flat() ?? [];
}

function judged(
  device: Device,
  what: string,
  computed: readonly number[],
  known: readonly number[],
  reference: readonly number[],
): SelfTestResult {
  const errors = known.flatMap((number, i) => [
    number - (computed[i] ?? Number.NaN),
    number - (reference[i] ?? Number.NaN),
  ]);
  const error = Math.max(...errors.map(Math.abs));
  const passed = computed.length === known.length && error <= tolerance;
  return { device, what, computed, known, reference, error: Number.isNaN(error) ? null : error, passed };
}
