/** What an evaluation found as text: the loss, its figures, and short tables of what is worst. */
import type { EvaluationResult } from '../../evaluate/result';
import { count, figure } from '../shared/figures';
import { aligned } from '../shared/text';
import {
  computedBy,
  type EvaluationFacts,
  figuresOf,
  reductionSentence,
  shardSentences,
  speed,
  warningsOf,
} from './facts';
import { classAccuracy, type Lengths, meanLoss, shownOf, worstTable } from './rows';

/** How much of a result is printed. */
export interface EvaluationTableOptions {
  /** Up to this many classes or groups are all listed, else the worst half as many; so are the samples. Default: 20. */
  readonly rows?: number;
}

/** The text, without a line end after it. */
export function evaluateTable(
  result: EvaluationResult,
  facts: EvaluationFacts,
  { rows = 20 }: EvaluationTableOptions = {},
): string {
  const lengths = { whole: rows, worst: Math.ceil(rows / 2) };
  const tables = [classTable(result, lengths), groupTable(result, lengths), worstSamples(result, lengths)];
  const figures = figuresOf(result).map(([name, value]) => [`  ${name === 'NaN' ? name : name.toLowerCase()}`, value]);
  return [
    `${result.name} ${figure(result.loss)}`,
    reductionSentence(result),
    ...shardSentences(facts),
    ...warningsOf(result).map((warning) => `✘ ${warning}`),
    '',
    ...aligned(figures, 1),
    ...tables.filter((table) => table.length > 0).flatMap((table) => ['', ...table]),
    '',
    `${speed(facts)} · ${computedBy(facts)}`,
  ].join('\n');
}

function classTable({ classification }: EvaluationResult, lengths: Lengths): string[] {
  const { rows, note } = shownOf(classification?.classes ?? [], 'classes', lengths);
  if (rows.length === 0) return [];
  const cells = rows.map((row) => [String(row.class), meanLoss(row), classAccuracy(row), count(row.count)]);
  return titled(note, ['class', 'loss', 'accuracy', 'samples'], cells);
}

function groupTable({ groups = [] }: EvaluationResult, lengths: Lengths): string[] {
  const { rows, note } = shownOf(groups, 'groups', lengths);
  if (rows.length === 0) return [];
  return titled(
    note,
    ['group', 'loss', 'losses'],
    rows.map((row) => [String(row.group), meanLoss(row), count(row.count)]),
  );
}

function worstSamples({ worst = [] }: EvaluationResult, lengths: Lengths): string[] {
  if (worst.length === 0) return [];
  const { names, rows } = worstTable(worst.slice(0, lengths.worst));
  return titled(`The ${rows.length === 1 ? 'sample' : `${rows.length} samples`} of the greatest loss`, names, rows);
}

function titled(title: string | undefined, names: readonly string[], rows: readonly string[][]): string[] {
  const lines = aligned([names, ...rows], 0).map((line) => `  ${line}`);
  return title === undefined ? lines : [title, ...lines];
}
