/** Test runners tell different tensors apart, and take equal ones for equal: else tests of users pass in silence. */
import { join } from 'node:path';
import { inspect, isDeepStrictEqual } from 'node:util';
import * as torch from '../../../lib';
import { dist, runNode } from '../../support/child';

type Pairs = Readonly<Record<string, readonly [unknown, unknown]>>;
const pairs: { different: Pairs; equal: Pairs } = require('./pairs.cjs')(torch);
const { tensor, testing } = torch;

test("Node's assert, chai and vitest", () => {
  const { stdout, ...end } = runNode(join(__dirname, 'runners.mjs'), dist);
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({ wrong: [] });
});

test.each(Object.entries(pairs.different))('jest tells apart: %s', (_, [a, b]) => {
  expect(() => expect(a).toEqual(b)).toThrow();
  expect(() => expect(b).toEqual(a)).toThrow();
  expect(() => expect(a).toStrictEqual(b)).toThrow();
  const spy = jest.fn();
  spy(a);
  expect(() => expect(spy).toHaveBeenCalledWith(b)).toThrow();
});

test.each(Object.entries(pairs.equal))('jest takes for equal: %s', (_, [a, b]) => {
  expect(a).toEqual(b);
  expect(a).toStrictEqual(b);
});

test('jest tells empty tensors apart, however short the stacks of errors are', () => {
  const { stackTraceLimit } = Error;
  const [a, b] = [torch.zeros(0), torch.zeros(0, 3)];
  let refusal: unknown;
  Error.stackTraceLimit = 0;
  try {
    expect(a).toEqual(b);
  } catch (error) {
    refusal = error;
  } finally {
    expect(Error.stackTraceLimit).toBe(0);
    Error.stackTraceLimit = stackTraceLimit;
  }
  expect(refusal).toBeInstanceOf(Error);
});

test('a proxy of a tensor, which none can read, equals itself only', () => {
  const [a, b] = [new Proxy(tensor([1]), {}), new Proxy(tensor([1]), {})];
  expect([isDeepStrictEqual(a, b), isDeepStrictEqual(a, a)]).toEqual([false, true]);
});

test("jest's message has the elements, and matchers match", () => {
  expect(() => expect(tensor([1, 2])).toEqual(tensor([1, 3]))).toThrow(/"data": \[1, 3\]/);
  expect({ loss: tensor([1]) }).toEqual({ loss: expect.any(torch.Tensor) });
});

describe('the tester', () => {
  // @types/jest does not know it yet.
  const { addEqualityTesters } = expect as unknown as { addEqualityTesters(testers: readonly unknown[]): void };
  beforeAll(() => addEqualityTesters([testing.tensorEquality]));

  test('toMatchObject tells tensors apart too', () => {
    const result = { loss: tensor([1]), count: 2 };
    expect(result).toMatchObject({ loss: tensor([1]) });
    expect(result).toMatchObject({ loss: expect.any(torch.Tensor) });
    expect(() => expect(result).toMatchObject({ loss: tensor([2]) })).toThrow();
    expect(() => expect(result).toMatchObject({ loss: {} })).toThrow();
  });

  test('leaves other values alone', () => {
    expect(testing.tensorEquality({}, [])).toBeUndefined();
    expect(testing.tensorEquality(tensor([1]), {})).toBe(false);
  });
});

describe('a tensor elsewhere', () => {
  test('is printed as before', () => {
    expect(inspect(tensor([1]))).toBe('tensor([1.])');
    expect(inspect({ a: { b: { c: { d: tensor([1]) } } } }, { depth: 5 })).toContain('d: tensor([1.])');
    expect(`${tensor([1])}`).toBe('tensor([1.])');
    expect(inspect(torch.zeros([2, 3], { device: 'meta', dtype: 'int64' }))).toBe(
      "tensor(..., device='meta', size=(2, 3), dtype=torch.int64)",
    );
    expect(Object.keys(tensor([1]))).toEqual([]);
    expect(Object.prototype.toString.call(torch.Tensor.prototype)).toBe('[object Tensor]');
  });

  test('is JSON that a tensor can be made of again', () => {
    const json = JSON.parse(JSON.stringify(tensor([[1, 2.5]], { dtype: 'float64' })));
    expect(json).toEqual({ dtype: 'float64', device: 'cpu', shape: [1, 2], data: [1, 2.5] });
    expect(tensor({ data: json.data, shape: json.shape }, { dtype: json.dtype })).toEqual(
      tensor([[1, 2.5]], { dtype: 'float64' }),
    );
    expect(tensor([NaN, -Infinity]).toJSON()).toMatchObject({ data: ['NaN', '-Infinity'] });
    expect(tensor([2n ** 60n, 1n]).toJSON()).toMatchObject({ data: [`${2n ** 60n}`, 1] });
    expect(tensor([true]).toJSON()).toMatchObject({ data: [true] });
    expect(torch.zeros([2], { device: 'meta' }).toJSON()).toEqual({ dtype: 'float32', device: 'meta', shape: [2] });
    const complex = tensor([{ re: 1, im: -2.5 }], { dtype: 'complex128' });
    const { dtype, shape, data } = JSON.parse(JSON.stringify(complex));
    expect(data).toEqual([{ re: 1, im: -2.5 }]);
    expect(tensor({ data, shape }, { dtype })).toEqual(complex);
    expect(tensor([{ re: NaN, im: 1 }]).toJSON()).toMatchObject({ data: [{ re: 'NaN', im: 1 }] });
    const gone = tensor([1]);
    gone.dispose();
    expect(JSON.stringify(gone)).toBe('{"disposed":true}');
  });
});
