/**
 * All names that checkpoints may use, and what is made of each: PyTorch's own list for `weights_only`, without quantized
 * and nested tensors and tensors of other classes. **Source**: `torch/_weights_only_unpickler.py`, `torch/_utils.py`.
 */

import type { TorchError } from '../../errors';
import { isTensor } from '../../torch/bind';
import { aten } from '../../torch/ops';
import { makeParameter } from '../../torch/parameter-class';
import { scope } from '../../torch/scope';
import type { Tensor } from '../../torch/tensor';
import { type Device, type DType, dtypes, itemsizes } from '../../types';
import { isKey, isMap, isTuple, remember, tuple } from './python-types';
import { storageDTypes, untypedStorage } from './storage-types';
import { type Placement, StorageReference, type Storages } from './storages';
import { Global, type Vocabulary } from './unpickler';

/** What a checkpoint's names need to know. */
export interface Context {
  /** An error about the checkpoint. */
  fault(reason: string): Error;
  readonly storages: Storages;
  /** How many bytes the pickle has: copies of what it holds are not believed to be longer in all. */
  readonly size: number;
}

type Args = readonly unknown[];

/** The names of a checkpoint. */
export class CheckpointVocabulary implements Vocabulary {
  readonly #context: Context;
  #copied = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  has(name: string): boolean {
    return (
      Object.hasOwn(this.#calls, name) ||
      values.has(name) ||
      storageDTypes.has(name) ||
      name === untypedStorage ||
      name === 'torch.Tensor'
    );
  }

  value(name: string): unknown {
    return values.get(name);
  }

