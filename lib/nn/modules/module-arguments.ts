/** What the methods of modules take, and how it is read. */
import type { Call } from '../../torch/call';
import { defineFunction } from '../../torch/functions';

/** What {@link Module.namedParameters} and its like take, by PyTorch's names. */
export interface NamedOptions {
  /** What names begin with. Default `''`. */
  prefix?: string | undefined;
  /** Go into the modules of this one. Default `true`. */
  recurse?: boolean | undefined;
  /** Give what occurs twice once only. Default `true`. */
  removeDuplicate?: boolean | undefined;
}

/** @internal The arguments of such a method. */
export type Named = Call<[], NamedOptions, ['prefix', 'recurse', 'removeDuplicate']>;
/** @internal The arguments of {@link Module.parameters} and its like. */
export type Recurse = Call<[], { recurse?: boolean | undefined }, ['recurse']>;

/** Reads them. */
export const readNamed = reader<[prefix: string, recurse: boolean, removeDuplicate: boolean]>(
  "(str prefix='', bool recurse=True, bool remove_duplicate=True)",
);
/** Reads them. */
export const readRecurse = reader<[recurse: boolean]>('(bool recurse=True)');
/** Reads them. */
export const readNamedModules = reader<[memo: unknown, prefix: string, removeDuplicate: boolean]>(
  "(Any? memo=None, str prefix='', bool remove_duplicate=True)",
);
/** Reads them. */
export const readLoad = reader<[strict: boolean, assign: boolean]>('(bool strict=True, bool assign=False)');

function reader<Read>(schema: string): (op: string, args: readonly unknown[]) => Read {
  const readers = new Map<string, (...args: unknown[]) => Read>();
  return (op, args) => {
    let read = readers.get(op);
    if (read === undefined) {
      read = defineFunction<(...args: unknown[]) => Read>(op, schema, (...given: unknown[]) => given);
      readers.set(op, read);
    }
    return read(...args);
  };
}
