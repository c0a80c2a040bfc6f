/** The types of calls in Python's calling convention. */

/** The arguments of a call in Python's order: those without a default, then options by position or by name. */
export type Call<
  Required extends readonly unknown[],
  Options,
  Positional extends readonly (keyof Options)[] = [],
> = Positional extends readonly [infer Name extends keyof Options, ...infer Rest extends readonly (keyof Options)[]]
  ?
      | [...Required, options?: Nullable<Options> | null]
      | Call<
          [...Required, Options[Name] | null | undefined],
          Omit<Options, Name>,
          Rest extends readonly (keyof Omit<Options, Name>)[] ? Rest : []
        >
  : [...Required, options?: Nullable<Options> | null];

/** Options of which each may be `null`, which means absent. */
export type Nullable<Options> = { [Name in keyof Options]: Options[Name] | null };
