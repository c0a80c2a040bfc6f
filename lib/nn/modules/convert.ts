/** Converting the parameters and buffers of modules in place. */
import { emitWarning } from '../../binding/load';
import { expected, show } from '../../errors';
import { noGrad } from '../../torch/autograd';
import type { readCast } from '../../torch/cast';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { isComplex } from '../../types';
import { Parameter } from '../parameter';
import { type Registered, registry } from './registry';

/** What `to()` makes of a tensor. */
export function mover([device, dtype, nonBlocking, copy, memoryFormat]: ReturnType<typeof readCast>): (
  tensor: Tensor,
) => Tensor {
  const op = 'to';
  if (copy) throw expected(op, "option 'copy'", 'to be absent: modules are converted in place', show(copy));
  if (dtype !== undefined && !isComplex(dtype) && !/^b?float/.test(dtype)) {
    throw expected(op, "'dtype'", 'to be a floating or complex dtype', show(dtype));
  }
  if (dtype !== undefined && isComplex(dtype))
    emitWarning('Complex modules: some may not work with complex parameters');
  return (tensor) => {
    const converts = aten.is_floating_point(tensor) || aten.is_complex(tensor);
    const format = memoryFormat !== undefined && (tensor.ndim === 4 || tensor.ndim === 5) ? memoryFormat : undefined;
    return tensor.to({ device, dtype: converts ? (dtype ?? null) : null, nonBlocking, memoryFormat: format });
  };
}

/** Converts all parameters, their gradients, and all buffers of a module. Parameters stay the same objects. */
export function convertState<M extends Registered & { modules(): Iterable<Registered> }>(
  module: M,
  convert: (tensor: Tensor) => Tensor,
  recurse = true,
): M {
  noGrad(() => {
    for (const each of recurse ? [...module.modules()].reverse() : [module]) {
      for (const [property, entry] of registry(each).entries()) {
        if (entry.value === undefined || entry.kind === 'module') continue;
        if (entry.kind === 'buffer') registry(each).replace(entry, convert(entry.value as Tensor));
        else convertParameter(each, property, entry.value as Parameter, convert);
      }
    }
  });
  return module;
}

function convertParameter(
  module: Registered,
  property: string,
  parameter: Parameter,
  convert: (tensor: Tensor) => Tensor,
): void {
  const gradient = parameter.grad;
  const converted = convert(parameter);
  if (converted !== parameter) {
    // What another kind of tensor is cannot be put into this object: on the meta device, for one.
    const keeps = aten._has_compatible_shallow_copy_type(parameter, converted);
    const result = keeps ? parameter : new Parameter(converted, parameter.requiresGrad);
    if (keeps) aten.set_data(parameter, converted);
    else registry(module).assign(property, result);
    if (gradient === undefined) return;
    const convertedGradient = convert(gradient);
    if (!aten._has_compatible_shallow_copy_type(gradient, convertedGradient)) {
      result.grad = convertedGradient.requiresGrad_(gradient.requiresGrad);
    } else if (convertedGradient !== gradient) aten.set_data(gradient, convertedGradient);
  }
}
