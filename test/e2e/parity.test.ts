/** `libtorch-losses parity` as a user runs it; and that it finds what is wrong. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParityReport } from '../../lib/parity/report';
import { type GoldenCase, type Manifest, readManifest, vectors } from '../../lib/parity/vectors';

const program = join(__dirname, '../../dist/cli/main.js');

jest.setTimeout(120_000);

let directory: string;

beforeAll(() => {
  if (!existsSync(program)) throw new Error(`${program} is missing: run \`npm run setup\``);
  directory = mkdtempSync(join(tmpdir(), 'parity-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

function run(args: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  const environment = { ...process.env, ...env };
  return spawnSync(process.execPath, [program, 'parity', ...args], { encoding: 'utf8', env: environment });
}

function reportOf(args: string[], env?: NodeJS.ProcessEnv): { status: number | null; report: ParityReport } {
  const { status, stdout, stderr } = run([...args, '--json'], env);
  expect(stderr).toBe('');
  return { status, report: JSON.parse(stdout) };
}

/** A copy of some of the vectors, with another manifest and other lines. */
function changedVectors(
  op: string,
  change: { manifest?: Partial<Manifest>; line?: (text: string) => string; keepHash?: boolean },
): string {
  const folder = mkdtempSync(join(directory, 'vectors-'));
  const [file, manifest] = [join(folder, `${op}.jsonl`), { ...readManifest(vectors), ...change.manifest }];
  cpSync(join(vectors, `${op}.jsonl`), file);
  const { line = (text) => text } = change;
  writeFileSync(file, readFileSync(file, 'utf8').split('\n').map(line).join('\n'));
  const recorded = manifest.files[op] as Manifest['files'][string];
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  manifest.files = { [op]: change.keepHash ? recorded : { ...recorded, sha256 } };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

/** Another last bit in the value of one case. */
function anotherBit(text: string): string {
  if (!text.startsWith('{"case":"mean,plain"')) return text;
  const golden = JSON.parse(text) as GoldenCase;
  const [dtype, shape, data] = golden.value as [string, number[], string];
  const bytes = Buffer.from(data, 'base64');
  if (dtype !== 'float64' || shape.length > 0) return text;
  bytes[0] = (bytes[0] as number) ^ 1;
  return JSON.stringify({ ...golden, value: [dtype, shape, bytes.toString('base64')] });
}

describe('on the recorded vectors', () => {
  const html = (): string => join(directory, 'page.html');
  let result: ReturnType<typeof run>;

  beforeAll(() => {
    result = run(['--html', html()]);
  });

  test('every case of every loss passes', () => {
    expect(result.stderr).toBe('');
    expect(result.stdout.split('\n').filter((line) => line.startsWith('✘'))).toEqual([]);
    expect(result.status).toBe(0);
    expect(result.stdout).toMatch(/✔ [\d,]+ of [\d,]+ cases bit-identical/);
  });

  test('the table has a line for each dtype of each loss, and says what ran', () => {
    expect(result.stdout).toMatch(/on libtorch \d+\.\d+\.\d+, cpu: DEFAULT kernels, 1 thread\n/);
    for (const row of [
      'crossEntropy +float64',
      'ctcLoss +float64',
      ' +bfloat16',
      'randomNumbers +float64',
      ' +integers',
      'total',
    ]) {
      expect(result.stdout).toMatch(new RegExp(`^${row} +[\\d,]+ `, 'm'));
    }
  });

  test('the page stands alone: no script, no address, every loss in the map', () => {
    const page = readFileSync(html(), 'utf8');
    expect(page).not.toMatch(/https?:|<script|<link|<img|url\(|@import/);
    const rows = [...page.matchAll(/<tr><th scope="row">(\w+)<\/th>/g)].map(([, name]) => name);
    expect(rows).toHaveLength(Object.keys(readManifest(vectors).files).length);
    const fields = /<tr><th scope="row">crossEntropy<\/th>(.*?)<\/tr>/s.exec(page)?.[1] ?? '';
    expect(fields.match(/<td class="(same|near)"/g)?.length).toBeGreaterThanOrEqual(4);
    const open = [...page.matchAll(/<(table|tr|td|main|dl|details|p|pre)\b/g)].length;
    expect([...page.matchAll(/<\/(table|tr|td|main|dl|details|p|pre)>/g)]).toHaveLength(open);
  });
});

describe('one document', () => {
  test('tells libtorch, kernels, threads, and the figures of each row', () => {
    const { status, report } = reportOf(['--loss', 'mse_loss', '--loss', 'KLDivLoss']);
    expect(status).toBe(0);
    expect(report).toMatchObject({ format: 1, device: 'cpu', passed: true, failures: [] });
    expect(report.host).toMatchObject({ capability: 'DEFAULT', threads: 1, arch: process.arch, node: process.version });
    expect(new Set(report.rows.map(({ loss }) => loss))).toEqual(new Set(['klDiv', 'mseLoss']));
    const { files } = readManifest(vectors);
    expect(report.totals.cases).toBe((files.kl_div?.cases ?? 0) + (files.mse_loss?.cases ?? 0));
    for (const row of report.rows) {
      expect(row).toMatchObject({ cases: expect.any(Number), failed: 0, left: 0, milliseconds: expect.any(Number) });
    }
    const float64 = report.rows.find(({ loss, dtype }) => loss === 'mseLoss' && dtype === 'float64');
    expect(float64?.reference.cases).toBeGreaterThan(100);
    expect(float64?.reference.worstRelative).toBeLessThan(1e-7);
  });

  test('what the environment says of kernels and threads makes no difference', () => {
    const { status, report } = reportOf(['--loss', 'softmax'], { ATEN_CPU_CAPABILITY: 'avx2', OMP_NUM_THREADS: '2' });
    expect([status, report.host.capability, report.host.threads]).toEqual([0, 'DEFAULT', 1]);
  });
});

describe('what is wrong is found', () => {
  test('one bit of one value, where bits are compared; not where tolerances judge', () => {
    const exact = reportOf(['--vectors', changedVectors('l1_loss', { line: anotherBit })]);
    if (exact.report.judge.exact) {
      expect(exact.status).toBe(1);
      expect(exact.report.failures[0]).toMatchObject({
        loss: 'l1Loss',
        dtype: 'float64',
        case: expect.stringMatching(/: mean,plain$/),
        against: 'vectors',
        message: expect.stringContaining('1 ulp apart'),
      });
      const row = exact.report.rows.find(({ loss, dtype }) => loss === 'l1Loss' && dtype === 'float64');
      expect(row).toMatchObject({ worstUlp: 1 });
      expect((row?.cases ?? 0) - (row?.identical ?? 0)).toBe(row?.failed);
    }
    const manifest = { torch: '2.12.0+cpu' };
    const tolerant = reportOf(['--vectors', changedVectors('l1_loss', { line: anotherBit, manifest })]);
    expect(tolerant.status).toBe(0);
    expect(tolerant.report.judge).toMatchObject({ exact: false, because: expect.stringContaining('2.12.0+cpu') });
    expect(tolerant.report.totals.identical).toBeLessThan(tolerant.report.totals.cases);
    expect(tolerant.report.totals.worstUlp).toBeGreaterThanOrEqual(1);
  });

  test('another shape, whoever judges, in the table and on the page', () => {
    const line = (text: string): string =>
      text.startsWith('{"case":"none,plain"') ? text.replace(/"value":\["float32",\[[1-9]/, '$&1') : text;
    const [folder, page] = [changedVectors('mse_loss', { line }), join(directory, 'failures.html')];
    const { status, stdout } = run(['--vectors', folder, '--html', page]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^✘ mseLoss · \S+\/float32: none,plain · nn\.functional\.mseLoss\n {4}value is float32/m);
    expect(stdout).toMatch(/^✘ .* \d+ failures · /m);
    const html = readFileSync(page, 'utf8');
    expect(html).toMatch(/<td class="wrong"/);
    expect(html).toMatch(/<summary>mseLoss · \S+\/float32: none,plain · nn\.MSELoss<\/summary>/);
  });

  test('other words of a refusal, where bits are compared; where not, another kind of error', () => {
    const words = (text: string): string => text.replace(/"message":"/, '$&Other words: ');
    const kind = (text: string): string => text.replace(/"type":"\w+"/, '"type":"ValueError"');
    const manifest = { torch: '2.12.0+cpu' };
    const exact = reportOf(['--vectors', changedVectors('softmax', { line: words })]);
    if (exact.report.judge.exact) {
      expect(exact.status).toBe(1);
      expect(exact.report.failures[0]?.message).toMatch(/^libtorch's refusal is .*, but PyTorch raises .*Other words/);
    }
    expect(reportOf(['--vectors', changedVectors('softmax', { line: words, manifest })]).status).toBe(0);
    expect(reportOf(['--vectors', changedVectors('softmax', { line: kind, manifest })]).status).toBe(1);
  });

  test('a file that cannot be read', () => {
    const line = (text: string): string => (text.startsWith('{"case":"mean,plain"') ? text.slice(0, -1) : text);
    const { status, report } = reportOf(['--vectors', changedVectors('l1_loss', { line })]);
    expect([status, report.rows]).toEqual([1, []]);
    expect(report.failures).toMatchObject([{ loss: 'l1Loss', message: expect.stringContaining('JSON') }]);
  });

  test('a file that is not the one of the manifest', () => {
    const line = (text: string): string => text.replace('"case":"mean,plain"', '"case":"mean,other"');
    const changed = changedVectors('l1_loss', { line, keepHash: true });
    const { status, stdout } = run(['--vectors', changed]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/l1_loss\.jsonl has SHA-256 \w+, but its manifest states/);
  });
});

describe('arguments', () => {
  test.each([
    [['--device', 'tpu'], "'--device' to be cpu, cuda or cuda:<index>"],
    [['--loss', 'crossEntropie'], "did you mean 'cross_entropy'?"],
    [['--no-such'], 'options are --device, --loss, --json, --html, --vectors, --help'],
    [['--html', join('no', 'such', 'folder', 'page.html')], 'to be in an existing folder'],
    [['--vectors', 'nowhere'], 'to be a folder with a manifest.json'],
    [['float64'], 'Unexpected argument'],
  ])('%j are refused', (args, message) => {
    const { status, stderr, stdout } = run(args);
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([2, '']);
  });

  test('help needs no libtorch', () => {
    const { status, stdout } = run(['--help'], { LIBTORCH: join(directory, 'nowhere') });
    expect(status).toBe(0);
    expect(stdout).toContain('Exit status: 0 if all agrees');
  });

  test('a libtorch that does not exist, and an unavailable device, are failures', () => {
    const missing = run(['--loss', 'sigmoid'], { LIBTORCH: join(directory, 'nowhere') });
    expect([missing.status, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toContain('nowhere');
    const device = run(['--loss', 'sigmoid', '--device', 'cuda:99']);
    expect([device.status, device.stdout]).toEqual([1, '']);
    expect(device.stderr).toContain("parity: expected '--device' to be an available device, but received cuda:99");
  });
});
