/** A model that processes train together, each with its own share of the data. */
import { native } from '../../binding/load';
import type { ReducerHandle } from '../../binding/native';
import { groupOf, nativeGroup, type ProcessGroup } from '../../distributed/process-group';
import { expected, show, TorchError } from '../../errors';
import { boolean, callable, isPlain, withDefaults } from '../../options';
import { isGradEnabled } from '../../torch/autograd';
import { isTensor, unwrap, wrap } from '../../torch/bind';
import type { Tensor } from '../../torch/tensor';
import { Embedding, EmbeddingBag } from '../modules/embedding';
import { type AnyModule, Module } from '../modules/module';
import { isModule } from '../modules/registry';
import type { Parameter } from '../parameter';

const op = 'DistributedDataParallel';

const mebibyte = 1024 * 1024;

/** Up to this size, parameters and buffers are sent together. */
const broadcastBytes = 250 * mebibyte;

/** Options of {@link DistributedDataParallel}, by PyTorch's names. */
export interface DistributedDataParallelOptions {
  /** The group whose processes train the model. Default: the default group. */
  processGroup?: ProcessGroup | null;
  /** Whether all start from rank 0's parameters and buffers. Default `true`; otherwise they have to be equal before. */
  initSync?: boolean | null;
  /** Whether each forward pass begins with rank 0's buffers. Default `true`. */
  forwardSyncBuffers?: boolean | null;
  /** As `forwardSyncBuffers`, and for the start, too. Default `true`. PyTorch calls it deprecated. */
  broadcastBuffers?: boolean | null;
  /** How many mebibytes of gradients are reduced together. Default 25, and 1 for the first. */
  bucketCapMb?: number | null;
  /** Whether the graph is searched for parameters that the result does not depend on. Default `false`. */
  findUnusedParameters?: boolean | null;
  /** Whether gradients are views of the memory that is reduced, instead of copies. Default `false`. */
  gradientAsBucketView?: boolean | null;
  /** Whether every iteration uses the same parameters in the same way. Default `false`. */
  staticGraph?: boolean | null;
  /** Whether parameters that no rank uses are left out of what is reduced. Default `false`. */
  skipAllReduceUnusedParams?: boolean | null;
}

const defaults = {
  processGroup: null,
  initSync: true,
  forwardSyncBuffers: null,
  broadcastBuffers: null,
  bucketCapMb: null,
  findUnusedParameters: false,
  gradientAsBucketView: false,
  staticGraph: false,
  skipAllReduceUnusedParams: false,
} as const satisfies DistributedDataParallelOptions;

/**
 * Trains a model in several processes: every one computes gradients of its own share of the data, and libtorch's Reducer
 * averages them over the ranks while the backward pass goes on. All begin with rank 0's parameters.
 *
 * The constructor, `forward` where the model has buffers, and `backward()` wait for the other ranks in place, as in
 * PyTorch; for at most the group's timeout. State dicts have PyTorch's names: `module.` before the model's.
 *
 * @example
 * const model = new nn.parallel.DistributedDataParallel(new nn.Linear(10, 1));
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
 * F.mseLoss(model(inputs), targets).backward();
 * optimizer.step();
 *
 * @throws TorchError `INVALID_ARGUMENT` if no parameter requires a gradient; NativeError `DISTRIBUTED` if ranks have
 * other parameters, or are lost.
 *
 * **Source**: `torch.nn.parallel.DistributedDataParallel`.
 */
export class DistributedDataParallel<M extends AnyModule = AnyModule> extends Module<ReturnType<M['forward']>> {
  /** The model. */
  declare module: M;
  /** The group whose processes train it. */
  readonly processGroup: ProcessGroup;
  readonly #reducer: ReducerHandle;
  readonly #findsUnused: boolean;
  readonly #isStatic: boolean;
  readonly #syncsBuffers: boolean;
  #reducesGradients = true;
  #syncsNext = true;

