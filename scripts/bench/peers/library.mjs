// This library, as both of its peers use it: which function computes a loss, and its arguments.
import { createRequire } from 'node:module';

/** The library as it was built from this checkout. */
export const torch = createRequire(import.meta.url)('../../../dist/index.js');

const F = torch.nn.functional;

/** The calls to be measured, over arguments that the functions take: tensors or typed arrays. */
export function callsOf(loss, args) {
  const fn = F[loss];
  const withGradient = torch.valueAndGrad(fn);
  // PyTorch advises 'batchmean'; 'mean' warns, there and here.
  const all = loss === 'klDiv' ? [...args, { reduction: 'batchmean' }] : args;
  const calls = {
    number: () => fn.item(...all),
    tensor: () => fn(...all),
    gradient: () => withGradient(...all),
  };
  const check = (form) => {
    const result = calls[form]();
    if (form === 'number') return { value: result };
    if (form === 'tensor') return { value: result.item() };
    return { value: result.value.item(), gradient: result.grad.toTypedArray() };
  };
  return { ...calls, check };
}

export const about = () => ({ version: torch.libtorchVersion(), capability: torch.cpuCapability() });
export const setThreads = (count) => torch.setNumThreads(count);
