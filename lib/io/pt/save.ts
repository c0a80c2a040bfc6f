/** Writing what Python's `torch.load` reads. */
import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { aten } from '../../torch/ops';
import { isParameter } from '../../torch/parameter-class';
import type { Tensor } from '../../torch/tensor';
import { itemsizes } from '../../types';
import { eachPieceUnder, storageOffset, storageUnder } from '../storages';
import { type FileName, pathOf, type Sink, writeFiles } from '../write-file';
import { ZipWriter } from '../zip-writer';
import { Persistent, Pickler, PythonName, type Reduction, type Refusal, reduction } from './pickler';
import { remember, tuple } from './python-types';
import { storageTypes } from './storage-types';

/**
 * Writes a value to a file that Python's `torch.load(file, weights_only=True)` reads, and {@link load}: state dicts of
 * modules and optimizers, and checkpoints of those. The file appears whole or not at all; until then an existing file of
 * that name stays as it is.
 *
 * Maps and objects become dictionaries, arrays lists, frozen arrays tuples, `Uint8Array` bytes, `null` and `undefined`
 * None, numbers `int` where they are integers and else `float` (`serialization.Float` makes a `float` of any). Tensors
 * that share memory share it again when they are read; the whole memory under a tensor is saved.
 *
 * @example torch.save({ model: model.stateDict(), optimizer: optimizer.stateDict(), epoch }, 'checkpoint.pt');
 *
 * @throws TorchError `INVALID_ARGUMENT` for a value that is something else, with its place; and for a link, a device or a
 *   folder that does not exist; `BAD_DATA` if the file cannot be written.
 *
 * **Source**: `torch.save`.
 */
export function save(obj: unknown, file: FileName): void {
  const path = pathOf('save', "'file'", file);
  const write = prepared('save', obj, archiveName(path));
  writeFiles('save', "'file'", [{ path, write }]);
}

/**
 * The bytes of the file that {@link save} writes; {@link load} takes them.
 *
 * **Source**: `torch.save` to an `io.BytesIO`.
 */
export function toBytes(obj: unknown): Uint8Array {
  const chunks: Uint8Array[] = [];
  prepared('toBytes', obj, 'archive')((bytes) => chunks.push(new Uint8Array(bytes)));
  return new Uint8Array(Buffer.concat(chunks));
}

/** The folder in the archive: PyTorch takes the name of the file. */
function archiveName(path: string): string {
  const name = basename(path);
  const stem = name.slice(0, name.length - extname(name).length);
  return /^[\x20-\x7e]+$/.test(stem) && !stem.includes('\\') ? stem : 'archive';
}

/** A storage that is to be written. */
interface SavedStorage {
  readonly tensor: Tensor;
  readonly dtype: string;
  readonly bytes: number;
  readonly reference: Persistent;
}

/** Writes a value once it is known that all of it can be written. */
function prepared(op: string, obj: unknown, name: string): (sink: Sink) => void {
  const storages = new Map<string, SavedStorage>();
  const pickle = new Pickler(op, (tensor, refuse) => reduceTensor(tensor, storages, refuse)).dump(obj);
  return (sink) => {
    const zip = new ZipWriter(sink);
    zip.add(`${name}/data.pkl`, pickle.length, (into) => into(pickle));
    zip.text(`${name}/.format_version`, '1');
    zip.text(`${name}/.storage_alignment`, '64');
    zip.text(`${name}/byteorder`, 'little');
    for (const [i, { tensor, bytes }] of [...storages.values()].entries()) {
      zip.add(`${name}/data/${i}`, bytes, (into) => eachPieceUnder(tensor, bytes, into));
    }
    zip.text(`${name}/version`, '3\n');
    zip.text(`${name}/.data/serialization_id`, identity(zip));
    zip.finish();
  };
}

/** Forty digits that tell contents apart. */
function identity(zip: ZipWriter): string {
  const hash = createHash('sha256');
  for (const { name, crc } of zip.members) hash.update(name).update(`\n${crc}\n`);
  const digest = hash.digest();
  return [0, 8].map((at) => String(digest.readBigUInt64LE(at)).padStart(20, '0')).join('');
}

function reduceTensor(tensor: Tensor, storages: Map<string, SavedStorage>, refuse: Refusal): Reduction {
  if (!isParameter(tensor)) return reducePlain(tensor, storages, refuse);
  const data = reducePlain(tensor.detach(), storages, refuse);
  return {
    callee: 'torch._utils _rebuild_parameter',
    args: [reduction(data.callee, data.args), tensor.requiresGrad, hooks()],
  };
}

/** The functions that a tensor would call: none. */
function hooks(): object {
  return remember(new Map(), 'OrderedDict');
}

function reducePlain(tensor: Tensor, storages: Map<string, SavedStorage>, refuse: Refusal): Reduction {
  const { layout, dtype, requiresGrad } = tensor;
  if (layout === 'sparse_coo') return reduceSparse(tensor);
  if (layout !== 'strided')
    throw refuse('to be dense or sparse_coo (toDense() makes it dense)', `a tensor of ${layout}`);
  const [shape, strides] = [tuple(tensor.shape), tuple(tensor.stride())];
  if (tensor.isMeta) {
    const args = [new PythonName(`torch ${dtype}`), shape, strides, requiresGrad];
    return { callee: 'torch._utils _rebuild_meta_tensor_no_storage', args };
  }
  if (!(dtype in storageTypes)) throw refuse('to be of a dtype that this package has', dtype);
  const storage = storageOf(tensor, storages, refuse);
  const args = [storage, storageOffset(tensor), shape, strides, requiresGrad, hooks()];
  const flags = [
    ...(aten.is_conj(tensor) ? [['conj', true] as const] : []),
    ...(aten.is_neg(tensor) ? [['neg', true] as const] : []),
  ];
  if (flags.length > 0) args.push(new Map(flags));
  return { callee: 'torch._utils _rebuild_tensor_v2', args };
}

/** One for all tensors, as in Python. */
const sparseLayout = reduction('torch.serialization _get_layout', ['torch.sparse_coo']);

function reduceSparse(tensor: Tensor): Reduction {
  const size = remember(tuple(tensor.shape), 'Size');
  const parts = tuple([aten._indices(tensor), aten._values(tensor), size, aten.is_coalesced(tensor)]);
  return { callee: 'torch._utils _rebuild_sparse_tensor', args: [sparseLayout, parts] };
}

function storageOf(tensor: Tensor, storages: Map<string, SavedStorage>, refuse: Refusal): Persistent {
  const { dtype, device } = tensor;
  const found = storageUnder(tensor) ?? { key: '', bytes: 0 };
  // Storages of no bytes have no place in memory to be told apart by.
  const key = found.bytes === 0 ? `none ${storages.size}` : found.key;
  const known = storages.get(key);
  if (known?.dtype === dtype) return known.reference;
  if (known !== undefined) {
    throw refuse('to be of the dtype that other tensors in its memory have', `${dtype} beside ${known.dtype}`);
  }
  const elements = Math.floor(found.bytes / itemsizes[dtype]);
  const type = new PythonName(`torch ${storageTypes[dtype]}`);
  const reference = new Persistent(['storage', type, String(storages.size), device, elements]);
  storages.set(key, { tensor, dtype, bytes: elements * itemsizes[dtype], reference });
  return reference;
}
