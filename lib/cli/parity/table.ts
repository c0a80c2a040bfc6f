/** A parity report as text: what ran, a table by loss and dtype, and what failed. */
import { type ParityFailure, type ParityReport, type ParityRow, totalsOf } from '../../parity/report';
import { count } from '../shared/figures';
import { aligned } from '../shared/text';

const shownFailures = 20;

const columns = [
  'loss',
  'dtype',
  'cases',
  'identical',
  'failed',
  'worst ulp',
  'by reference',
  'worst relative',
  'time',
];

/** The text of a report. */
export function parityTable(report: ParityReport): string {
  const { totals } = report;
  const rows = withIntegersTogether(report.rows);
  const cells = rows.map((row, i) => [rows[i - 1]?.loss === row.loss ? '' : row.loss, row.dtype, ...figures(row)]);
  // The greatest of all dtypes would say what the narrowest one is.
  const sums = figures(totals).with(-2, '');
  const left =
    totals.left === 0
      ? []
      : [`${count(totals.left)} recorded cases are left out: they are for the CPU alone, or for a newer libtorch.`];
  return [
    ...heading(report),
    '',
    ...aligned([columns, ...cells, ['total', '', ...sums]], 2),
    '',
    ...left,
    ...failureLines(report.failures),
    verdict(report),
  ].join('\n');
}

/** The rows with one line for all dtypes of a loss that are not floating: they have few cases each. */
function withIntegersTogether(rows: readonly ParityRow[]): ParityRow[] {
  const isInteger = ({ dtype }: ParityRow): boolean => /^(u?int\d+|bool)$/.test(dtype);
  return [...new Set(rows.map(({ loss }) => loss))].flatMap((loss) => {
    const own = rows.filter((row) => row.loss === loss);
    const integers = own.filter(isInteger);
    const together = integers.length > 1 ? [{ loss, dtype: 'integers', ...totalsOf(integers) }] : integers;
    return [...own.filter((row) => !isInteger(row)), ...together];
  });
}

/** What ran, and how it was judged, in sentences. */
export function heading({ version, device, host, vectors, judge }: ParityReport): string[] {
  const kernels = `${host.capability} kernels, ${threads(host.threads)}`;
  const recorded = `PyTorch ${vectors.torch} (${vectors.capability} kernels, ${threads(vectors.threads)}, ${vectors.libc})`;
  return [
    `libtorch-losses ${version} on libtorch ${host.libtorch}, ${device}${device === 'cpu' ? `: ${kernels}` : ''}`,
    `${host.platform} ${host.arch}${host.libc === '' ? '' : `, ${host.libc}`}, Node ${host.node}, ${host.library}`,
    judge.exact
      ? `Compared bit for bit with ${recorded}${judge.but === undefined ? '' : `, but for some: ${judge.but.because}`}`
      : `Compared within PyTorch's tolerances with ${recorded}: ${judge.because}`,
  ];
}

/** The last line. */
export function verdict({ totals, failures, judge, passed }: ParityReport): string {
  const time = `${(totals.milliseconds / 1000).toFixed(1)} s`;
  const identical = `${count(totals.identical)} of ${count(totals.cases)} cases bit-identical (${share(totals)})`;
  if (passed)
    return `✔ ${identical}${judge.exact && judge.but === undefined ? '' : ', all within tolerance'} · ${time}`;
  return `✘ ${identical}, ${count(failures.length)} ${failures.length === 1 ? 'failure' : 'failures'} · ${time}`;
}

/** The share of bit-identical cases; 100 % only if it is all of them. */
export function share({ identical, cases }: Pick<ParityRow, 'identical' | 'cases'>): string {
  if (cases === 0) return '–';
  return identical === cases ? '100 %' : `${Math.min(99.9, (100 * identical) / cases).toFixed(1)} %`;
}

/** A distance in units in the last place. */
export function ulps(worst: number | null): string {
  if (worst === null) return 'NaN';
  return worst < 1e6 ? String(worst) : worst.toExponential(1);
}

function figures({ reference, ...row }: Omit<ParityRow, 'loss' | 'dtype'>): string[] {
  return [
    count(row.cases),
    count(row.identical),
    count(row.failed),
    ulps(row.worstUlp),
    count(reference.cases),
    reference.cases === 0 ? '–' : reference.worstRelative.toExponential(1),
    `${(row.milliseconds / 1000).toFixed(2)} s`,
  ];
}

function threads(number: number): string {
  return number === 1 ? '1 thread' : `${number} threads`;
}

function failureLines(failures: readonly ParityFailure[]): string[] {
  if (failures.length === 0) return [];
  const lines = failures
    .slice(0, shownFailures)
    .flatMap((failure) => [`✘ ${failureName(failure)}`, ...failure.message.split('\n').map((line) => `    ${line}`)]);
  const rest = failures.length - shownFailures;
  return [...lines, ...(rest > 0 ? [`… and ${count(rest)} more; --json and --html list all`] : []), ''];
}

/** Which case failed, called how, against what. */
export function failureName({ loss, case: name, form, against }: ParityFailure): string {
  const what = against === 'reference' ? ', against the reference' : '';
  return [loss, name, form].filter((part) => part !== '').join(' · ') + what;
}
