// The cases of test/cases as plain data, which Python reads too.

/**
 * A list of losses: `{ name, reductions, cases }`. A case is `{ name, args, options, gradients, dtypes, terms }`; an
 * argument is `{ data, shape, dtype }`, where no dtype is the one that the case is run in, or a plain number or list.
 * Numbers that JSON lacks stand as `"Infinity"`, `"-Infinity"` and `"NaN"`.
 */
export function casesDocument({ losses, gradientsOf }) {
  return losses.map((loss) => ({
    name: loss.name,
    reductions: loss.reductions,
    cases: loss.valid.map((lossCase) => ({
      name: lossCase.name,
      args: arguments_(lossCase.args),
      options: arguments_(lossCase.options ?? {}),
      gradients: gradientsOf(loss, lossCase),
      dtypes: lossCase.dtypes ?? loss.dtypes,
      terms: lossCase.terms ?? 0,
    })),
  }));
}

function arguments_(named) {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, written(value)]));
}

function written(value) {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object') return value;
  const { data, shape, dtype } = value;
  return { data: data.map(written), shape, ...(dtype === undefined ? {} : { dtype }) };
}
