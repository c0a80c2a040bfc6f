/**
 * Operators that change their first operand and return it. As in PyTorch, a leaf that requires a gradient refuses them
 * outside of `noGrad`. **Source**: the methods of the same names of `torch.Tensor`.
 */
import * as aten from '../../aten/operators.generated';
import { boolean, number } from '../../options';
import type { Scalar } from '../../types';
import type { Tensor } from '../tensor';
import { type AlphaOptions, type ClampOptions, readAlpha, readBounds } from './arithmetic';
import { byOperand, checkScalar } from './operands';

/** `input += alpha * other` */
export function add_(input: Tensor, other: Tensor | Scalar, options?: AlphaOptions): Tensor {
  const alpha = readAlpha('add_', options);
  return byOperand(
    'add_',
    'other',
    other,
    (x) => aten.add__Tensor(input, x, alpha),
    (x) => aten.add__Scalar(input, x, alpha),
  );
}

/** `input -= alpha * other` */
export function sub_(input: Tensor, other: Tensor | Scalar, options?: AlphaOptions): Tensor {
  const alpha = readAlpha('sub_', options);
  return byOperand(
    'sub_',
    'other',
    other,
    (x) => aten.sub__Tensor(input, x, alpha),
    (x) => aten.sub__Scalar(input, x, alpha),
  );
}

/** `input *= other` */
export function mul_(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'mul_',
    'other',
    other,
    (x) => aten.mul__Tensor(input, x),
    (x) => aten.mul__Scalar(input, x),
  );
}

/** `input /= other` */
export function div_(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'div_',
    'other',
    other,
    (x) => aten.div__Tensor(input, x),
    (x) => aten.div__Scalar(input, x),
  );
}

/** `input = -input` */
export function neg_(input: Tensor): Tensor {
  return aten.neg_(input);
}

/** `input = min(max(input, options.min), options.max)` */
export function clamp_(input: Tensor, options: ClampOptions): Tensor {
  const { min, max } = readBounds('clamp_', options);
  return aten.clamp_(input, min, max);
}

/** Copies the elements of another tensor, which broadcasts and converts */
export function copy_(input: Tensor, source: Tensor, nonBlocking = false): Tensor {
  return aten.copy_(input, source, boolean('copy_', "'nonBlocking'", nonBlocking));
}

/** Sets every element to 0 */
export function zero_(input: Tensor): Tensor {
  return aten.zero_(input);
}

/** Sets every element to one value */
export function fill_(input: Tensor, value: Scalar): Tensor {
  return aten.fill__Scalar(input, checkScalar('fill_', "'value'", value));
}

/** Draws every element uniformly from [from, to) */
export function uniform_(input: Tensor, from = 0, to = 1): Tensor {
  return aten.uniform_(input, number('uniform_', "'from'", from), number('uniform_', "'to'", to));
}

/** Draws every element from the normal distribution */
export function normal_(input: Tensor, mean = 0, std = 1): Tensor {
  return aten.normal_(input, number('normal_', "'mean'", mean), number('normal_', "'std'", std));
}
