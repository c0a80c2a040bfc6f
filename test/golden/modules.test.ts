/** The modules of torch.nn against what PyTorch answered: printed form, initial state, result, gradients, state after. */
import * as torch from '../../lib';
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { readManifest, vectors } from '../../lib/parity/vectors';
import { answer, type RecordedModule, recordedModules } from '../support/recorded-modules';

const judge = judgeFor(readManifest(vectors), thisHost());
const records = recordedModules('modules.jsonl');

beforeAll(() => {
  jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterAll(() => jest.restoreAllMocks());

test.each(records.map((record, i) => [`${i + 1}: ${record.repr.split('\n', 1)[0]}`, record] as const))(
  '%s',
  (_, record) => {
    const found = torch.scope(() => answer(record));
    const compared = judge.exact && !rooted.has(record.module) ? comparable : withoutDigests;
    expect(compared(found)).toEqual(compared(record));
  },
);

/** Modules with square roots, whose last bits differ between kinds of processors: dtypes and shapes are compared. */
const rooted = new Set(['CosineSimilarity', 'LPPool1d', 'LPPool2d', 'LPPool3d', 'PairwiseDistance', 'RMSNorm']);

/** JavaScript's numbers do not say whether Python's call had `2` or `2.0`. */
function comparable(record: RecordedModule): RecordedModule {
  return { ...record, repr: record.repr.replaceAll(/(\d)\.0\b/g, '$1') };
}

function withoutDigests(record: RecordedModule): unknown {
  const text = JSON.stringify({ ...comparable(record), after: undefined });
  return JSON.parse(text.replaceAll(/(\[[\d,]*\]) [\w+/]{16}"/g, '$1"'));
}
