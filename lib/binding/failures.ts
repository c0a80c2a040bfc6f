/**
 * Failures of native code, thrown. Native code never throws by itself: a function that fails returns `failed` and keeps
 * why. The errors are made here, so that `instanceof` holds in the realm, and for the copy of this package, that called.
 */
import { DisposedError, type ErrorCode, NativeError, TorchError } from '../errors';
import type { Native, Operator } from './native';

type AnyFunction = (...args: never[]) => unknown;

/** The addon with functions that throw; so do the operators that it makes. */
export function throwing(native: Native): Native {
  const { failed, failure } = native;
  const guard = <F extends AnyFunction>(fn: F): F => {
    const guarded = (...args: never[]): unknown => {
      const result = fn(...args);
      if (result !== failed) return result;
      throw remade(failure(), guarded);
    };
    return guarded as F;
  };
  const entries = Object.entries(native).map(([name, value]) => [
    name,
    typeof value === 'function' ? guard(value) : value,
  ]);
  const guarded = Object.fromEntries(entries) as Native;
  return {
    ...guarded,
    operator: (name, overload): Operator => guard(guarded.operator(name, overload)),
    start: (fn, done) => {
      // Called with the number of the step that failed.
      const settled = (step: unknown): void =>
        done(step === undefined ? undefined : { step: step as number, error: remade(failure(), settled) });
      guarded.start(fn, settled);
    },
  };
}

const libtorchKinds = new Set(['RUNTIME', 'VALUE', 'INDEX', 'TYPE', 'NOT_IMPLEMENTED', 'OUT_OF_MEMORY']);

function remade([code, message, op, argument]: readonly unknown[], thrower: AnyFunction): unknown {
  if (message === undefined) return code; // what a script threw that native code had called
  const details = { ...(op !== '' && { op: op as string }), ...(argument !== '' && { argument: argument as string }) };
  const Kind = code === 'DISPOSED' ? DisposedError : libtorchKinds.has(code as string) ? NativeError : TorchError;
  const error = new Kind(code as ErrorCode, message as string, details);
  Error.captureStackTrace(error, thrower);
  return error;
}
