/** Values as JSON that says all of them, as `Canonical` in scripts/golden/files.py has it. */
import { nn, ops, type Tensor } from '../../../lib';
import { storageOffset, storageUnder } from '../../../lib/io/storages';
import { isTensor } from '../../../lib/torch/bind';
import { bits } from './support';

/** The form of a value. Storages are numbered as they are met; what holds itself is named in its place. */
export function canonical(value: unknown, storages: string[] = [], around: readonly unknown[] = []): unknown {
  const of = (item: unknown): unknown => canonical(item, storages, [...around, value]);
  if (typeof value === 'object' && around.includes(value)) return 'itself';
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return { number: String(value) };
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { number: String(value) };
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return { float: bytes.toString('hex') };
  }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return { [Object.isFrozen(value) ? 'tuple' : 'list']: value.map(of) };
  if (value instanceof Set) return { set: [...value].map(of) };
  if (value instanceof Map) {
    const { _metadata } = value as { _metadata?: unknown };
    const dict = [...value].map((pair) => pair.map(of));
    return _metadata === undefined ? { dict } : { dict, _metadata: of(_metadata) };
  }
  if (isTensor(value)) return tensor(value, storages);
  const { re, im } = value as { re: number; im: number };
  return { complex: [of(re), of(im)] };
}

function tensor(value: Tensor, storages: string[]): unknown {
  const facts = [value.dtype, value.shape, value.requiresGrad];
  if (value.layout !== 'strided') {
    const parts = [ops.aten._indices(value), ops.aten._values(value)].map((part) => canonical(part, storages));
    return { sparse: [...facts, ...parts, value.isCoalesced()] };
  }
  if (value.isMeta) return { meta: [...facts, value.stride()] };
  const { key, bytes } = storageUnder(value) as { key: string; bytes: number };
  if (bytes > 0 && !storages.includes(key)) storages.push(key);
  const number = bytes > 0 ? storages.indexOf(key) : -1;
  const elements = bits(value).split(' ').at(-1);
  const kind = value instanceof nn.Parameter ? 'parameter' : 'tensor';
  return { [kind]: [...facts, value.stride(), storageOffset(value), number, bytes, elements] };
}
