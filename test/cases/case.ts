/** What the cases of a loss consist of. */
import type { ErrorCode } from '../../lib/errors';
import type * as nativeModules from '../../lib/nn';
import type * as native from '../../lib/nn/functional';
import type * as reference from '../../lib/reference';
import type { FloatingDType } from '../../lib/types';
import type { Values } from './values';

/** The losses: functions of `nn.functional` that the reference has too. */
export type LossName = Exclude<
  keyof typeof native & keyof typeof reference,
  'softmax' | 'logSoftmax' | 'sigmoid' | 'logit'
>;

/** Options of a loss, tensors among them. The reduction is not: suites run every case with all of them. */
export type CaseOptions = Readonly<Record<string, Values | number | boolean>>;

/** A call that must work, with any floating dtype and any reduction. */
export interface LossCase {
  name: string;
  input: Values;
  target: Values;
  options?: CaseOptions;
  /** The arguments that the loss has gradients by. Absent: the input, and the target if it holds real numbers. */
  gradients?: readonly string[];
  /** The dtypes to run the case in. Absent: all floating ones. */
  dtypes?: readonly FloatingDType[];
}

/** A call that must be refused. */
export interface ErrorCase {
  name: string;
  /** Values become tensors; anything else is passed as it is. */
  input: unknown;
  target: unknown;
  /** An object whose values become tensors in the same way; anything else is passed as it is. */
  options?: unknown;
  code: ErrorCode;
  /** The argument or the option that the error names. */
  argument: string;
  /** For what the reference cannot know: it has neither dtypes nor tensors. */
  nativeOnly?: true;
}

/** All cases of one loss. */
export interface Loss {
  name: LossName;
  /** Its class in `nn`. */
  module: Extract<keyof typeof nativeModules, `${string}Loss`>;
  reductions: readonly string[];
  valid: readonly LossCase[];
  errors: readonly ErrorCase[];
}

/** The arguments that a case has gradients by. */
export function gradientsOf({ gradients, target }: LossCase): readonly string[] {
  return gradients ?? (target.dtype === undefined ? ['input', 'target'] : ['input']);
}
