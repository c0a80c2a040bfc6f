/** The recorded random numbers: a seed, and what each draw after it must give. CPU only, as PyTorch's promise is. */
import * as torch from '../index';
import { type Answer, answer } from './run-case';
import type { RandomCase } from './vectors';

/** Seeds, and draws step by step. */
export function* drawn({ seed, steps }: RandomCase): Generator<Answer> {
  torch.manualSeed(seed);
  for (const [step, [name, args, { dtype }, expected]] of steps.entries()) {
    yield answer(`step ${step}, ${name}(${JSON.stringify(args)}, ${dtype})`, draw(name, args, dtype), expected);
  }
}

function draw(name: string, args: (number | number[])[], dtype: torch.DType): torch.Tensor {
  const [first, second, third] = args;
  switch (name) {
    case 'rand':
      return torch.rand(first as number[], { dtype });
    case 'randn':
      return torch.randn(first as number[], { dtype });
    case 'randint':
      return torch.randint(first as number, second as number, third as number[], { dtype });
    case 'uniform_':
      return torch.empty(first as number[], { dtype }).uniform_(second as number, third as number);
    case 'normal_':
      return torch.empty(first as number[], { dtype }).normal_(second as number, third as number);
    default:
      throw new Error(`no way to draw '${name}' is known`);
  }
}