  call(name: string, args: Args): unknown {
    const call = Object.hasOwn(this.#calls, name) ? this.#calls[name] : undefined;
    if (call === undefined) throw this.#fault(`calls ${name}, which is not a function`);
    try {
      return call(args);
    } catch (error) {
      const { code, op } = error as Partial<TorchError>;
      if (code === 'BAD_DATA' || code === 'OUT_OF_MEMORY' || op === 'load') throw error;
      throw this.#fault(`has arguments of ${name} that cannot be right: ${(error as Error).message}`);
    }
  }

  /** A storage: `('storage', class, key, location, number of elements)`. */
  persistent(id: unknown): unknown {
    const [kind, type, key, location, count] = isTuple(id) ? id : [];
    if (kind !== 'storage' || typeof key !== 'string' || typeof location !== 'string' || !(type instanceof Global)) {
      throw this.#fault('names something outside of it that is not a storage');
    }
    const isUntyped = type.name === untypedStorage;
    const dtype = isUntyped ? 'uint8' : storageDTypes.get(type.name);
    if (dtype === undefined) throw this.#fault(`has a storage of ${type.name}, which is not read`);
    return new StorageReference(key, dtype, isUntyped, this.#count(count) * itemsizes[dtype], location);
  }

  #fault(reason: string): Error {
    return this.#context.fault(reason);
  }

  readonly #calls: Readonly<Record<string, (args: Args) => unknown>> = {
    'collections.OrderedDict': (args) => {
      if (args.length === 0) return remember(new Map(), 'OrderedDict');
      const pairs = this.#copy(args[0]).map((pair) => {
        if (Array.isArray(pair) && pair.length === 2 && isKey(pair[0])) return pair as [unknown, unknown];
        throw this.#fault('has an OrderedDict of no pairs');
      });
      return remember(new Map(pairs), 'OrderedDict');
    },
    'collections.Counter': ([counts]) => {
      if (counts !== undefined && !isMap(counts)) throw this.#fault('has a Counter of no dictionary');
      this.#charge(counts?.size ?? 0);
      return remember(new Map(counts), 'Counter');
    },
    'builtins.set': ([items = tuple([])]) => new Set(this.#copy(items)),
    'builtins.complex': ([re, im]) => ({ re: Number(re), im: Number(im) }),
    // What Python writes for no bytes.
    'builtins.bytes': ([bytes]) => new Uint8Array(this.#bytes(bytes)),
    'builtins.bytearray': ([bytes, encoding]) =>
      remember(
        typeof bytes === 'string' ? this.#encode(bytes, encoding) : new Uint8Array(this.#bytes(bytes)),
        'bytearray',
      ),
    '_codecs.encode': ([text, encoding]) => this.#encode(text, encoding),
    'torch.Size': ([sizes]) => remember(tuple(this.#copy(sizes)), 'Size'),
    'torch.device': ([type, index]) => (index === undefined ? String(type) : `${type}:${index}`),
    'torch.serialization._get_layout': ([name]) => String(name).replace(/^torch\./, ''),
    'torch._utils._rebuild_tensor': (args) => this.#tensor([...args, false, null]),
    'torch._utils._rebuild_tensor_v2': (args) => this.#tensor(args),
    'torch._utils._rebuild_tensor_v3': ([storage, offset, shape, strides, grad, hooks, dtype, flags]) =>
      this.#tensor([storage, offset, shape, strides, grad, hooks, flags], this.#dtype(dtype)),
    'torch._utils._rebuild_parameter': ([data, grad, hooks]) => this.#parameter(data, grad, hooks),
    'torch._utils._rebuild_parameter_with_state': ([data, grad, hooks, state]) => {
      this.#noAttributes(state);
      return this.#parameter(data, grad, hooks);
    },
    'torch._tensor._rebuild_from_type_v2': ([rebuild, type, args, state]) => {
      const isPlain = type instanceof Global && type.name === 'torch.Tensor';
      if (!isPlain || !(rebuild instanceof Global) || !isTuple(args))
        throw this.#fault('has a tensor of another class');
      this.#noAttributes(state);
      return this.call(rebuild.name, args);
    },
    'torch._utils._rebuild_sparse_tensor': ([layout, parts]) => this.#sparse(layout, parts),
    'torch._utils._rebuild_meta_tensor_no_storage': ([dtype, shape, strides, grad]) => {
      const [sizes, steps] = [this.#counts(shape), this.#counts(strides)];
      const options = { dtype: this.#dtype(dtype), device: 'meta' as Device };
      return aten.empty_strided(sizes, steps, options).requiresGrad_(grad === true);
    },
  };

  #tensor([storage, offset, shape, strides, grad, hooks, flags]: Args, dtype?: DType): Tensor {
    if (!(storage instanceof StorageReference)) throw this.#fault('has a tensor without a storage');
    if (storage.isUntyped && dtype === undefined) throw this.#fault('has a tensor without a dtype');
    this.#noHooks(hooks);
    const place: Placement = {
      offset: this.#count(offset),
      shape: this.#counts(shape),
      strides: this.#counts(strides),
    };
    if (place.shape.length !== place.strides.length)
      throw this.#fault('has a tensor whose sizes and strides do not fit');
    const made = scope(() => {
      const plain = this.#context.storages.tensor(storage, dtype ?? storage.dtype, place);
      return this.#flagged(plain, flags);
    });
    return grad === true ? made.requiresGrad_() : made;
  }

  /** A tensor whose elements stand for their conjugates, or negatives. */
  #flagged(plain: Tensor, flags: unknown): Tensor {
    if (flags === undefined || flags === null) return plain;
    if (!isMap(flags)) throw this.#fault('has a tensor with flags that are not a dictionary');
    let made = plain;
    for (const [flag, isSet] of flags) {
      if (flag !== 'conj' && flag !== 'neg') throw this.#fault(`has a tensor with the flag ${flag}, which is not read`);
      if (isSet === true) made = flag === 'conj' ? aten._conj(made) : aten._neg_view(made);
    }
    return made;
  }

  #parameter(data: unknown, grad: unknown, hooks: unknown): Tensor {
    if (!isTensor(data)) throw this.#fault('has a Parameter without a tensor');
    this.#noHooks(hooks);
    return makeParameter(data, grad === true);
  }

  #sparse(layout: unknown, parts: unknown): Tensor {
    if (layout !== 'sparse_coo')
      throw this.#fault(`has a tensor of the layout ${layout}; strided and sparse_coo are read`);
    const [indices, values, shape, isCoalesced] = isTuple(parts) ? parts : [];
    if (!isTensor(indices) || !isTensor(values)) throw this.#fault('has a sparse tensor without indices or values');
    const size = this.#counts(shape);
    aten._validate_sparse_coo_tensor_args(indices, values, size, isCoalesced === true);
    return aten.sparse_coo_tensor.indices_size(indices, values, size, { is_coalesced: isCoalesced === true });
  }

  /** Functions that a tensor would call: never saved, and never made. */
  #noHooks(hooks: unknown): void {
    if (hooks === null || hooks === undefined || (isMap(hooks) && hooks.size === 0)) return;
    throw this.#fault('has a tensor with hooks, which are not read');
  }

  /** Attributes of tensors but those that say how a module holds a buffer. */
  #noAttributes(state: unknown): void {
    const names = isMap(state) ? [...state.keys()] : state === null || state === undefined ? [] : ['of another kind'];
    const others = names.filter((name) => name !== 'persistent' && name !== '_is_buffer');
    if (others.length === 0) return;
    throw this.#fault(
      `has a tensor with attributes of its own (${others.join(', ')}), which are not read; save detach() of it`,
    );
  }

  #dtype(value: unknown): DType {
    if ((dtypes as readonly unknown[]).includes(value)) return value as DType;
    throw this.#fault(`has a tensor of ${value instanceof Global ? value.name : 'no dtype'}, which is not read`);
  }

  #count(value: unknown): number {
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    throw this.#fault('has a size, a stride or an offset that is not an integer >= 0');
  }

  #counts(values: unknown): number[] {
    if (!isTuple(values)) throw this.#fault('has sizes that are not a tuple');
    return values.map((value) => this.#count(value));
  }

  #encode(text: unknown, encoding: unknown): Uint8Array {
    if (typeof text !== 'string' || !/^latin-?1$/.test(String(encoding)))
      throw this.#fault('has bytes that are not written as latin1');
    this.#charge(text.length);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are bytes.
    if (/[^\x00-\xff]/.test(text)) throw this.#fault('has bytes that are not written as latin1');
    return new Uint8Array(Buffer.from(text, 'latin1'));
  }

  #bytes(value: unknown): Uint8Array {
    if (value === undefined) return new Uint8Array();
    if (!(value instanceof Uint8Array)) throw this.#fault('has a bytearray of no bytes');
    this.#charge(value.length);
    return value;
  }

  #copy(items: unknown): Args {
    if (!Array.isArray(items)) throw this.#fault('has a set or a size of no list');
    this.#charge(items.length);
    return items;
  }

  /** Counts what is copied: each value of a pickle takes a byte of it at least, unless a copy is made again and again. */
  #charge(elements: number): void {
    this.#copied += elements;
    if (this.#copied > this.#context.size) throw this.#fault('copies more than it holds');
  }
}

/** Names that are values. */
const values: ReadonlyMap<string, unknown> = new Map(dtypes.map((dtype) => [`torch.${dtype}`, dtype]));
