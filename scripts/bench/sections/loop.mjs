// The peak of the resident memory of a plain synchronous training loop, and its growth in the second half of the steps,
// with and without a scope around each step.
import { runNode } from './program.mjs';

const steps = { full: 100_000, quick: 2_000 };

/** The loop without scopes may need that many times the memory of the one with them. */
const target = 1.5;

/** Runs both loops, each in a process of its own. */
export async function measureLoop({ options, progress }) {
  const count = steps[options.quick ? 'quick' : 'full'];
  const peaks = {};
  for (const kind of ['scope', 'plain']) {
    progress(`${count.toLocaleString('en')} steps of training, ${kind === 'scope' ? 'with' : 'without'} scopes`);
    peaks[kind] = await runNode('training-loop.mjs', [kind, String(count)]);
  }
  return { steps: count, ...peaks, ratio: peaks.plain.peak / peaks.scope.peak, target };
}
