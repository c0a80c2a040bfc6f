/**
 * What files need to know of parameters. The class is a layer above, and registers itself here when its module is loaded,
 * as the Tensor class does in `bind.ts`.
 */
import type { Tensor } from './tensor';

interface ParameterClass {
  is(value: unknown): boolean;
  /** A parameter in the memory of a tensor. */
  make(data: Tensor, requiresGrad: boolean): Tensor;
}

let parameterClass: ParameterClass | undefined;

/** Called once, by the module of the Parameter class. */
export function registerParameterClass(registered: ParameterClass): void {
  parameterClass = registered;
}

/** Whether a value is a parameter of a module. */
export function isParameter(value: unknown): value is Tensor {
  return parameterClass?.is(value) === true;
}

/** A parameter in the memory of a tensor. */
export function makeParameter(data: Tensor, requiresGrad: boolean): Tensor {
  return parameterClass === undefined ? data.requiresGrad_(requiresGrad) : parameterClass.make(data, requiresGrad);
}
