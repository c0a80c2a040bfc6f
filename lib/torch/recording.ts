/**
 * Functions of tensors that are recorded: while a recording is on, operators are written down instead of called, and
 * give tensors that are still to be computed. Their shapes and dtypes can be asked for, their elements cannot.
 *
 * The program that comes of it runs in one native call ({@link record}), in pieces over all threads ({@link inChunks}),
 * or off the JavaScript thread ({@link inBackground}).
 */

import { native } from '../binding/load';
import type { Program } from '../binding/native';
import { unwrap, wrap } from './bind';
import type { Tensor } from './tensor';

/** Steps of a program that runs in the background, and what becomes of the error if one of them fails. */
interface Region {
  readonly from: number;
  readonly to: number;
  readonly remake: (error: unknown) => unknown;
}

/** How many recordings are on, one in the other. */
let depth = 0;

/** The regions of the recording that will run in the background; elsewhere failures pass through here anyway. */
let regions: Region[] | undefined;

/** Where a recording's results go: into a graph perhaps, when it runs in the background; to the caller; nowhere. */
type Destination = 'graph' | 'caller' | 'nowhere';

/** That of the recording that is on. */
let destination: Destination = 'graph';

function recording<T>(own: Region[] | undefined, to: Destination, fn: () => T): T {
  const outer = { regions, destination };
  regions = own;
  destination = to;
  depth += 1;
  try {
    return fn();
  } finally {
    depth -= 1;
    regions = outer.regions;
    destination = outer.destination;
  }
}

/** Whether operators are written down now, not called. */
export function isRecording(): boolean {
  return depth > 0;
}

/** Whether what is recorded now can be in no graph. */
export function isBelowAutograd(): boolean {
  return depth > 0 && destination !== 'graph';
}

/** Whether nothing of what is recorded now outlives its run but a number. */
export function isForNumber(): boolean {
  return depth > 0 && destination === 'nowhere';
}

/** The program of what `fn` does with tensors like `inputs`: without autograd, its results are in no graph. */
export function record(
  inputs: readonly Tensor[],
  fn: (inputs: readonly Tensor[]) => readonly Tensor[],
  to: 'caller' | 'nowhere' = 'caller',
): Program {
  return native().record(
    inputs.map((input) => unwrap(input, 'record', 'input')),
    (handles) =>
      recording(undefined, to, () => fn(Array.from(handles, wrap)).map((result) => unwrap(result, 'record', 'result'))),
  );
}

/** A function for pieces of tensors, and what it is given. */
export interface Chunks {
  /** The first dimension of what is cut, and how much of it a piece has. */
  size: number;
  chunk: number;
  /** The least that a thread is given; pieces do not cross from one thread's share to the next. Default 1. */
  grain?: number;
  /** Tensors that are cut along their first dimension. */
  cut: readonly Tensor[];
  /** Tensors that every piece is given whole. */
  whole?: readonly Tensor[];
  /** Computes one piece, and writes what it makes into pieces of `cut`. It must not depend on a piece's size. */
  piece(cut: readonly Tensor[], whole: readonly Tensor[]): void;
}

/**
 * Runs a function for one piece of tensors after the other, over all threads: what it makes on the way stays in the
 * processors' caches. Outside of any graph.
 */
export function inChunks({ size, chunk, grain = 1, cut, whole = [], piece }: Chunks): void {
  const inputs = [...cut, ...whole];
  const program = record(inputs, (given) => {
    piece(given.slice(0, cut.length), given.slice(cut.length));
    return [];
  });
  // A device's work is queued by one thread.
  const share = cut.some(({ device }) => device !== 'cpu') ? Math.max(size, 1) : grain;
  const flags = inputs.map((_, i) => i < cut.length);
  const handles = inputs.map((input) => unwrap(input, 'inChunks', 'input'));
  native().runInChunks(program, size, chunk, share, flags, handles);
}

/**
 * Runs what `fn` does with tensors off the JavaScript thread, after whatever runs there already, and gives what it
 * returned when that is computed. `fn` itself runs at once, recorded: it may look at no elements.
 *
 * @param tensorsOf the tensors in what `fn` returned
 */
export function inBackground<T>(fn: () => T, tensorsOf: (result: T) => readonly Tensor[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const own: Region[] = [];
    let result: T;
    let handles: ReturnType<typeof unwrap>[] = [];
    native().start(
      () =>
        recording(own, 'graph', () => {
          result = fn();
          handles = tensorsOf(result).map((tensor) => unwrap(tensor, 'async', 'result'));
          return handles;
        }),
      (failure) => {
        if (failure !== undefined) {
          reject(remade(failure.error, failure.step, own));
          return;
        }
        for (const handle of handles) native().settle(handle);
        resolve(result);
      },
    );
  });
}

/** The error as every region would have remade it that the step lies in, the innermost first. */
function remade(error: unknown, step: number, own: readonly Region[]): unknown {
  const around = own.filter(({ from, to }) => from <= step && step < to);
  return around.reduce((made, { remake }) => remake(made), error);
}

/** Calls `fn`, and throws what `remake` makes of its errors, also of those that come when it runs in the background. */
export function failingAs<T>(fn: () => T, remake: (error: unknown) => unknown): T {
  const own = regions;
  const from = own === undefined ? 0 : native().stepCount();
  try {
    return fn();
  } catch (error) {
    throw remake(error);
  } finally {
    own?.push({ from, to: native().stepCount(), remake });
  }
}

/**
 * Says that what is recorded is so little work that waking another thread takes longer, and that its bits do not depend on
 * the number of threads.
 */
export function keepOnOneThread(): void {
  native().keepOnOneThread();
}

/** Calls `fn` now, even while a recording is on: for what has to look at elements, of tensors that are there. */
export function atOnce<T>(fn: () => T): T {
  if (depth === 0) return fn();
  const outer = { depth, regions };
  depth = 0;
  regions = undefined;
  try {
    return native().outsideRecording(fn);
  } finally {
    ({ depth, regions } = outer);
  }
}

/** Throws what `refusal` gives if the only element of `condition` is true; where that is computed later, then. */
export function refuseIf(condition: Tensor, refusal: () => Error): void {
  if (depth > 0) {
    failingAs(() => native().refuseIf(unwrap(condition, 'refuseIf', 'condition')), refusal);
  } else if (condition.item<boolean>()) {
    throw refusal();
  }
}
