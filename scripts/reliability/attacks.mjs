// What `npm run fuzz` can attack with. Each attack is a program in test/lifecycle/fuzz that takes
// `--dist --seed --calls --milliseconds --last`, writes what it is about to do to the file `last`, and prints JSON as its
// last line: { calls, refused, wrong }, and for `calls` the native entries too. The same seed makes the same choices.

/** By the name that `--attack` has. */
export const attacks = {
  calls: {
    program: 'fuzz.cjs',
    what: 'every native entry and the public interface, with hostile values',
    /** Calls of one process: some seconds. */
    share: 20_000,
    calls: 1_000_000,
    environment: { OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  },
  differential: {
    program: 'differential.cjs',
    what: 'every form of every loss against the graph, copies of its arguments and the reference',
    share: 1_000,
    calls: 20_000,
    environment: {},
  },
};
