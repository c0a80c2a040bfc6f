/** What the generated types of operators are made of. */

/** An overload of an operator. */
export interface Callable {
  /** The schema as libtorch writes it. */
  readonly schema: string;
}

/** Several results: an array whose entries have names too. */
export type Results<T extends unknown[], N> = Readonly<N> &
  Iterable<T[number]> &
  Omit<T, keyof unknown[]> & { readonly length: T['length'] };
