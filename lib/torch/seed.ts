/** Seeds of random numbers. */
import { expected, show } from '../errors';

/** The seed as PyTorch counts it: an integer in [-2^63, 2^64), the negative ones from 2^64 down. */
export function checkedSeed(op: string, seed: number | bigint): bigint {
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
    throw expected(op, "'seed'", 'to be an integer', show(seed));
  }
  const integer = BigInt(seed);
  if (integer < -(2n ** 63n) || integer >= 2n ** 64n) {
    throw expected(op, "'seed'", 'to be in [-2^63, 2^64)', show(seed));
  }
  return BigInt.asUintN(64, integer);
}
