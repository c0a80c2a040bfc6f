/**
 * The types of what the main addon exports. Every name is the name in `native/`; nothing outside `lib/binding`,
 * `lib/torch` calls these.
 */
import type { Complex, Scalar, TypedArray } from '../types';

declare const handleBrand: unique symbol;

/** A native tensor: an opaque External that only the addon can read. */
export interface Handle {
  readonly [handleBrand]: true;
}

declare const generatorBrand: unique symbol;

/** A generator of random numbers: an opaque External that only the addon can read. */
export interface GeneratorHandle {
  readonly [generatorBrand]: true;
}

declare const objectBrand: unique symbol;

/** A storage, or an object of a class that a library registers: an opaque External that only the addon can read. */
export interface ObjectHandle {
  readonly [objectBrand]: true;
}

/** What an operator takes, by its schema. `undefined` is the schema's default, `null` None. */
export type NativeValue =
  | Handle
  | GeneratorHandle
  | ObjectHandle
  | StreamHandle
  | Scalar
  | Complex
  | string
  | null
  | undefined
  | readonly NativeValue[];

/** What an operator gives: tensors as handles, several results and lists as arrays, dictionaries as arrays of pairs. */
export type NativeResult =
  | Handle
  | GeneratorHandle
  | ObjectHandle
  | Scalar
  | Complex
  | string
  | undefined
  | NativeResult[];

/** An argument of an operator, as its schema declares it. */
export interface ArgumentSchema {
  name: string;
  /** Without the `?` of an optional one: `Tensor`, `int[]`. */
  type: string;
  optional: boolean;
  kwargOnly: boolean;
  hasDefault: boolean;
  default?: unknown;
  /** `int[2]` takes a single number for both. */
  fixedLength?: number;
  writes: boolean;
  /** Whether it is where an `out=` form writes its result. */
  isOut: boolean;
  /** Whether a number is taken for a tensor of it. */
  takesNumbers: boolean;
}

/** A result of an operator, as its schema declares it. */
export interface ReturnSchema {
  name?: string;
  type: string;
  /** Which argument it is, for in-place and `out=` forms. */
  argument?: number;
}

/** An overload of an operator. */
export interface OperatorSchema {
  /** As libtorch writes it. */
  schema: string;
  overload: string;
  arguments: ArgumentSchema[];
  returns: ReturnSchema[];
}

/** An ATen operator as a function of its schema's arguments in their order. */
export type Operator = (...args: NativeValue[]) => NativeResult;

/** An operator without the function around it that throws, for callers that look at the result themselves. */
export interface BareOperator {
  readonly call: Operator;
  /** What `call` gives where it has failed. */
  readonly failed: NativeResult;
  /** Then: the result of a second try after memory ran out; else throws the error, as if `thrower` had. */
  recover(args: unknown[], thrower: (...args: never[]) => unknown): NativeResult;
}

declare const hookBrand: unique symbol;

/** A hook of a tensor: an opaque External that only the addon can read. */
export interface RegisteredHook {
  readonly [hookBrand]: true;
}

declare const programBrand: unique symbol;

/** A traced program: an opaque External that only the addon can read. */
export interface Program {
  readonly [programBrand]: true;
}

declare const transferBrand: unique symbol;

/** Tensors on their way to a device: an opaque External that only the addon can read. */
export interface Transfer {
  readonly [transferBrand]: true;
}

declare const streamBrand: unique symbol;

/** A queue of a device's work: an opaque External that only the addon can read. */
export interface StreamHandle {
  readonly [streamBrand]: true;
}

declare const storeBrand: unique symbol;

/** A store of keys and values that processes share: an opaque External that only the addon can read. */
export interface StoreHandle {
  readonly [storeBrand]: true;
}

declare const groupBrand: unique symbol;

/** A group of processes: an opaque External that only the addon can read. */
export interface GroupHandle {
  readonly [groupBrand]: true;
}

declare const reducerBrand: unique symbol;

/** What reduces the gradients of a model over ranks: an opaque External that only the addon can read. */
export interface ReducerHandle {
  readonly [reducerBrand]: true;
}

declare const taskBrand: unique symbol;

/** Work that waits for other processes: an opaque External that only the addon can read. */
export interface TaskHandle {
  readonly [taskBrand]: true;
}

