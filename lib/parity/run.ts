/** Runs every recorded case on this libtorch, against the vectors and against the reference. Loads libtorch. */
import { compareVersions } from '../binding/libtorch-versions';
import { loadedLibtorch } from '../binding/load';
import { camelCase } from '../camel-case';
import * as torch from '../index';
import { isFloating } from '../types';
import { compareWithReference } from './against-reference';
import { difference, farthest } from './bits';
import { type Form, formsOf } from './forms';
import { type Judge, judgeFor, thisHost, toleranceOf } from './judge';
import { drawn } from './random-numbers';
import {
  type ParityFailure,
  type ParityReport,
  type ParityRequest,
  type ParityRow,
  sortedRows,
  totalsOf,
  worse,
} from './report';
import { type Answer, runCase } from './run-case';
import { type EncodedTensor, type GoldenCase, readCases, readManifest, readRandomCases, verifiedFile } from './vectors';

/** Runs the requested operators; `onOperator` is called before each operator. */
export function runParity(order: ParityRequest, onOperator: (op: string, index: number) => void): ParityReport {
  const { folder, device, operators, version } = order;
  const manifest = readManifest(folder);
  const host = thisHost();
  // The tensor's own word for it: `cuda` is the current device, which has a number.
  const actual = torch.empty([0], { device }).device;
  const judge = judgeFor(manifest, host, actual);
  const run = new Run(folder, actual, judge);
  for (const [index, op] of operators.entries()) {
    onOperator(op, index);
    run.operator(op, manifest.files[op]?.module);
  }
  const { torch: recorded, machine, libc, capability, threads } = manifest;
  const { library } = loadedLibtorch();
  return {
    format: 1,
    version,
    device: actual,
    host: { ...host, platform: process.platform, node: process.version, library },
    vectors: { torch: recorded, machine, libc, capability, threads },
    judge,
    rows: sortedRows(run.rows),
    totals: totalsOf(run.rows),
    failures: run.failures,
    passed: run.failures.length === 0,
  };
}

/** The first libtorch that has an operator, for operators that not all supported versions have. */
const since: Readonly<Record<string, string>> = { linear_cross_entropy: '2.13.0' };

/** The outcome of one case. */
interface Outcome {
  identical: boolean;
  worstUlp: number | null;
}

class Run {
  readonly rows: ParityRow[] = [];
  readonly failures: ParityFailure[] = [];

  constructor(
    private readonly folder: string,
    private readonly device: string,
    private readonly judge: Judge,
  ) {}

  operator(op: string, moduleName: string | undefined): void {
    const loss = camelCase(op);
    const failure = { loss, dtype: '', case: '', form: '', against: 'vectors' } as const;
    try {
      verifiedFile(this.folder, op);
    } catch (error) {
      this.fail(failure, error);
    }
    try {
      if (op === 'random_numbers') this.randomNumbers(loss);
      else this.cases(op, loss, formsOf(op, moduleName));
    } catch (error) {
      this.fail(failure, error);
    }
  }

  private cases(op: string, loss: string, forms: readonly Form[]): void {
    const offered = compareVersions(torch.libtorchVersion(), since[op] ?? '0') >= 0;
    for (const golden of readCases(this.folder, op)) {
      const row = this.row(loss, dtypeOf(golden));
      if (!offered || !runsOn(golden, this.device)) {
        row.left++;
        continue;
      }
      const start = performance.now();
      const before = this.failures.length;
      const outcome: Outcome = { identical: true, worstUlp: 0 };
      const used = golden.form === 'function' ? forms.slice(0, 1) : forms;
      for (const form of used) torch.scope(() => this.form(op, golden, form, row, outcome));
      torch.scope(() => this.reference(op, golden, used[0] as Form, row));
      this.close(row, outcome, before, start);
    }
  }

  private form(op: string, golden: GoldenCase, form: Form, row: ParityRow, outcome: Outcome): void {
    const { device, judge } = this;
    try {
      runCase(golden, form, judge, { device, op, onAnswer: (answer) => measure(answer, outcome) });
    } catch (error) {
      outcome.identical = false;
      this.fail({ ...keys(row), case: golden.name, form: form.form, against: 'vectors' }, error);
    }
  }

