/** The default generator of the CPU, as functions. **Source**: `torch.random`. */

import { defaultGenerator } from './generator';
import type { Tensor } from './tensor';

/** The seed that the default generator was started from. **Source**: `torch.initial_seed`. */
export function initialSeed(): bigint {
  return defaultGenerator().initialSeed();
}

/** Starts the default generator over from a seed of the system's random numbers, and returns that. **Source**: `torch.seed`. */
export function seed(): bigint {
  return defaultGenerator().seed();
}

/** Where the default generator stands, as a tensor of bytes. **Source**: `torch.get_rng_state`. */
export function getRngState(): Tensor {
  return defaultGenerator().getState();
}

/** Has the default generator go on from where it stood. **Source**: `torch.set_rng_state`. */
export function setRngState(state: Tensor): void {
  defaultGenerator().setState(state);
}