/** What came of a task. */
export interface Outcome {
  value?: unknown;
  error?: unknown;
  /** Whether somebody has been thrown the error already. */
  wasSeen: boolean;
}

/** Called once, when a task has ended. */
export type Done = (outcome: Outcome) => void;

/** One figure of a device's allocator, in bytes. */
export interface MemoryCount {
  /** Now. */
  current: number;
  /** At most, since the peaks were reset. */
  peak: number;
  /** What came, in all. */
  allocated: number;
  /** What went, in all. */
  freed: number;
}

/** The figures of a device's allocator. */
export interface DeviceMemoryStats {
  /** Of tensors. */
  allocatedBytes: MemoryCount;
  /** Taken from the device: of tensors, and kept for the next ones. */
  reservedBytes: MemoryCount;
  /** Of tensors, those included that a stream still uses. */
  activeBytes: MemoryCount;
  /** What was asked for, before it was rounded up to whole blocks. */
  requestedBytes: MemoryCount;
  /** How often the cache was given back because the device had no more. */
  numAllocRetries: number;
  /** How often memory ran out even so. */
  numOoms: number;
}

/** The functions that native code calls unasked. */
export interface NativeHooks {
  emitWarning(message: string): void;
  /** Collects young objects, if it can. */
  collectYoung(): void;
}

/** Why a program stopped that ran off the JavaScript thread. */
export interface StepFailure {
  /** The step that failed. */
  step: number;
  error: unknown;
}

/** How the ranks of a group take part in a call: all in the same order, one with another, or while it blocks. */
export type CollectiveMode = 'collective' | 'send' | 'recv' | 'blocking';

/** The main addon. */
export interface Native {
  connect(hooks: NativeHooks): void;
  /** What every function returns that fails, and nothing else is. */
  readonly failed: object;
  /** Why the last function failed: code, message, op and argument; or what user code threw that it had called. */
  failure(): readonly unknown[];
  builtFor(): string;
  cpuCapability(): string;
  getNumThreads(): number;
  setNumThreads(count: number): void;
  manualSeed(seed: bigint): void;
  memory(): { tensors: number; bytes: number; allocated: number; cached: number };
  emptyCache(): void;
  /** Of the C library, as Python's floats have them; V8's own differ in last bits. */
  pow(base: number, exponent: number): number;
  cos(x: number): number;
  log(x: number): number;

  cudaDeviceCount(): number;
  currentDevice(device: string): number;
  setDevice(device: string): void;
  synchronize(device: string): void;
  seedDevice(device: string, seed: bigint): void;
  memoryStats(device: string): DeviceMemoryStats;
  memoryInfo(device: string): [free: number, total: number];
  resetPeakMemoryStats(device: string): void;
  emptyDeviceCache(device: string): void;
  /** Collects what scripts have dropped, and gives back what allocators keep. */
  reclaim(): void;

  newStream(device: string): StreamHandle;
  currentStream(device: string): StreamHandle;
  defaultStream(device: string): StreamHandle;
  withStream<T>(stream: StreamHandle, fn: () => T): T;
  streamDevice(stream: StreamHandle): string;
  streamId(stream: StreamHandle): number;
  synchronizeStream(stream: StreamHandle): void;
  queryStream(stream: StreamHandle): boolean;
  waitStream(stream: StreamHandle, other: StreamHandle): void;
  recordStream(tensor: Handle, stream: StreamHandle): void;

  startTransfer(tensors: readonly Handle[], device: string): Transfer;
  finishTransfer(transfer: Transfer): Handle[];

  operator(name: string, overload: string): Operator;
  /** Made by `failures.ts`, not by native code. */
  bareOperator(name: string, overload: string): BareOperator;
  schema(name: string, overload: string): string;
  operatorNames(): string[];
  /** The overloads of `aten::add`, in the order in which Python's `torch.ops` tries them. */
  operatorSchemas(name: string): OperatorSchema[];
  /** A schema of a function that is not an operator, by the same notation. */
  parseSchema(schema: string): OperatorSchema;

  newGenerator(device: string): GeneratorHandle;
  defaultGenerator(device: string): GeneratorHandle;
  generatorDevice(generator: GeneratorHandle): string;
  manualSeedGenerator(generator: GeneratorHandle, seed: bigint): void;
  initialSeed(generator: GeneratorHandle): bigint;
  seedGenerator(generator: GeneratorHandle): bigint;
  generatorState(generator: GeneratorHandle): Handle;
  setGeneratorState(generator: GeneratorHandle, state: Handle): void;
  storage(tensor: Handle): ObjectHandle;

