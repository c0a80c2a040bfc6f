/** The recorded cases of every loss through its other forms: the same bits, gradients and errors. */
import { readCases, readManifest, vectors } from '../../lib/parity/vectors';
import { quietly } from '../support/conditions';
import { compareAsync, compareItem, compareOut, compareValueAndGrad, lossOf, wrongWith } from '../support/golden-forms';

quietly();
jest.setTimeout(60_000);

const recorded = Object.keys(readManifest(vectors).files).flatMap((op) => {
  const loss = lossOf(op);
  return loss === undefined ? [] : [{ op, loss, cases: readCases(vectors, op) }];
});

test('all losses but the one that is only a module', () => expect(recorded).toHaveLength(22));

describe.each(recorded)('$op', ({ loss, cases }) => {
  test.each([
    ['as a number', compareItem],
    ['into a buffer', compareOut],
    ['off the main thread', compareAsync],
    ['value and gradient', compareValueAndGrad],
  ])('%s', async (_name, compare) => expect(await wrongWith(cases, loss, compare)).toEqual([]));
});
