/**
 * What stands behind the prototype of tensors, where JavaScript looks for properties that a tensor does not have.
 *
 * - Assignments to unknown properties are errors: `x.requires_grad = true` would otherwise leave a property behind that
 *   nobody reads.
 * - Properties that make a new tensor each time they are read (`x.T`, `x.real`) are found here, and not on the prototype:
 *   jest reads all that it finds there, of what it finds, too, without end.
 */
import { TorchError } from '../errors';
import { nearest } from '../options';
import { isTensor } from './bind';
import { isComparing } from './comparison-tag';
import { aten } from './ops';
import type { Tensor } from './tensor';

/** The properties that make a tensor when they are read. */
export interface TensorViews extends Iterable<Tensor> {
  /** The dimensions in reverse order. **Source**: `torch.Tensor.T`. */
  readonly T: Tensor;
  /** The last two dimensions exchanged. **Source**: `torch.Tensor.mT`. */
  readonly mT: Tensor;
  /** The conjugate transpose of a matrix. **Source**: `torch.Tensor.H`. */
  readonly H: Tensor;
  /** The last two dimensions exchanged, and conjugated. **Source**: `torch.Tensor.mH`. */
  readonly mH: Tensor;
  /** The real parts: a view, or the tensor itself if it is real. **Source**: `torch.Tensor.real`. */
  readonly real: Tensor;
  /** The imaginary parts of a complex tensor, as a view. **Source**: `torch.Tensor.imag`. */
  readonly imag: Tensor;
  /**
   * The elements outside of any graph: a tensor of the same memory, whose changes no graph notices, unlike those of
   * `detach()`. Assigned, the elements of another tensor.
   *
   * **Source**: `torch.Tensor.data`.
   */
  data: Tensor;
  /**
   * The slices along the first dimension, one after the other: `for (const row of x)`. A tensor without dimensions has no
   * iterator.
   *
   * **Source**: `torch.Tensor.__iter__`.
   */
  [Symbol.iterator](): IterableIterator<Tensor>;
}

const views: ReadonlyMap<string | symbol, (tensor: Tensor) => unknown> = new Map<
  string | symbol,
  (tensor: Tensor) => unknown
>([
  ['T', (tensor) => aten.numpy_T(tensor)],
  ['mT', (tensor) => aten.mT(tensor)],
  ['H', (tensor) => aten.matrix_H(tensor)],
  ['mH', (tensor) => aten.mH(tensor)],
  ['real', (tensor) => aten.real(tensor)],
  ['imag', (tensor) => aten.imag(tensor)],
  ['data', (tensor) => aten.data(tensor)],
  [Symbol.iterator, iteratorOf],
]);

function iteratorOf(tensor: Tensor): (() => IterableIterator<Tensor>) | undefined {
  // Test runners walk through what can be walked through, and would take empty tensors of any shapes for equal.
  if (tensor.isDisposed || tensor.ndim === 0 || isComparing()) return undefined;
  return () => aten.unbind.int(tensor)[Symbol.iterator]();
}

/** Puts the properties behind the prototype, and makes those on it that have no setter errors to assign. */
export function completePrototype(prototype: object): void {
  const described = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  const settable = [...described.filter(([, { set }]) => set !== undefined).map(([key]) => key), 'data'];
  for (const [key, { get, set }] of described) {
    if (get === undefined || set !== undefined) continue;
    const refuse = (): never => {
      throw refusal(key, 'is read only', settable);
    };
    Object.defineProperty(prototype, key, { set: refuse, configurable: true });
  }
  const behind: ProxyHandler<object> = {
    has: (target, key) => views.has(key) || Reflect.has(target, key),
    get: (target, key, receiver: unknown) => {
      const view = views.get(key);
      if (view === undefined) return Reflect.get(target, key, receiver) as unknown;
      return isTensor(receiver) ? view(receiver) : undefined;
    },
    set: (_, key, value, receiver: object) => {
      if (key === 'data') {
        aten.set_data(receiver as Tensor, value as Tensor);
        return true;
      }
      if (typeof key === 'symbol') {
        return Reflect.defineProperty(receiver, key, { value, writable: true, configurable: true, enumerable: true });
      }
      if (views.has(key)) throw refusal(key, 'is read only', settable);
      throw refusal(key, 'is none', settable);
    },
  };
  Object.setPrototypeOf(prototype, new Proxy(Object.create(Object.prototype) as object, behind));
}

function refusal(key: string, what: string, settable: readonly string[]): TorchError {
  const near = nearest(key, settable);
  const list = settable.map((name) => `'${name}'`).join(', ');
  const hint = near === undefined || near === key ? '' : ` (did you mean '${near}'?)`;
  const message = `Tensor: expected an assignment to ${list}, but received one to '${key}', which ${what}${hint}`;
  return new TorchError('INVALID_ARGUMENT', message, { op: 'Tensor', argument: key });
}
