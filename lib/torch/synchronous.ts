/** Functions that run while a mode of the thread holds. */
import { TorchError } from '../errors';
import { callable } from '../options';

/** Refuses asynchronous functions: a mode belongs to the thread, and would leak into whatever runs between awaits. */
export function synchronous<T>(op: string, fn: () => T): () => T {
  callable(op, "'fn'", fn);
  return () => {
    const result = fn();
    if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return result;
    // Nobody will see the promise: without this, its failure would end the process.
    Promise.resolve(result).catch(() => {});
    throw new TorchError(
      'INVALID_ARGUMENT',
      `${op}: expected 'fn' to be synchronous, but received one that gives a promise; use ${op} inside of it`,
      { op, argument: 'fn' },
    );
  };
}
