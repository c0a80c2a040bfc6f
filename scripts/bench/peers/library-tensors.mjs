// This library, called with tensors.
import { about, callsOf, setThreads, torch } from './library.mjs';
import { callOf, isCall } from './library-calls.mjs';
import { serve } from './serve.mjs';

let held = [];

function load(loss, _dtype, inputs) {
  for (const tensor of held) tensor.dispose();
  torch.emptyCache();
  held = inputs.map(({ array, dtype, shape }) => torch.tensor(array, { dtype, shape }));
  return isCall(loss) ? callOf(loss, held) : callsOf(loss, held);
}

serve({ about, setThreads, load });
