/** Makes the jest tests of a folder of golden files: one test a case, every form of the operator in each. */
import * as torch from '../../lib';
import { expectBits } from '../../lib/parity/bits';
import { type Form, formsOf } from '../../lib/parity/forms';
import { type Judge, toleranceOf } from '../../lib/parity/judge';
import { drawn } from '../../lib/parity/random-numbers';
import { runCase } from '../../lib/parity/run-case';
import {
  fileHash,
  type GoldenCase,
  type RandomCase,
  readCases,
  readManifest,
  readRandomCases,
} from '../../lib/parity/vectors';

/** The tests of every operator in the folder. */
export function defineGoldenTests(folder: string, judge: Judge): void {
  const manifest = readManifest(folder);
  const manner = judge.exact ? 'bit for bit' : `within PyTorch's tolerances (${judge.because})`;
  const warnings = watchWarnings();
  for (const [op, file] of Object.entries(manifest.files)) {
    describe(`${op}, ${manner}`, () => {
      test('the file is the one that the manifest names', () => expect(fileHash(folder, op)).toBe(file.sha256));
      if (op === 'random_numbers') defineRandomTests(readRandomCases(folder), judge);
      else defineCaseTests(op, readCases(folder, op), formsOf(op, file.module), judge, warnings.expected);
    });
  }
  // A text is emitted once a process, so the texts of all cases are compared, not those of each.
  test('the warnings are those of PyTorch', () => {
    expect([...warnings.emitted].sort()).toEqual([...warnings.expected].sort());
  });
}

/** The texts that reach `process.emitWarning` while the tests run, and those that the cases which ran call for. */
function watchWarnings(): { emitted: Set<string>; expected: Set<string> } {
  const emitted = new Set<string>();
  beforeAll(() => {
    jest.spyOn(process, 'emitWarning').mockImplementation((warning) => {
      emitted.add(String(warning));
    });
  });
  afterAll(() => jest.restoreAllMocks());
  return { emitted, expected: new Set() };
}

function defineCaseTests(op: string, cases: GoldenCase[], forms: Form[], judge: Judge, warnings: Set<string>): void {
  for (const golden of cases) {
    test(golden.name, () => {
      for (const text of golden.warnings ?? []) warnings.add(text);
      for (const form of golden.form === 'function' ? forms.slice(0, 1) : forms) {
        try {
          torch.scope(() => runCase(golden, form, judge, { op }));
        } catch (error) {
          const note = golden.ours === undefined ? '' : ` (PyTorch is not followed here: ${golden.ours})`;
          throw new Error(`${form.form}: ${(error as Error).message}${note}`, { cause: error });
        }
      }
    });
  }
}

function defineRandomTests(cases: RandomCase[], judge: Judge): void {
  for (const golden of cases) {
    test(golden.case, () => {
      for (const { label, actual, expected } of drawn(golden)) {
        expectBits(label, actual, expected, toleranceOf(expected.dtype, judge));
      }
    });
  }
}
