/**
 * The 16-bit float formats. Expected values follow from the definitions (IEEE 754 binary16; bfloat16 as the upper half
 * of binary32), written down here a second time, one field after the other.
 */
import { decodeHalf, encodeHalf, type HalfDType } from '../../lib/torch/half';

const formats: readonly [HalfDType, number, number][] = [
  ['float16', 5, 10],
  ['bfloat16', 8, 7],
];
const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The number that a pattern stands for, by the definition of a float with so many exponent and fraction bits. */
function define(pattern: number, exponentBits: number, fractionBits: number): number {
  const sign = pattern >> 15 === 1 ? -1 : 1;
  const exponent = (pattern >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (pattern & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

describe.each(formats)('%s', (dtype, exponentBits, fractionBits) => {
  const values = decodeHalf(patterns, dtype);
  const top = ((2 ** exponentBits - 1) << fractionBits) - 1; // largest finite pattern
  const quietNaN = ((top + 1) | (1 << (fractionBits - 1))) & 0x7fff;

  test('decodes every pattern to the number it is defined to be', () => {
    const wrong = [...patterns].filter((p) => !Object.is(values[p], define(p, exponentBits, fractionBits)));
    expect(wrong).toEqual([]);
  });

  test('encodes every number it decodes back to the same pattern, every NaN to the quiet NaN', () => {
    const back = encodeHalf(values, dtype);
    const wrong = [...patterns].filter((p) => back[p] !== (Number.isNaN(values[p]) ? quietNaN : p));
    expect(wrong).toEqual([]);
  });

  test('rounds between neighbours to the nearest, ties to even', () => {
    const [ties, below, above, even]: number[][] = [[], [], [], []];
    for (let p = 0; p < top; p++) {
      const [low, high] = [values[p] as number, values[p + 1] as number];
      const middle = (low + high) / 2;
      ties?.push(middle);
      even?.push(p + (p % 2));
      // Float32 neighbours of the middle: a quarter of the way is always a float32 for float16 and bfloat16 alike.
      below?.push(middle - (high - low) / 4);
      above?.push(middle + (high - low) / 4);
    }
    const lower = [...patterns].slice(0, top);
    expect([...encodeHalf(ties as number[], dtype)]).toEqual(even);
    expect([...encodeHalf(below as number[], dtype)]).toEqual(lower);
    expect([...encodeHalf(above as number[], dtype)]).toEqual(lower.map((p) => p + 1));
    const negated = (ties as number[]).map((value) => -value);
    expect([...encodeHalf(negated, dtype)]).toEqual((even as number[]).map((p) => p | 0x8000));
  });

  test('turns what lies beyond the largest number into infinity', () => {
    const largest = values[top] as number;
    const step = largest - (values[top - 1] as number);
    const infinity = top + 1;
    const just = largest + step * 0.499;
    expect([...encodeHalf([just, largest + step / 2, 1e39, Infinity], dtype)]).toEqual([
      top,
      infinity,
      infinity,
      infinity,
    ]);
    expect([...encodeHalf([-just, -largest - step / 2, -Infinity], dtype)]).toEqual(
      [top, infinity, infinity].map((p) => p | 0x8000),
    );
  });

  test('rounds a double to float32 first, as PyTorch does', () => {
    // 1 + half a step + 2^-40 lies above the tie, but its float32 is the tie, and the tie is even below.
    const halfStep = 2 ** -(fractionBits + 1);
    expect([...encodeHalf([1 + halfStep + 2 ** -40, 1 + halfStep + 2 ** -20], dtype)]).toEqual([
      encodeHalf([1], dtype)[0],
      (encodeHalf([1], dtype)[0] as number) + 1,
    ]);
  });

  test('keeps signed zeros and takes empty arrays', () => {
    expect([...encodeHalf([0, -0, 1e-60, -1e-60], dtype)]).toEqual([0, 0x8000, 0, 0x8000]);
    expect(Object.is(decodeHalf(Uint16Array.of(0x8000), dtype)[0], -0)).toBe(true);
    expect(encodeHalf([], dtype)).toHaveLength(0);
    expect(decodeHalf(new Uint16Array(0), dtype)).toHaveLength(0);
  });
});

test('known values', () => {
  // By hand: 0.1 = 1.6 * 2^-4; fraction 0.6 is 614/1024 in float16, 77/128 in bfloat16.
  expect([...encodeHalf([1, -2, 0.1, 65504, 2 ** -24, 2 ** -25, 65520], 'float16')]).toEqual([
    0x3c00, 0xc000, 0x2e66, 0x7bff, 0x0001, 0x0000, 0x7c00,
  ]);
  expect([...encodeHalf([1, -2, 0.1, 2 ** -133, 2 ** -134], 'bfloat16')]).toEqual([
    0x3f80, 0xc000, 0x3dcd, 0x0001, 0x0000,
  ]);
});
