/**
 * Every error of this package is a {@link TorchError} with a `code`. Messages follow one formula:
 * `<op>: expected <argument> to be <what>, but received <actual>`.
 */

/**
 * What went wrong, for programs. Codes are API; messages may improve.
 *
 * - `INVALID_ARGUMENT`: wrong type, shape, dtype or range of an argument, found before libtorch was called.
 * - `UNKNOWN_OPTION`: a key of an options object that the function does not know.
 * - `DISPOSED`: a tensor was used after `dispose()` or after the `scope` that owned it.
 * - `DETACHED`: a typed array or a tensor that shares its memory was used after its ArrayBuffer was detached.
 * - `PENDING`: a tensor of a call off the main thread was read before the promise of that call resolved.
 * - `IN_USE`: a tensor that a call off the main thread works on was to be changed.
 * - `RUNTIME`, `VALUE`, `INDEX`, `TYPE`, `NOT_IMPLEMENTED`, `OUT_OF_MEMORY`: libtorch's own refusal, by the kind that
 *   PyTorch shows as RuntimeError, ValueError, IndexError, TypeError, NotImplementedError and OutOfMemoryError.
 * - `DISTRIBUTED`: processes could not find each other, one was lost or too late, or they did not agree on a collective.
 *   The message names the operation and the rank.
 * - `DEVICE_LOST`: a kernel on a GPU has failed for good, and with it every later call of this process on a GPU.
 * - `LIBTORCH_NOT_FOUND`, `LIBTORCH_UNUSABLE`, `LIBTORCH_UNSUPPORTED`, `ADDON_NOT_FOUND`: loading failed.
 * - `INSTALL_FAILED`: `libtorch-losses install` could not finish.
 * - `BAD_DATA`: a file or stream of arrays is missing, damaged, of a kind that cannot be read, or cannot be written. The
 *   message names it, the place in it where there is one, and the reason.
 * - `NOT_CLOSE`: `testing.assertClose` was given tensors that are not close.
 */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNKNOWN_OPTION'
  | 'DISPOSED'
  | 'DETACHED'
  | 'PENDING'
  | 'IN_USE'
  | NativeErrorCode
  | LoadErrorCode
  | 'INSTALL_FAILED'
  | 'BAD_DATA'
  | 'NOT_CLOSE';

/** The kinds of error that libtorch itself throws. */
export type NativeErrorCode =
  | 'RUNTIME'
  | 'VALUE'
  | 'INDEX'
  | 'TYPE'
  | 'NOT_IMPLEMENTED'
  | 'OUT_OF_MEMORY'
  | 'DISTRIBUTED'
  | 'DEVICE_LOST';

/** The ways in which loading libtorch or the addon fails. */
export type LoadErrorCode = 'LIBTORCH_NOT_FOUND' | 'LIBTORCH_UNUSABLE' | 'LIBTORCH_UNSUPPORTED' | 'ADDON_NOT_FOUND';

interface ErrorDetails {
  /** The function that refused, as the caller wrote it. */
  op?: string;
  /** The argument or option that was refused. */
  argument?: string;
  cause?: unknown;
}

/** The error of this package. `code` says what went wrong, `op` where, `argument` in which argument. */
export class TorchError extends Error {
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** The function that refused, as the caller wrote it. */
  readonly op: string | undefined;
  /** The argument or option that was refused, where it was one. */
  readonly argument: string | undefined;

  /** @internal */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.op = details.op;
    this.argument = details.argument;
  }

  /** The name of the class. */
  override get name(): string {
    return this.constructor.name;
  }
}

/** A tensor was used after its memory had been given back. */
export class DisposedError extends TorchError {}

/** libtorch refused: the message is libtorch's own, `code` the kind PyTorch would have raised. */
export class NativeError extends TorchError {}

/**
 * libtorch or the addon could not be loaded; `attempts` lists every place looked at and what was there, `remedies` the
 * commands and settings that help. Both are in the message as well, where they say more than it does.
 */
export class LoadError extends TorchError {
  /** Every place looked at, in order. */
  readonly attempts: readonly LoadAttempt[];
  /** Commands and settings that help, each with what it does. */
  readonly remedies: readonly string[];

  /** @internal */
  constructor(
    code: LoadErrorCode,
    message: string,
    attempts: readonly LoadAttempt[],
    details: ErrorDetails & { remedies?: readonly string[] } = {},
  ) {
    super(code, message, details);
    this.attempts = attempts;
    this.remedies = details.remedies ?? [];
  }
}

/** One place that was looked at while searching for libtorch. */
export interface LoadAttempt {
  /** What was searched: `LIBTORCH`, `virtualenv`, `cache`, … */
  source: string;
  /** The path, where there is one. */
  path?: string;
  /** What was there. */
  outcome: string;
}

/** The error of the one formula: `<op>: expected <argument> to be <what>, but received <actual>`. */
export function expected(op: string, argument: string, what: string, actual: string): TorchError {
  return new TorchError('INVALID_ARGUMENT', `${op}: expected ${argument} ${what}, but received ${actual}`, {
    op,
    argument: argument.replace(/^(?:option )?'(.*)'$/, '$1'),
  });
}

/** A value as an error message shows it: short, with its type where that is what matters. */
export function show(value: unknown): string {
  try {
    return describe(value);
  } catch {
    // A proxy may refuse every question, the first one after it is revoked.
    return typeof value === 'function' ? 'a function' : 'an object';
  }
}

function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
    case 'bigint':
      return BigInt.asIntN(256, value) === value ? `${value}n` : 'a bigint of more than 256 bits';
    case 'function':
      return value.name ? `the function ${value.name}` : 'a function';
    case 'symbol':
      return 'a symbol';
    case 'object':
      return showObject(value);
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
}

function showObject(value: object | null): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (ArrayBuffer.isView(value)) {
    const name = Object.prototype.toString.call(value).slice(8, -1);
    return 'length' in value ? `a ${name} of length ${String(value.length)}` : `a ${name}`;
  }
  const name = constructorName(value);
  return name === undefined || name === 'Object' ? 'an object' : `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** The class name of an object; getters and proxies that throw count as no name. */
function constructorName(value: object): string | undefined {
  try {
    const name: unknown = value.constructor?.name;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}
