/**
 * The two 16-bit float formats as bit patterns, which is how they cross the border to JavaScript: runtimes without
 * `Float16Array` have no array for float16, and none has one for bfloat16.
 */

/** A float format of 16 bits: IEEE binary16, or the upper half of a float32. */
export type HalfDType = 'float16' | 'bfloat16';

/** Exponent bias of float32 less that of float16 (127 - 15), in the place where float32 keeps its exponent. */
const rebias = 112 << 23;
const infinity32 = 0x7f800000;

/**
 * The numbers that 16-bit patterns stand for; exact, since float32 holds every float16 and every bfloat16.
 *
 * **Shapes**: `bits [N] -> [N]`. NaNs keep their sign and payload.
 *
 * @example decodeHalf(Uint16Array.of(0x3c00, 0xc000), 'float16') // [1, -2]
 */
export function decodeHalf(bits: Uint16Array, dtype: HalfDType): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  const widen = dtype === 'bfloat16' ? (half: number) => half << 16 : widenFloat16;
  for (let i = 0; i < bits.length; i++) words[i] = widen(bits[i] as number);
  return values;
}

/**
 * The 16-bit patterns nearest to numbers, ties to even. Each number is rounded to float32 first and then to 16 bits, as
 * PyTorch does it; a double that rounds twice may land beside the pattern that is nearest to it.
 *
 * **Shapes**: `values [N] -> [N]`. Numbers beyond the format become infinities, NaNs the quiet NaN 0x7e00 (float16) or
 * 0x7fc0 (bfloat16).
 *
 * @example encodeHalf([1, 65520], 'float16') // [0x3c00, 0x7c00]
 */
export function encodeHalf(values: ArrayLike<number>, dtype: HalfDType): Uint16Array {
  const bits = new Uint16Array(values.length);
  const words = new Uint32Array(Float32Array.from(values).buffer);
  const narrow = dtype === 'bfloat16' ? narrowToBfloat16 : narrowToFloat16;
  for (let i = 0; i < words.length; i++) bits[i] = narrow(words[i] as number);
  return bits;
}

/** float16 bits to float32 bits. */
function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) return sign | infinity32 | ((magnitude & 0x3ff) << 13);
  if (magnitude >= 0x0400) return sign | ((magnitude << 13) + rebias);
  if (magnitude === 0) return sign;
  // Subnormal: magnitude * 2^-24. Shifting its leading one into place 10 makes it 1.f * 2^(leading - 24).
  const shift = Math.clz32(magnitude) - 21;
  return sign | ((113 - shift) << 23) | (((magnitude << shift) & 0x3ff) << 13);
}

/** float32 bits to float16 bits. */
function narrowToFloat16(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > infinity32) return 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and above
  // The carry out of the mantissa moves the exponent on, up to infinity: the patterns of neighbours are neighbours.
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - rebias, 13); // 2^-14 and above
  // Subnormal: m * 2^(e - 150) in units of 2^-24 is m >> (126 - e). A shift beyond 24 leaves less than half a unit.
  const shift = 126 - (magnitude >>> 23);
  return shift > 24 ? sign : sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift);
}

/** float32 bits to bfloat16 bits. */
function narrowToBfloat16(word: number): number {
  if ((word & 0x7fffffff) > infinity32) return 0x7fc0;
  return ((word >>> 16) & 0x8000) | roundShift(word & 0x7fffffff, 16);
}

/** `value / 2^shift` to the nearest integer, ties to even; `value` below 2^31, `shift` at most 24. */
function roundShift(value: number, shift: number): number {
  const odd = (value >>> shift) & 1;
  return (value + ((1 << (shift - 1)) - 1) + odd) >>> shift;
}
