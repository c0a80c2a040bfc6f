/** A step of an optimizer: gradients are read, everything is checked, and the parameters are moved in batches. */
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { DisposedError, expected, show, TorchError } from '../errors';
import { handleOf, isTensor, operator, unwrap } from '../torch/bind';
import type { Tensor } from '../torch/tensor';
import type { Batch, Mode } from './batch';
import type { Declaration } from './declare';
import type { ParamGroup } from './groups';
import { type Lists, oneByOne, together } from './lists';
import type { Optimizer } from './optimizer';
import type { Option, Options, OptionValues } from './options';
import type { ParameterState } from './state-dict';

/** In how many elements of parameters a list of them is cut, so that what an operator makes stays in the caches. */
const batchElements = 1 << 16;

interface Work {
  readonly group: ParamGroup;
  readonly params: Tensor[];
  readonly handles: Handle[];
  readonly grads: Handle[];
  readonly hasSparse: boolean;
  readonly hasComplex: boolean;
  readonly hasHalf: boolean;
}

/** A step: everything is read and checked first, so that a parameter that is gone leaves the others as they are. */
export function run(optimizer: Optimizer, declaration: Declaration<Options>): void {
  const op = optimizer.constructor.name;
  const works: Work[] = [];
  try {
    for (const group of optimizer.paramGroups) {
      checkKinds(op, declaration.options, group);
      works.push(gather(op, group));
    }
    for (const work of works) {
      checkLayouts(op, work, declaration.gradients ?? 'dense');
      checkCapturable(op, work);
    }
    for (const work of works) if (work.params.length > 0) move(op, optimizer, declaration, work);
  } finally {
    for (const { grads } of works) for (const grad of grads) native().dispose(grad);
  }
}

/** Options of a group may be changed at any time: to any number, as in Python, but not to what is none. */
export function checkKinds(op: string, options: Options, group: Readonly<Record<string, unknown>>): void {
  for (const name in options) {
    const usual = (options[name] as Option).default;
    const value = group[name];
    if (isLike(usual, value)) continue;
    const kind = Array.isArray(usual) ? `an array of ${usual.length} numbers` : `a ${typeof usual}`;
    throw expected(op, `option '${name}'`, `to be ${kind}`, show(value));
  }
}

function isLike(usual: unknown, value: unknown): boolean {
  if (usual === null) return true;
  if (typeof usual === 'number') return typeof value === 'number' || isTensor(value);
  if (!Array.isArray(usual)) return typeof value === typeof usual;
  return Array.isArray(value) && value.length === usual.length && usual.every((number, i) => isLike(number, value[i]));
}

function gather(op: string, group: ParamGroup): Work {
  const all = group.params.map((parameter, i) => unwrap(parameter, op, `params[${i}]`));
  const [flags, ...gradients] = gradientsOf(op, all);
  const params: Tensor[] = [];
  const handles: Handle[] = [];
  const grads: Handle[] = [];
  for (const [i, gradient] of gradients.entries()) {
    if (gradient === undefined) continue;
    params.push(group.params[i] as Tensor);
    handles.push(all[i] as Handle);
    grads.push(gradient);
  }
  return {
    group,
    params,
    handles,
    grads,
    hasSparse: (flags & 1) !== 0,
    hasComplex: (flags & 2) !== 0,
    hasHalf: (flags & 4) !== 0,
  };
}

function gradientsOf(op: string, params: readonly Handle[]): [flags: number, ...gradients: (Handle | undefined)[]] {
  try {
    return Array.from(native().gradients(params)) as [number, ...(Handle | undefined)[]];
  } catch (error) {
    const i = params.findIndex((handle) => native().isDisposed(handle));
    if (i < 0) throw error;
    const message = `${op}: expected 'params[${i}]' to be a live tensor, but received one that was disposed`;
    throw new DisposedError('DISPOSED', message, { op, argument: `params[${i}]`, cause: error });
  }
}

function checkLayouts(op: string, { grads, hasSparse }: Work, allowed: 'dense' | 'sparse' | 'any'): void {
  const isSparse = (handle: Handle): boolean => native().layout(handle) !== 0;
  const isFine = allowed === 'any' || (allowed === 'dense' ? !hasSparse : grads.every(isSparse));
  if (isFine) return;
  const [other, taker] = allowed === 'dense' ? ['sparse', 'SparseAdam'] : ['dense', 'Adam'];
  const message = `${op}: expected ${allowed} gradients, but received a ${other} one; ${taker} takes those`;
  throw new TorchError('INVALID_ARGUMENT', message, { op });
}

