/** Python's PyTorch on this machine, at full capability and with all threads: its answers must be ours, to the bit. */
import * as torch from '../../lib';
import { loadedLibtorch } from '../../lib/binding/load';
import { readManifest } from '../../lib/parity/vectors';
import { defineGoldenTests } from '../support/golden-suite';
import { recordLive } from '../support/live';

const live = recordLive(loadedLibtorch().version);

if ('unavailable' in live) {
  test(`no PyTorch to compare with: ${live.unavailable}`, () => {
    console.warn(`The comparison with Python's PyTorch did not run: ${live.unavailable}.`);
  });
} else {
  const { threads } = readManifest(live.folder);
  const before = torch.getNumThreads();
  beforeAll(() => torch.setNumThreads(threads));
  afterAll(() => {
    torch.setNumThreads(before);
    live.remove();
  });
  defineGoldenTests(live.folder, { exact: true });
}
