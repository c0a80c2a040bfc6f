/** What a .safetensors file of tensors will look like. */
import { expected } from '../../errors';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { safetensorsDTypes } from '../element';
import { eachPiece } from '../storages';
import { label, namedTensors, sharedNames } from '../tensor-maps';
import type { Sink } from '../write-file';

/** The format's names in the order in which its library lays tensors, by the dtypes of this package. */
const places = new Map([...safetensorsDTypes].map(([name, dtype], place) => [dtype as string, { name, place }]));

/** A file that is to be written. */
export interface SafetensorsLayout {
  /** Its bytes in all. */
  readonly size: number;
  write(sink: Sink): void;
}

/**
 * The layout of a file: a header padded to 8 bytes, then the tensors, those of the widest dtypes first and by name within
 * a dtype, so that each is aligned.
 *
 * @throws TorchError `INVALID_ARGUMENT` for tensors that the format does not hold: not contiguous, sparse, without
 *   elements in memory, of a dtype that it has no name for, or sharing memory.
 */
export function layOut(
  op: string,
  given: unknown,
  metadata: ReadonlyMap<string, string> | undefined,
): SafetensorsLayout {
  const tensors = namedTensors(op, given);
  check(op, tensors);
  const sorted = [...tensors].map(([name, tensor]) => ({ name, tensor, utf8: Buffer.from(name), ...placeOf(tensor) }));
  sorted.sort((a, b) => a.place - b.place || Buffer.compare(a.utf8, b.utf8));
  let end = 0;
  const fields = sorted.map(({ name, tensor, dtype }) => {
    const begin = end;
    end += tensor.nbytes;
    const text = `{"dtype":"${dtype}","shape":[${tensor.shape}],"data_offsets":[${begin},${end}]}`;
    return `${JSON.stringify(name)}:${text}`;
  });
  if (metadata !== undefined) fields.unshift(`"__metadata__":${textObject(metadata)}`);
  const text = Buffer.from(`{${fields.join(',')}}`);
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  text.copy(header, 8);
  return {
    size: header.length + end,
    write: (sink) => {
      sink(header);
      for (const { tensor } of sorted) eachPiece(tensor, sink);
    },
  };
}

function placeOf(tensor: Tensor): { dtype: string; place: number } {
  const { name, place } = places.get(tensor.dtype) as { name: string; place: number };
  return { dtype: name, place };
}

/** JSON whose keys stay in their order, be they like numbers or not. */
function textObject(texts: ReadonlyMap<string, string>): string {
  return `{${[...texts].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')}}`;
}

function check(op: string, tensors: ReadonlyMap<string, Tensor>): void {
  if (tensors.has('__metadata__')) {
    throw expected(op, "'tensors'", 'to have another name than the one of metadata', '"__metadata__"');
  }
  for (const [name, tensor] of tensors) {
    const { layout, dtype } = tensor;
    if (layout !== 'strided') throw expected(op, label(name), 'to be dense (toDense() makes it so)', `a ${layout} one`);
    if (tensor.isMeta) throw expected(op, label(name), 'to have elements', 'a tensor of the meta device');
    if (!places.has(dtype)) {
      throw expected(op, label(name), 'to be of a dtype that the .safetensors format has', dtype);
    }
  }
  const [shared] = sharedNames(tensors);
  if (shared !== undefined) {
    const names = shared.map((name) => JSON.stringify(name)).join(', ');
    throw expected(
      op,
      "'tensors'",
      'to share no memory (clone() all but one of them, or leave them out)',
      `tensors that do: ${names}`,
    );
  }
  for (const [name, tensor] of tensors) {
    if (tensor.isContiguous()) continue;
    const actual = `shape ${shapeText(tensor.shape)} with strides ${shapeText(tensor.stride())}`;
    throw expected(op, label(name), 'to be contiguous (contiguous() makes it so)', actual);
  }
}