  fromBytes(array: TypedArray, dtype: number, shape: readonly number[]): Handle;
  share(array: TypedArray, dtype: number, shape: readonly number[]): Handle;
  /** 0: no byte in common; 1: element by element the same places; 2: they overlap otherwise. */
  overlap(tensor: Handle, other: Handle | TypedArray): number;
  copyTo(tensor: Handle, array: TypedArray): void;
  item(tensor: Handle): Scalar | Complex;
  /** Copies a tensor of a device to the CPU; `done` is given the copy when it is there, or the error. */
  asyncCopy(tensor: Handle, done: (copy: Handle | undefined, error?: unknown) => void): void;
  /** Fills a tensor of bytes with parts of a file; absent where addons cannot use Node's descriptors. */
  readonly readFile?: (bytes: Handle, descriptor: number, offset: number, chunk: number, stride: number) => number;
  /** Memory that shows a file's bytes, as a tensor of none of them; `undefined` where the system refuses. */
  readonly mapFile?: (descriptor: number, size: number) => Handle | undefined;
  /** Bytes of the memory under a tensor of the CPU, as a tensor whose memory they are. */
  readonly partOf?: (whole: Handle, offset: number, size: number) => Handle;
  /** How often, in this process, a part of a mapped file could not be read, and zeros have taken its place. */
  readonly lostMappings?: () => number;

  /** The result of a task, when it is there; blocks. */
  waitTask(task: TaskHandle): unknown;
  isTaskDone(task: TaskHandle): boolean;
  /** The store can be used at once; the result of the task is its port. */
  connectTcpStore(
    what: string,
    host: string,
    port: number,
    isServer: boolean,
    worldSize: number | undefined,
    waits: boolean,
    shares: boolean,
    timeout: number,
    done: Done,
  ): [StoreHandle, TaskHandle];
  newHashStore(): StoreHandle;
  newFileStore(path: string, worldSize: number): StoreHandle;
  newPrefixStore(prefix: string, store: StoreHandle): StoreHandle;
  /** `texts` are keys and values, in the order of the method's arguments. */
  callStore(
    what: string,
    store: StoreHandle,
    method: string,
    texts: readonly string[],
    number: number,
    done: Done,
  ): TaskHandle;
  /** The group can be used at once, by whom can wait until it is connected. */
  newGroup(
    op: string,
    store: StoreHandle,
    name: string,
    description: string,
    rank: number,
    size: number,
    timeout: number,
    done: Done,
  ): [GroupHandle, TaskHandle];
  registerGroup(group: GroupHandle): void;
  /** After the collectives that were started. */
  destroyGroup(group: GroupHandle, done: Done): TaskHandle;
  /** An operator of c10d, with `values` for its arguments but the group; see `native/distributed/collectives.cc`. */
  collective(
    group: GroupHandle,
    op: string,
    name: string,
    values: readonly NativeValue[],
    mode: CollectiveMode,
    agreement: readonly [text: string, sends: readonly number[], receives: readonly number[]],
    done: Done,
  ): TaskHandle;
  /** This and what follows waits for the other ranks in place. */
  verifyParameters(group: GroupHandle, op: string, parameters: readonly Handle[]): void;
  broadcastCoalesced(group: GroupHandle, op: string, tensors: readonly Handle[], bufferBytes: number): void;
  newReducer(
    group: GroupHandle,
    parameters: readonly Handle[],
    names: readonly string[],
    areSparse: readonly boolean[],
    bucketBytes: number,
    firstBucketBytes: number,
    findsUnused: boolean,
    usesViews: boolean,
    isStatic: boolean,
    skipsUnused: boolean,
  ): ReducerHandle;
  prepareForForward(reducer: ReducerHandle, reduces: boolean): void;
  prepareForBackward(reducer: ReducerHandle, outputs: readonly Handle[]): void;
  passThroughSink(reducer: ReducerHandle, outputs: readonly Handle[]): Handle[] | undefined;

