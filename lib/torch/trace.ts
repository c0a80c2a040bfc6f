/**
 * Traced functions of tensors: while tracing, operators become steps of a program instead of being called, and return
 * pending tensors, which have shapes and dtypes but no elements yet.
 *
 * The program runs in one native call ({@link trace}), in chunks over all threads ({@link inChunks}), or off the
 * JavaScript thread ({@link inBackground}).
 */

import { native } from '../binding/load';
import type { Program } from '../binding/native';
import type { DType } from '../types';
import { unwrap, wrap } from './bind';
import { empty } from './operators.generated';
import type { Tensor } from './tensor';

/** Steps of a program that runs in the background, and how their errors are mapped. */
interface Region {
  readonly from: number;
  readonly to: number;
  readonly map: (error: unknown) => unknown;
}

/** How many traces are active, nested. */
let depth = 0;

/** The regions of a trace that will run in the background; other failures pass through here anyway. */
let regions: Region[] | undefined;

/** Where a trace's results go: possibly into a graph, if it runs in the background; to the caller; nowhere. */
type Destination = 'graph' | 'caller' | 'nowhere';

/** That of the active trace. */
let destination: Destination = 'graph';

function tracing<T>(own: Region[] | undefined, to: Destination, fn: () => T): T {
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

/** Whether operators are being traced instead of called. */
export function isTracing(): boolean {
  return depth > 0;
}

/** Whether what is being traced runs without autograd. */
export function isBelowAutograd(): boolean {
  return depth > 0 && destination !== 'graph';
}

/** Whether only a number outlives the run of what is being traced. */
export function isForNumber(): boolean {
  return depth > 0 && destination === 'nowhere';
}

/** The program of what `fn` does with tensors like `inputs`, without autograd. */
export function trace(
  inputs: readonly Tensor[],
  fn: (inputs: readonly Tensor[]) => readonly Tensor[],
  to: 'caller' | 'nowhere' = 'caller',
): Program {
  return native().trace(
    inputs.map((input) => unwrap(input, 'trace', 'input')),
    (handles) =>
      tracing(undefined, to, () => fn(Array.from(handles, wrap)).map((result) => unwrap(result, 'trace', 'result'))),
  );
}

/** A function of chunks of tensors, and its inputs. */
export interface Chunks {
  /** The first dimension of `cut`, and how much of it a chunk has. */
  size: number;
  chunk: number;
  /** The smallest share of a thread; chunks do not cross from one thread's share to the next. Default 1. */
  grain?: number;
  /** Tensors that are cut along their first dimension. */
  cut: readonly Tensor[];
  /** Tensors that are passed whole with every chunk. */
  whole?: readonly Tensor[];
  /** Computes one chunk and writes its results into chunks of `cut`. It must not depend on a chunk's size. */
  compute(cut: readonly Tensor[], whole: readonly Tensor[]): void;
}

/**
 * Runs a function on one chunk of tensors after the other, over all threads: intermediate results stay in the
 * processors' caches. Without autograd.
 */
export function inChunks({ size, chunk, grain = 1, cut, whole = [], compute }: Chunks): void {
  const inputs = [...cut, ...whole];
  const program = trace(inputs, (given) => {
    compute(given.slice(0, cut.length), given.slice(cut.length));
    return [];
  });
  // One thread queues a device's work.
  const share = cut.some(({ device }) => device !== 'cpu') ? Math.max(size, 1) : grain;
  const flags = inputs.map((_, i) => i < cut.length);
  const handles = inputs.map((input) => unwrap(input, 'inChunks', 'input'));
  native().runInChunks(program, size, chunk, share, flags, handles);
}

/**
 * Runs what `fn` does with tensors off the JavaScript thread, after the work queued there, and resolves to what it
 * returned once that is computed. `fn` itself runs now, traced, so it cannot look at elements.
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
        tracing(own, 'graph', () => {
          result = fn();
          handles = tensorsOf(result).map((tensor) => unwrap(tensor, 'async', 'result'));
          return handles;
        }),
      (failure) => {
        if (failure !== undefined) {
          reject(mapped(failure.error, failure.step, own));
          return;
        }
        for (const handle of handles) native().resolvePending(handle);
        resolve(result);
      },
    );
  });
}

/** The error, mapped by every region that the step lies in, the innermost first. */
function mapped(error: unknown, step: number, own: readonly Region[]): unknown {
  const around = own.filter(({ from, to }) => from <= step && step < to);
  return around.reduce((result, { map }) => map(result), error);
}

/** Calls `fn` and maps its errors, including those of its traced steps when they run in the background. */
export function mapError<T>(fn: () => T, map: (error: unknown) => unknown): T {
  const own = regions;
  const from = own === undefined ? 0 : native().stepCount();
  try {
    return fn();
  } catch (error) {
    throw map(error);
  } finally {
    own?.push({ from, to: native().stepCount(), map });
  }
}

/**
 * Keeps what is being traced on one thread: it is so little work that waking another one takes longer, and its bits do
 * not depend on the number of threads.
 */
export function keepOnOneThread(): void {
  native().keepOnOneThread();
}

/**
 * An uninitialised tensor that what is being traced may write to. A program keeps it from one run to the next, so nothing
 * in it may outlive a run.
 */
export function workspace(shape: readonly number[], dtype: DType): Tensor {
  const tensor = eagerly(() => empty(shape, { dtype }));
  native().keepForProgram(unwrap(tensor, 'workspace', 'tensor'));
  return tensor;
}

/** Calls `fn` now, even while tracing: for what has to look at elements of tensors that are not pending. */
export function eagerly<T>(fn: () => T): T {
  if (depth === 0) return fn();
  const outer = { depth, regions };
  depth = 0;
  regions = undefined;
  try {
    return native().withoutTracing(fn);
  } finally {
    ({ depth, regions } = outer);
  }
}

/** Throws `refusal()` if the only element of `condition` is true; while tracing, when the program runs. */
export function refuseIf(condition: Tensor, refusal: () => Error): void {
  if (depth > 0) {
    mapError(() => native().refuseIf(unwrap(condition, 'refuseIf', 'condition')), refusal);
  } else if (condition.item<boolean>()) {
    throw refusal();
  }
}
