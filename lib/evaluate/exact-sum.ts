/** Sums whose rounding does not depend on how their terms were grouped. */

/**
 * A sum in twice the precision of a number: what each addition rounds away is added up beside it (Knuth's two-sum), so
 * that the order and the grouping of terms matter beyond the last place of the result only for some 2^50 of them.
 */
export class ExactSum {
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
    // An infinity loses nothing, by a difference that is NaN.
    if (Number.isFinite(sum)) this.#low += lost;
  }

  addAll(terms: ArrayLike<number>): void {
    // As `add` does, with both parts in registers.
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

  merge(other: ExactSum): void {
    this.add(other.#high);
    this.#low += other.#low;
  }

  get value(): number {
    return Number.isFinite(this.#high) ? this.#high + this.#low : this.#high;
  }

  /** The two parts, for a constructor of another process. */
  get parts(): readonly [high: number, low: number] {
    return [this.#high, this.#low];
  }
}
