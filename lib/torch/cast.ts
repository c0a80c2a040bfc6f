/** Conversions: `to()`, and the methods that have a target in their names. */

import { expected, show } from '../errors';
import { writtenDType } from '../options';
import { type Device, type DType, dtypes, type MemoryFormat } from '../types';
import { isTensor } from './bind';
import { checkDevice, isDeviceName } from './device';
import { checkDType } from './dtype';
import { defineFunction } from './functions';
import { aten } from './ops';
import type { Tensor } from './tensor';
import { typeNameOf } from './tensor-text';
import { isTracing } from './trace';

/** Targets of {@link Tensor.to}. */
export interface CastOptions {
  /** The dtype of the result. Absent: unchanged. */
  dtype?: DType | null;
  /** The device of the result. Absent: unchanged. */
  device?: Device | null | undefined;
  /** Copy even if nothing changes. Default `false`. */
  copy?: boolean | null | undefined;
  /** Do not wait for copies from pinned memory to a GPU. Default `false`. */
  nonBlocking?: boolean | null | undefined;
  /** In which order the elements lie. Default `'preserve_format'`. */
  memoryFormat?: MemoryFormat | null | undefined;
}

type Cast = [
  device: Device | undefined,
  dtype: DType | undefined,
  nonBlocking: boolean,
  copy: boolean,
  memoryFormat: MemoryFormat | undefined,
];

const rest = 'bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None';

const readCasts: (...args: unknown[]) => Cast = defineFunction(
  'to',
  [`(ScalarType dtype, ${rest})`, `(Device? device=None, ScalarType? dtype=None, ${rest})`, `(Tensor other, ${rest})`],
  (...given: [DType | Tensor, ...Flags] | Cast): Cast => {
    if (given.length === 5) return given;
    const [target, ...flags] = given;
    return isTensor(target) ? [target.device, target.dtype, ...flags] : [undefined, target as DType, ...flags];
  },
);

type Flags = [nonBlocking: boolean, copy: boolean, memoryFormat: MemoryFormat | undefined];

/** The arguments of `to()`, in the three forms that PyTorch has. */
export function readCast(op: string, args: readonly unknown[]): Cast {
  const [first] = args;
  // Behind a device, or in the first place.
  const isDevice = first === null || (typeof first === 'string' && isDeviceName(first));
  if ((args.length > 0 && first === undefined) || (args.length > 1 && isDevice && args[1] === undefined)) {
    throw expected(op, "'dtype'", writtenDType, 'undefined');
  }
  if (args.length === 1 && typeof first === 'string') {
    if ((dtypes as readonly string[]).includes(first)) return [undefined, first as DType, false, false, undefined];
    if (!isDeviceName(first)) throw expected(op, "'target'", 'to be a dtype or a device', show(first));
    return [checkDevice(op, first), undefined, false, false, undefined];
  }
  if (args.length === 0 || (args.length === 1 && first === null)) {
    throw expected(op, "'target'", 'to be a dtype, a device, a Tensor or options', show(first));
  }
  return readCasts(...args);
}

/** `tensor.to(...args)`. */
export function cast(tensor: Tensor, args: readonly unknown[]): Tensor {
  const [device, dtype, nonBlocking, copy, memoryFormat] = readCast('to', args);
  if (!copy && memoryFormat === undefined && !isTracing()) {
    const isAlready = (dtype ?? tensor.dtype) === tensor.dtype && (device ?? tensor.device) === tensor.device;
    if (isAlready) return tensor;
  }
  const flags = { non_blocking: nonBlocking, copy, memory_format: memoryFormat };
  return aten.to.dtype_layout(tensor, { device, dtype, ...flags });
}

/** Methods that convert elements, by PyTorch's old names of dtypes. */
const dtypesByCast = {
  double: 'float64',
  float: 'float32',
  half: 'float16',
  bfloat16: 'bfloat16',
  long: 'int64',
  int: 'int32',
  short: 'int16',
  char: 'int8',
  byte: 'uint8',
  bool: 'bool',
  cfloat: 'complex64',
  cdouble: 'complex128',
} as const satisfies Record<string, DType>;

/** What casts by name take. */
interface CastForm {
  /** In which order the elements lie. Default `'preserve_format'`. */
  memoryFormat?: MemoryFormat | null | undefined;
}

