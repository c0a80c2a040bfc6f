/** The same loss however it is called: as a function or as a module, with tensors or with what tensors are made of. */
import * as torch from '../../lib';
import { type Loss, losses } from '../cases';
import { applyNative, leavesOf, tensorOf } from '../cases/call';
import { Values } from '../cases/values';
import { calls } from './arbitraries';
import { dtypes, expectSame, holds } from './setup';

type Call = (input: unknown, target: unknown, options?: object) => torch.Tensor;
type Module = new (options: object) => { forward(input: torch.Tensor, target: torch.Tensor): torch.Tensor };

/** All options as if they had not been given. */
const unset: Readonly<Record<Loss['name'], object>> = {
  crossEntropy: { weight: undefined, ignoreIndex: undefined, reduction: undefined, labelSmoothing: undefined },
  nllLoss: { weight: undefined, ignoreIndex: undefined, reduction: undefined },
  binaryCrossEntropy: { weight: undefined, reduction: undefined },
  binaryCrossEntropyWithLogits: { weight: undefined, reduction: undefined, posWeight: undefined },
  klDiv: { reduction: undefined, logTarget: undefined },
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
  test('the module gives the bits of the function', () => {
    holds(calls[loss.name], (lossCase) => {
      for (const reduction of loss.reductions) {
        const leaves = leavesOf(lossCase, 'float32');
        const { input, target, ...tensors } = leaves;
        const { [loss.module]: Loss } = torch.nn as unknown as Record<Loss['module'], Module>;
        const module = new Loss({ ...lossCase.options, ...tensors, reduction });
        const value = module.forward(input as torch.Tensor, target as torch.Tensor);
        expectSame(reduction, value, applyNative(loss, lossCase, leaves, reduction));
        value.sum().backward();
        const gradient = (input as torch.Tensor).grad as torch.Tensor;
        (input as torch.Tensor).grad = undefined;
        applyNative(loss, lossCase, leaves, reduction).sum().backward();
        expectSame(`gradient of ${reduction}`, gradient, (input as torch.Tensor).grad as torch.Tensor);
      }
    });
  });

  test('options that are undefined are absent', () => {
    holds(calls[loss.name], ({ input, target }) => {
      const call = torch.nn.functional[loss.name] as Call;
      const tensors = [tensorOf(input, 'float32'), tensorOf(target, 'float32')] as const;
      const plain = call(...tensors);
      expectSame('{}', call(...tensors, {}), plain);
      expectSame('undefined', call(...tensors, unset[loss.name]), plain);
    });
  });

  test.each(Object.entries(data))('%s in place of tensors', (_, dataOf) => {
    holds(calls[loss.name], (lossCase) => {
      const { input, target, options = {} } = lossCase;
      for (const dtype of dtypes) {
        const made = Object.entries(options).map(([name, value]) => {
          return [name, value instanceof Values ? dataOf(value, dtype) : value];
        });
        const call = torch.nn.functional[loss.name] as Call;
        const actual = call(dataOf(input, dtype), dataOf(target, dtype), Object.fromEntries(made));
        // Plain numbers are float32.
        const expected = applyNative(loss, lossCase, leavesOf(lossCase, actual.dtype as 'float32'), 'mean');
        expectSame(dtype, actual, expected);
      }
    });
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
