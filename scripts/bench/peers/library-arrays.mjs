// This library, called with typed arrays, as onnxruntime returns them, and labels and lengths as int64.
import { about, callsOf, setThreads, torch } from './library.mjs';
import { serve } from './serve.mjs';

function load(loss, _dtype, inputs) {
  torch.emptyCache();
  // Lists of lengths and of class indices are arrays as they are.
  const args = inputs.map(({ array, shape }) => (shape.length === 1 ? array : { data: array, dims: shape }));
  return callsOf(loss, args);
}

serve({ about, setThreads, load });
