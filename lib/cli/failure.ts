/** The errors of the command line. */
import { TorchError } from '../errors';

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

/** The error for what went wrong, and what to do about it. */
export function installFailed(problem: string, remedies: readonly string[] = [], cause?: unknown): InstallError {
  return new InstallError(problem, remedies, cause);
}

/** What an error says, with what it was caused by where that says more (`fetch failed` alone helps nobody). */
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

/** Whether the operating system refused: a full disk, a directory that may not be written to. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && typeof (error as { syscall?: unknown }).syscall === 'string';
}
