/**
 * PyTorch's recorded answers, with the kernels that they were recorded with. Those are chosen once, before libtorch
 * loads, by the environment of the process: test/golden/jest.config.js sets it.
 */
import { native } from '../../lib/binding/load';
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { readManifest, vectors } from '../../lib/parity/vectors';
import { defineGoldenTests } from '../support/golden-suite';

const manifest = readManifest(vectors);

test('this process runs the kernels that the vectors were recorded with', () => {
  const { capability, threads, environment } = manifest;
  const asked = Object.fromEntries(Object.keys(environment).map((name) => [name, process.env[name]]));
  expect({ capability: native().cpuCapability(), threads: native().getNumThreads(), environment: asked }).toEqual({
    capability,
    threads,
    environment,
  });
});

defineGoldenTests(vectors, judgeFor(manifest, thisHost()));
