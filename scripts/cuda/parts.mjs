// The parts, in order; each is a program parts/<name>.mjs that runs in its own process.

/** `weight`: its share of the time. */
export const parts = Object.freeze([
  { name: 'cases', title: 'Every loss on the GPU against the CPU', weight: 4 },
  { name: 'python', title: "The same against Python's PyTorch", weight: 5 },
  { name: 'recorded', title: "PyTorch's recorded answers", weight: 3 },
  { name: 'tensors', title: 'Tensors on the GPU', weight: 1 },
  { name: 'evaluate', title: 'Evaluation of files', weight: 3 },
  { name: 'faults', title: 'Faults', weight: 2 },
  { name: 'bench', title: 'Speed and memory', weight: 6 },
]);