  private reference(op: string, golden: GoldenCase, form: Form, row: ParityRow): void {
    const failure = { ...keys(row), case: golden.name, form: form.form, against: 'reference' } as const;
    try {
      const compared = compareWithReference(op, golden, form, this.device);
      if (compared === undefined) return;
      row.reference.cases++;
      for (const { relative, wrong } of compared) {
        row.reference.worstRelative = Math.max(row.reference.worstRelative, relative);
        if (wrong !== undefined) this.fail(failure, new Error(wrong));
      }
    } catch (error) {
      this.fail(failure, error);
    }
  }

  private randomNumbers(loss: string): void {
    for (const golden of readRandomCases(this.folder)) {
      const dtypes = new Set(golden.steps.map(([, , { dtype }]) => dtype));
      const row = this.row(loss, dtypes.size === 1 ? ([...dtypes][0] as string) : 'mixed');
      if (this.device !== 'cpu') {
        row.left++;
        continue;
      }
      const start = performance.now();
      const before = this.failures.length;
      const outcome: Outcome = { identical: true, worstUlp: 0 };
      const failure = { ...keys(row), case: golden.case, form: 'torch.manualSeed', against: 'vectors' } as const;
      try {
        torch.scope(() => {
          for (const answer of drawn(golden)) {
            measure(answer, outcome);
            const { label, actual, expected } = answer;
            const wrong = difference(label, actual, expected, toleranceOf(expected.dtype, this.judge));
            if (wrong !== undefined) this.fail(failure, new Error(wrong));
          }
        });
      } catch (error) {
        outcome.identical = false;
        this.fail(failure, error);
      }
      this.close(row, outcome, before, start);
    }
  }

  private row(loss: string, dtype: string): ParityRow {
    const known = this.rows.find((row) => row.loss === loss && row.dtype === dtype);
    if (known !== undefined) return known;
    const reference = { cases: 0, worstRelative: 0 };
    const made = { loss, dtype, cases: 0, identical: 0, failed: 0, left: 0, worstUlp: 0, reference, milliseconds: 0 };
    this.rows.push(made);
    return made;
  }

  private close(row: ParityRow, outcome: Outcome, failuresBefore: number, start: number): void {
    row.cases++;
    if (outcome.identical) row.identical++;
    if (this.failures.length > failuresBefore) row.failed++;
    row.worstUlp = worse(row.worstUlp, outcome.worstUlp);
    row.milliseconds += performance.now() - start;
  }

  private fail(failure: Omit<ParityFailure, 'message'>, error: unknown): void {
    this.failures.push({ ...failure, message: error instanceof Error ? error.message : String(error) });
  }
}

function keys({ loss, dtype }: ParityRow): Pick<ParityRow, 'loss' | 'dtype'> {
  return { loss, dtype };
}

function measure({ actual, expected }: Answer, outcome: Outcome): void {
  const apart = farthest(actual, expected);
  if (apart === 'equal') return;
  outcome.identical = false;
  outcome.worstUlp = worse(outcome.worstUlp, apart === 'incomparable' ? null : Number(apart));
}

/** The dtype of the first floating tensor that is passed, else of the first tensor. */
function dtypeOf({ args, kwargs, tensors }: GoldenCase): string {
  const names = [...args, ...Object.values(kwargs).map((value) => String(value).replace(/^\$/, ''))];
  const dtypes = names.flatMap((name) =>
    Object.hasOwn(tensors, String(name)) ? [(tensors[String(name)] as EncodedTensor)[0]] : [],
  );
  const dtype = dtypes.find(isFloating) ?? dtypes[0];
  if (dtype === undefined) throw new Error('a case names no tensor');
  return dtype;
}

/**
 * On another device only what PyTorch accepts runs, or what its Python layer refuses before a kernel starts: libtorch's
 * refusals are the CPU kernels' own, and on CUDA a class index out of range ends the process's use of the device.
 */
function runsOn({ error }: GoldenCase, device: string): boolean {
  return device === 'cpu' || error === undefined || error.raised_by === 'python';
}