  trace(inputs: readonly Handle[], fn: (inputs: readonly Handle[]) => readonly Handle[]): Program;
  /** `outputMode` is 0 for tensors, 1 for the only one, unless it needs a graph, 2 for its only element. `undefined` if it was traced for others. */
  run(
    program: Program,
    outputMode: number,
    ...inputs: readonly (Handle | TypedArray)[]
  ): Scalar | Handle | Handle[] | undefined;
  runInChunks(
    program: Program,
    size: number,
    chunk: number,
    grain: number,
    cut: readonly boolean[],
    inputs: readonly Handle[],
  ): void;
  withoutTracing<T>(fn: () => T): T;
  refuseIf(condition: Handle): void;
  /** A number that tells kinds of inputs apart; different ones may share it. */
  fingerprint(...inputs: readonly (Handle | TypedArray)[]): number;
  keepOnOneThread(): void;
  /** While nothing is traced, without effect. */
  keepForProgram(tensor: Handle): void;
  stepCount(): number;
  resolvePending(tensor: Handle): void;
  start(fn: () => readonly Handle[], done: (failure: StepFailure | undefined) => void): void;

  shape(tensor: Handle): number[];
  strides(tensor: Handle): number[];
  storageOffset(tensor: Handle): number;
  /** Where the memory begins that the tensor shows part of, and its bytes; `undefined` where it has none. */
  storageBytes(tensor: Handle): [address: bigint, bytes: number] | undefined;
  dtype(tensor: Handle): number;
  device(tensor: Handle): string;
  /** Whether the tensors are on one device; numbers on the CPU go with any. */
  shareShape(one: Handle, other: Handle): boolean;
  shareDevice(...tensors: readonly Handle[]): boolean;
  numel(tensor: Handle): number;
  ndim(tensor: Handle): number;
  isContiguous(tensor: Handle): boolean;
  isInference(tensor: Handle): boolean;
  layout(tensor: Handle): number;
  requiresGrad(tensor: Handle): boolean;
  setRequiresGrad(tensor: Handle, value: boolean): void;
  isLeaf(tensor: Handle): boolean;
  retainGrad(tensor: Handle): void;
  retainsGrad(tensor: Handle): boolean;
  gradFn(tensor: Handle): string | undefined;
  /** `known` itself, if it is a handle of the gradient. */
  gradient(tensor: Handle, known: Handle | undefined): Handle | undefined;
  /** The flags: 1 if a gradient is sparse, 2 if a tensor that has one is complex, 4 if one is of a half type. */
  gradients(tensors: readonly Handle[]): [flags: number, ...gradients: (Handle | undefined)[]];
  setGradient(tensor: Handle, gradient: Handle | undefined): void;
  dispose(tensor: Handle): void;
  isDisposed(tensor: Handle): boolean;

  backward(
    tensors: readonly Handle[],
    gradients: readonly (Handle | undefined)[] | undefined,
    retainGraph: boolean | undefined,
    createGraph: boolean,
    inputs: readonly Handle[] | undefined,
  ): void;
  grad(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    gradOutputs: readonly (Handle | undefined)[] | undefined,
    retainGraph: boolean | undefined,
    createGraph: boolean,
    allowUnused: boolean,
  ): (Handle | undefined)[];
  customFunction(
    value: Handle,
    inputs: readonly Handle[],
    saved: readonly Handle[],
    keep: string,
    backward: (
      gradient: Handle,
      saved: readonly Handle[] | undefined,
      needed: readonly boolean[],
    ) => (Handle | undefined)[],
  ): Handle;
  hookGradients(
    tensors: readonly Handle[],
    materializes: boolean,
    hook: (gradients: readonly (Handle | undefined)[]) => (Handle | undefined)[],
  ): Handle[];
  /** `hook` gives another gradient, or `undefined`. What it gives back removes it. */
  registerHook(tensor: Handle, hook: (gradient: Handle | undefined) => Handle | undefined): RegisteredHook;
  removeHook(registered: RegisteredHook): void;
  withGradMode<T>(enabled: boolean, fn: () => T): T;
  withInferenceMode<T>(enabled: boolean, fn: () => T): T;
  isGradEnabled(): boolean;
  isInferenceModeEnabled(): boolean;
}

/** The loader addon. */
export interface Loader {
  /** Opens a library for the whole process; returns libtorch's version if the library exports it. */
  open(path: string): string | undefined;
}
