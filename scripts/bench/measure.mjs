// Rounds in which every participant runs a batch in turn, medians over the rounds, and ratios within the rounds.

/** How long a batch should take, how many rounds there are, and how long they may take together, in seconds. */
export const defaults = Object.freeze({ batchSeconds: 0.05, rounds: 7, fewestRounds: 3, budgetSeconds: 2.5 });

/**
 * Measures participants against each other. Each is `{ id, run(count) }`; `run` calls `count` times and resolves to the
 * seconds that took. Gives, by id, `{ seconds, samples }`: the median over the rounds of the time a call, and the
 * times themselves.
 */
export async function measure(participants, options = {}) {
  const { batchSeconds, rounds, fewestRounds, budgetSeconds } = { ...defaults, ...options };
  const batches = [];
  for (const participant of participants) batches.push(await calibrate(participant, batchSeconds));
  const round = batches.reduce((sum, { seconds }) => sum + seconds, 0);
  const affordable = Math.max(Math.min(fewestRounds, rounds), Math.floor(budgetSeconds / round));
  for (let i = 0; i < Math.min(rounds, affordable); i++) {
    // Another one begins each time: whoever follows a given peer would always find the caches as that one left them.
    for (let k = 0; k < batches.length; k++) {
      const batch = batches[(i + k) % batches.length];
      batch.samples.push((await batch.run(batch.count)) / batch.count);
    }
  }
  return Object.fromEntries(batches.map(({ id, samples }) => [id, { seconds: median(samples), samples }]));
}

/** How often to call so that a batch takes about `batchSeconds`; growing towards it warms caches and compilers up. */
async function calibrate({ id, run }, batchSeconds) {
  const first = await run(1);
  // One call is a batch: it is too long to be repeated for the sake of warmth.
  if (first >= 2 * batchSeconds) return { id, run, count: 1, seconds: first, samples: [] };
  let count = 1;
  for (;;) {
    const seconds = await run(count);
    const needed = Math.max(1, Math.round((count * batchSeconds) / Math.max(seconds, 1e-7)));
    if (seconds >= batchSeconds / 2)
      return { id, run, count: needed, seconds: (seconds / count) * needed, samples: [] };
    // At most tenfold: the first calls are slower than those that follow, and say little about them.
    count = Math.max(count + 1, Math.min(needed, count * 10));
  }
}

/** The middle one, or the mean of the two in the middle. */
export function median(values) {
  if (values.length === 0) throw new RangeError('median: expected at least one value');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median over the rounds of a's time divided by b's in the same round; undefined if either was not measured. */
export function ratio(a, b) {
  if (a === undefined || b === undefined) return undefined;
  return median(a.samples.map((sample, i) => sample / b.samples[i]));
}

/** The median over the rounds of a's time less b's in the same round, in seconds. */
export function difference(a, b) {
  if (a === undefined || b === undefined) return undefined;
  return median(a.samples.map((sample, i) => sample - b.samples[i]));
}
