/** The report of a parity run, as `libtorch-losses parity --json` prints it: plain data. */
import { dtypes } from '../types';
import type { Host, Judge } from './judge';

/** The results of one loss in one dtype. */
export interface ParityRow {
  /** The function: `'crossEntropy'`. */
  loss: string;
  /** The dtype of the first floating tensor of its cases, else of the first tensor. */
  dtype: string;
  /** Recorded cases that ran; each through every form (function, module, method). */
  cases: number;
  /** Those with the recorded bits, or refused as PyTorch refuses, in every form. */
  identical: number;
  /** Those that the judge does not accept, against the vectors or the reference. */
  failed: number;
  /** Cases that do not run on this device, or need a newer libtorch. */
  left: number;
  /** The greatest distance from a recorded element, in units in the last place; `null` where one side alone is NaN. */
  worstUlp: number | null;
  reference: {
    /** Cases that the reference answers too. */
    cases: number;
    /** The greatest distance from it, over the greatest element of the result, or over 1 if that is less. */
    worstRelative: number;
  };
  milliseconds: number;
}

/** A result that the judge did not accept. */
export interface ParityFailure {
  loss: string;
  dtype: string;
  /** `'batch/float32: mean,weight'`. */
  case: string;
  /** How it was called: `'nn.CrossEntropyLoss'`. */
  form: string;
  against: 'vectors' | 'reference';
  message: string;
}

/** A parity run. */
export interface ParityReport {
  /** The version of this layout. */
  format: 1;
  /** The version of this package. */
  version: string;
  /** `'cpu'`, `'cuda:0'`, … */
  device: string;
  host: Host & { platform: string; node: string; library: string };
  vectors: { torch: string; machine: string; libc: string; capability: string; threads: number };
  judge: Judge;
  rows: ParityRow[];
  totals: Omit<ParityRow, 'loss' | 'dtype'>;
  failures: ParityFailure[];
  passed: boolean;
}

/** What to run: the request to the child process. */
export interface ParityRequest {
  /** The folder of vectors. */
  folder: string;
  /** `'cpu'`, `'cuda'` or `'cuda:1'`. */
  device: string;
  /** The operators, by their recorded names. */
  operators: readonly string[];
  /** This package's version. */
  version: string;
}

/** The messages of the child process. */
export type ParityMessage =
  | { kind: 'operator'; op: string; index: number }
  | { kind: 'report'; report: ParityReport }
  | { kind: 'error'; code: string; message: string };

/** The sums and greatest values of rows. */
export function totalsOf(rows: readonly ParityRow[]): ParityReport['totals'] {
  const sum = (of: (row: ParityRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    cases: sum((row) => row.cases),
    identical: sum((row) => row.identical),
    failed: sum((row) => row.failed),
    left: sum((row) => row.left),
    worstUlp: rows.reduce<number | null>((worst, row) => worse(worst, row.worstUlp), 0),
    reference: {
      cases: sum((row) => row.reference.cases),
      worstRelative: rows.reduce((worst, row) => Math.max(worst, row.reference.worstRelative), 0),
    },
    milliseconds: sum((row) => row.milliseconds),
  };
}

/** Rows in the order of losses, and in each from the widest dtype to the narrowest, floating ones first. */
export function sortedRows(rows: readonly ParityRow[]): ParityRow[] {
  const losses = [...new Set(rows.map(({ loss }) => loss))];
  const rank = (dtype: string): number => {
    const at = (dtypes as readonly string[]).indexOf(dtype);
    return at < 0 ? dtypes.length : at;
  };
  return rows.toSorted((a, b) => losses.indexOf(a.loss) - losses.indexOf(b.loss) || rank(a.dtype) - rank(b.dtype));
}

/** The worse of two distances. */
export function worse(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}
