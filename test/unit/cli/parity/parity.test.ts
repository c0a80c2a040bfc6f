/** What `libtorch-losses parity` measures, and how it prints it. */
import { parityPage } from '../../../../lib/cli/parity/page';
import { parityTable, share, ulps } from '../../../../lib/cli/parity/table';
import { type Bits, farthest } from '../../../../lib/parity/bits';
import { exceptions } from '../../../../lib/parity/exceptions';
import { type ParityReport, type ParityRow, totalsOf, worse } from '../../../../lib/parity/report';
import { readCases, readManifest, vectors } from '../../../../lib/parity/vectors';

function doubles(...values: number[]): Bits {
  return { dtype: 'float64', shape: [values.length], bytes: new Uint8Array(Float64Array.from(values).buffer) };
}

describe('the farthest element', () => {
  test.each([
    [[1, Number.NaN], [1, Number.NaN], 'equal'],
    [[1, 2], [1 + Number.EPSILON, 2 - 3 * Number.EPSILON], 3n],
    [[0], [-0], 0n],
    [[Number.NaN], [1], 'incomparable'],
    [[1], [Number.NaN], 'incomparable'],
    [[], [], 'equal'],
  ])('of %j and %j', (actual, expected, apart) => {
    expect(farthest(doubles(...actual), doubles(...expected))).toBe(apart);
  });

  test('there is none between other shapes or dtypes', () => {
    expect(farthest(doubles(1), { ...doubles(1), shape: [] })).toBe('incomparable');
    expect(farthest(doubles(1), { ...doubles(1), dtype: 'int64' })).toBe('incomparable');
  });
});

test('sums, and the worst of each', () => {
  const totals = totalsOf([row({ worstUlp: 3, cases: 4 }), row({ worstUlp: 7, cases: 5 })]);
  expect(totals).toMatchObject({ cases: 9, worstUlp: 7 });
  expect(worse(null, 1e300)).toBeNull();
  expect(totalsOf([])).toMatchObject({ cases: 0, worstUlp: 0 });
});

test('a share is 100 % only if nothing is missing', () => {
  expect(share({ identical: 9999, cases: 10000 })).toBe('99.9 %');
  expect(share({ identical: 10000, cases: 10000 })).toBe('100 %');
  expect(share({ identical: 0, cases: 0 })).toBe('–');
});

test('distances are short', () => {
  expect([0, 999, 194807603, null].map(ulps)).toEqual(['0', '999', '1.9e+8', 'NaN']);
});

test('each exception of the reference concerns a recorded case', () => {
  const unused = exceptions.filter(({ ops = Object.keys(readManifest(vectors).files), groups = /^/, cases = /^/ }) => {
    const recorded = ops.filter((op) => op !== 'random_numbers').flatMap((op) => readCases(vectors, op));
    return !recorded.some(({ name, case: own }) => groups.test(name.split(/[/:]/)[0] ?? '') && cases.test(own));
  });
  expect(unused).toEqual([]);
});

describe('a report', () => {
  const message = 'value: 1 of 1 elements differ\n  value[] is <b> & "c"';
  const report = reportOf({
    rows: [row({ failed: 1, identical: 1, worstUlp: 12 }), row({ dtype: 'float16', cases: 0, identical: 0, left: 2 })],
    failures: [
      {
        loss: 'mseLoss',
        dtype: 'float32',
        case: 'edges/float32: <i>',
        form: 'nn.MSELoss',
        against: 'vectors',
        message,
      },
    ],
  });

  test('as a table names the judge, the left out and the failures', () => {
    const text = parityTable(report);
    expect(text).toContain(
      "within PyTorch's tolerances with PyTorch 2.13.0+cpu (DEFAULT kernels, 1 thread, glibc 2.36): ",
    );
    expect(text).toContain('recorded on the CPU, this is cuda:0');
    expect(text).toContain('2 recorded cases are left out');
    expect(text).toContain('✘ mseLoss · edges/float32: <i> · nn.MSELoss\n    value: 1 of 1 elements differ\n');
    expect(text.split('\n').at(-1)).toBe('✘ 1 of 2 cases bit-identical (50.0 %), 1 failure · 0.0 s');
  });

  test('as a page escapes what cases are called', () => {
    const page = parityPage(report);
    expect(page).toContain('&lt;i&gt;');
    expect(page).toContain('value[] is &lt;b&gt; &amp; &quot;c&quot;');
    expect(page).toMatch(/<td class="wrong" title="mseLoss, float32: 1 of 2[^"]*"><b>50\.0 %<\/b>/);
    expect(page).toMatch(/<td class="none" title="[^"]*2 recorded cases do not run here[^"]*">not here<\/td>/);
  });

  test('lists twenty failures and counts the others', () => {
    const failures = Array.from({ length: 23 }, () => report.failures[0] as ParityReport['failures'][number]);
    expect(parityTable({ ...report, failures })).toContain('… and 3 more; --json and --html list all');
  });
});

function row(changes: Partial<ParityRow>): ParityRow {
  const reference = { cases: 0, worstRelative: 0 };
  const plain = { cases: 2, identical: 2, failed: 0, left: 0, worstUlp: 0, reference, milliseconds: 1 };
  return { loss: 'mseLoss', dtype: 'float32', ...plain, ...changes };
}

function reportOf({ rows, failures }: Pick<ParityReport, 'rows' | 'failures'>): ParityReport {
  const kernels = { capability: 'DEFAULT', threads: 1, libc: 'glibc 2.36' };
  return {
    format: 1,
    version: '0.0.0',
    device: 'cuda:0',
    host: {
      exactRoots: true,
      libtorch: '2.13.0',
      arch: 'x64',
      platform: 'linux',
      node: 'v20.17.0',
      library: 'libtorch.so',
      ...kernels,
    },
    vectors: { torch: '2.13.0+cpu', machine: 'x86_64', ...kernels },
    judge: { exact: false, because: 'recorded on the CPU, this is cuda:0' },
    rows,
    totals: totalsOf(rows),
    failures,
    passed: failures.length === 0,
  };
}
