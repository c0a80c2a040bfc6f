/** The printed form of modules. */
import { className, type Registered, registry } from './registry';

/** Modules that are being printed: one that holds itself is named only. */
const open = new Set<Registered>();

/** The text that PyTorch prints for a module. */
export function formatModule(module: Registered & { extraRepr(): string }): string {
  if (open.has(module)) return `${className(module)}(...)`;
  open.add(module);
  try {
    const extra = module.extraRepr();
    const own = extra === '' ? [] : extra.split('\n');
    const children = [...registry(module).entries().values()]
      .filter(({ kind }) => kind === 'module')
      .map(({ key, value }) => `(${key}): ${indented(value === undefined ? 'None' : String(value))}`);
    return withLines(className(module), own, children);
  } finally {
    open.delete(module);
  }
}

/** `Name(…)` with what it says of itself, and of what is in it, a line each. */
export function withLines(name: string, own: readonly string[], children: readonly string[]): string {
  const lines = [...own, ...children];
  if (lines.length === 0) return `${name}()`;
  if (own.length === 1 && children.length === 0) return `${name}(${own[0]})`;
  return `${name}(\n  ${lines.join('\n  ')}\n)`;
}

/** A text whose lines but the first are two further to the right. */
export function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

/** A value as Python prints it: `None`, `True`, `0.0`, `(1, 2)`. JavaScript's numbers do not say whether they are floats. */
export function pythonText(value: unknown, type: 'float' | 'int' = 'int'): string {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return type === 'float' ? floatText(value) : String(value);
  if (!Array.isArray(value)) return String(value);
  const items = Array.from(value, (item) => pythonText(item, type));
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

/** A float as Python's `repr` writes it. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
