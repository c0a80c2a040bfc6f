/** The errors of the command line: what users read, and the exit status they lead to. */
import { type ErrorCode, TorchError } from '../../errors';
import { printable } from './text';

/** `libtorch-losses install` could not finish. The message says what to do about it. */
export class InstallError extends TorchError {
  constructor(
    readonly problem: string,
    readonly remedies: readonly string[],
    cause: unknown,
  ) {
    const lines = [`install: ${problem}`];
    if (remedies.length > 0) lines.push('Possible solutions:', ...remedies.map((remedy) => `  ${remedy}`));
    super('INSTALL_FAILED', lines.join('\n'), { op: 'install', cause });
  }
}

/** The error for a problem of `install`, with remedies for the user. */
export function installFailed(problem: string, remedies: readonly string[] = [], cause?: unknown): InstallError {
  return new InstallError(problem, remedies, cause);
}

/** An error's message, followed by that of its cause where it adds something (`fetch failed` alone helps nobody). */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error) && !(typeof error === 'object' && error !== null && 'message' in error)) {
    return String(error);
  }
  const { message, cause } = error as { message: unknown; cause?: unknown };
  const text = String(message);
  if (typeof cause !== 'object' || cause === null || !('message' in cause)) return text;
  const deeper = reasonOf(cause) || String((cause as { code?: unknown }).code ?? '');
  return deeper === '' || text.includes(deeper) ? text : `${text}: ${deeper}`;
}

/** Whether the operating system refused: a full disk, a directory without write permission. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && typeof (error as { syscall?: unknown }).syscall === 'string';
}

/** The text of an error for the user. Only a bug in this package shows a stack trace. */
export function messageOf(error: unknown, command: string): string {
  if (error instanceof TorchError) return error.message;
  if (isSystemError(error)) return `${printable(command)}: ${error.message}`;
  return (error as Error | undefined)?.stack ?? String(error);
}

const usageErrors: readonly ErrorCode[] = ['INVALID_ARGUMENT', 'UNKNOWN_OPTION'];

/** The exit status for an error: 2 if the arguments were wrong, else 1. */
export function exitStatusOf(error: unknown): number {
  return error instanceof TorchError && usageErrors.includes(error.code) ? 2 : 1;
}
