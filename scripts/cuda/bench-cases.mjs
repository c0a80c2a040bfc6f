// The cases measured beside Python's PyTorch, and the targets on a GPU.

/** The form of a call: the loss as a tensor, or value and gradient. */
const gradient = 'gradient';

/**
 * `sizes`: rows and columns on a GPU, on a CPU. `time`: the ratio to PyTorch's time that is aimed at, at most;
 * `memory`: to PyTorch's extra memory, and `overGradient`: of the extra memory to the gradient.
 */
export const benchCases = Object.freeze([
  { loss: 'crossEntropy', dtype: 'float32', form: 'tensor', sizes: { gpu: [32, 10], cpu: [32, 10] }, time: 0.8 },
  { loss: 'crossEntropy', dtype: 'float32', form: gradient, sizes: { gpu: [32, 10], cpu: [32, 10] }, time: 0.8 },
  {
    loss: 'crossEntropy',
    dtype: 'bfloat16',
    form: gradient,
    sizes: { gpu: [8192, 128256], cpu: [256, 4096] },
    time: 0.6,
    memory: 0.5,
    overGradient: 1.1,
  },
  { loss: 'crossEntropy', dtype: 'bfloat16', form: 'tensor', sizes: { gpu: [8192, 128256], cpu: [256, 4096] } },
  { loss: 'crossEntropy', dtype: 'float32', form: gradient, sizes: { gpu: [4096, 32000], cpu: [128, 4096] } },
  { loss: 'mseLoss', dtype: 'float32', form: gradient, sizes: { gpu: [8192, 8192], cpu: [512, 512] } },
  { loss: 'smoothL1Loss', dtype: 'float32', form: gradient, sizes: { gpu: [8192, 8192], cpu: [512, 512] } },
  {
    loss: 'binaryCrossEntropyWithLogits',
    dtype: 'float32',
    form: gradient,
    sizes: { gpu: [8192, 8192], cpu: [512, 512] },
  },
  { loss: 'klDiv', dtype: 'float32', form: gradient, sizes: { gpu: [8192, 8192], cpu: [512, 512] } },
]);

/** The case whose chunks are tried in several sizes. */
export const sweptCase = benchCases[2];

/** Megabytes of one chunk of the input. */
export const chunkSizes = Object.freeze([4, 8, 16, 24, 32, 48, 64, 96, 128, 256]);

/** Evaluation from host memory by the bandwidth from there to the device, at least. */
export const evaluationTarget = 0.8;

export function nameOf({ loss, dtype, form }, [rows, columns]) {
  return `${loss} ${rows}x${columns} ${dtype}, ${form === gradient ? 'value and gradient' : 'forward'}`;
}
