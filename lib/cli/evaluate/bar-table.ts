/** Tables in pages, with bars beside their figures. */

import { escaped } from '../shared/page';
import { percent } from './charts';

export interface Cell {
  readonly text: string;
  /** SVG that shows the figure. */
  readonly bar?: string;
}

/** A table as HTML; the first cell of each row names it. */
export function barTable(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
): string {
  const names = columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const lines = rows.map((row) => `<tr>${row.map(cellOf).join('')}</tr>`);
  return `<div class="scroll"><table class="figures"><caption>${escaped(caption)}</caption>
<thead><tr>${names}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody></table></div>`;
}

function cellOf(cell: string | Cell, column: number): string {
  const { text, bar }: Cell = typeof cell === 'string' ? { text: cell } : cell;
  if (column === 0) return `<th scope="row">${escaped(text)}</th>`;
  const figure = escaped(text);
  return bar === undefined ? `<td>${figure}</td>` : `<td class="barred"><div><span>${figure}</span>${bar}</div></td>`;
}

/** How bars are drawn. */
export interface BarOptions {
  /** Their colour, as a class of the style. */
  readonly kind: 'bar' | 'right';
  /** What a full bar stands for, if not the greatest value. */
  readonly full?: number;
}

/** One bar for each value, from zero to it, all of the same scale; infinite ones end at the scale's end. */
export function barsOf(values: readonly number[], { kind, full }: BarOptions): string[] {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((least, value) => Math.min(least, value), 0);
  const high = finite.reduce((most, value) => Math.max(most, value), full ?? 0);
  // In shares of the greatest, so that no difference overflows or vanishes.
  const size = Math.max(-low, high);
  const along = (value: number): number => (value / size - low / size) / (high / size - low / size);
  const zero = high > low ? along(0) : 0;
  const track = `cell-bar${full === undefined ? '' : ' track'}`;
  const axis = low < 0 ? `<line class="axis" x1="${percent(zero)}" x2="${percent(zero)}" y1="0" y2="100%"/>` : '';
  return values.map((value) => {
    const end = Number.isFinite(value) ? (high > low ? along(value) : 0) : value > 0 ? 1 : 0;
    const [from, to] = Number.isNaN(value) ? [zero, zero] : [Math.min(zero, end), Math.max(zero, end)];
    const place = `x="${percent(from)}" width="${percent(to - from)}" height="100%"`;
    const bar = to > from ? `<rect class="${Number.isFinite(value) ? kind : 'infinite'}" ${place}/>` : '';
    return `<svg class="${track}" aria-hidden="true" width="100%" height="10">${bar}${axis}</svg>`;
  });
}

/** The style of the tables; it needs the colours of the page and its charts. */
export const barTableStyle = `
.figures { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
.figures caption { text-align: left; color: var(--soft); font-size: .8rem; padding-bottom: .3rem; }
.figures th, .figures td { padding: .2rem .5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
.figures th:first-child { text-align: left; padding-left: 0; } .figures td:last-child, .figures th:last-child { padding-right: 0; }
.figures thead th { color: var(--soft); font-size: .8rem; font-weight: 500; } .figures tbody th { font-weight: 600; }
.barred { width: 50%; } .barred div { display: flex; flex-direction: row-reverse; align-items: center; gap: .6rem; } .barred span { min-width: 4.6rem; }
.cell-bar { display: block; flex: 1; min-width: 2.5rem; } .cell-bar rect { stroke: none; rx: 2px; }
.track { background: var(--none); border-radius: 2px; } .infinite { fill: var(--wrong); }
@media (max-width: 34rem) { .figures th, .figures td { padding-left: .3rem; padding-right: .3rem; }
  .barred div { display: block; } .cell-bar { height: 6px; margin-bottom: .2rem; } }
`;
