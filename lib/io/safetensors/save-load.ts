/**
 * Tensors in .safetensors files, by the names of Python's `safetensors.torch`: a header in JSON, then the bytes of all
 * tensors. Nothing in such a file can be executed.
 */
import { expected, show } from '../../errors';
import type { Tensor } from '../../torch/tensor';
import type { Device } from '../../types';
import { readingFor } from '../bad-data';
import type { Metadata, NamedTensors } from '../tensor-maps';
import { type FileName, pathOf, writeFiles } from '../write-file';
import { readAll, SafetensorsFile } from './file';
import { layOut } from './layout';
import { readDevice, readMetadata, type SafetensorsLoadOptions, type SafetensorsSaveOptions } from './options';

/**
 * Writes tensors to a .safetensors file: the bytes that Python's `save_file` writes. The file appears whole or not at all;
 * until then an existing file of that name stays as it is.
 *
 * Tensors that share memory, are not contiguous or not dense are refused, as there.
 *
 * @example safetensors.saveFile(model.stateDict(), 'model.safetensors', { metadata: { format: 'pt' } });
 *
 * @throws TorchError `INVALID_ARGUMENT` for what the format does not hold, and for a link, a device or a folder that
 *   does not exist; `BAD_DATA` if the file cannot be written.
 *
 * **Source**: `safetensors.torch.save_file`.
 */
export function saveFile(
  tensors: NamedTensors,
  filename: FileName,
  metadata?: Metadata | SafetensorsSaveOptions | null,
): void {
  const op = 'saveFile';
  const path = pathOf(op, "'filename'", filename);
  const { write } = layOut(op, tensors, readMetadata(op, metadata));
  writeFiles(op, "'filename'", [{ path, write }]);
}

/**
 * The bytes that {@link saveFile} writes.
 *
 * **Source**: `safetensors.torch.save`.
 */
export function save(tensors: NamedTensors, metadata?: Metadata | SafetensorsSaveOptions | null): Uint8Array {
  const { size, write } = layOut('save', tensors, readMetadata('save', metadata));
  const bytes = new Uint8Array(size);
  let at = 0;
  write((piece) => {
    bytes.set(piece, at);
    at += piece.length;
  });
  return bytes;
}

/**
 * All tensors of a .safetensors file by name, in the order in which they lie there, in memory of their own.
 *
 * @example model.loadStateDict(safetensors.loadFile('model.safetensors', { device: 'cuda' }));
 *
 * @throws TorchError `BAD_DATA` for a file that is missing, damaged, or holds a dtype that is not read; it names the file,
 *   the tensor and the reason.
 *
 * **Source**: `safetensors.torch.load_file`.
 */
export function loadFile(filename: FileName, device?: Device | SafetensorsLoadOptions | null): Map<string, Tensor> {
  const op = 'loadFile';
  const path = pathOf(op, "'filename'", filename);
  const to = readDevice(op, device);
  return readingFor(op, () => readAll(SafetensorsFile.open(path), to));
}

/**
 * All tensors in the bytes of a .safetensors file, by name, in memory of their own.
 *
 * **Source**: `safetensors.torch.load`.
 */
export function load(data: Uint8Array): Map<string, Tensor> {
  if (Object.prototype.toString.call(data) !== '[object Uint8Array]') {
    throw expected('load', "'data'", 'to be a Uint8Array', show(data));
  }
  return readingFor('load', () => readAll(SafetensorsFile.of(data), 'cpu'));
}