const isOnGpu = (handle: Handle): boolean => native().device(handle).startsWith('cuda');

function checkCapturable(op: string, { group, handles }: Work): void {
  if (group.capturable !== true || handles.every(isOnGpu)) return;
  throw expected(op, "option 'capturable'", 'to be false for parameters that are not on a GPU', 'true');
}

/** PyTorch takes lists by itself on GPUs only, where they are faster; on the CPU the bits are mostly the same. */
function modeOf(
  { foreach, fused, differentiable, lr }: ParamGroup,
  handles: readonly Handle[],
  isForeachOnGpu: boolean,
): Mode {
  if (fused === true) return 'fused';
  const isChosen = typeof foreach === 'boolean' || typeof fused === 'boolean' || differentiable === true;
  const isTogether = isChosen ? foreach === true : isForeachOnGpu && !isTensor(lr) && handles.every(isOnGpu);
  return isTogether ? 'foreach' : 'single';
}

function move(op: string, optimizer: Optimizer, declaration: Declaration<Options>, work: Work): void {
  const { group, params, handles, grads } = work;
  const mode = modeOf(group, handles, declaration.isForeachOnGpu ?? true);
  if (mode === 'foreach' && group.differentiable === true) {
    throw expected(op, "option 'foreach'", 'to be false with differentiable: true', 'true');
  }
  if (mode === 'fused') checkFused(op, params);
  const states = params.map((parameter) => stateOf(optimizer, declaration, parameter, group as never));
  const isSingle = group.differentiable === true || (mode === 'single' && work.hasHalf);
  const lists = isSingle ? oneByOne : together;
  const options = isTensor(group.lr) && group.lr.ndim > 0 ? { ...group, lr: group.lr.squeeze() } : group;
  const isCut = mode === 'single' && declaration.isOneByOne !== true;
  for (const [start, end] of isCut ? batches(handles) : [[0, handles.length] as const]) {
    const batch = {
      params: handles.slice(start, end),
      grads: grads.slice(start, end),
      tensors: params.slice(start, end),
      states: states.slice(start, end),
    };
    try {
      declaration.update(prepared(batch, lists, mode, work, declaration), options as never);
    } finally {
      lists.dispose();
    }
  }
}

function checkFused(op: string, params: readonly Tensor[]): void {
  const other = params.find((parameter) => !parameter.isFloatingPoint());
  if (other === undefined) return;
  throw expected(op, "option 'fused'", 'to be false for parameters that are not real floating-point', other.dtype);
}

const nothing: ParameterState = Object.freeze({});

/** What is kept of a parameter; made if there is nothing yet. */
export function stateOf(
  optimizer: Optimizer,
  { init }: Declaration<Options>,
  parameter: Tensor,
  group: OptionValues<Options>,
): ParameterState {
  const known = optimizer.state.get(parameter);
  if (known !== undefined && Object.keys(known).length > 0) return known;
  const made = init?.(parameter, group, optimizer as unknown as { defaults: OptionValues<Options> });
  if (made !== undefined) optimizer.state.set(parameter, made);
  return made ?? nothing;
}

/** Cuts a list into batches of which each, unless it is a single parameter, is small. */
function* batches(handles: readonly Handle[]): Generator<readonly [start: number, end: number]> {
  let start = 0;
  let elements = 0;
  for (const [i, handle] of handles.entries()) {
    const count = native().numel(handle);
    if (i > start && elements + count > batchElements) {
      yield [start, i];
      start = i;
      elements = 0;
    }
    elements += count;
  }
  yield [start, handles.length];
}

type Prepared = Pick<Batch, 'params' | 'grads' | 'tensors' | 'states'>;

function prepared(
  given: Prepared,
  lists: Lists,
  mode: Mode,
  { group, hasSparse, hasComplex }: Work,
  { viewsAsReal }: Declaration<Options>,
): Batch {
  const plain = (name: string): Handle[] => given.states.map((state) => handleOf(state[name]) as Handle);
  let { params, grads } = given;
  let of = plain;
  if (hasComplex && viewsAsReal !== undefined) {
    const isComplex = given.tensors.map((parameter) => parameter.isComplex());
    const real = (list: readonly Handle[]): Handle[] =>
      list.map((handle, i) =>
        isComplex[i] ? lists.own(operator('aten::view_as_real', '')(handle) as Handle) : handle,
      );
    params = real(params);
    grads = real(grads);
    of = (name) => (viewsAsReal.includes(name) ? real(plain(name)) : plain(name));
  }
  if (group.maximize === true && mode !== 'fused') grads = lists.neg(grads);
  return { ...given, params, grads, of, lists, mode, hasSparse };
}
