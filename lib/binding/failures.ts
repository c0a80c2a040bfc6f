/**
 * Throws the failures of native code. Native code itself never throws: a function that fails returns `failed` and
 * stores the reason. The errors are made here, so that `instanceof` holds in the realm, and for the copy of this
 * package, that called.
 */
import { DisposedError, type ErrorCode, NativeError, TorchError } from '../errors';
import type { BareOperator, Native, NativeResult, Operator, Outcome } from './native';

type AnyFunction = (...args: never[]) => unknown;

/** The reason of a failure, from native code: code, message, op and argument; or what user code threw. */
type Failure = readonly unknown[];

/**
 * Functions that may be called once more when memory ran out: they change nothing that they are given, or write the
 * same again. A backward pass may not: parts of its graph are freed.
 */
const repeatable = new Set(['copyTo', 'asyncCopy', 'fromBytes', 'item', 'run', 'runInChunks', 'startTransfer']);

/** Functions that start tasks: the last argument hears of the end. */
const startTasks = ['connectTcpStore', 'callStore', 'newGroup', 'destroyGroup', 'collective'] as const;

/** The addon with functions that throw; so do the operators that it makes. */
export function throwing(native: Native): Native {
  const { failed, failure } = native;
  /** The result of a call that has failed once: that of the second try, or the error. */
  const recover = <F extends AnyFunction>(
    fn: F,
    args: unknown[],
    isRepeatable: boolean,
    thrower: AnyFunction,
  ): unknown => {
    const first = failure();
    if (!isRepeatable || first[0] !== 'OUT_OF_MEMORY') throw toError(first, thrower);
    native.reclaim();
    const second = fn(...(args as never[]));
    if (second !== failed) return second;
    throw toError(afterReclaiming(failure()), thrower);
  };
  const guard = <F extends AnyFunction>(fn: F, isRepeatable: boolean): F => {
    const guarded = (...args: never[]): unknown => {
      const result = fn(...args);
      return result === failed ? recover(fn, args, isRepeatable, guarded) : result;
    };
    return guarded as F;
  };
  const entries = Object.entries(native).map(([name, value]) => [
    name,
    typeof value === 'function' ? guard(value, repeatable.has(name)) : value,
  ]);
  const guarded = Object.fromEntries(entries) as Native;
  const delivering = (start: AnyFunction): AnyFunction => {
    const started = (...args: unknown[]): unknown => {
      const done = args.pop() as (outcome: Outcome) => void;
      const deliver = (value: unknown, wasSeen: boolean): void =>
        done(value === failed ? { error: toError(failure(), deliver), wasSeen } : { value, wasSeen });
      return start(...([...args, deliver] as never[]));
    };
    return started;
  };
  return {
    ...guarded,
    ...Object.fromEntries(startTasks.map((name) => [name, delivering(guarded[name])])),
    operator: (name, overload): Operator => guard(guarded.operator(name, overload), !name.endsWith('_')),
    bareOperator: (name, overload): BareOperator => {
      const call = guarded.operator(name, overload);
      const isRepeatable = !name.endsWith('_');
      return {
        call,
        failed: failed as never,
        recover: (args, thrower) => recover(call, args, isRepeatable, thrower) as NativeResult,
      };
    },
    start: (fn, done) => {
      // Called with the number of the step that failed.
      const deliver = (step: unknown): void =>
        done(
          step === undefined
            ? undefined
            : { step: step as number, error: toError(afterReclaiming(failure()), deliver) },
        );
      guarded.start(fn, deliver);
    },
    asyncCopy: (tensor, done) => {
      const deliver = (copy: unknown): void =>
        copy === failed ? done(undefined, toError(failure(), deliver)) : done(copy as never);
      guarded.asyncCopy(tensor, deliver);
    },
  };
}

const libtorchKinds = new Set([
  'DISTRIBUTED',
  'RUNTIME',
  'VALUE',
  'INDEX',
  'TYPE',
  'NOT_IMPLEMENTED',
  'OUT_OF_MEMORY',
  'DEVICE_LOST',
]);

function toError([code, message, op, argument]: Failure, thrower: AnyFunction): unknown {
  if (message === undefined) return code; // what user code threw that native code had called
  const details = { ...(op !== '' && { op: op as string }), ...(argument !== '' && { argument: argument as string }) };
  const Kind = code === 'DISPOSED' ? DisposedError : libtorchKinds.has(code as string) ? NativeError : TorchError;
  const text = code === 'DEVICE_LOST' ? deviceLost(message as string, op as string) : (message as string);
  const error = new Kind(code as ErrorCode, text, details);
  Error.captureStackTrace(error, thrower);
  // Until it is read, a stack keeps the receivers of its calls alive: tensors, when memory has just run out.
  if (code === 'OUT_OF_MEMORY') String(error.stack);
  return error;
}

/** libtorch's message says how much was requested, and for a GPU how much it has. */
function afterReclaiming([code, message, ...rest]: Failure): Failure {
  if (code !== 'OUT_OF_MEMORY') return [code, message, ...rest];
  return [code, `${message} (after dropped tensors and what allocators keep had been given back)`, ...rest];
}

/** libtorch's message names the call that noticed the failure, and tools for authors of kernels. */
function deviceLost(message: string, op: string): string {
  const [cause = message] = message.split('\n');
  return (
    `${op}: expected a GPU that works, but received one that a kernel has failed on for good, in this call or an earlier ` +
    'one: this process can no longer compute on a GPU. Class indices out of range are the usual cause, or ' +
    'probabilities outside [0, 1]: the same on the CPU, or with LIBTORCH_LOSSES_VALIDATE_ARGS=1, names them ' +
    `(libtorch: ${cause})`
  );
}
