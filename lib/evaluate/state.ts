/** What an evaluator has seen, in plain values for other processes and machines. */
import { expected, show, TorchError } from '../errors';
import { op } from './batch';
import type { LossDescription } from './losses';
import { Tally, type TallyOptions, type TallyState } from './tally';

/** The options of a loss, in plain values. */
type Options = Readonly<Record<string, unknown>>;

/** What {@link BatchEvaluator.state} gives: plain values that JSON holds. */
export interface EvaluatorState {
  /** The version of this format. */
  readonly version: 2;
  /** The name of the loss. */
  readonly loss: string;
  /** Those of the loss that are numbers, strings or booleans. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The sums and counts; what is in them is not part of the API. */
  readonly tally: unknown;
}

/** @internal */
export function writeState({ name }: LossDescription, options: Options, tally: Tally): EvaluatorState {
  return { version: 2, loss: name, options: encoded(plain(options)) as Options, tally: encoded(tally.state()) };
}

/**
 * @internal The sums of a state.
 *
 * @throws TorchError `INVALID_ARGUMENT` for a state of another loss or other options, or what is not a state.
 */
export function readState(
  state: EvaluatorState,
  { name }: LossDescription,
  options: Options,
  own: TallyOptions,
): Tally {
  if (typeof state !== 'object' || state === null || state.version !== 2 || state.loss !== name) {
    throw expected(op, "'state'", `to be one of ${name}`, show(state?.loss ?? state));
  }
  try {
    checkSameOptions("'state'", options, decoded(state.options) as Options);
    return readTally(state, own);
  } catch (cause) {
    if (cause instanceof TorchError) throw cause;
    throw expected(op, "'state'", `to be what state() gave of ${name}`, 'one that is damaged');
  }
}

/** @internal The sums of a state that `writeState` has made, whatever its loss. */
export function readTally({ tally }: EvaluatorState, own: TallyOptions): Tally {
  return Tally.fromState(decoded(tally) as TallyState, own);
}

/** @internal Sums of one loss with different options cannot be added. */
export function checkSameOptions(argument: string, own: Options, others: Options): void {
  const [mine, theirs] = [plain(own), plain(others)];
  for (const name of Object.keys({ ...mine, ...theirs })) {
    if (Object.is(mine[name], theirs[name])) continue;
    throw expected(op, argument, `to be of option '${name}' ${show(mine[name])}`, show(theirs[name]));
  }
}

const kinds: readonly string[] = ['number', 'bigint', 'string', 'boolean'];

/** The options that can be compared: those that are not tensors, arrays or functions. */
function plain(options: Options): Options {
  const kept = Object.entries(options).filter(([, value]) => kinds.includes(typeof value));
  return Object.fromEntries(kept.map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]));
}

/** Numbers that JSON does not know, as text. */
function encoded(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) => (typeof part === 'number' && !Number.isFinite(part) ? String(part) : part)),
  );
}

const unknownToJson: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function decoded(value: unknown): unknown {
  if (typeof value === 'string') return unknownToJson.get(value) ?? value;
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, decoded(own)]));
}
