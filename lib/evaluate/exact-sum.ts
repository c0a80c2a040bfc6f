/** Sums without rounding errors, so that neither the order nor the grouping of their terms leaves a trace. */

/**
 * The exact sum of numbers. Each addition's rounding error goes into a second number, whose own rounding error, hardly
 * ever anything but 0, goes into a list of further ones. Only `value` rounds, once.
 *
 * A sum beyond the greatest number is infinite, even if terms of the other sign follow.
 *
 * **Source**: D. Knuth, The Art of Computer Programming 2, 4.2.2 (the error of an addition); J. R. Shewchuk, Adaptive
 * Precision Floating-Point Arithmetic, 1997 (the list, as in Python's `math.fsum`).
 */
export class ExactSum {
  #high = 0;
  #low = 0;
  /** What does not fit into the two: of growing magnitude, without overlaps. */
  #rest: number[] = [];
  /** The sum of the terms that are not finite. */
  #special = 0;

  add(term: number): void {
    const sum = this.#high + term;
    const lost = errorOf(this.#high, term, sum);
    const low = this.#low + lost;
    const rest = errorOf(this.#low, lost, low);
    if (rest === 0) {
      this.#high = sum;
      this.#low = low;
    } else this.#addRarely(term);
  }

  addAll(terms: ArrayLike<number>): void {
    // The same as `add`, with both parts in registers.
    let [high, low] = [this.#high, this.#low];
    for (let i = 0; i < terms.length; i++) {
      const term = terms[i] as number;
      const sum = high + term;
      const lost = errorOf(high, term, sum);
      const nextLow = low + lost;
      if (errorOf(low, lost, nextLow) === 0) {
        high = sum;
        low = nextLow;
        continue;
      }
      [this.#high, this.#low] = [high, low];
      this.#addRarely(term);
      [high, low] = [this.#high, this.#low];
    }
    [this.#high, this.#low] = [high, low];
  }

  /** For terms that leave a rest, and those that are not finite: their errors are NaN. */
  #addRarely(term: number): void {
    const sum = this.#high + term;
    if (!Number.isFinite(sum)) {
      this.#special += Number.isFinite(term) ? sum : term;
      return;
    }
    const lost = errorOf(this.#high, term, sum);
    const low = this.#low + lost;
    grow(this.#rest, errorOf(this.#low, lost, low));
    this.#high = sum;
    this.#low = low;
  }

  merge(other: ExactSum): void {
    this.#special += other.#special;
    this.add(other.#high);
    this.add(other.#low);
    this.addAll(other.#rest);
  }

  get isNaN(): boolean {
    return Number.isNaN(this.#special);
  }

  /** The number nearest to the sum. */
  get value(): number {
    return this.#special === 0 ? rounded(this.#expansion()) : this.#special;
  }

  /**
   * Numbers whose sum it is, for an equal one in another process: the one nearest to it, the one nearest to what that
   * lacks, and so on. Equal sums have equal parts.
   */
  get parts(): readonly number[] {
    if (this.#special !== 0) return [this.#special];
    const left = this.#expansion();
    const parts: number[] = [];
    for (let part = rounded(left); part !== 0; part = rounded(left)) {
      parts.push(part);
      grow(left, -part);
    }
    return parts;
  }

  static of(parts: readonly number[]): ExactSum {
    const sum = new ExactSum();
    sum.addAll(parts);
    return sum;
  }

  #expansion(): number[] {
    const all = [...this.#rest];
    grow(all, this.#low);
    grow(all, this.#high);
    return all;
  }
}

/** What is lost by rounding `sum`, the sum of two numbers. */
function errorOf(one: number, other: number, sum: number): number {
  const part = sum - one;
  return one - (sum - part) + (other - part);
}

/** Adds a number to an expansion: numbers of growing magnitude, none of which is 0 or overlaps another. */
function grow(expansion: number[], term: number): void {
  let [kept, sum] = [0, term];
  for (let i = 0; i < expansion.length; i++) {
    const part = expansion[i] as number;
    const next = sum + part;
    const error = errorOf(sum, part, next);
    if (error !== 0) expansion[kept++] = error;
    sum = next;
  }
  if (sum !== 0) expansion[kept++] = sum;
  expansion.length = kept;
}

/** The number nearest to the sum of an expansion; of two equally near ones, the even one. */
function rounded(expansion: readonly number[]): number {
  let at = expansion.length - 1;
  let sum = expansion[at] ?? 0;
  let error = 0;
  while (at > 0 && error === 0) {
    const part = expansion[--at] as number;
    const next = sum + part;
    error = errorOf(sum, part, next);
    sum = next;
  }
  // A sum that seemed to be halfway is not if more follows; it was rounded to even, possibly to the wrong side.
  const further = at > 0 ? Math.sign(expansion[at - 1] as number) : 0;
  if (further === 0 || further !== Math.sign(error)) return sum;
  const other = sum + 2 * error;
  return other - sum === 2 * error ? other : sum;
}
