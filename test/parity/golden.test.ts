/**
 * libtorch against the reference, values and gradients, on the inputs of the golden vectors. libtorch runs with this
 * machine's kernels and threads; what PyTorch answered when the vectors were recorded is the golden suite's to compare.
 */
import * as torch from '../../lib';
import { compareWithReference } from '../../lib/parity/against-reference';
import { exceptionsFor } from '../../lib/parity/exceptions';
import { formsOf } from '../../lib/parity/forms';
import { inReference } from '../../lib/parity/in-reference';
import { type GoldenCase, readCases, readManifest, vectors } from '../../lib/parity/vectors';
import { quietly } from '../support/conditions';

/** Recorded, but nothing that the reference has. */
const notInReference = ['allclose', 'categorical_log_prob', 'random_numbers'];

const { files } = readManifest(vectors);
const compared = Object.entries(files).filter(([op]) => !notInReference.includes(op));

quietly();

describe.each(compared)('%s', (op, { module }) => {
  const [form] = formsOf(op, module) as [ReturnType<typeof formsOf>[number]];
  const accepted = readCases(vectors, op).filter(({ error }) => error?.stage !== 'forward');

  test('the reference has it', () => {
    expect(accepted.filter((golden) => inReference(op, golden) !== undefined)).not.toHaveLength(0);
  });

  for (const [group, cases] of groupsOf(accepted)) {
    test(titleOf(op, group, cases), () => {
      const wrong = cases.flatMap((golden) =>
        torch
          .scope(() => compareWithReference(op, golden, form) ?? [])
          .flatMap(({ wrong }) => {
            return wrong === undefined ? [] : [`${golden.case}: ${wrong}`];
          }),
      );
      expect(wrong).toEqual([]);
    });
  }
});

/** The cases of each group. */
function groupsOf(cases: readonly GoldenCase[]): Map<string, GoldenCase[]> {
  const groups = new Map<string, GoldenCase[]>();
  for (const golden of cases) {
    const group = golden.name.slice(0, -`: ${golden.case}`.length);
    groups.set(group, [...(groups.get(group) ?? []), golden]);
  }
  return groups;
}

/** The group, and what the exceptions that some of its results fall under say. */
function titleOf(op: string, group: string, cases: readonly GoldenCase[]): string {
  const found = cases.flatMap((golden) =>
    ['value', ...golden.grad.map((name) => `gradient of ${name}`)].flatMap((of) =>
      exceptionsFor(op, golden, of, torch.libtorchVersion()),
    ),
  );
  const reasons = [...new Set(found)].map(({ because, kind }) => `${kind} (${because})`);
  return [group, ...reasons].join('; but for ');
}