  constructor(module: M, options?: DistributedDataParallelOptions | null) {
    super();
    if (!isModule(module)) throw expected(op, "'module'", 'to be a Module', show(module));
    const given = withDefaults<DistributedDataParallelOptions>(op, options ?? undefined, defaults);
    const flag = (name: keyof DistributedDataParallelOptions): boolean => boolean(op, `option '${name}'`, given[name]);
    const broadcasts = given.broadcastBuffers == null || flag('broadcastBuffers');
    this.module = module;
    this.processGroup = groupOf(op, given.processGroup);
    this.#findsUnused = flag('findUnusedParameters');
    this.#isStatic = flag('staticGraph');
    this.#syncsBuffers = given.forwardSyncBuffers == null ? broadcasts : flag('forwardSyncBuffers');

    const reduced = parametersOf(module);
    const handles = reduced.map(({ parameter, name }) => unwrap(parameter, op, name));
    const group = this.#group();
    if (flag('initSync')) {
      native().verifyParameters(group, op, handles);
      const withBuffers = given.forwardSyncBuffers != null || broadcasts;
      this.#broadcast([...module.parameters(), ...(withBuffers ? module.buffers() : [])]);
    }
    const [bucketBytes, firstBucketBytes] = bucketSizes(given.bucketCapMb);
    this.#reducer = native().newReducer(
      group,
      handles,
      reduced.map(({ name }) => name),
      reduced.map(({ isSparse }) => isSparse),
      bucketBytes,
      firstBucketBytes,
      this.#findsUnused,
      flag('gradientAsBucketView'),
      this.#isStatic,
      flag('skipAllReduceUnusedParams'),
    );
  }

  override forward(...inputs: Parameters<M['forward']>): ReturnType<M['forward']> {
    const reduces = isGradEnabled() && this.#reducesGradients;
    if (isGradEnabled()) native().prepareForForward(this.#reducer, reduces);
    if (this.#syncsNext && this.#syncsBuffers) this.#broadcast([...this.module.buffers()]);
    const result: unknown = this.module(...inputs);
    this.#syncsNext = reduces;
    if (reduces) {
      const used = this.#findsUnused && !this.#isStatic ? tensorsIn(result) : [];
      native().prepareForBackward(
        this.#reducer,
        used.map((tensor) => unwrap(tensor, op, 'result')),
      );
    }
    if (!this.#findsUnused && !this.#isStatic) return result as ReturnType<M['forward']>;
    return this.#throughSink(result) as ReturnType<M['forward']>;
  }

  /**
   * Runs a function in which backward passes add to gradients without reducing them: the first pass behind it does that
   * for all. The function may be asynchronous.
   *
   * **Source**: `torch.nn.parallel.DistributedDataParallel.no_sync`.
   */
  noSync<T>(fn: () => T): T {
    callable('noSync', "'fn'", fn);
    const before = this.#reducesGradients;
    const restore = (): void => {
      this.#reducesGradients = before;
    };
    this.#reducesGradients = false;
    let result: T;
    try {
      result = fn();
    } catch (error) {
      restore();
      throw error;
    }
    if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
      restore();
      return result;
    }
    return Promise.resolve(result).finally(restore) as T;
  }

  #group(): NonNullable<ReturnType<typeof nativeGroup>> {
    const handle = nativeGroup(this.processGroup);
    if (handle !== undefined) return handle;
    throw expected(op, "option 'processGroup'", 'to have this process among its ranks', `[${this.processGroup.ranks}]`);
  }

  #broadcast(tensors: readonly Tensor[]): void {
    if (tensors.length === 0) return;
    native().broadcastCoalesced(
      this.#group(),
      op,
      tensors.map((tensor, i) => unwrap(tensor, op, `tensors[${i}]`)),
      broadcastBytes,
    );
  }

  /** The result with its tensors behind the place where the backward pass begins. */
  #throughSink(result: unknown): unknown {
    const inGraph = tensorsIn(result).filter((tensor) => tensor.gradFn !== undefined);
    const passed = native().passThroughSink(
      this.#reducer,
      inGraph.map((tensor) => unwrap(tensor, op, 'result')),
    );
    if (passed === undefined) return result;
    const copies = new Map(inGraph.map((tensor, i) => [tensor, passed[i]]));
    return mapTensors(result, (tensor) => {
      const copy = copies.get(tensor);
      return copy === undefined ? tensor : wrap(copy);
    });
  }
}

interface Reduced {
  readonly parameter: Parameter;
  readonly name: string;
  readonly isSparse: boolean;
}

/** The parameters whose gradients are reduced, in PyTorch's order and with its names. */
function parametersOf(module: AnyModule): Reduced[] {
  const found = new Map<Parameter, Reduced>();
  for (const [path, each] of module.namedModules()) {
    const isSparse = (each instanceof Embedding || each instanceof EmbeddingBag) && each.sparse;
    for (const [key, parameter] of each.namedParameters({ recurse: false })) {
      if (!parameter.requiresGrad || found.has(parameter)) continue;
      found.set(parameter, { parameter, name: `${path}.${key}`, isSparse });
    }
  }
  if (found.size > 0) return [...found.values()];
  throw new TorchError(
    'INVALID_ARGUMENT',
    `${op}: expected 'module' to have parameters that require gradients, but received none`,
    {
      op,
      argument: 'module',
    },
  );
}

/** The bytes of a bucket, and of the first. */
function bucketSizes(bucketCapMb: number | null | undefined): [number, number] {
  if (bucketCapMb == null) return [25 * mebibyte, mebibyte];
  const bytes = typeof bucketCapMb === 'number' ? Math.trunc(bucketCapMb * mebibyte) : Number.NaN;
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return [bytes, bytes];
  throw expected(op, "option 'bucketCapMb'", 'to be a number of mebibytes > 0', show(bucketCapMb));
}

/** The tensors in what a module gives: one, or arrays, Maps and objects of them. */
function tensorsIn(value: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapTensors(value, (tensor) => {
    found.push(tensor);
    return tensor;
  });
  return found;
}

/** The same with other tensors in their places. */
function mapTensors(value: unknown, change: (tensor: Tensor) => Tensor): unknown {
  if (isTensor(value)) return change(value);
  if (Array.isArray(value)) return value.map((element) => mapTensors(element, change));
  if (value instanceof Map) return new Map([...value].map(([name, element]) => [name, mapTensors(element, change)]));
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, mapTensors(element, change)]));
}
