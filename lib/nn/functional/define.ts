/** How the functions are made that PyTorch writes in Python, and operators that are chosen by name. */

import { definer } from '../../torch/functions';
import { aten } from '../../torch/ops';
import type { Aten } from '../../torch/ops/aten.generated';
import type { Tensor } from '../../torch/tensor';
import { type FunctionalCalls, type FunctionalImplementations, functionalSchemas } from '../python.generated';

/** A function of `python.schemas.txt` by its name. */
export const define: <Name extends keyof FunctionalCalls>(
  name: Name,
  run: FunctionalImplementations[Name],
) => FunctionalCalls[Name] = definer<FunctionalCalls, FunctionalImplementations>(functionalSchemas);

/** The same for families of functions, whose implementations share a type. */
export function defineAlike<Name extends keyof FunctionalCalls>(
  name: Name,
  run: (...given: never[]) => unknown,
): FunctionalCalls[Name] {
  return define(name, run as unknown as FunctionalImplementations[Name]);
}

/** An operator that is chosen by name; the schema says what it takes. */
export function operator<Result = Tensor>(name: keyof Aten): (...args: unknown[]) => Result {
  return aten[name] as unknown as (...args: unknown[]) => Result;
}
