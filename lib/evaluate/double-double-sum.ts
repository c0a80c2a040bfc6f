/** Double-double sums, whose rounding does not depend on how their terms are grouped. */

/**
 * A sum in twice the precision of float64. The rounding error of each addition is accumulated in a second float64
 * (Knuth's two-sum), so order and grouping can affect the last bit only beyond some 2^50 terms.
 */
export class DoubleDoubleSum {
  #high: number;
  #low: number;

  constructor(high = 0, low = 0) {
    this.#high = high;
    this.#low = low;
  }

  add(term: number): void {
    const sum = this.#high + term;
    const part = sum - this.#high;
    const lost = this.#high - (sum - part) + (term - part);
    this.#high = sum;
    // The rounding error of an infinite sum would be NaN.
    if (Number.isFinite(sum)) this.#low += lost;
  }

  addAll(terms: ArrayLike<number>): void {
    // The same as `add`, with both parts in registers.
    let [high, low] = [this.#high, this.#low];
    for (let i = 0; i < terms.length; i++) {
      const term = terms[i] as number;
      const sum = high + term;
      const part = sum - high;
      low += high - (sum - part) + (term - part);
      high = sum;
    }
    this.#high = high;
    if (Number.isFinite(high)) this.#low = low;
  }

  merge(other: DoubleDoubleSum): void {
    this.add(other.#high);
    this.#low += other.#low;
  }

  get value(): number {
    return Number.isFinite(this.#high) ? this.#high + this.#low : this.#high;
  }

  /** Both parts, to construct an equal sum in another process. */
  get parts(): readonly [high: number, low: number] {
    return [this.#high, this.#low];
  }
}
