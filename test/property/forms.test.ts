/** The same loss however it is called: as a function or as a module, with tensors or with what tensors are made of. */
import * as torch from '../../lib';
import { type Loss, type LossCase, losses } from '../cases';
import { applyNative, argumentsOf, leavesOf, nativeFunction, optionsOf } from '../cases/call';
import { Values } from '../cases/values';
import { calls } from './arbitraries';
import { dtypes, expectSame, holds } from './setup';

type Module = new (options: object) => { forward(...args: unknown[]): torch.Tensor };

/** How often each property is tried: what is compared does not depend on the numbers much. */
const tries = 30;

/** All options as if they had not been given. */
const unset: Readonly<Record<Loss['name'], readonly string[]>> = {
  crossEntropy: ['weight', 'ignoreIndex', 'labelSmoothing'],
  nllLoss: ['weight', 'ignoreIndex'],
  binaryCrossEntropy: ['weight'],
  binaryCrossEntropyWithLogits: ['weight', 'posWeight'],
  klDiv: ['logTarget'],
  l1Loss: ['weight'],
  mseLoss: ['weight'],
  smoothL1Loss: ['beta'],
  huberLoss: ['delta', 'weight'],
  poissonNllLoss: ['logInput', 'full', 'eps'],
  gaussianNllLoss: ['full', 'eps'],
  hingeEmbeddingLoss: ['margin'],
  softMarginLoss: [],
  multiMarginLoss: ['p', 'margin', 'weight'],
  multilabelMarginLoss: [],
  multilabelSoftMarginLoss: ['weight'],
  marginRankingLoss: ['margin'],
  cosineEmbeddingLoss: ['margin'],
  tripletMarginLoss: ['margin', 'p', 'eps', 'swap'],
  tripletMarginWithDistanceLoss: ['distanceFunction', 'margin', 'swap'],
  ctcLoss: ['blank', 'zeroInfinity'],
  linearCrossEntropy: ['linearBias', 'weight', 'ignoreIndex', 'labelSmoothing', 'options'],
};

/** What a tensor can be made of, holding the values of a case. */
const data: Readonly<Record<string, (values: Values, dtype: string) => unknown>> = {
  'nested arrays': (values) => nest(values.data, values.shape),
  'typed arrays with dims': (values, dtype) => ({ data: typedArray(values, dtype), dims: values.shape }),
  'typed arrays with a shape': (values, dtype) => ({ data: typedArray(values, dtype), shape: values.shape }),
  'class indices as Int32Array': (values, dtype) => ({
    data: values.dtype === 'int64' ? Int32Array.from(values.data) : typedArray(values, dtype),
    dims: values.shape,
  }),
};

describe.each(losses)('$name', (loss) => {
  // Where the module makes parameters itself, its golden vectors call it.
  if (!loss.ownsParameters)
    test('the module gives the bits of the function', () => {
      const check = (lossCase: LossCase): void => {
        const has = Object.entries(lossCase.options ?? {}).filter(([name]) => !loss.functionOnly.includes(name));
        const ofModule = { ...lossCase, options: Object.fromEntries(has) };
        for (const reduction of loss.reductions) {
          const [byModule, byFunction] = [leavesOf(loss, ofModule, 'float32'), leavesOf(loss, ofModule, 'float32')];
          const { [loss.module]: Loss } = torch.nn as unknown as Record<Loss['module'], Module>;
          const module = new Loss({ ...optionsOf(ofModule, byModule), reduction });
          const value = module.forward(...argumentsOf(ofModule, byModule));
          const expected = applyNative(loss, ofModule, byFunction, reduction);
          expectSame(reduction, value, expected);
          for (const result of [value, expected]) result.sum().backward();
          for (const [name, { grad }] of Object.entries(byFunction)) {
            if (grad) expectSame(`gradient of ${name}, ${reduction}`, byModule[name]?.grad as torch.Tensor, grad);
          }
        }
      };
      holds(calls[loss.name], check, tries);
    });

  test('options that are undefined are absent', () => {
    const none = Object.fromEntries(['reduction', ...unset[loss.name]].map((name) => [name, undefined]));
    const check = (lossCase: LossCase): void => {
      const call = nativeFunction(loss);
      const args = argumentsOf(lossCase, leavesOf(loss, lossCase, 'float32'));
      const plain = call(...args);
      expectSame('{}', call(...args, {}), plain);
      expectSame('undefined', call(...args, none), plain);
    };
    holds(calls[loss.name], check, tries);
  });

  test.each(Object.entries(data))('%s in place of tensors', (_, dataOf) => {
    const check = (lossCase: LossCase): void => {
      for (const dtype of dtypes) {
        const given: Record<string, unknown> = {};
        for (const [name, value] of Object.entries({ ...lossCase.options, ...lossCase.args })) {
          if (value instanceof Values) given[name] = dataOf(value, dtype);
        }
        const actual = nativeFunction(loss)(...argumentsOf(lossCase, given), optionsOf(lossCase, given));
        // Plain numbers are float32.
        const expected = applyNative(loss, lossCase, leavesOf(loss, lossCase, actual.dtype as 'float32'), 'mean');
        expectSame(dtype, actual, expected);
      }
    };
    holds(calls[loss.name], check, tries);
  });
});

function typedArray({ data, dtype: own }: Values, dtype: string): BigInt64Array | Float32Array | Float64Array {
  if (own === 'int64') return BigInt64Array.from(data, BigInt);
  return dtype === 'float32' ? Float32Array.from(data) : Float64Array.from(data);
}

function nest(data: readonly number[], [size, ...rest]: readonly number[]): unknown {
  if (size === undefined) return data[0];
  const step = data.length / size;
  return Array.from({ length: size }, (_, i) => nest(data.slice(i * step, (i + 1) * step), rest));
}
