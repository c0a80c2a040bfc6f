/** The conditions that suites of many small calls run under. */
import * as torch from '../../lib';

/**
 * One thread, and no warning printed, while the tests of this file run. On small tensors a second thread brings nothing
 * but waiting, several times the work where other programs want the processors too; warnings are the golden suite's
 * matter.
 */
export function quietly(): void {
  let threads: number;
  beforeAll(() => {
    threads = torch.getNumThreads();
    torch.setNumThreads(1);
    jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  });
  afterAll(() => {
    torch.setNumThreads(threads);
    jest.restoreAllMocks();
  });
}
