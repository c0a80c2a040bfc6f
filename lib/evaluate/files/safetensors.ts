/** Arrays in .safetensors files: a header in JSON, then the elements of all tensors without gaps. */
import { badData, listNames, quote } from '../../io/bad-data';
import { safetensorsElements } from '../../io/element';
import { checkShape } from '../../io/layout';
import { readSafetensorsHeader, type TensorEntry } from '../../io/safetensors/header';
import { StoredFile } from '../../io/stored-file';
import type { ArraySource } from '../source';
import { StoredRows } from './rows';

/**
 * The tensor of a name; by default the only one.
 *
 * @throws TorchError `BAD_DATA` if anything in the header is wrong, also about other tensors of the file.
 */
export async function openSafetensors(path: string, name: string, tensor: string | undefined): Promise<ArraySource> {
  const file = StoredFile.open(path, name);
  try {
    const { entries, dataStart } = readSafetensorsHeader(name, file);
    const entry = findTensor(name, entries, tensor);
    const fullName = `${name}:${entry.name}`;
    const element = safetensorsElements.get(entry.dtype);
    if (element === undefined) {
      const known = [...safetensorsElements.keys()].join(', ');
      throw badData(fullName, `has the dtype ${quote(entry.dtype)}; ${known} are read`);
    }
    const shape = checkShape(fullName, entry.shape, element, dataStart + entry.begin);
    const layout = { element, shape, fortranOrder: false, offset: dataStart + entry.begin };
    return new StoredRows(fullName, file, layout, file.stamp);
  } catch (error) {
    file.close();
    throw error;
  }
}

function findTensor(name: string, entries: readonly TensorEntry[], wanted: string | undefined): TensorEntry {
  const names = listNames(entries.map((entry) => entry.name));
  if (entries.length === 0) throw badData(name, 'has no tensors');
  if (wanted === undefined) {
    if (entries.length === 1) return entries[0] as TensorEntry;
    throw badData(name, `has ${entries.length} tensors; choose one by ${name}:<name>: ${names}`);
  }
  const found = entries.find((entry) => entry.name === wanted);
  if (found === undefined) throw badData(name, `has no tensor ${quote(wanted)}; its tensors are ${names}`);
  return found;
}
