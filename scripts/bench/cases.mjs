// The work that is measured: losses, sizes, dtypes, forms, and the ratios that are aimed at.

/** The result of a call: a number; a tensor, in a loop that drops it; the value and its gradient. */
export const forms = ['number', 'tensor', 'gradient'];

/** How tables call the forms. */
export const formTitles = { number: 'number', tensor: 'tensor', gradient: 'value and gradient' };

const rowsByClasses = [
  [3, 4],
  [32, 10],
  [256, 100],
  [1024, 1000],
  [4096, 8000],
  [2048, 50257],
];

/** Shapes of the elementwise losses. The divergence needs rows that are distributions; the others share its shapes. */
const elementwise = { 32: [4, 8], '1e4': [100, 100], '1e6': [1000, 1000], '3e7': [30000, 1000] };

/** CTC: steps, sequences, classes, labels a sequence. */
const ctc = { steps: 100, batch: 32, classes: 80, labels: 20 };

/**
 * A case: the loss, its size in words, the dtype of its floating inputs, and the inputs as `{ fill, dtype, shape }`
 * (inputs.mjs knows the fills). `elements` counts the first input's.
 */
export const cases = [
  ...['float32', 'bfloat16'].flatMap((dtype) => rowsByClasses.map(([n, c]) => crossEntropy(n, c, dtype))),
  ...Object.entries(elementwise).flatMap(([size, shape]) => [
    pair('binaryCrossEntropyWithLogits', size, shape, 'normal', 'binary'),
    pair('mseLoss', size, shape, 'normal', 'normal'),
    pair('klDiv', size, shape, 'logProbabilities', 'probabilities'),
    pair('smoothL1Loss', size, shape, 'normal', 'normal'),
  ]),
  ctcLoss(ctc),
].sort((a, b) => a.order - b.order || a.elements - b.elements);

function crossEntropy(n, c, dtype) {
  const inputs = [
    { fill: 'normal', dtype, shape: [n, c] },
    { fill: 'labels', below: c, dtype: 'int64', shape: [n] },
  ];
  return make('crossEntropy', `${n}x${c}`, dtype, inputs);
}

function pair(loss, size, shape, input, target) {
  const inputs = [input, target].map((fill) => ({ fill, dtype: 'float32', shape }));
  return make(loss, size, 'float32', inputs);
}

function ctcLoss({ steps, batch, classes, labels }) {
  const inputs = [
    { fill: 'logProbabilities', dtype: 'float32', shape: [steps, batch, classes] },
    // Class 0 is the blank.
    { fill: 'labels', from: 1, below: classes, dtype: 'int64', shape: [batch, labels] },
    { fill: 'labels', from: steps, below: steps + 1, dtype: 'int64', shape: [batch] },
    { fill: 'labels', from: labels, below: labels + 1, dtype: 'int64', shape: [batch] },
  ];
  return make('ctcLoss', `T=${steps} N=${batch} C=${classes}`, 'float32', inputs);
}

function make(loss, size, dtype, inputs) {
  const elements = inputs[0].shape.reduce((product, length) => product * length, 1);
  const losses = ['crossEntropy', 'binaryCrossEntropyWithLogits', 'mseLoss', 'klDiv', 'smoothL1Loss', 'ctcLoss'];
  const order = 2 * losses.indexOf(loss) + (dtype === 'bfloat16' ? 1 : 0);
  return { id: `${loss} ${size} ${dtype}`, loss, size, dtype, elements, inputs, order };
}

const huge = ['binaryCrossEntropyWithLogits', 'mseLoss', 'klDiv'];

/** Ratios of this library's time to PyTorch's that are aimed at, beyond the general one. */
const targets = [
  { loss: 'crossEntropy', size: '3x4', number: 0.5, gradient: 0.15 },
  { loss: 'crossEntropy', size: '32x10', number: 0.9, gradient: 0.3 },
  { loss: 'crossEntropy', size: '4096x8000', number: 0.35, tensor: 0.35, gradient: 0.2 },
  { loss: 'crossEntropy', size: '2048x50257', gradient: 0.2 },
  ...huge.map((loss) => ({ loss, size: '3e7', number: 0.5, tensor: 0.5, gradient: 0.4 })),
];

/** The greatest ratio to PyTorch's time that is aimed at; 1 where nothing particular is. */
export function targetRatio({ loss, size, dtype }, form) {
  if (dtype !== 'float32') return 1;
  return targets.find((target) => target.loss === loss && target.size === size)?.[form] ?? 1;
}

/** Up to this many elements the kernels are so short that the overhead of a call can be told from noise. */
const smallest = 320;

/** How many microseconds more than plain C++ a call may take; undefined where that is not judged. */
export function targetOverhead({ elements }, form) {
  if (elements > smallest) return undefined;
  return { number: 1, tensor: 2 }[form];
}

/** Cases whose name (`crossEntropy 3x4 float32`) contains the text; with `quick` only small ones. */
export function chooseCases({ filter = '', quick = false }) {
  const wanted = filter.toLowerCase();
  return cases.filter(({ id, elements }) => id.toLowerCase().includes(wanted) && (!quick || elements <= 3e5));
}
