/** Generators of random numbers, apart from the default one of each device. **Source**: `torch.Generator`. */

import { native } from '../binding/load';
import type { GeneratorHandle } from '../binding/native';
import type { Device } from '../types';
import { unwrap, wrap } from './bind';
import { checkedSeed } from './seed';
import type { Tensor } from './tensor';

/** A key of this module: only it can make a Generator of a handle. */
const key = Symbol('libtorch-losses.generator');

let handleOf: (value: unknown) => GeneratorHandle | undefined;

/**
 * A generator of random numbers. Operators that draw numbers take one as `generator`; without one they draw from the
 * device's default generator.
 *
 * @example
 * const generator = new Generator().manualSeed(7);
 * ops.aten.randn.generator([2, 3], { generator });
 *
 * **Source**: `torch.Generator`.
 */
export class Generator {
  readonly #handle: GeneratorHandle;

  /** A generator for a device, with PyTorch's initial seed. */
  constructor(device?: Device);
  /** @internal */
  constructor(handle: GeneratorHandle, made: symbol);
  constructor(given: Device | GeneratorHandle = 'cpu', made?: symbol) {
    this.#handle = made === key ? (given as GeneratorHandle) : native().newGenerator(given as Device);
  }

  static {
    handleOf = (value) => (typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined);
  }

  /** The device whose numbers it draws. */
  get device(): Device {
    return native().generatorDevice(this.#handle);
  }

  /** Starts the numbers over from a seed; negative ones count from 2^64 down, as in PyTorch. Returns the generator. */
  manualSeed(seed: number | bigint): this {
    native().manualSeedGenerator(this.#handle, checkedSeed('Generator.manualSeed', seed));
    return this;
  }

  /** The seed that it was started from. */
  initialSeed(): bigint {
    return native().initialSeed(this.#handle);
  }

  /** Starts it over from a seed of the system's random numbers, and returns that. */
  seed(): bigint {
    return native().seedGenerator(this.#handle);
  }

  /** Where it stands, as a tensor of bytes. */
  getState(): Tensor {
    return wrap(native().generatorState(this.#handle));
  }

  /** Has it go on from where another stood. Returns the generator. */
  setState(state: Tensor): this {
    native().setGeneratorState(this.#handle, unwrap(state, 'Generator.setState', 'state'));
    return this;
  }
}

/** The generator that operators draw from where none is given. **Source**: `torch.default_generator`. */
export function defaultGenerator(device: Device = 'cpu'): Generator {
  return generatorOf(native().defaultGenerator(device));
}

/** @internal The native generator; `undefined` for anything else. */
export function generatorHandle(value: unknown): GeneratorHandle | undefined {
  return handleOf(value);
}

/** @internal A generator that an operator gave. */
export function generatorOf(handle: GeneratorHandle): Generator {
  return new Generator(handle, key);
}
