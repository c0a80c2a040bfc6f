/** Queues of a CUDA device's work. **Source**: `torch.cuda.Stream`. */
import { native } from '../../binding/load';
import type { StreamHandle } from '../../binding/native';
import { expected, show } from '../../errors';
import type { Device } from '../../types';
import { synchronous } from '../synchronous';
import { deviceName } from './devices';

/** A key of this module: only it can make a Stream of a handle. */
const key = Symbol('libtorch-losses.stream');

let handleOf: (stream: Stream) => StreamHandle;

/**
 * A queue of a device's work: what is queued on one stream runs in order, what is queued on several may run at once.
 *
 * Memory belongs to the stream that it was made on. A tensor that another stream uses, and that may be dropped before
 * that is done, needs `tensor.recordStream(stream)`.
 *
 * @example
 * const copying = new cuda.Stream();
 * const next = cuda.stream(copying, () => batch.to({ device: 'cuda', nonBlocking: true }));
 * cuda.currentStream().waitStream(copying);
 *
 * **Source**: `torch.cuda.Stream`.
 */
export class Stream {
  readonly #handle: StreamHandle;

  /** One of the streams that libtorch keeps for the device; by default the current device. */
  constructor(device?: number | Device);
  /** @internal */
  constructor(handle: StreamHandle, made: symbol);
  constructor(given?: number | Device | StreamHandle, made?: symbol) {
    const isHandle = made === key;
    this.#handle = isHandle
      ? (given as StreamHandle)
      : native().newStream(deviceName('cuda.Stream', given as number | Device | undefined));
  }

  static {
    handleOf = (stream) => stream.#handle;
  }

  /** The device whose work it queues. */
  get device(): Device {
    return native().streamDevice(this.#handle);
  }

  /** Whether two objects stand for the same stream. */
  equals(other: Stream): boolean {
    return native().streamId(this.#handle) === native().streamId(streamHandle('Stream.equals', "'other'", other));
  }

  /** The tag by which test runners compare streams: equal for objects of the same stream. */
  get [Symbol.toStringTag](): string {
    return #handle in this ? `Stream ${native().streamId(this.#handle)} of ${this.device}` : 'Stream';
  }

  /** Whether everything queued on it has run. */
  query(): boolean {
    return native().queryStream(this.#handle);
  }

  /** Waits until everything queued on it has run. */
  synchronize(): void {
    native().synchronizeStream(this.#handle);
  }

  /** Makes work queued on this stream from now on wait for the work queued on the other one so far. Does not block. */
  waitStream(other: Stream): void {
    native().waitStream(this.#handle, streamHandle('Stream.waitStream', "'other'", other));
  }
}

/** @internal The native stream. */
export function streamHandle(op: string, argument: string, stream: unknown): StreamHandle {
  if (stream instanceof Stream) return handleOf(stream);
  throw expected(op, argument, 'to be a Stream', show(stream));
}

/** The stream that this thread's work on a device goes to. **Source**: `torch.cuda.current_stream`. */
export function currentStream(device?: number | Device): Stream {
  return new Stream(native().currentStream(deviceName('cuda.currentStream', device)), key);
}

/** The stream that work on a device goes to where nothing else is said. **Source**: `torch.cuda.default_stream`. */
export function defaultStream(device?: number | Device): Stream {
  return new Stream(native().defaultStream(deviceName('cuda.defaultStream', device)), key);
}

/**
 * Calls `fn` with a stream as the current one, and its device as the current device, and gives what `fn` returns.
 *
 * @throws TorchError `INVALID_ARGUMENT` for an asynchronous function: after its first `await` the stream would be
 * another.
 *
 * **Source**: `torch.cuda.stream`.
 */
export function stream<T>(stream: Stream, fn: () => T): T {
  const op = 'cuda.stream';
  return native().withStream(streamHandle(op, "'stream'", stream), synchronous(op, fn));
}

/** @internal The handle of a stream; `undefined` for anything else. */
export function streamHandleOf(value: unknown): StreamHandle | undefined {
  return value instanceof Stream ? handleOf(value) : undefined;
}
