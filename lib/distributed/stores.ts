/** Stores of keys and values, through which the processes of a group find each other. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { native } from '../binding/load';
import type { Native, StoreHandle } from '../binding/native';
import { expected, show, TorchError } from '../errors';
import { boolean, withDefaults } from '../options';
import { promiseOf, startWork, type Work } from './work';

/** How long stores wait by default, in milliseconds. **Source**: `torch.distributed.Store`. */
const defaultTimeout = 300_000;

/** Whether libtorch has what this module needs. **Source**: `torch.distributed.is_available`. */
export function isAvailable(): boolean {
  return native().operatorSchemas('c10d::allreduce_').length > 0;
}

/** The native half, if libtorch has its own: without a store, there is no group. */
function available(op: string): Native {
  if (isAvailable()) return native();
  throw new TorchError('NOT_IMPLEMENTED', `${op}: expected a libtorch with c10d, but received one built without it`, {
    op,
  });
}

let handleOf: (value: unknown) => StoreHandle | undefined;

/**
 * A store that the processes of a group share: keys and values are texts. Every method gives a promise.
 *
 * **Source**: `torch.distributed.Store`.
 */
export abstract class Store {
  readonly #handle: StoreHandle;

  /** @internal */
  constructor(handle: StoreHandle) {
    this.#handle = handle;
  }

  static {
    handleOf = (value) => (typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined);
  }

  /** Sets the value of a key. */
  set(key: string, value: string): Promise<void> {
    return this.#call('set', [key, value]);
  }

  /** The value of a key, as soon as somebody has set it. Rejects with `DISTRIBUTED` after the store's timeout. */
  get(key: string): Promise<string> {
    return this.#call('get', [key]);
  }

  /** Adds to the number under a key, 0 at first, and gives the sum. */
  add(key: string, amount: number): Promise<number> {
    return this.#call('add', [key], safeInteger('add', 'amount', amount));
  }

  /** Waits until all of the keys are set, for at most `timeout` milliseconds, by default the store's. */
  wait(keys: readonly string[], timeout?: number): Promise<void> {
    return this.#call('wait', keys, timeout === undefined ? 0 : milliseconds('wait', timeout));
  }

  /** Whether all of the keys are set. */
  check(keys: readonly string[]): Promise<boolean> {
    return this.#call('check', keys);
  }

  /** Sets a key's value if it is `expectedValue`, or if there is none and that is `''`; gives the value that it has then. */
  compareSet(key: string, expectedValue: string, desiredValue: string): Promise<string> {
    return this.#call('compareSet', [key, expectedValue, desiredValue]);
  }

  /** Removes a key; gives whether there was one. Not of a FileStore. */
  deleteKey(key: string): Promise<boolean> {
    return this.#call('deleteKey', [key]);
  }

  /** How many keys are set; a TCPStore has one of its own. */
  numKeys(): Promise<number> {
    return this.#call('numKeys', []);
  }

