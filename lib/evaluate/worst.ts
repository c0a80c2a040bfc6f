/** The samples of the greatest loss. */
import type { WorstSample } from './result';

/** Keeps so many samples; a loss that is NaN is worse than any. */
export class WorstSamples {
  readonly #most: number;
  #samples: WorstSample[];

  constructor(most: number, samples: readonly WorstSample[] = []) {
    this.#most = most;
    this.#samples = [...samples];
  }

  /** Offers losses whose first has the given index; `details` is asked about those that are taken. */
  add(losses: ArrayLike<number>, firstIndex: number, details: (i: number) => Partial<WorstSample> = () => ({})): void {
    for (let i = 0; i < losses.length; i++) {
      const loss = losses[i] as number;
      const last = this.#samples.length < this.#most ? undefined : this.#samples.at(-1);
      if (last !== undefined && !isWorse(loss, last.loss)) continue;
      this.#insert({ index: firstIndex + i, loss, ...details(i) });
    }
  }

  merge(other: WorstSamples, offset: number): void {
    for (const sample of other.#samples) this.#insert({ ...sample, index: sample.index + offset });
  }

  get samples(): readonly WorstSample[] {
    return this.#samples;
  }

  #insert(sample: WorstSample): void {
    const at = this.#samples.findIndex(({ loss }) => isWorse(sample.loss, loss));
    this.#samples.splice(at < 0 ? this.#samples.length : at, 0, sample);
    this.#samples.length = Math.min(this.#samples.length, this.#most);
  }
}

function isWorse(a: number, b: number): boolean {
  return Number.isNaN(a) ? !Number.isNaN(b) : a > b;
}
