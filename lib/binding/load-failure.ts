/** Errors of loading: the problem, the places searched, and the remedies. */
import { type LoadAttempt, LoadError, type LoadErrorCode } from '../errors';

/** Details of a failure. */
export interface LoadFailureDetails {
  attempts: readonly LoadAttempt[];
  /** Commands and settings that help, each with its effect. */
  remedies: readonly string[];
  /** Whether the message lists the attempts; the error has them in any case. */
  listed?: boolean;
  cause?: unknown;
}

/** The error, with the problem in the first lines of its message. */
export function loadFailure(code: LoadErrorCode, problem: string, details: LoadFailureDetails): LoadError {
  const { attempts, remedies, listed = false, cause } = details;
  const places = listed ? ['Places looked at:', ...placesOf(attempts)] : [];
  const solutions = remedies.length === 0 ? [] : ['Possible solutions:', ...remedies.map((line) => `  ${line}`)];
  const message = [`libtorch: ${problem}`, ...places, ...solutions].join('\n');
  return new LoadError(code, message, attempts, { op: 'libtorch', remedies, ...(cause !== undefined && { cause }) });
}

function placesOf(attempts: readonly LoadAttempt[]): string[] {
  const width = Math.max(...attempts.map(({ source }) => source.length));
  return attempts.map(({ source, path, outcome }) => {
    return `  ${source.padEnd(width)}  ${path === undefined ? outcome : `${path}: ${outcome}`}`;
  });
}
