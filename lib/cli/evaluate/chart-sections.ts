/** The charts of an evaluation's page: how its losses are distributed, and how well its predictions are calibrated. */
import type { CalibrationBin, ClassificationResult, EvaluationResult, HistogramBin } from '../../evaluate/result';
import { count, percentage } from '../shared/figures';
import { escaped, section } from '../shared/page';
import { barTable } from './bar-table';
import { binScale, type Chart, type Column, chart, countScale, type Line } from './charts';

/** The histogram with its heading; nothing without finite losses. */
export function histogramSection(bins: readonly HistogramBin[], result: EvaluationResult): string {
  const counts = bins.map((bin) => bin.count);
  const total = counts.reduce((sum, own) => sum + own, 0);
  if (total === 0) return '';
  const [x, y] = [binScale(bins), countScale(counts)];
  const range = (bin: HistogramBin): string => `${short(bin.low)} to ${short(bin.high)}`;
  const columns = bins.map((bin, i): Column => {
    const place = { x: i / bins.length, width: 1 / bins.length };
    const bars = bin.count > 0 ? [{ ...place, height: y.at(bin.count) }] : [];
    return { ...place, title: `${range(bin)}: ${losses(bin.count)}`, bars };
  });
  const fullest = bins.reduce((most, bin) => (bin.count > most.count ? bin : most));
  const missing = result.count - total;
  const drawing: Chart = {
    id: 'histogram',
    title: 'Histogram of the losses',
    description: `${losses(total)} from ${short(bins[0]?.low)} to ${short(bins.at(-1)?.high)}; most, ${count(fullest.count)}, lie at ${range(fullest)}.`,
    height: 220,
    x: { name: 'loss', ticks: x.ticks },
    y: { name: y.logarithmic ? 'losses (logarithmic scale)' : 'losses', ticks: y.ticks },
    columns,
    lines: meanLine(result, x.at(result.loss)),
  };
  const left =
    missing > 0 ? `<p class="note">${escaped(losses(missing))} in no bar, because they are not finite.</p>` : '';
  const rows = bins.filter((bin) => bin.count > 0).map((bin) => [short(bin.low), short(bin.high), count(bin.count)]);
  return section('Losses', `${chart(drawing)}${left}${figuresTable(['from', 'to', 'losses'], rows)}`);
}

/** The mean as a line, where it lies among the bars. */
function meanLine({ reduction, loss }: EvaluationResult, at: number): Line[] {
  if (reduction !== 'mean' || !(at >= 0 && at <= 1)) return [];
  return [{ kind: 'mark', at, label: `mean ${short(loss)}` }];
}

/** The reliability diagram, with the amounts below it; nothing without predictions. */
export function calibrationSection(classification: ClassificationResult | undefined): string {
  const bins = classification?.calibration.filter((bin) => bin.count > 0) ?? [];
  if (classification === undefined || bins.length === 0) return '';
  const error = percentage(classification.calibrationError);
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => ({ at, label: `${Math.round(100 * at)} %` }));
  const reliability: Chart = {
    id: 'calibration',
    title: 'Calibration: how often predictions of a probability are right',
    description: `${count(bins.length)} bins of predictions by their probability; expected calibration error ${error}.`,
    height: 260,
    x: { name: 'probability of the prediction', ticks },
    y: { name: 'predictions that are right', ticks },
    columns: bins.map(reliabilityColumn),
    lines: [{ kind: 'diagonal' }],
  };
  const scale = countScale(bins.map((bin) => bin.count));
  const amounts: Chart = {
    id: 'confidence',
    title: 'Predictions by their probability',
    description: `How many predictions each bin of the calibration has, ${count(bins.reduce((sum, bin) => sum + bin.count, 0))} in all.`,
    height: 70,
    x: { name: 'probability of the prediction', ticks },
    y: { name: scale.logarithmic ? 'predictions (logarithmic scale)' : 'predictions', ticks: outermost(scale.ticks) },
    columns: bins.map((bin) => {
      const place = { x: bin.low, width: bin.high - bin.low };
      return { ...place, title: binTitle(bin), bars: [{ ...place, height: scale.at(bin.count) }] };
    }),
  };
  const legend = `<p class="legend"><span class="key right-key">share that is right</span>
<span class="key gap-key">gap to the mean probability</span><span class="key diagonal-key">perfect calibration</span></p>`;
  const rows = bins.map((bin) => [
    percentages(bin),
    count(bin.count),
    percentage(bin.confidence),
    percentage(bin.accuracy),
  ]);
  const note = `<p class="note">Expected calibration error: <b>${escaped(error)}</b>. Where bars end below the diagonal, predictions are surer than they are right.</p>`;
  const table = figuresTable(['probability', 'predictions', 'mean', 'right'], rows);
  return section('Calibration', `${note}${legend}${chart(reliability)}${chart(amounts)}${table}`);
}

/** The share that is right, and the gap between it and the mean probability. */
function reliabilityColumn(bin: CalibrationBin): Column {
  const place = { x: bin.low, width: bin.high - bin.low };
  const gap = { y: Math.min(bin.accuracy, bin.confidence), height: Math.abs(bin.accuracy - bin.confidence) };
  const bars = [
    { ...place, height: bin.accuracy, kind: 'right' },
    { ...place, ...gap, kind: 'gap' },
  ];
  return { ...place, title: binTitle(bin), bars: bars.filter(({ height }) => Number.isFinite(height)) };
}

function binTitle({ low, high, count: predictions, confidence, accuracy }: CalibrationBin): string {
  return `${percentages({ low, high })}: ${count(predictions)} ${predictions === 1 ? 'prediction' : 'predictions'}
mean probability ${percentage(confidence)}, right ${percentage(accuracy)}`;
}

/** The edges of a bin: `6.7 to 13.3 %`. */
function percentages({ low, high }: Pick<CalibrationBin, 'low' | 'high'>): string {
  const [from, to] = [low, high].map((share) => Number((100 * share).toFixed(1)));
  return `${from} to ${to} %`;
}

function outermost<T>(ticks: readonly T[]): T[] {
  return ticks.filter((_, i) => i === 0 || i === ticks.length - 1);
}

/** The figures of a chart, for those who want to read or copy them. */
function figuresTable(names: readonly string[], rows: readonly (readonly string[])[]): string {
  return `<details><summary>Figures</summary>${barTable('The figures of the chart', names, rows)}</details>`;
}

function losses(number: number): string {
  return `${count(number)} ${number === 1 ? 'loss' : 'losses'}`;
}

/** A value for titles and tables of bins. */
function short(value = Number.NaN): string {
  return String(Number(value.toPrecision(4)));
}