/** The methods that convert. */
export interface Casts {
  /** As float64: `x.to('float64')`. */
  double(options?: CastForm): Tensor;
  /** As float32: `x.to('float32')`. */
  float(options?: CastForm): Tensor;
  /** As float16: `x.to('float16')`. */
  half(options?: CastForm): Tensor;
  /** As bfloat16: `x.to('bfloat16')`. */
  bfloat16(options?: CastForm): Tensor;
  /** As int64: `x.to('int64')`. */
  long(options?: CastForm): Tensor;
  /** As int32: `x.to('int32')`. */
  int(options?: CastForm): Tensor;
  /** As int16: `x.to('int16')`. */
  short(options?: CastForm): Tensor;
  /** As int8: `x.to('int8')`. */
  char(options?: CastForm): Tensor;
  /** As uint8: `x.to('uint8')`. */
  byte(options?: CastForm): Tensor;
  /** As bool: `x.to('bool')`. */
  bool(options?: CastForm): Tensor;
  /** As complex64: `x.to('complex64')`. */
  cfloat(options?: CastForm): Tensor;
  /** As complex128: `x.to('complex128')`. */
  cdouble(options?: CastForm): Tensor;
  /** On the CPU. **Source**: `torch.Tensor.cpu`. */
  cpu(options?: CastForm): Tensor;
  /** On the current CUDA device, or on the one that is named. **Source**: `torch.Tensor.cuda`. */
  cuda(device?: number | Device | null, nonBlocking?: boolean, options?: CastForm): Tensor;
  /** With what follows the device by name. */
  cuda(device: number | Device | null, options: CudaForm): Tensor;
  /** With all arguments by name. */
  cuda(options: CudaForm & { device?: number | Device | null | undefined }): Tensor;
  /** The old name of the dtype: `'torch.FloatTensor'`. **Source**: `torch.Tensor.type`. */
  type(): string;
  /** The tensor with another dtype, by its name or old name. */
  type(dtype: DType | string, nonBlocking?: boolean, options?: CastForm): Tensor;
  /** With all arguments by name. */
  type(options: CudaForm & { dtype: DType | string }): Tensor;
}

/** Named arguments of {@link Tensor.cuda}. */
interface CudaForm extends CastForm {
  /** Do not wait for copies from pinned memory to a GPU. Default `false`. */
  nonBlocking?: boolean | null | undefined;
}

type Method = (this: Tensor, ...args: unknown[]) => unknown;

/** The methods by name. */
export const castMethods: Readonly<Record<string, Method>> = {
  ...Object.fromEntries(Object.entries(dtypesByCast).map(([name, dtype]) => [name, castMethod(name, { dtype })])),
  cpu: castMethod('cpu', { device: 'cpu' }),
  cuda(...args) {
    return readCuda(this, ...args);
  },
  type(...args) {
    if (args.length > 0 && args[0] === undefined) throw expected('type', "'dtype'", writtenDType, 'undefined');
    return readType(this, ...args);
  },
};

function castMethod(name: string, target: CastOptions): Method {
  const read: (...args: unknown[]) => Tensor = defineFunction(
    name,
    '(Tensor self, *, MemoryFormat? memory_format=None)',
    (self: Tensor, memoryFormat?: MemoryFormat) => self.to({ ...target, memoryFormat }),
  );
  return function (...args) {
    return read(this, ...args);
  };
}

const flags = 'bool non_blocking=False, *, MemoryFormat? memory_format=None';

const readCuda: (...args: unknown[]) => Tensor = defineFunction(
  'cuda',
  [`(Tensor self, int device, ${flags})`, `(Tensor self, str? device=None, ${flags})`],
  (self: Tensor, given: number | string | undefined, nonBlocking: boolean, memoryFormat?: MemoryFormat) => {
    const device = checkDevice('cuda', typeof given === 'number' ? `cuda:${given}` : (given ?? 'cuda'));
    return self.to({ device, nonBlocking, memoryFormat });
  },
);

const readType: (...args: unknown[]) => Tensor | string = defineFunction(
  'type',
  `(Tensor self, str? dtype=None, ${flags})`,
  (self: Tensor, given: string | undefined, nonBlocking: boolean, memoryFormat?: MemoryFormat) => {
    if (given === undefined) return typeNameOf(self.dtype);
    const dtype = dtypes.find((known) => typeNameOf(known) === given) ?? checkDType('type', given);
    return self.to({ dtype, nonBlocking, memoryFormat });
  },
);
