/** Figures as people read them, the same on a terminal and on a page. */

/** `1234567` -> `'1,234,567'` */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}

/** Six significant digits; NaN and infinities by name: `0.6931471805` -> `'0.693147'`. */
export function figure(number: number): string {
  return number === 0 || !Number.isFinite(number) ? plain(number) : number.toPrecision(6);
}

/** A whole number as a count, others with six significant digits: `1500` -> `'1,500'`. */
export function countOrFigure(number: number): string {
  return Number.isSafeInteger(number) ? count(number) : figure(number);
}

/** A share of 1; 100 % only if it is all, 0 % only if it is nothing: `0.99999` -> `'99.99 %'`. */
export function percentage(share: number): string {
  if (!Number.isFinite(share)) return plain(share);
  if (share === 0 || share === 1) return `${100 * share} %`;
  return `${Math.min(99.99, Math.max(0.01, 100 * share)).toFixed(2)} %`;
}

/** Bytes in powers of 1000: `71880` -> `'71.9 kB'`. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return power === 0 ? `${bytes} bytes` : `${three(bytes / 1000 ** power)} ${units[power]}`;
}

/** A duration: `0.01234` -> `'0.0123 s'`. */
export function duration(seconds: number): string {
  return `${three(seconds)} s`;
}

/** Bytes in seconds as GB/s; nothing where there is no time or no byte to tell of. */
export function rate(bytes: number, seconds: number): string | undefined {
  return bytes > 0 && seconds > 0 ? `${three(bytes / seconds / 1e9)} GB/s` : undefined;
}

/** Three significant digits, but no exponent before a million. */
function three(number: number): string {
  return number >= 100 && number < 1e6 ? number.toFixed(0) : plain(Number(number.toPrecision(3)));
}

function plain(number: number): string {
  return String(number);
}
