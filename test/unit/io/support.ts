/** Tensors and files that Python wrote, for the tests of lib/io; scripts/golden/files.py has the same `pattern`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../../lib';
import { ops, type Tensor } from '../../../lib';
import { type DType, itemsizes } from '../../../lib/types';

/** The cases of a file in test/data/files. */
export function casesOf<T>(name: string): [string, T][] {
  const path = join(__dirname, '../../data/files', `${name}.json`);
  return Object.entries((JSON.parse(readFileSync(path, 'utf8')) as { cases: Record<string, T> }).cases);
}

/** A tensor whose bytes are (37 k + 11 + seed) modulo 251. */
export function pattern(dtype: DType, shape: readonly number[], seed = 0): Tensor {
  const count = shape.reduce((product, size) => product * size, itemsizes[dtype]);
  const bytes = Uint8Array.from({ length: count }, (_, k) => (37 * k + 11 + seed) % 251);
  if (dtype === 'bool')
    return torch
      .tensor(bytes.map((byte) => byte % 2))
      .to('bool')
      .view(shape);
  return ops.aten.view.dtype(torch.tensor(bytes), dtype).view(shape);
}

/** The bytes of the elements in row-major order, with what they are of. */
export function bits(tensor: Tensor): string {
  const { dtype, shape } = tensor;
  const plain = tensor.detach().resolveConj().resolveNeg().contiguous().view([-1]);
  const bytes = plain.numel() === 0 ? new Uint8Array() : ops.aten.view.dtype(plain, 'uint8').toTypedArray<Uint8Array>();
  return `${dtype} [${shape}] ${Buffer.from(bytes).toString('hex')}`;
}

/** The same of tensors by name, in their order. */
export function allBits(tensors: ReadonlyMap<string, Tensor>): [string, string][] {
  return [...tensors].map(([name, tensor]) => [name, bits(tensor)]);
}

/** The code and the message of what a function throws; 'nothing' if it does not. */
export function failure(run: () => unknown): string {
  try {
    run();
    return 'nothing';
  } catch (error) {
    return `${(error as { code?: string }).code} ${(error as Error).message}`;
  }
}
