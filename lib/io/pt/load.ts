/** Reading what Python's `torch.save` writes. */
import { expected, show, type TorchError } from '../../errors';
import { boolean, callable, isPlain, withDefaults } from '../../options';
import { checkDevice, isDeviceName } from '../../torch/device';
import { scope } from '../../torch/scope';
import type { Device } from '../../types';
import { Archive } from '../archive';
import { badData, listNames, quote, readingFor } from '../bad-data';
import { type FileName, pathOf } from '../write-file';
import { isMap } from './python-types';
import { Storages } from './storages';
import { Unpickler } from './unpickler';
import { CheckpointVocabulary } from './vocabulary';

/**
 * Where tensors go: to one device, from some devices to others, or where a function says, which is given the device
 * that a tensor was on.
 */
export type MapLocation =
  | Device
  | ReadonlyMap<string, Device>
  | Readonly<Record<string, Device>>
  | ((location: string) => Device | null | undefined);

/** Named arguments of {@link load}. */
export interface LoadOptions {
  /** Where tensors go. Default: to the devices that they were saved from. */
  mapLocation?: MapLocation | null | undefined;
  /** Always `true`: only data is read, and nothing executed. */
  weightsOnly?: boolean | null | undefined;
  /** Whether tensors show the file itself instead of a copy: only what is used of them is read. Default `false`. */
  mmap?: boolean | null | undefined;
}

const op = 'load';

const defaults = Object.freeze({
  mapLocation: undefined as unknown,
  weightsOnly: true as unknown,
  mmap: false as unknown,
});

/**
 * What a file of Python's `torch.save` holds: state dicts of modules and optimizers, and checkpoints of those. Nothing
 * in the file is executed: what is not a tensor, container, number or text is refused by its name before anything is
 * built.
 *
 * Dictionaries come as maps, tuples as frozen arrays, lists as arrays, bytes as `Uint8Array`, dtypes and devices as
 * their names, integers beyond 2^53 as bigint. Tensors that shared memory share it again.
 *
 * @example
 * const checkpoint = torch.load<Map<string, any>>('checkpoint.pt', { mapLocation: 'cpu' });
 * model.loadStateDict(checkpoint.get('model'));
 *
 * @throws TorchError `BAD_DATA` for a file that is missing, damaged, or holds something else; `INVALID_ARGUMENT` for a
 *   device that does not exist.
 *
 * **Source**: `torch.load(…, weights_only=True)`.
 */
export function load<T = unknown>(
  file: FileName | Uint8Array,
  mapLocation?: MapLocation | LoadOptions | null,
  options?: LoadOptions | null,
): T {
  const { mapLocation: to, weightsOnly, mmap } = readOptions(mapLocation, options);
  if (!boolean(op, "option 'weightsOnly'", weightsOnly)) {
    throw expected(op, "option 'weightsOnly'", 'to be true: nothing in a file is executed', 'false');
  }
  const isBytes = Object.prototype.toString.call(file) === '[object Uint8Array]';
  const isMapped = boolean(op, "option 'mmap'", mmap);
  if (isMapped && isBytes) throw expected(op, "option 'mmap'", 'to be false for what is in memory', 'true');
  const open = (): Archive => {
    if (isBytes) return Archive.of(file as Uint8Array, 'the data', (start) => lookAt('the data', start));
    const path = pathOf(op, "'file'", file as FileName);
    return Archive.open(path, (start) => lookAt(path, start));
  };
  const deviceOf = devices(to);
  return readingFor(op, () => {
    const archive = open();
    try {
      return scope(() => read(archive, { mmap: isMapped, deviceOf })) as T;
    } finally {
      archive.close();
    }
  });
}

/**
 * Options, of which the first may also go by position. An object of braces there is options, unless its keys are
 * devices.
 */
function readOptions(first: unknown, second: unknown): typeof defaults {
  const isOptions =
    typeof first === 'object' && first !== null && isPlain(first) && !Object.keys(first).some(isDeviceName);
  if (isOptions && second === undefined) return withDefaults(op, first as typeof defaults, defaults);
  const filled = withDefaults(op, second as typeof defaults, defaults);
  return first === undefined || first === null ? filled : { ...filled, mapLocation: first };
}

