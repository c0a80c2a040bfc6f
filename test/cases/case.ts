/** What the cases of a loss consist of. */
import type { ErrorCode } from '../../lib/errors';
import type * as nativeModules from '../../lib/nn';
import type * as native from '../../lib/nn/functional';
import type * as reference from '../../lib/reference';
import { type FloatingDType, floatingDTypes } from '../../lib/types';
import { Values } from './values';

/** The losses: functions of `nn.functional` that the reference has too. */
export type LossName = Extract<
  keyof typeof native & keyof typeof reference,
  `${string}Loss` | `${string}Loss${string}` | `${string}Entropy${string}` | 'klDiv'
>;

/** A positional argument: a tensor, or numbers that the loss takes as they are. */
export type Argument = Values | number | readonly number[];

/** Options of a loss, tensors among them. The reduction is not: suites run every case with all of them. */
export type CaseOptions = Readonly<Record<string, Values | number | boolean>>;

/** What a call that must work has besides its arguments. */
interface Call {
  name: string;
  options?: CaseOptions;
  /** The arguments that the loss has gradients by. Absent: those of {@link Loss.differentiable} that hold real numbers. */
  gradients?: readonly string[];
  /** The minor version of libtorch since which the gradient follows another convention than the reference. */
  otherGradientSince?: number;
  /** That the gradients are PyTorch's by convention, at a kink for instance: no difference quotient shows them. */
  byConvention?: true;
  /** The size of the terms that results are sums of, where they cancel: 16 bits keep their rounding errors. */
  terms?: number;
  /** The dtypes to run the case in. Absent: those of the loss. */
  dtypes?: readonly FloatingDType[];
}

/** A call that must work, with any floating dtype and any reduction. */
export interface LossCase extends Call {
  /** The positional arguments by name, in their order. */
  args: Readonly<Record<string, Argument>>;
}

/** What a call that must be refused has besides its arguments. */
interface Refusal {
  name: string;
  /** An object whose values become tensors in the same way; anything else is passed as it is. */
  options?: unknown;
  code: ErrorCode;
  /** The argument or the option that the error names. */
  argument: string;
  /** For what the reference cannot know: it has neither dtypes nor tensors. */
  nativeOnly?: true;
}

/** A call that must be refused. */
export interface ErrorCase extends Refusal {
  /** The positional arguments by name, in their order. Values become tensors; anything else is passed as it is. */
  args: Readonly<Record<string, unknown>>;
}

/** A case as it is written down: the positional arguments stand beside the rest. */
export type Written<Name extends string = 'input' | 'target'> = Call & Readonly<Record<Name, Argument>>;

/** An error case as it is written down. */
export type WrittenError<Name extends string = 'input' | 'target'> = Refusal & Readonly<Record<Name, unknown>>;

/** All cases of one loss. */
export interface Loss {
  name: LossName;
  /** Its class in `nn`. */
  module: Extract<keyof typeof nativeModules, `${string}Loss`>;
  reductions: readonly string[];
  /** The arguments and options that the loss has gradients by. */
  differentiable: readonly string[];
  /** The dtypes that the loss has kernels for. */
  dtypes: readonly FloatingDType[];
  /** Options that the function has and the module has not. */
  functionOnly: readonly string[];
  /** Whether arguments of the function are parameters that the module makes itself, so that it is called otherwise. */
  ownsParameters: boolean;
  valid: readonly LossCase[];
  errors: readonly ErrorCase[];
}

/** A loss whose positional arguments are `takes`. */
export function define<const Name extends string>(
  loss: Pick<Loss, 'name' | 'module' | 'differentiable'> & {
    takes: readonly Name[];
    reductions?: readonly string[];
    dtypes?: readonly FloatingDType[];
    functionOnly?: readonly string[];
    ownsParameters?: true;
    valid: readonly Written<Name>[];
    errors: readonly WrittenError<Name>[];
  },
): Loss {
  const { takes, valid, errors, ...rest } = loss;
  return {
    reductions: ['none', 'mean', 'sum'],
    dtypes: floatingDTypes,
    functionOnly: [],
    ownsParameters: false,
    ...rest,
    valid: valid.map((written) => ({ ...written, args: gathered<Name, Argument>(takes, written) })),
    errors: errors.map((written) => ({ ...written, args: gathered<Name, unknown>(takes, written) })),
  };
}

/** The arguments of these names, in the order of the names. */
function gathered<Name extends string, T>(
  takes: readonly Name[],
  written: Readonly<Record<Name, T>>,
): Readonly<Record<string, T>> {
  return Object.fromEntries(takes.map((name) => [name, written[name]]));
}

/** The arguments that a case has gradients by. */
export function gradientsOf({ differentiable }: Pick<Loss, 'differentiable'>, lossCase: LossCase): readonly string[] {
  const given: Readonly<Record<string, unknown>> = { ...lossCase.options, ...lossCase.args };
  return lossCase.gradients ?? differentiable.filter((name) => isReal(given[name]));
}

function isReal(value: unknown): boolean {
  return value instanceof Values && value.dtype === undefined;
}
