/** Whether values on a device are looked at before kernels that would fail on them for good. */
import { boolean } from '../../options';

const { LIBTORCH_LOSSES_VALIDATE_ARGS: given } = process.env;

let validates = given !== undefined && !['', '0', 'false'].includes(given);

/**
 * Sets whether losses on a CUDA device look at the values that its kernels refuse by failing for good, after which every
 * call of CUDA fails in this process: class indices, and the probabilities of `binaryCrossEntropy`. With it such values are
 * errors that name them, as on the CPU; it costs a reduction over the values and waits for the device.
 *
 * Default: what the environment variable `LIBTORCH_LOSSES_VALIDATE_ARGS` says, else `false`. Class indices that are given
 * as arrays are looked at in any case, before they go to the device. It holds for the calls of this thread.
 *
 * **Source**: `torch.distributions.Distribution.set_default_validate_args`, for losses.
 */
export function setValidateArgs(value: boolean): void {
  validates = boolean('cuda.setValidateArgs', "'value'", value);
}

/** Whether values on a device are looked at: see {@link setValidateArgs}. */
export function getValidateArgs(): boolean {
  return validates;
}

/** @internal Looks at values while `fn` runs, which is synchronous. */
export function validating<T>(fn: () => T): T {
  const before = validates;
  validates = true;
  try {
    return fn();
  } finally {
    validates = before;
  }
}