/** The device of each location, looked up once. */
function devices(to: unknown): (location: string) => Device {
  const known = new Map<string, Device>();
  const find = mapping(to);
  return (location) => {
    const device = known.get(location) ?? checked(location, find(location) ?? location);
    known.set(location, device);
    return device;
  };
}

function mapping(to: unknown): (location: string) => unknown {
  if (to === undefined) return () => undefined;
  if (typeof to === 'string') {
    checked(to, to);
    return () => to;
  }
  if (typeof to === 'function') return callable(op, "option 'mapLocation'", to as (location: string) => unknown);
  if (isMap(to)) return (location) => to.get(location);
  if (typeof to === 'object' && to !== null && isPlain(to)) {
    return (location) => (Object.hasOwn(to, location) ? (to as Record<string, unknown>)[location] : undefined);
  }
  throw expected(op, "option 'mapLocation'", 'to be a device, a map of devices or a function', show(to));
}

function checked(location: string, device: unknown): Device {
  try {
    return checkDevice(op, device);
  } catch (error) {
    const what = `to give a device that is there for tensors of ${quote(location)}, such as 'cpu'`;
    throw expected(op, "option 'mapLocation'", what, (error as TorchError).message.replace(/^.*but received /, ''));
  }
}

/** Refuses what is not an archive of `torch.save`, with what to do about it. */
function lookAt(name: string, start: Buffer): void {
  if (start.toString('latin1', 0, 2) === 'PK') return;
  const anew = 'in Python, write it anew: torch.save(torch.load(path, weights_only=True), path)';
  if (start[0] === 0x80) throw badData(name, `is a pickle, as PyTorch wrote before 1.6; ${anew}`);
  if (start.toString('latin1', 257, 262) === 'ustar')
    throw badData(name, `is a tar archive of an early PyTorch; ${anew}`);
  if (start[8] === 0x7b) throw badData(name, 'looks like a .safetensors file: safetensors.loadFile reads those');
  throw badData(name, 'is not a file of torch.save: it does not begin as a zip archive', { offset: 0 });
}

/** The newest version of the format that PyTorch reads. */
const newestVersion = 10;

function read(archive: Archive, options: { mmap: boolean; deviceOf: (location: string) => Device }): unknown {
  const names = [...archive.entries.keys()];
  // PyTorch calls the folder by the name of the file: whatever the first record is in.
  const root = `${names[0]?.split('/')[0]}/`;
  const has = (record: string): boolean => archive.entries.has(root + record);
  const textOf = (record: string): string =>
    archive
      .bytes(archive.entry(root + record))
      .toString('latin1')
      .trim();
  if (has('constants.pkl')) {
    throw badData(archive.name, 'is a TorchScript program; in Python, save the state_dict() of torch.jit.load(path)');
  }
  if (!has('data.pkl')) {
    throw badData(archive.name, `is not a file of torch.save: it has no record data.pkl, but ${listNames(names)}`);
  }
  const version = has('version') ? Number(textOf('version')) : 1;
  if (!(version >= 1 && version <= newestVersion)) {
    throw badData(archive.name, `is of version ${version} of the format; 1 to ${newestVersion} are read`);
  }
  const order = has('byteorder') ? textOf('byteorder') : 'little';
  if (order !== 'little' && order !== 'big') throw badData(archive.name, `has the byte order ${quote(order)}`);
  const name = `${archive.name}:${root}data.pkl`;
  const pickle = archive.bytes(archive.entry(`${root}data.pkl`));
  const storages = new Storages(archive, root, { ...options, isBigEndian: order === 'big' });
  const fault = (reason: string): Error => badData(name, reason);
  try {
    const words = new CheckpointVocabulary({ fault, storages, size: pickle.length });
    const value = new Unpickler(name, pickle, words).load();
    archive.check();
    return value;
  } finally {
    storages.dispose();
  }
}
