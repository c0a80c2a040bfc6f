/** A parity report as one HTML page that needs nothing else: a heat map of losses by dtypes, and the failures. */
import { type ParityReport, type ParityRow, sortedRows } from '../../parity/report';
import { count } from '../shared/figures';
import { escaped, factList, page } from '../shared/page';
import { failureName, heading, share, ulps, verdict } from './table';

/** The page. */
export function parityPage(report: ParityReport): string {
  const { rows, totals, passed } = report;
  const dtypes = [...new Set(sortedRows(rows.map((row) => ({ ...row, loss: '' }))).map((row) => row.dtype))];
  const losses = [...new Set(rows.map((row) => row.loss))];
  const lines = losses.map((loss) => {
    const cells = dtypes.map((dtype) => cell(rows.find((row) => row.loss === loss && row.dtype === dtype)));
    return `<tr><th scope="row">${escaped(loss)}</th>${cells.join('')}</tr>`;
  });
  const facts: [string, string][] = [
    ['Cases', count(totals.cases)],
    ['Bit-identical', share(totals)],
    ['Worst distance', `${ulps(totals.worstUlp)} ulp`],
    ['Also by the reference', count(totals.reference.cases)],
    ['Failures', count(report.failures.length)],
  ];
  const body = `<h1>Parity with PyTorch</h1>
<p class="verdict ${passed ? 'good' : 'bad'}">${escaped(verdict(report))}</p>
${heading(report)
  .map((line) => `<p class="where">${escaped(line)}</p>`)
  .join('\n')}
${factList(facts)}
<h2>Losses by dtype</h2>
<div class="scroll"><table class="map">
<thead><tr><th></th>${dtypes.map((dtype) => `<th scope="col">${escaped(dtype)}</th>`).join('')}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody></table></div>
${legend}
<h2>Failures</h2>
${failureList(report)}`;
  return page({ title: `${passed ? '✔' : '✘'} Parity with PyTorch`, style, body });
}

const legend = `<p class="legend"><span class="same">all bits PyTorch's</span><span class="near">within tolerance, some bits differ</span>
<span class="wrong">failures</span><span class="none">nothing recorded, or not for this device or libtorch</span></p>
<p class="where">Each field: the share of bit-identical cases, the number of cases, and the worst distance from a recorded
element in units in the last place (ulp). The paler a field within tolerance, the fewer bits are PyTorch's. Point at a
field for all of its figures.</p>`;

/** One field of the map: its colour says how it went, its text the share, the cases and the worst distance. */
function cell(row: ParityRow | undefined): string {
  if (row === undefined) return '<td class="none"></td>';
  const { loss, dtype, cases, identical, failed, left, worstUlp, reference, milliseconds } = row;
  const title = [
    `${loss}, ${dtype}: ${identical} of ${cases} cases bit-identical`,
    `${failed} failed, worst distance ${ulps(worstUlp)} ulp`,
    `${reference.cases} compared with the reference, worst relative distance ${reference.worstRelative.toExponential(1)}`,
    ...(left > 0 ? [`${left} recorded cases do not run here`] : []),
    `${milliseconds.toFixed(0)} ms`,
  ].join('\n');
  if (cases === 0) return `<td class="none" title="${escaped(title)}">not here</td>`;
  const kind = failed > 0 ? 'wrong' : identical === cases ? 'same' : 'near';
  const pale = kind === 'near' ? ` style="--share:${Math.round((100 * identical) / cases)}%"` : '';
  const notes = [
    count(cases),
    ...(worstUlp === 0 ? [] : [`${ulps(worstUlp)} ulp`]),
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
  ].map((note) => `<small>${note}</small>`);
  return `<td class="${kind}"${pale} title="${escaped(title)}"><b>${share(row)}</b>${notes.join('')}</td>`;
}

function failureList({ failures }: ParityReport): string {
  if (failures.length === 0) return '<p>None.</p>';
  const items = failures.map(
    (failure) =>
      `<details><summary>${escaped(failureName(failure))}</summary><pre>${escaped(failure.message)}</pre></details>`,
  );
  return items.join('\n');
}

const style = `
.map { border-collapse: separate; border-spacing: 3px; width: 100%; font-variant-numeric: tabular-nums; }
.map th { padding: .2rem .3rem; font-weight: 600; font-size: .85rem; text-align: center; }
.map tbody th { text-align: left; white-space: nowrap; font-weight: 500; }
.map td { min-width: 3.7rem; padding: .3rem .25rem; border-radius: .3rem; text-align: center; white-space: nowrap; }
.map b { display: block; font-size: .9rem; line-height: 1.2; } .map small { display: block; font-size: .7rem; opacity: .9; }
.same { background: var(--same); color: #fff; } .wrong { background: var(--wrong); color: #fff; }
.near { background: color-mix(in srgb, var(--near) calc(35% + var(--share, 65%) * .65), var(--paper)); }
.none { background: var(--none); color: var(--soft); font-size: .75rem; }
.legend { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; font-size: .8rem; }
.legend span { padding: .15rem .6rem; border-radius: .3rem; }
`;
