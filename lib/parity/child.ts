/**
 * The process that runs the cases, started by `libtorch-losses parity`. It is a separate process for two reasons: ATen,
 * MKL and OpenMP read the environment once, as libtorch loads; and should a kernel end its process, the command lives
 * to say so.
 */
import { TorchError } from '../errors';
import * as cuda from '../torch/cuda';
import type { ParityMessage, ParityRequest } from './report';
import { runParity } from './run';

function main(): void {
  const order = JSON.parse(process.argv[2] as string) as ParityRequest;
  try {
    if (order.device !== 'cpu') checkCuda(order.device);
    const report = runParity(order, (op, index) => tell({ kind: 'operator', op, index }));
    tell({ kind: 'report', report });
  } catch (error) {
    const { message, stack } = error as Error;
    if (error instanceof TorchError) tell({ kind: 'error', code: error.code, message });
    else tell({ kind: 'error', code: 'RUNTIME', message: stack ?? message });
  }
}

/** @throws TorchError that says why CUDA or the device is unavailable. */
function checkCuda(device: string): void {
  const count = cuda.deviceCount();
  if (Number(device.split(':')[1] ?? 0) < count) return;
  const what = count === 0 ? cuda.whyUnavailable() : `${count === 1 ? '1 device' : `${count} devices`}, counted from 0`;
  const message = `parity: expected '--device' to be an available device, but received ${device}: ${what}`;
  throw new TorchError('LIBTORCH_UNUSABLE', message, { op: 'parity', argument: '--device' });
}

function tell(message: ParityMessage): void {
  process.send?.(message);
}

main();
