/** Typed arrays in: every kind, every sort of memory, each copied with its own dtype. */

import type { TypedArray } from 'libtorch-losses';
import * as torch from 'libtorch-losses';
import { detach, refusal, seen } from './support';

const { tensor } = torch;

const kinds: readonly [string, (new (values: number[]) => TypedArray) | typeof BigInt64Array, string][] = [
  ['Float64Array', Float64Array, 'float64'],
  ['Float32Array', Float32Array, 'float32'],
  ['BigInt64Array', BigInt64Array, 'int64'],
  ['Int32Array', Int32Array, 'int32'],
  ['Int16Array', Int16Array, 'int16'],
  ['Int8Array', Int8Array, 'int8'],
  ['Uint8Array', Uint8Array, 'uint8'],
  ['Uint8ClampedArray', Uint8ClampedArray, 'uint8'],
];

function arrayOf(Kind: unknown, values: readonly number[]): TypedArray {
  const from = Kind as { from(values: readonly unknown[]): TypedArray };
  return from.from(Kind === BigInt64Array ? values.map(BigInt) : values);
}

describe.each(kinds)('%s', (_name, Kind, dtype) => {
  const array = arrayOf(Kind, [1, 0, 3, 4]);

  test('keeps its type, is copied, and comes back as what it was', () => {
    const made = tensor(array, { shape: [2, 2] });
    array[0] = array[1] as never;
    expect(seen(made)).toEqual({
      dtype,
      shape: [2, 2],
      values: [
        [1, 0],
        [3, 4],
      ],
    });
    array[0] = array[2] as never;
    const back = made.toTypedArray();
    expect([...back].map(Number)).toEqual([1, 0, 3, 4]);
    expect(back.constructor.name).toBe(Kind === Uint8ClampedArray ? 'Uint8Array' : Kind.name);
  });

  test('is converted to the dtype that is asked for', () => {
    expect(seen(tensor(arrayOf(Kind, [1, 0, 3]), { dtype: 'bfloat16' })).values).toEqual([1, 0, 3]);
    expect(seen(tensor(arrayOf(Kind, [1, 0, 3]), { dtype: 'bool' })).values).toEqual([true, false, true]);
    expect(tensor(arrayOf(Kind, [1]), { dtype: 'int64' }).dtype).toBe('int64');
  });

  test('a view at an offset, of nothing, in shared memory', () => {
    const bytes = arrayOf(Kind, [1, 2, 3, 4]).buffer;
    const View = Kind as new (buffer: ArrayBufferLike, offset?: number, length?: number) => TypedArray;
    const size = (Kind as typeof Int8Array).BYTES_PER_ELEMENT;
    expect(tensor(new View(bytes, size, 2)).toArray()).toEqual([2, 3]);
    expect(seen(tensor(new View(bytes, 0, 0)))).toEqual({ dtype, shape: [0], values: [] });
    expect(tensor(new View(bytes, 0, 0), { shape: [0, 3] }).shape).toEqual([0, 3]);
    const shared = new View(new SharedArrayBuffer(2 * size));
    shared.set(arrayOf(Kind, [5, 6]) as never);
    expect(tensor(shared).toArray()).toEqual([5, 6]);
  });

  test('nested, it keeps its type too', () => {
    expect(seen(tensor([arrayOf(Kind, [1, 2]), arrayOf(Kind, [3, 4])]))).toEqual({
      dtype,
      shape: [2, 2],
      values: [
        [1, 2],
        [3, 4],
      ],
    });
  });

  test('detached, it is refused', () => {
    const gone = arrayOf(Kind, [1, 2]);
    detach(gone);
    for (const make of [tensor, torch.fromTypedArray] as const) {
      const { code, message } = refusal(() => make(gone));
      expect({ code, message }).toEqual({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/detached/) });
    }
  });
});

test('nested plain and typed arrays, or two kinds, are numbers', () => {
  expect(tensor([Float64Array.of(0.1), [0.2]] as never).dtype).toBe('float32');
  expect(tensor([Float64Array.of(0.5), Int8Array.of(2)]).dtype).toBe('float32');
  expect(tensor([Float64Array.of(0.1)], { dtype: 'float64' }).toArray()).toEqual([[0.1]]);
  expect(refusal(() => tensor([BigInt64Array.of(1n), [2]] as never)).code).toBe('INVALID_ARGUMENT');
});

test('16-bit floats come as bits, nested or not', () => {
  const bits = Uint16Array.of(0x3c00, 0xc000);
  expect(seen(tensor(bits, { dtype: 'float16' }))).toEqual({ dtype: 'float16', shape: [2], values: [1, -2] });
  expect(seen(tensor([bits], { dtype: 'float16' }))).toEqual({ dtype: 'float16', shape: [1, 2], values: [[1, -2]] });
  expect(tensor(Uint16Array.of(0x3f80), { dtype: 'bfloat16' }).item()).toBe(1);
  expect(tensor([1, -2], { dtype: 'bfloat16' }).toTypedArray()).toEqual(Uint16Array.of(0x3f80, 0xc000));
  for (const data of [bits, [bits]] as torch.TensorData[]) {
    expect(refusal(() => tensor(data)).message).toMatch(
      /\(give dtype 'float16' or 'bfloat16' if it holds their bits\)$/,
    );
    expect(refusal(() => tensor(data, { dtype: 'int32' })).argument).toBe('data');
  }
});

test.each([Uint32Array, BigUint64Array])('%p is of no dtype that libtorch has', (Kind) => {
  expect(refusal(() => tensor(new Kind(2) as never)).message).toMatch(
    /to be a typed array of a dtype that libtorch has/,
  );
  expect(refusal(() => tensor([new Kind(2)] as never)).code).toBe('INVALID_ARGUMENT');
});

test('a Buffer is bytes, wherever in its pool it lies', () => {
  expect(tensor(Buffer.from('abc')).toArray()).toEqual([97, 98, 99]);
});

test('an array over a resizable buffer is copied as it is at that moment', () => {
  const buffer = new (ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer)(8, {
    maxByteLength: 64,
  });
  const array = new Float32Array(buffer);
  array.set([1, 2]);
  const made = tensor(array);
  (buffer as unknown as { resize(size: number): void }).resize(0);
  expect(made.toArray()).toEqual([1, 2]);
  expect(tensor(array).shape).toEqual([0]);
});

test('what an array says of itself changes nothing', () => {
  const array = Float32Array.of(1, 2, 3);
  Object.defineProperty(array, 'length', { value: 2 });
  Object.defineProperty(array, Symbol.toStringTag, { value: 'Int32Array' });
  // Fewer elements than its memory has: refused, not read beside.
  expect(refusal(() => tensor(array)).code).toBe('INVALID_ARGUMENT');
  const wide = new Float32Array(2);
  Object.defineProperty(wide, Symbol.toStringTag, { value: 'Float64Array' });
  expect(refusal(() => tensor(wide)).code).toBe('INVALID_ARGUMENT');
});
