/** Work that waits for other processes. */
import { native } from '../binding/load';
import type { Done, TaskHandle } from '../binding/native';

/** A key of this module: only it can make a Work of a task. */
const key = Symbol('libtorch-losses.work');

let promiseIn: <T>(work: Work<T>) => Promise<T>;

/**
 * A collective that was started with `asyncOp: true`: a promise of its end, at which its tensors have their results.
 *
 * Awaiting it leaves the event loop free. Whoever uses one of its tensors before waits for it in place, as `wait()` does;
 * so no result is read before it is there. If it fails, that is thrown once: by whoever waits, or as the promise's
 * rejection.
 *
 * **Source**: `torch.distributed.Work`.
 */
export class Work<T = void> implements PromiseLike<T> {
  readonly #task: TaskHandle;
  readonly #promise: Promise<T>;

  /** @internal Made by collectives. */
  constructor(start: (done: Done) => TaskHandle, made: symbol) {
    if (made !== key) throw new TypeError('Work: collectives make them');
    let settle: Done | undefined;
    this.#promise = new Promise((resolve, reject) => {
      settle = ({ value, error, wasSeen }) => {
        // Whoever waited has been thrown it.
        if (wasSeen) this.#promise.catch(() => {});
        if (error === undefined) resolve(value as T);
        else reject(error);
      };
    });
    this.#task = start((outcome) => settle?.(outcome));
  }

  static {
    promiseIn = (work) => work.#promise;
  }

  /** Blocks until the collective has ended, and throws if it has failed. Other ranks may take their time: prefer `await`. */
  wait(): T {
    return native().waitTask(this.#task) as T;
  }

  /** Whether it has ended, well or not. */
  isCompleted(): boolean {
    return native().isTaskDone(this.#task);
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#promise.then(onFulfilled, onRejected);
  }

  /** As a promise's. */
  catch<E = never>(onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.#promise.catch(onRejected);
  }

  /** As a promise's. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#promise.finally(onFinally);
  }
}

/** @internal The work of a task that `start` begins. */
export function startWork<T = void>(start: (done: Done) => TaskHandle): Work<T> {
  return new Work<T>(start, key);
}

/** @internal The promise of a work, to be given in its place. */
export function promiseOf<T>(work: Work<T>): Promise<T> {
  return promiseIn(work);
}
