/**
 * Reads the files that scripts/golden/generate.py writes: JSON lines, where a `group` line names tensors and the `case`
 * lines after it call an operator with them. A keyword whose value is `"$name"` is one of those tensors.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DType, itemsizes } from '../types';
import type { Bits } from './bits';

/** The committed vectors. */
export const vectors = join(__dirname, '..', '..', 'test', 'golden', 'vectors');

/** `[dtype, shape, data]`, or with strides and offset where the layout is part of the case. */
export type EncodedTensor = [DType, number[], string | number[], number[]?, number?];

/** An error that PyTorch raised, and whether its Python code or libtorch did; or one of ours alone. */
export interface RecordedError {
  stage: 'forward' | 'backward';
  type: string;
  message: string;
  raised_by: 'python' | 'native' | 'ours';
}

/** A tensor by name, or a number or numbers as they are. */
export type RecordedArgument = string | number | number[];

/** One line of a file. */
export interface RecordedCase {
  case: string;
  args: RecordedArgument[];
  /** Numbers that JSON lacks stand as `"Infinity"`, `"-Infinity"` and `"NaN"`. */
  kwargs: Record<string, unknown>;
  grad: string[];
  /** Set if the module lacks some of the options. */
  form?: 'function';
  /** Why the answer is not PyTorch's: PyTorch is wrong or unsafe. */
  ours?: string;
  value?: EncodedTensor | boolean;
  upstream?: EncodedTensor;
  grads?: Record<string, EncodedTensor | null>;
  warnings?: string[];
  error?: RecordedError;
}

/** A case and the tensors of its group. */
export interface GoldenCase extends RecordedCase {
  name: string;
  tensors: Record<string, EncodedTensor>;
}

/** A seed and what the calls after it gave: `[function, positional arguments, keyword arguments, result]`. */
export interface RandomCase {
  case: string;
  seed: number;
  steps: [string, (number | number[])[], { dtype: DType }, EncodedTensor][];
}

/** The facts that the recorded bits depend on, and the files. */
export interface Manifest {
  torch: string;
  git: string;
  python: string;
  machine: string;
  libc: string;
  capability: string;
  threads: number;
  environment: Record<string, string>;
  files: Record<string, { cases: number; sha256: string; module?: string }>;
}

/** The manifest of a folder of vectors. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
}

/** The cases of one operator, each with its group's tensors. */
export function readCases(folder: string, op: string): GoldenCase[] {
  const cases: GoldenCase[] = [];
  let group: { group: string; tensors: Record<string, EncodedTensor> } | undefined;
  for (const record of readLines(folder, op) as (RecordedCase | NonNullable<typeof group>)[]) {
    if ('group' in record) group = record;
    else if (group === undefined) throw new Error(`${op}.jsonl: the case '${record.case}' comes before any group`);
    else cases.push({ ...record, name: `${group.group}: ${record.case}`, tensors: group.tensors });
  }
  return cases;
}

/** The cases of `random_numbers`. */
export function readRandomCases(folder: string): RandomCase[] {
  return readLines(folder, 'random_numbers') as RandomCase[];
}

/** The SHA-256 of a file, as the manifest states it. */
export function fileHash(folder: string, op: string): string {
  return createHash('sha256')
    .update(readFileSync(fileOf(folder, op)))
    .digest('hex');
}

/** Throws if a file is not the one that the manifest names. */
export function verifiedFile(folder: string, op: string): void {
  const [actual, stated] = [fileHash(folder, op), readManifest(folder).files[op]?.sha256];
  if (actual !== stated) throw new Error(`${op}.jsonl has SHA-256 ${actual}, but its manifest states ${stated}`);
}

/** The elements of an encoded tensor, in memory order. */
export function elementsOf([dtype, , data]: EncodedTensor): Uint8Array<ArrayBuffer> {
  if (typeof data === 'string') return Uint8Array.from(Buffer.from(data, 'base64'));
  const width = itemsizes[dtype];
  const bytes = new Uint8Array(data.length * width);
  const view = new DataView(bytes.buffer);
  data.forEach((value, i) => {
    if (width === 8) view.setBigInt64(i * 8, BigInt(value), true);
    else if (width === 4) view.setInt32(i * 4, value, true);
    else if (width === 2) view.setInt16(i * 2, value, true);
    else view.setUint8(i, value & 0xff);
  });
  return bytes;
}

/** A recorded value or gradient. */
export function resultBits(encoded: EncodedTensor): Bits {
  return { dtype: encoded[0], shape: encoded[1], bytes: elementsOf(encoded) };
}

function readLines(folder: string, op: string): unknown[] {
  return readFileSync(fileOf(folder, op), 'utf8')
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text));
}

function fileOf(folder: string, op: string): string {
  return join(folder, `${op}.jsonl`);
}
