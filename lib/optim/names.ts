/** Names and values as Python writes them. */
import { isTensor } from '../torch/bind';

/** `weightDecay` as `weight_decay`, `HDiag` as `H_diag`, `T0` as `T_0`. */
export function snakeCase(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/^T(?=\d)/, 'T_');
}

/** A number that is a float in Python, as `repr` writes it: `1e-08`, `1.0`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const [digits, power] = value.toExponential().split('e') as [string, string];
  if (value === 0 || (Number(power) >= -4 && Number(power) < 16)) {
    const text = Object.is(value, -0) ? '-0' : String(value);
    return Number.isInteger(value) ? `${text}.0` : text;
  }
  return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}

/** A value as Python prints it; a whole number as an int, unless `isFloat`. */
export function valueText(value: unknown, isFloat = false): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return isFloat || !Number.isInteger(value) ? floatText(value) : String(value);
  if (isTensor(value)) return value.toString();
  if (!Array.isArray(value)) return String(value);
  if (value.some((item) => typeof item === 'string')) return `[${value.map((item) => `'${item}'`).join(', ')}]`;
  return `(${value.map((item) => valueText(item, isFloat)).join(', ')})`;
}
