/**
 * Deterministic memory: a scope disposes the tensors that were made in it when it ends. Scopes follow asynchronous
 * calls (AsyncLocalStorage), so that two of them that are awaited at once do not see each other's tensors.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { types } from 'node:util';
import { callable } from '../options';
import { isTensor } from './bind';
import type { Tensor } from './tensor';

interface Scope {
  readonly tensors: Set<Tensor>;
  readonly parent: Scope | undefined;
  /** Tensors made after the end, by calls that nobody awaited, belong to nobody and are left to the garbage collector. */
  ended: boolean;
}

const current = new AsyncLocalStorage<Scope>();

/** How many scopes are open anywhere: while none is, making a tensor asks for no async context. */
let open = 0;

/** Hands a new tensor to the innermost open scope. Called by the constructor of Tensor. */
export function track(tensor: Tensor): void {
  if (open === 0) return;
  const scope = current.getStore();
  if (scope !== undefined && !scope.ended) scope.tensors.add(tensor);
}

/**
 * Runs `fn` and disposes every tensor that was made meanwhile, except those it returns (itself, or inside arrays,
 * objects, maps and sets) and those passed to {@link keep}. What is returned goes to the enclosing scope, if any.
 *
 * `fn` may be asynchronous: the scope ends when its promise settles.
 *
 * @example
 * const loss = torch.scope(() => F.crossEntropy(model(x), y).item());
 *
 * @throws TorchError `INVALID_ARGUMENT` if `fn` is not a function; whatever `fn` throws, after disposing.
 */
export function scope<T>(fn: () => T): T {
  callable('scope', "'fn'", fn);
  const made: Scope = { tensors: new Set(), parent: current.getStore(), ended: false };
  open += 1;
  let result: T;
  try {
    result = current.run(made, fn);
    // Through a promise of our own: whatever a foreign `then` does, the scope ends once.
    if (isThenable(result)) return settling(made, Promise.resolve(result)) as T;
  } catch (error) {
    end(made, undefined);
    throw error;
  }
  end(made, result);
  return result;
}

async function settling<T>(made: Scope, promise: Promise<T>): Promise<T> {
  let value: T;
  try {
    value = await promise;
  } catch (error) {
    end(made, undefined);
    throw error;
  }
  end(made, value);
  return value;
}

/**
 * Takes tensors out of every scope that they are in, and gives back what it was given: they live until they are
 * disposed or collected.
 *
 * @example
 * torch.scope(() => { best = torch.keep(logits.softmax(1)); });
 */
export function keep<T>(value: T): T {
  for (const tensor of tensorsIn(value)) {
    for (let scope = current.getStore(); scope !== undefined; scope = scope.parent) scope.tensors.delete(tensor);
  }
  return value;
}

function end(scope: Scope, result: unknown): void {
  open -= 1;
  scope.ended = true;
  try {
    for (const tensor of tensorsIn(result)) {
      if (scope.tensors.delete(tensor) && scope.parent?.ended === false) scope.parent.tensors.add(tensor);
    }
  } finally {
    // A getter of the result may throw: what it kept from being found is disposed like the rest.
    for (const tensor of scope.tensors) tensor.dispose();
    scope.tensors.clear();
  }
}

/** Every tensor that a value is or holds. */
function tensorsIn(value: unknown): Set<Tensor> {
  const found = new Set<Tensor>();
  const seen = new Set<unknown>();
  const waiting = [value];
  while (waiting.length > 0) {
    const item = waiting.pop();
    // Modules are functions, whose properties are their parameters.
    if ((typeof item !== 'object' && typeof item !== 'function') || item === null || seen.has(item)) continue;
    seen.add(item);
    if (isTensor(item)) found.add(item);
    else if (types.isMap(item) || types.isSet(item)) for (const inner of item as Iterable<unknown>) waiting.push(inner);
    else if (!ArrayBuffer.isView(item)) for (const inner of Object.values(item)) waiting.push(inner);
  }
  return found;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
