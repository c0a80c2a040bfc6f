import { NdArray } from '../../../lib/reference';
import { refusal } from './support';

describe('NdArray.from', () => {
  test.each([
    ['a number', 7, [], 7],
    ['a bigint', 7n, [], 7],
    ['a flat array', [1, 2, 3], [3], [1, 2, 3]],
    ['nested arrays', [[[1], [2]]], [1, 2, 1], [[[1], [2]]]],
    ['nested bigints', [[1n, -2n]], [1, 2], [[1, -2]]],
    ['no elements', [], [0], []],
    ['rows without elements', [[], []], [2, 0], [[], []]],
    ['a Float32Array', Float32Array.of(0.5, 2), [2], [0.5, 2]],
    ['a BigInt64Array', BigInt64Array.of(-100n, 3n), [2], [-100, 3]],
    ['a Uint8Array', Uint8Array.of(1, 255), [2], [1, 255]],
    [
      'data and shape',
      { data: [1, 2, 3, 4], shape: [2, 2] },
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['data and dims', { data: Int32Array.of(1, 2), dims: [2, 1] }, [2, 1], [[1], [2]]],
    ['data of one number', { data: [5], shape: [] }, [], 5],
  ])('takes %s', (_, source, shape, elements) => {
    const array = NdArray.from(source);
    expect(array.shape).toEqual(shape);
    expect(array.toArray()).toEqual(elements);
  });

  test('copies, so that later writes to the source do not show', () => {
    const source = Float64Array.of(1, 2);
    const array = NdArray.from(source);
    source[0] = 9;
    expect(array.toArray()).toEqual([1, 2]);
  });

  test('passes an NdArray through', () => {
    const array = NdArray.zeros([2]);
    expect(NdArray.from(array)).toBe(array);
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const numbers = 'numbers nested in arrays, a typed array or { data, shape }';
  test.each([
    ['undefined', undefined, `to be ${numbers}, but received undefined`],
    ['a string', 'abc', `to be ${numbers}, but received "abc"`],
    ['null', null, `to be ${numbers}, but received null`],
    ['an object of another kind', new Map(), `to be ${numbers}, but received a Map`],
    [
      'a ragged array',
      [[1, 2], [3]],
      'to be nested evenly, with arrays of length 2 at depth 1, but received one of length 1',
    ],
    ['a number among arrays', [[1], 2], 'to be nested evenly, with arrays of length 1 at depth 1, but received 2'],
    ['an array among numbers', [1, [2]], 'to hold numbers only, but received an array of length 1'],
    ['a string among numbers', [1, '2'], 'to hold numbers only, but received "2"'],
    ['a hole', new Array(2), 'to hold numbers only, but received undefined'],
    ['an array in itself', cyclic, 'to have at most 64 dimensions, but received deeper nesting'],
    [
      'an integer that is not exact',
      [2n ** 63n - 1n],
      'to hold integers that a float64 holds exactly, but received 9223372036854775807n',
    ],
    [
      'half-precision bits',
      new Uint16Array(1),
      'to be a typed array of numbers (a Uint16Array holds half-precision bits), but received a Uint16Array of length 1',
    ],
    [
      'a DataView',
      new DataView(new ArrayBuffer(8)),
      'to be a typed array of numbers (a Uint16Array holds half-precision bits), but received a DataView',
    ],
    ['data without a shape', { data: [1] }, 'to have a shape of integers >= 0, but received undefined'],
    [
      'data that is not an array',
      { data: 5, shape: [1] },
      'to have data in a typed array or an array of numbers, but received 5',
    ],
    [
      'a shape that does not fit',
      { data: [1, 2], shape: [3] },
      'to have a shape that counts its 2 elements, but received [3]',
    ],
    ['a negative size', { data: [], shape: [-1, 0] }, 'to have a shape of integers >= 0, but received [-1, 0]'],
    ['a size that is NaN', { data: [], shape: [Number.NaN] }, 'to have a shape of integers >= 0, but received [NaN]'],
    [
      'an infinite size',
      { data: [], dims: [Number.POSITIVE_INFINITY] },
      'to have a shape of integers >= 0, but received [Infinity]',
    ],
  ])('refuses %s', (_, source, message) => {
    const error = refusal(() => NdArray.from(source as never));
    expect(error.message).toBe(`NdArray.from: expected 'source' ${message}`);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'NdArray.from', argument: 'source' });
  });

  test('refuses a typed array whose memory was transferred away', () => {
    const source = new Float64Array(3);
    structuredClone(source.buffer, { transfer: [source.buffer] });
    const error = refusal(() => NdArray.from(source));
    expect(error).toMatchObject({ code: 'DETACHED', op: 'NdArray.from', argument: 'source' });
    expect(error.message).toBe(
      "NdArray.from: expected 'source' to have its memory, but received a Float64Array of length 0 whose buffer is detached",
    );
    expect(refusal(() => NdArray.from({ data: source, shape: [0] })).code).toBe('DETACHED');
  });

  test('refuses what no memory holds', () => {
    expect(refusal(() => NdArray.zeros([2 ** 50])).code).toBe('OUT_OF_MEMORY');
  });
});

describe('item', () => {
  test('is the one element, at any number of dimensions', () => {
    expect(NdArray.from([[[3]]]).item()).toBe(3);
  });

  test.each([[[]], [[1, 2]]])('refuses %j', (source) => {
    expect(refusal(() => NdArray.from(source).item()).message).toBe(
      `item: expected 'array' to have one element, but received shape [${source.length}]`,
    );
  });
});
