/** docs/losses.md promises that every argument may be plain data in place of a tensor: each one is, in every form. */
import * as torch from '../../lib';
import { bitsOf, difference } from '../../lib/parity/bits';
import { bitArrays } from '../../lib/torch/elements';
import type { TypedArray } from '../../lib/types';
import { type Loss, type LossCase, losses } from '../cases';
import { argumentsOf, leavesOf, optionsOf } from '../cases/call';
import { Values } from '../cases/values';
import { quietly } from '../support/conditions';

quietly();

type Call<Result> = (...args: unknown[]) => Result;
interface Forms extends Call<torch.Tensor> {
  item: Call<number>;
  out: Call<unknown>;
  async: Call<Promise<torch.Tensor>>;
}

const plainForms: Readonly<Record<string, (values: Values) => unknown>> = {
  'nested arrays': ({ data, shape }) => nest(data, shape),
  'typed arrays with dims': (values) => ({ data: typedArray(values), dims: [...values.shape] }),
  'arrays with a shape': (values) => ({
    data: values.dtype === 'int64' ? values.data.map(BigInt) : [...values.data],
    shape: [...values.shape],
  }),
};

/** Arguments that the loss takes in one kind only. */
const together: readonly (readonly string[])[] = [['inputLengths', 'targetLengths']];

describe.each(losses)('$name', (loss) => {
  const call = torch.nn.functional[loss.name] as unknown as Forms;
  const isPlain = (value: unknown): boolean => !(value instanceof Values) || [undefined, 'int64'].includes(value.dtype);
  const cases = loss.valid
    .filter(({ args, options, dtypes }) => {
      const values = Object.values({ ...options, ...args });
      const hasShapes = values.every((value) => !(value instanceof Values) || !value.shape.includes(0));
      return hasShapes && values.every(isPlain) && (dtypes ?? ['float32']).includes('float32');
    })
    .slice(0, 8)
    .map(withLengths);

  test('has cases', () => expect(cases.length).toBeGreaterThan(0));

  test.each(Object.entries(plainForms))('%s', async (_, plain) => {
    const wrong: string[] = [];
    for (const lossCase of cases) {
      const named = { ...lossCase.options, ...lossCase.args };
      const names = Object.keys(named).filter((name) => named[name] instanceof Values);
      const sets = names.map((name) => together.find((set) => set.includes(name)) ?? [name]);
      for (const chosen of [...sets, names]) {
        const found = await wrongWith(loss, call, lossCase, chosen, plain);
        wrong.push(...found.map((text) => `${lossCase.name}, ${chosen.join(', ')}: ${text}`));
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** What differs where the arguments `chosen` are plain. */
async function wrongWith(
  loss: Loss,
  call: Forms,
  lossCase: LossCase,
  chosen: readonly string[],
  plain: (values: Values) => unknown,
): Promise<string[]> {
  const tensors: Record<string, unknown> = leavesOf(loss, { ...lossCase, gradients: [] }, 'float32');
  const expected = call(...argumentsOf(lossCase, tensors), optionsOf(lossCase, tensors));
  const named: Readonly<Record<string, unknown>> = { ...lossCase.options, ...lossCase.args };
  const given = { ...tensors, ...Object.fromEntries(chosen.map((name) => [name, plain(named[name] as Values)])) };
  const args = [...argumentsOf(lossCase, given), optionsOf(lossCase, given)];
  const out = torch.zeros(expected.shape, { dtype: expected.dtype });
  const forms: Readonly<Record<string, () => unknown>> = {
    plain: () => call(...args),
    again: () => call(...args),
    item: () => torch.tensor(call.item(...args), { dtype: expected.dtype }),
    out: () => call.out(out, ...args),
    async: () => call.async(...args),
  };
  const wrong: string[] = [];
  for (const [form, compute] of Object.entries(forms)) {
    try {
      const actual = (await compute()) as torch.Tensor;
      const text = difference('it', bitsOf(actual), bitsOf(expected), undefined, 'of tensors it is');
      if (text !== undefined) wrong.push(`${form}: ${text}`);
    } catch (error) {
      wrong.push(`${form}: ${(error as Error).message}`);
    }
  }
  return wrong;
}

/** Lengths that a case gives as numbers are data too. */
function withLengths(lossCase: LossCase): LossCase {
  const args = Object.entries(lossCase.args).map(([name, value]) => [
    name,
    Array.isArray(value) ? new Values(value, [value.length], 'int64') : value,
  ]);
  return { ...lossCase, args: Object.fromEntries(args) };
}

function typedArray({ data, dtype = 'float32' }: Values): TypedArray {
  return dtype === 'int64' ? BigInt64Array.from(data, BigInt) : (bitArrays[dtype] as typeof Float32Array).from(data);
}

function nest(data: readonly number[], [size, ...rest]: readonly number[]): unknown {
  if (size === undefined) return data[0];
  const step = data.length / size;
  return Array.from({ length: size }, (_, i) => nest(data.slice(i * step, (i + 1) * step), rest));
}
