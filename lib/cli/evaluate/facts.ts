/** An evaluation's figures in words, for the terminal and the page, and as JSON. */
import type { Merged } from '../../evaluate/merge';
import type { EvaluationResult } from '../../evaluate/result';
import type { Shard, ShardRows } from '../../evaluate/shard';
import { shellWord } from '../../output/shell';
import { count, countOrFigure, duration, figure, percentage, rate, size } from '../shared/figures';

/** What was evaluated, where, and how long it took. */
export interface EvaluationFacts {
  /** The names of the files, as the user gave them. */
  readonly files: readonly string[];
  /** `'cpu'`, `'cuda:0'`. */
  readonly device: string;
  /** The version of libtorch. */
  readonly libtorch: string;
  /** From the first byte read to the last figure. */
  readonly seconds: number;
  /** How much was read. */
  readonly bytes: number;
  /** The version of this package. */
  readonly version: string;
  /** What was typed, as it can be typed again. */
  readonly command?: string;
  /** When it ended, in UTC: `2026-01-31T23:59:59Z`. */
  readonly date?: string;
  /** The part of the rows that was evaluated, where there are others. */
  readonly shard?: Shard & ShardRows;
  /** How many parts were merged; `seconds` is the time of the slowest. */
  readonly shards?: number;
}

/** The result of all shards, and what is said with it. */
export function mergedFacts({ result, work, ...run }: Merged): { result: EvaluationResult; facts: EvaluationFacts } {
  const { device, libtorch, 'libtorch-losses': version } = work;
  return { result, facts: { ...run, device, libtorch, version } };
}

/** What the arguments of a command tell of its run. */
export function typed(command: string, args: readonly string[]): Required<Pick<EvaluationFacts, 'command' | 'date'>> {
  const words = [command, ...args].map(shellWord).join(' ');
  return { command: `libtorch-losses ${words}`, date: `${new Date().toISOString().slice(0, 19)}Z` };
}

/** Which part of the data the figures are of: `Shard 1 of 3, counted from 0: rows 3334 to 6666 of 10,000`. */
export function shardSentences({ shard, shards }: EvaluationFacts): string[] {
  if (shards !== undefined) return [`Merged from ${count(shards)} ${shards === 1 ? 'shard' : 'shards'}`];
  if (shard === undefined || shard.count === 1) return [];
  const { first, end, total } = shard;
  const rows = first === end ? 'no rows' : `rows ${first} to ${end - 1}`;
  return [`Shard ${shard.index} of ${shard.count}, counted from 0: ${rows} of ${count(total)}`];
}

/** How the loss was made: `Mean of 1,797 losses, 3 samples ignored`. */
export function reductionSentence({ reduction, count: losses, denominator, ignored }: EvaluationResult): string {
  const of = `${count(losses)} ${losses === 1 ? 'loss' : 'losses'}`;
  const weighted = denominator === losses ? 'Mean' : 'Weighted mean';
  const made = { mean: `${weighted} of ${of}`, sum: `Sum of ${of}`, batchmean: `Sum of ${of} by samples (batchmean)` };
  return made[reduction] + (ignored === 0 ? '' : `, ${count(ignored)} ${ignored === 1 ? 'sample' : 'samples'} ignored`);
}

/** What a reader must know before the loss is believed. */
export function warningsOf({ count: losses, nan, loss }: EvaluationResult): string[] {
  if (losses === 0) return ['No samples: there is nothing to take a loss of'];
  if (nan > 0) return [`${count(nan)} of ${count(losses)} losses ${nan === 1 ? 'is' : 'are'} NaN`];
  return Number.isFinite(loss) ? [] : [`The loss is ${figure(loss)}`];
}

/** Names and figures, those of the predictions first. */
export function figuresOf(result: EvaluationResult): [name: string, value: string][] {
  const { classification } = result;
  const predictions: [string, string][] =
    classification === undefined
      ? []
      : [
          ['Accuracy', percentage(classification.accuracy)],
          ['Top 5', percentage(classification.top5)],
          ['Perplexity', figure(classification.perplexity)],
          ['Calibration error', percentage(classification.calibrationError)],
        ];
  return [
    ...predictions,
    ['Losses', count(result.count)],
    ['Ignored', count(result.ignored)],
    ['Sum', figure(result.sum)],
    ['Denominator', countOrFigure(result.denominator)],
    ['NaN', count(result.nan)],
  ];
}

/** Time, amount and speed, in one line: `1.87 s · 6 GB · 3.21 GB/s`. */
export function speed({ seconds, bytes, shards }: EvaluationFacts): string {
  if (shards !== undefined) return `${duration(seconds)} in the slowest shard · ${size(bytes)}`;
  return [duration(seconds), size(bytes), rate(bytes, seconds)].filter((part) => part !== undefined).join(' · ');
}

/** What computed it: `libtorch-losses 0.1.0 on libtorch 2.13.0, cpu`. */
export function computedBy({ version, libtorch, device }: EvaluationFacts): string {
  return `libtorch-losses ${version} on libtorch ${libtorch}, ${device}`;
}

/** A value as JSON has it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * The result, and the facts as its `run`, for `JSON.stringify`. JSON has no numbers for them, so that NaN and the
 * infinities are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; `Number()` makes them numbers again. What the
 * result does not have is absent.
 */
export function evaluateJson(result: EvaluationResult, facts: EvaluationFacts): Readonly<Record<string, JsonValue>> {
  return jsonOf({ ...result, run: facts }) as Readonly<Record<string, JsonValue>>;
}

function jsonOf(value: unknown): JsonValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  return Object.fromEntries(entries.map(([key, own]) => [key, jsonOf(own)]));
}
