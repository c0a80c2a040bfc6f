import { createHash } from 'node:crypto';
import type { Tensor } from 'libtorch-losses';
import type { Evaluation, Figures } from './evaluation';

/** Figures whose loss is the eight hexadecimal digits of its float32, which text does not round. */
interface ExactFigures {
  loss: string;
  correct: number;
  count: number;
}

/** A whole run for programs, in the form of `train.py --json`; `reference` and `seconds` are the quickstart's own. */
export interface Run {
  recorded: { torch: string; capability: string; mklCbwr: string; threads: number };
  settings: Record<string, number>;
  /** SHA-256 over all parameters before and after the training. */
  weights: { initial: string; final: string };
  /** The loss of every batch, one list an epoch. */
  losses: string[][];
  /** Held-out figures after each epoch. */
  heldOut: ExactFigures[];
  byClass: ExactFigures[];
  reference: Evaluation;
  seconds: number;
}

/** The bits of a float32 as eight hexadecimal digits. */
export function bits(value: number): string {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0).toString(16).padStart(8, '0');
}

export function exact({ loss, correct, count }: Figures): ExactFigures {
  return { loss: bits(loss), correct, count };
}

/** SHA-256 over the little-endian float32 of all parameters, in order. */
export function digest(parameters: readonly Tensor[]): string {
  const sha = createHash('sha256');
  for (const parameter of parameters) {
    const values = parameter.detach().toTypedArray<Float32Array>();
    const bytes = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, i) => {
      bytes.setFloat32(i * 4, value, true);
    });
    sha.update(bytes);
  }
  return sha.digest('hex');
}
