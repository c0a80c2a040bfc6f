/** Which classes, groups and samples an evaluation's report shows, and as what text. */
import type { ClassResult, GroupResult, WorstSample } from '../../evaluate/result';
import { count, figure, percentage } from '../shared/figures';

/** How long lists may be: those of up to `whole` rows are shown as they are, others by their `worst` rows. */
export interface Lengths {
  readonly whole: number;
  readonly worst: number;
}

/** The rows of a list to show, and if they are not all of it, what they are. */
export interface Shown<Row> {
  readonly rows: readonly Row[];
  readonly note: string | undefined;
}

/** All rows, or those of the greatest loss, the worst first; none where no row has samples. `what` is for the note. */
export function shownOf<Row extends ClassResult | GroupResult>(
  all: readonly Row[],
  what: string,
  { whole, worst }: Lengths,
): Shown<Row> {
  const filled = all.filter((row) => row.count > 0);
  if (filled.length === 0 || all.length <= whole) return { rows: filled.length === 0 ? [] : all, note: undefined };
  const rows = filled.sort((a, b) => badness(b.loss) - badness(a.loss) || 0).slice(0, worst);
  const empty = all.length - filled.length;
  const without = empty === 0 ? '' : `; ${count(empty)} ${empty === 1 ? 'has' : 'have'} no samples`;
  return { rows, note: `The ${rows.length} ${what} of the greatest loss, of ${count(all.length)}${without}` };
}

/** For sorting: NaN is worse than any loss. */
function badness(loss: number): number {
  return Number.isNaN(loss) ? Number.POSITIVE_INFINITY : Math.min(loss, Number.MAX_VALUE);
}

/** A mean loss; a dash where there is nothing that it is the mean of. */
export function meanLoss({ count: samples, loss }: { readonly count: number; readonly loss: number }): string {
  return samples === 0 ? '–' : figure(loss);
}

/** A class's accuracy; a dash where there are no samples. */
export function classAccuracy({ count: samples, accuracy }: ClassResult): string {
  return samples === 0 ? '–' : percentage(accuracy);
}

/** The worst samples as text: their target and prediction only where there are any. */
export function worstTable(worst: readonly WorstSample[]): { names: string[]; rows: string[][] } {
  const all = [
    ['index', (sample: WorstSample) => String(sample.index)],
    ['loss', (sample: WorstSample) => figure(sample.loss)],
    ['target', ({ target }: WorstSample) => (target === undefined ? '' : String(target))],
    ['predicted', ({ predicted }: WorstSample) => (predicted === undefined ? '' : String(predicted))],
  ] as const;
  const used = all.filter(([, text]) => worst.some((sample) => text(sample) !== ''));
  return { names: used.map(([name]) => name), rows: worst.map((sample) => used.map(([, text]) => text(sample))) };
}
