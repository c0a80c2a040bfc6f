/** What the functions for .safetensors files take besides tensors and files. */
import { isPlain, withDefaults } from '../../options';
import { checkDevice } from '../../torch/device';
import type { Device } from '../../types';
import { type Metadata, textMap } from '../tensor-maps';

/** What saving takes besides the tensors. */
export interface SafetensorsSaveOptions {
  /** Texts that the file shall hold too; they change nothing of the tensors. */
  metadata?: Metadata | null | undefined;
}

/** What loading takes besides the file. */
export interface SafetensorsLoadOptions {
  /** Where the tensors shall be. Default `'cpu'`. */
  device?: Device | null | undefined;
}

/** Where tensors shall be, of a device or options. */
export function readDevice(op: string, given: unknown): Device {
  const options = typeof given === 'string' ? { device: given } : (given as SafetensorsLoadOptions);
  const { device } = withDefaults<{ device: Device }>(op, options as never, { device: 'cpu' });
  return checkDevice(op, device);
}

/** Metadata by position, or as an option: texts by name are not options, and an option is not text. */
export function readMetadata(op: string, given: unknown): ReadonlyMap<string, string> | undefined {
  if (given === undefined || given === null) return undefined;
  const isOption =
    typeof given === 'object' &&
    isPlain(given) &&
    typeof (given as Metadata & { metadata?: unknown }).metadata !== 'string' &&
    'metadata' in given;
  if (!isOption) return textMap(op, given);
  const { metadata } = withDefaults<{ metadata: unknown }>(op, given as { metadata: unknown }, { metadata: undefined });
  return metadata === undefined ? undefined : textMap(op, metadata);
}
