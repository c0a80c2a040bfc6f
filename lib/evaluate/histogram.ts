/** How losses are distributed, without keeping them. */
import type { HistogramBin } from './result';

/** Of a float32: its sign, its exponent and the first eight bits of its fraction, a bin for each. */
const dropped = 15;
const binCount = 2 ** (32 - dropped);

/** Counts losses in bins of 0.4 % width, relative to the loss; shows them in bins of equal width. */
export class LossHistogram {
  readonly #counts = new Float64Array(binCount);
  #least = Number.POSITIVE_INFINITY;
  #greatest = Number.NEGATIVE_INFINITY;

  /** Counts the finite ones. */
  add(losses: Float32Array): void {
    const bits = new Uint32Array(losses.buffer, losses.byteOffset, losses.length);
    for (let i = 0; i < losses.length; i++) {
      const loss = losses[i] as number;
      if (!Number.isFinite(loss)) continue;
      const bin = (bits[i] as number) >>> dropped;
      this.#counts[bin] = (this.#counts[bin] as number) + 1;
      if (loss < this.#least) this.#least = loss;
      if (loss > this.#greatest) this.#greatest = loss;
    }
  }

  merge(other: LossHistogram): void {
    for (let i = 0; i < binCount; i++) this.#counts[i] = (this.#counts[i] as number) + (other.#counts[i] as number);
    this.#least = Math.min(this.#least, other.#least);
    this.#greatest = Math.max(this.#greatest, other.#greatest);
  }

  /** Bins of equal width between the least and the greatest loss; none without losses. */
  bins(count = 40): HistogramBin[] {
    const [low, high] = [this.#least, this.#greatest];
    if (low > high) return [];
    if (low === high) return [{ low, high, count: this.#counts.reduce((sum, n) => sum + n, 0) }];
    const width = (high - low) / count;
    const counts = new Float64Array(count);
    this.#counts.forEach((n, bin) => {
      if (n === 0) return;
      const at = Math.floor((middleOf(bin) - low) / width);
      const clamped = Math.min(Math.max(at, 0), count - 1);
      counts[clamped] = (counts[clamped] as number) + n;
    });
    return Array.from(counts, (n, i) => ({
      low: low + i * width,
      high: i === count - 1 ? high : low + (i + 1) * width,
      count: n,
    }));
  }

  /** The bins that hold something, for a constructor of another process. */
  state(): HistogramState {
    const counts: [bin: number, count: number][] = [];
    this.#counts.forEach((n, bin) => {
      if (n > 0) counts.push([bin, n]);
    });
    return { counts, least: this.#least, greatest: this.#greatest };
  }

  static fromState({ counts, least, greatest }: HistogramState): LossHistogram {
    const made = new LossHistogram();
    for (const [bin, n] of counts) made.#counts[bin] = n;
    made.#least = least;
    made.#greatest = greatest;
    return made;
  }
}

export interface HistogramState {
  counts: readonly (readonly [bin: number, count: number])[];
  least: number;
  greatest: number;
}

const scratch = new DataView(new ArrayBuffer(4));

function middleOf(bin: number): number {
  scratch.setUint32(0, ((bin << dropped) | (1 << (dropped - 1))) >>> 0);
  return scratch.getFloat32(0);
}
