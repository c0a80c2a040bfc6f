/** What an evaluation found as one HTML page that needs nothing else: figures, charts and tables. */
import type { ClassificationResult, EvaluationResult } from '../../evaluate/result';
import { count, figure } from '../shared/figures';
import { escaped, factList, page, section } from '../shared/page';
import { barsOf, barTable, barTableStyle } from './bar-table';
import { calibrationSection, histogramSection } from './chart-sections';
import { chartStyle } from './charts';
import {
  computedBy,
  type EvaluationFacts,
  figuresOf,
  reductionSentence,
  shardSentences,
  speed,
  warningsOf,
} from './facts';
import { classAccuracy, meanLoss, shownOf, worstTable } from './rows';

export type { EvaluationFacts };

/** The page. What the result does not have is left out. */
export function evaluatePage(result: EvaluationResult, facts: EvaluationFacts): string {
  const { classification, histogram = [] } = result;
  const columns = [
    [histogramSection(histogram, result), classSection(classification)],
    [calibrationSection(classification), worstSection(result), groupSection(result)],
  ].map((sections) => sections.filter((section) => section !== '').join('\n'));
  const filled = columns.filter((column) => column !== '').map((column) => `<div>${column}</div>`);
  const body = `<h1><span class="name">${escaped(result.name)}</span> ${escaped(figure(result.loss))}</h1>
<p class="where">${escaped([reductionSentence(result), ...shardSentences(facts)].join('. '))}</p>
${remarks(result)}
${factList(figuresOf(result))}
${origin(facts)}
<div class="columns">
${filled.join('\n')}
</div>`;
  return page({ title: `${result.name} ${figure(result.loss)}`, style: chartStyle + barTableStyle + style, body });
}

function remarks(result: EvaluationResult): string {
  return warningsOf(result)
    .map((warning) => `<p class="verdict bad">${escaped(warning)}</p>`)
    .join('\n');
}

function origin(facts: EvaluationFacts): string {
  const { files } = facts;
  const names = files.map((file) => `<li>${escaped(file)}</li>`).join('');
  const list =
    files.length > 6
      ? `<details class="files"><summary>${count(files.length)} files</summary><ul>${names}</ul></details>`
      : files.length > 0
        ? `<ul class="files">${names}</ul>`
        : '';
  const { command, date } = facts;
  const when =
    date === undefined ? '' : ` · <time datetime="${escaped(date)}">${escaped(date.replace(/T|Z/g, ' '))}UTC</time>`;
  const what = command === undefined ? '' : `<p class="command"><code>${escaped(shortened(command))}</code></p>`;
  return `<div class="origin">${what}<p class="where">${escaped(speed(facts))}${when}</p>
<p class="where">${escaped(computedBy(facts))}</p>${list}</div>`;
}

/** A command line with its beginning and its end, where thousands of files are named. */
function shortened(command: string): string {
  return command.length <= 600 ? command : `${command.slice(0, 400)} … ${command.slice(-150)}`;
}

function classSection(classification: ClassificationResult | undefined): string {
  const { rows, note } = shownOf(classification?.classes ?? [], 'classes', { whole: 60, worst: 30 });
  if (rows.length === 0) return '';
  const lossBars = barsOf(
    rows.map(({ loss }) => loss),
    { kind: 'bar' },
  );
  const accuracyBars = barsOf(
    rows.map(({ accuracy }) => accuracy),
    { kind: 'right', full: 1 },
  );
  const cells = rows.map((row, i) => [
    String(row.class),
    { text: meanLoss(row), bar: lossBars[i] as string },
    { text: classAccuracy(row), bar: accuracyBars[i] as string },
    count(row.count),
  ]);
  const table = barTable('Loss and accuracy by class', ['class', 'loss', 'accuracy', 'samples'], cells);
  return section('Classes', paragraph(note) + table);
}

function groupSection({ groups = [] }: EvaluationResult): string {
  const { rows, note } = shownOf(groups, 'groups', { whole: 500, worst: 100 });
  if (rows.length === 0) return '';
  const bars = barsOf(
    rows.map(({ loss }) => loss),
    { kind: 'bar' },
  );
  const cells = rows.map((row, i) => [
    String(row.group),
    { text: meanLoss(row), bar: bars[i] as string },
    count(row.count),
  ]);
  return section('Groups', paragraph(note) + barTable('Loss by group', ['group', 'loss', 'losses'], cells));
}

function worstSection({ worst = [] }: EvaluationResult): string {
  if (worst.length === 0) return '';
  const { names, rows } = worstTable(worst);
  return section('Worst samples', barTable('The samples of the greatest loss', names, rows));
}

function paragraph(text: string | undefined): string {
  return text === undefined ? '' : `<p class="note">${escaped(text)}</p>`;
}

const style = `
h1 { font-size: 2rem; line-height: 1.2; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
h1 .name { display: block; color: var(--soft); font-size: 1rem; font-weight: 500; }
.verdict { margin: .75rem 0 0; } .origin { margin-top: 1rem; font-size: .9rem; }
.command { margin: 0 0 .4rem; overflow-wrap: anywhere; } .command code { font-size: .85rem; }
.files { margin: 0; padding: 0; list-style: none; color: var(--soft); overflow-wrap: anywhere; }
details.files { border: 0; } .files ul { margin: 0; padding: 0; list-style: none; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 3rem; }
.columns > div { min-width: 0; }
.note { margin: 0 0 .5rem; color: var(--soft); font-size: .85rem; } .note b { color: var(--ink); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0 0 .75rem; font-size: .8rem; color: var(--soft); }
.key::before { content: ""; display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; vertical-align: -.1rem; border-radius: 2px; }
.right-key::before { background: var(--same); }
.gap-key::before { background: var(--gap); }
.diagonal-key::before { height: 0; width: 1.4rem; border-top: 2px dashed var(--ink); vertical-align: .2rem; border-radius: 0; }
details { font-size: .9rem; }
@media (max-width: 34rem) { dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
  dl div:last-child:nth-child(odd) { grid-column: 1 / -1; } }
`;