  #call<T>(method: string, texts: readonly string[], amount = 0): Promise<T> {
    const op = `${this.constructor.name}.${method}`;
    if (!Array.isArray(texts)) throw expected(op, "'keys'", 'to be an array of strings', show(texts));
    for (const text of texts) {
      if (typeof text !== 'string') throw expected(op, "'key' and 'value'", 'to be strings', show(text));
    }
    return promiseOf(startWork<T>((done) => native().callStore(op, this.#handle, method, texts, amount, done)));
  }
}

/** @internal The native store of a value. */
export function storeHandle(op: string, value: unknown): StoreHandle {
  const handle = handleOf(value);
  if (handle === undefined) throw expected(op, "option 'store'", 'to be a Store', show(value));
  return handle;
}

/** Options of {@link TCPStore}. */
export interface TCPStoreOptions {
  /** How many processes connect, the server included; with it the server waits for them. */
  worldSize?: number | null;
  /** Whether this process serves the store. Default `false`. */
  isMaster?: boolean | null;
  /** How long to wait, in milliseconds. Default 300,000. */
  timeout?: number | null;
  /** Whether the server waits for the others. Default `true`. */
  waitForWorkers?: boolean | null;
  /** Whether a second server on the same port, in the same process, shares the first one's store. Default `false`. */
  multiTenant?: boolean | null;
}

/**
 * A store that one process serves over TCP. It connects in the background, and can be used at once.
 *
 * @example const store = new TCPStore('127.0.0.1', 29500, { isMaster: true, worldSize: 2 });
 *
 * **Source**: `torch.distributed.TCPStore`.
 */
export class TCPStore extends Store {
  /** The host that serves it. */
  readonly host: string;
  readonly #connected: Work<number>;

  constructor(host: string, port: number, options?: TCPStoreOptions) {
    const op = 'TCPStore';
    if (typeof host !== 'string' || host === '') throw expected(op, "'host'", 'to be a host name', show(host));
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw expected(op, "'port'", 'to be an integer in [0, 65535]', show(port));
    }
    const { worldSize, isMaster, timeout, waitForWorkers, multiTenant } = withDefaults<TCPStoreOptions>(op, options, {
      worldSize: null,
      isMaster: false,
      timeout: defaultTimeout,
      waitForWorkers: true,
      multiTenant: false,
    });
    let handle: StoreHandle | undefined;
    const connected = startWork<number>((done) => {
      const [store, task] = available(op).connectTcpStore(
        `${op}: ${host}:${port}`,
        host,
        port,
        boolean(op, "option 'isMaster'", isMaster),
        worldSize ?? undefined,
        boolean(op, "option 'waitForWorkers'", waitForWorkers),
        boolean(op, "option 'multiTenant'", multiTenant),
        milliseconds(op, timeout),
        done,
      );
      handle = store;
      return task;
    });
    super(handle as unknown as StoreHandle);
    this.host = host;
    this.#connected = connected;
    // Whoever uses the store is told.
    connected.catch(() => {});
  }

  /** The port; with 0 given to a server, the one that it has got. Waits until the store is connected. */
  get port(): number {
    return this.#connected.wait();
  }
}

/**
 * A store in a file, which every process opens by the same path.
 *
 * **Source**: `torch.distributed.FileStore`.
 */
export class FileStore extends Store {
  /** The file. */
  readonly path: string;

  /** `worldSize`: how many processes use it; the last of them deletes the file. */
  constructor(path: string, worldSize = -1) {
    if (typeof path !== 'string' || path === '') throw expected('FileStore', "'path'", 'to be a path', show(path));
    // c10d would wait for it, for minutes.
    if (!existsSync(dirname(path))) throw expected('FileStore', "'path'", 'to be in a folder that exists', show(path));
    super(available('FileStore').newFileStore(path, safeInteger('FileStore', 'worldSize', worldSize)));
    this.path = path;
  }
}

/** A store in the memory of this process. **Source**: `torch.distributed.HashStore`. */
export class HashStore extends Store {
  constructor() {
    super(available('HashStore').newHashStore());
  }
}

/** Another store, with a prefix before every key. **Source**: `torch.distributed.PrefixStore`. */
export class PrefixStore extends Store {
  /** The store behind it. */
  readonly underlyingStore: Store;

  constructor(prefix: string, store: Store) {
    if (typeof prefix !== 'string') throw expected('PrefixStore', "'prefix'", 'to be a string', show(prefix));
    super(available('PrefixStore').newPrefixStore(prefix, storeHandle('PrefixStore', store)));
    this.underlyingStore = store;
  }
}

/** @internal A timeout in milliseconds, as libtorch takes it. */
export function milliseconds(op: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) < 2 ** 31) return value as number;
  throw expected(op, "option 'timeout'", 'to be milliseconds, an integer in [1, 2^31)', show(value));
}

function safeInteger(op: string, argument: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw expected(op, `'${argument}'`, 'to be a safe integer', show(value));
}
