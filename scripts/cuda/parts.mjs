// What is run, in this order; each is a program parts/<name>.mjs, run in a process of its own.

/** `weight`: its share of the time. `needs`: what it cannot run without, besides the library. */
export const parts = Object.freeze([
  { name: 'cases', title: 'Every loss on the GPU against the CPU', weight: 4, needs: [] },
  { name: 'python', title: "The same against Python's PyTorch", weight: 5, needs: ['python'] },
  { name: 'evaluate', title: 'Evaluation of files', weight: 3, needs: [] },
  { name: 'faults', title: 'Faults', weight: 2, needs: [] },
  { name: 'bench', title: 'Speed and memory', weight: 6, needs: ['python'] },
]);
