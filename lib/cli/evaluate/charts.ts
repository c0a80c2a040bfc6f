/**
 * Charts as SVG that stands in a page. Across they are in percent, so that they fit any width while their text keeps its
 * size; down they are in pixels.
 */
import { escaped } from '../shared/page';

/** A place along an axis: from 0 to 1, and what stands there. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** Where values lie along an axis, from 0 to 1. */
export interface Scale {
  readonly ticks: readonly Tick[];
  readonly logarithmic: boolean;
  at(value: number): number;
}

/** A rectangle: all figures from 0 to 1, `y` and `height` from the bottom. */
export interface Bar {
  readonly x: number;
  readonly width: number;
  readonly y?: number;
  readonly height: number;
  /** Its colour, as a class of the style below. */
  readonly kind?: string;
}

/** Bars that belong together: pointing at their part of the chart shows the title. */
export interface Column {
  readonly x: number;
  readonly width: number;
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** A line from one corner of the chart to the other, or down from a place on the x axis. */
export type Line =
  | { readonly kind: 'diagonal' }
  | { readonly kind: 'mark'; readonly at: number; readonly label: string };

export interface Chart {
  /** Of the page's element; its title and its description have ids that begin so. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in a sentence, for those who do not see it. */
  readonly description: string;
  /** Of the area for the bars, in pixels. */
  readonly height: number;
  readonly x: { readonly name: string; readonly ticks: readonly Tick[] };
  readonly y: { readonly name: string; readonly ticks: readonly Tick[] };
  readonly columns: readonly Column[];
  readonly lines?: readonly Line[];
}

/** A chart as HTML. */
export function chart({ id, title, description, height, x, y, columns, lines = [] }: Chart): string {
  const down = (at: number): string => short(height * (1 - at));
  const grid = y.ticks.map(
    ({ at, label }) => `<line class="grid" x1="0" x2="100%" y1="${down(at)}" y2="${down(at)}"/>
<text class="tick" x="-8" y="${down(at)}" dy=".35em" text-anchor="end">${escaped(label)}</text>`,
  );
  const below = x.ticks.map(
    ({ at, label }) => `<line class="axis" x1="${percent(at)}" x2="${percent(at)}" y1="${height}" y2="${height + 5}"/>
<text class="tick" x="${percent(at)}" y="${height + 18}" text-anchor="middle">${escaped(label)}</text>`,
  );
  return `<div class="chart"><p class="axis-name">${escaped(y.name)}</p>
<svg role="img" aria-labelledby="${id}-title ${id}-description" width="100%" height="${height}">
<title id="${id}-title">${escaped(title)}</title><desc id="${id}-description">${escaped(description)}</desc>
${[...grid, ...columns.map((column) => columnOf(column, height)), ...lines.map((line) => lineOf(line, height)), ...below].join('\n')}
<line class="axis" x1="0" x2="100%" y1="${height}" y2="${height}"/>
</svg><p class="axis-name below">${escaped(x.name)}</p></div>`;
}

function columnOf({ x, width, title, bars }: Column, height: number): string {
  const hit = `<rect class="hit" x="${percent(x)}" width="${percent(width)}" y="0" height="${height}"/>`;
  const drawn = bars
    .filter((bar) => bar.height > 0)
    .map((bar) => {
      // A bar of at least a pixel: few samples are not none.
      const tall = Math.max(1, height * bar.height);
      const top = height * (1 - (bar.y ?? 0)) - tall;
      const place = `x="${percent(bar.x)}" width="${percent(bar.width)}" y="${short(top)}" height="${short(tall)}"`;
      return `<rect class="${bar.kind ?? 'bar'}" ${place}/>`;
    });
  return `<g class="column"><title>${escaped(title)}</title>${hit}${drawn.join('')}</g>`;
}

function lineOf(line: Line, height: number): string {
  if (line.kind === 'diagonal') {
    const ends = `x1="0" x2="100%" y1="${height}" y2="0"`;
    return `<line class="halo" ${ends}/><line class="diagonal" ${ends}/>`;
  }
  const at = percent(line.at);
  const anchor = line.at > 0.75 ? 'end' : line.at < 0.25 ? 'start' : 'middle';
  return `<line class="mark" x1="${at}" x2="${at}" y1="-4" y2="${height}"/>
<text class="tick" x="${at}" y="-9" text-anchor="${anchor}">${escaped(line.label)}</text>`;
}

/** Counts from 0; logarithmic where the greatest is more than a thousand times the smallest that is not 0. */
export function countScale(counts: readonly number[]): Scale {
  const some = counts.filter((count) => count > 0);
  const top = some.reduce((most, count) => Math.max(most, count), 1);
  const least = some.reduce((fewest, count) => Math.min(fewest, count), top);
  const label = (count: number): string => compact.format(count);
  if (top / least <= 1000) {
    const ticks = roundValues(0, top).filter(Number.isInteger);
    return {
      logarithmic: false,
      at: (count) => count / top,
      ticks: ticks.map((count) => ({ at: count / top, label: label(count) })),
    };
  }
  // From one half, so that a count of 1 can be seen.
  const at = (count: number): number => (count > 0 ? Math.max(0, Math.log(2 * count) / Math.log(2 * top)) : 0);
  const decades = Math.floor(Math.log10(top));
  const step = Math.ceil(decades / 5);
  const ticks = Array.from({ length: Math.floor(decades / step) + 1 }, (_, i) => 10 ** (i * step));
  return { logarithmic: true, at, ticks: ticks.map((count) => ({ at: at(count), label: label(count) })) };
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

/** The x axis under bins that are drawn equally wide: round values if they are, else the edges of some. */
export function binScale(bins: readonly { readonly low: number; readonly high: number }[]): Scale {
  const edges = [...bins.map(({ low }) => low), ...bins.slice(-1).map(({ high }) => high)];
  const last = edges.length - 1;
  const [low = 0, high = 0] = [edges[0], edges[last]];
  const along = (value: number): number => (value / 2 - low / 2) / (high / 2 - low / 2);
  const even = edges.every((edge, i) => Math.abs(along(edge) - i / last) < 1e-3 / last);
  if (even) {
    const ticks = roundValues(low, high).map((value) => ({ at: along(value), label: valueLabel(value, 12) }));
    if (ticks.length > 1) return { logarithmic: false, at: along, ticks };
  }
  const step = Math.max(1, Math.ceil(last / 5));
  const chosen = edges
    .map((edge, i) => ({ at: i / last, label: valueLabel(edge), i }))
    .filter(({ i }) => i % step === 0);
  const ticks = low === high ? [{ at: 0.5, label: valueLabel(low) }] : chosen.map(({ at, label }) => ({ at, label }));
  return { logarithmic: false, at: (value) => betweenEdges(edges, value), ticks };
}

/** Where a value lies among bins that are drawn equally wide, though they are not. */
function betweenEdges(edges: readonly number[], value: number): number {
  const last = edges.length - 1;
  const next = edges.findIndex((edge) => edge > value);
  if (next <= 0) return value === edges[last] ? 1 : Number.NaN;
  const [low, high] = [edges[next - 1] as number, edges[next] as number];
  const within = (value / 2 - low / 2) / (high / 2 - low / 2);
  return (next - 1 + (Number.isFinite(within) ? within : 0.5)) / last;
}

/** About five values that are 1, 2 or 5 times a power of ten apart, from `low` to `high`. */
export function roundValues(low: number, high: number): number[] {
  const rough = high / 4 - low / 4;
  if (!(rough > 0 && rough < Infinity)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.7) ?? 10);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  // Beyond float64's digits, neighbours would be the same.
  if (!(step > 0) || Math.max(Math.abs(first), Math.abs(last)) > 1e12) return [];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** A value at an axis, with as many digits at most. */
export function valueLabel(value: number, digits = 4): string {
  if (value === Infinity) return '∞';
  if (value === -Infinity) return '−∞';
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  return (size >= 1e6 || (size < 1e-4 && size > 0) ? rounded.toExponential() : String(rounded)).replace('-', '−');
}

/** A share as SVG has it: `0.125` -> `'12.5%'`. */
export function percent(share: number): string {
  return `${short(100 * share)}%`;
}

function short(number: number): string {
  return String(Number(number.toFixed(3)));
}

/** The style of charts; it needs the colours of the page. */
export const chartStyle = `
:root { --bar: #3f74b8; --grid: #e8ecf1; --gap: #f0a884; }
@media (prefers-color-scheme: dark) { :root { --bar: #6d9fdf; --grid: #262d36; --gap: #8f4f2d; } }
.chart { padding: 0 1.5rem 0 3rem; } .chart svg { display: block; overflow: visible; margin: 1.6rem 0 1.6rem; }
.axis-name { margin: 0 0 0 -3rem; color: var(--soft); font-size: .8rem; } .axis-name.below { margin: 0 0 1rem; text-align: center; }
.tick { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--grid); } .axis { stroke: var(--soft); }
.diagonal { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 5 4; } .halo { stroke: var(--paper); stroke-width: 4; stroke-opacity: .7; } .mark { stroke: var(--ink); stroke-width: 1.5; }
.hit { fill: transparent; } .column:hover .hit { fill: var(--none); }
.bar, .right { stroke: var(--paper); } .bar { fill: var(--bar); } .right { fill: var(--same); }
.gap { fill: var(--gap); }
`;
