/** The categorical distribution. */

import { TorchError } from '../errors';
import { withDefaults } from '../options';
import { unwrap } from '../torch/bind';
import { broadcastShapes } from '../torch/shape';
import type { Tensor } from '../torch/tensor';
import type { FloatingDType } from '../types';

/** What a {@link Categorical} is made of: one of both. */
export interface CategoricalOptions {
  /** Probabilities `[*, K]`, >= 0; they are divided by their sum. */
  probs?: Tensor | undefined;
  /** Log-probabilities `[*, K]` up to a constant. */
  logits?: Tensor | undefined;
}

const defaults: Readonly<Required<CategoricalOptions>> = Object.freeze({ probs: undefined, logits: undefined });

/** The distance from 1 to the next number, by which probabilities are kept from 0 and 1. */
const epsilon: Readonly<Record<FloatingDType, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

/** The least finite number. */
const lowest: Readonly<Record<FloatingDType, number>> = {
  float64: -Number.MAX_VALUE,
  float32: -(2 - 2 ** -23) * 2 ** 127,
  float16: -65504,
  bfloat16: -(2 - 2 ** -7) * 2 ** 127,
};

/**
 * A distribution over the classes 0 to K - 1.
 *
 * **Gradient**: entropy and log-probabilities are differentiable with respect to what the distribution was made of.
 *
 * @example new Categorical({ probs: tensor([0.25, 0.75]) }).entropy().item() // 0.5623…
 *
 * @throws TorchError `INVALID_ARGUMENT` unless exactly one of `probs` and `logits` is given, with at least one dimension;
 *   or for probabilities that are negative or NaN, or logits that are NaN.
 *
 * **Source**: `torch.distributions.Categorical`.
 */
export class Categorical {
  readonly #given: 'probs' | 'logits';
  readonly #parameter: Tensor;

  constructor(options: CategoricalOptions) {
    const { probs, logits } = withDefaults<CategoricalOptions>('Categorical', options, defaults);
    const parameter = probs ?? logits;
    if (parameter === undefined || (probs !== undefined && logits !== undefined)) {
      const received = parameter === undefined ? 'none' : 'both';
      throw refused('options', `exactly one of 'probs' and 'logits' to be given, but received ${received}`);
    }
    this.#given = probs === undefined ? 'logits' : 'probs';
    unwrap(parameter, 'Categorical', this.#given);
    if (parameter.ndim === 0) {
      throw refused(this.#given, `'${this.#given}' to have at least 1 dimension, but received shape []`);
    }
    this.#parameter =
      probs === undefined
        ? parameter.sub(parameter.logsumexp(-1, { keepdim: true }))
        : parameter.div(parameter.sum(-1, { keepdim: true }));
    this.#check();
  }

  /** What test runners tell distributions apart by: equal for the same parameters, given in the same way. */
  get [Symbol.toStringTag](): string {
    return #given in this ? `Categorical ${this.#given} ${this.#parameter[Symbol.toStringTag]}` : 'Categorical';
  }

  /** As PyTorch checks them: after normalising, so that a row of zeros is found by its NaNs. */
  #check(): void {
    const p = this.#parameter;
    if (this.#given === 'logits') {
      if (p.isnan().any().item<boolean>()) throw refused('logits', "'logits' to hold no NaN, but received one");
      return;
    }
    const sums = p.sum(-1).sub(1).abs();
    if (p.ge(0).all().item<boolean>() && sums.lt(1e-6).all().item<boolean>()) return;
    throw refused('probs', "'probs' to be >= 0 with a positive, finite sum, but received others");
  }

  /** The probabilities `[*, K]`, which sum to 1. */
  get probs(): Tensor {
    return this.#given === 'probs' ? this.#parameter : this.#parameter.softmax(-1);
  }

  /** The log-probabilities `[*, K]`. */
  get logits(): Tensor {
    const parameter = this.#parameter;
    if (this.#given === 'logits') return parameter;
    const eps = epsilon[parameter.dtype as FloatingDType];
    return parameter.clamp({ min: eps, max: 1 - eps }).log();
  }

  /** The shape of a sample: `[*]`. */
  get batchShape(): number[] {
    return this.#parameter.shape.slice(0, -1);
  }

  /** `H = -sum_k p_k ln p_k`, in nats: `[*]`. */
  entropy(): Tensor {
    const logits = this.logits;
    // Keeps -inf * 0, which would be NaN, out of the sum.
    const finite = logits.clamp({ min: lowest[logits.dtype as FloatingDType] });
    return finite.mul(this.probs).sum(-1).neg();
  }

  /**
   * The log-probability of classes, which broadcast with the distribution's batch.
   *
   * @throws TorchError `INVALID_ARGUMENT` for a class that is not an integer in [0, K).
   */
  logProb(value: Tensor): Tensor {
    unwrap(value, 'Categorical.logProb', 'value');
    const logits = this.logits;
    const classes = logits.shape.at(-1) as number;
    this.#checkValue(value, classes);
    const index = value.to('int64').unsqueeze(-1);
    const batch = broadcastShapes(value.shape, this.batchShape);
    return logits
      .expand([...batch, classes])
      .gather(-1, index.expand([...batch, 1]))
      .squeeze(-1);
  }

  #checkValue(value: Tensor, classes: number): void {
    const inside = value
      .ge(0)
      .logicalAnd(value.lt(classes))
      .logicalAnd(value.eq(value.to('int64')));
    if (inside.all().item<boolean>()) return;
    throw refused('value', `'value' to hold integers in [0, ${classes}), but received others`, 'Categorical.logProb');
  }
}

function refused(argument: string, expectation: string, op = 'Categorical'): TorchError {
  return new TorchError('INVALID_ARGUMENT', `${op}: expected ${expectation}`, { op, argument });
}
