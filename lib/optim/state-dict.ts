/** States of optimizers as Python's `state_dict` has them: parameters by index, names in snake_case. */

import { camelCase } from '../camel-case';
import { expected, show } from '../errors';
import { isPlain } from '../options';
import { isTensor } from '../torch/bind';
import { keep } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import type { ParamGroup } from './groups';
import { snakeCase } from './names';

/** What an optimizer keeps of a parameter, by names in camelCase. */
export type ParameterState = Record<string, unknown>;

/** The state of an optimizer in Python's structure, as `torch.save` writes it there. */
export interface OptimizerStateDict {
  /** What is kept of each parameter, by its index over all groups. */
  state: Map<number | string, Record<string, unknown>>;
  /** The options of each group, with the indices of its parameters as `params`. */
  param_groups: Record<string, unknown>[];
}

function withKeys(source: Iterable<readonly [string, unknown]>, rename: (name: string) => string): ParameterState {
  return Object.fromEntries(Array.from(source, ([key, value]) => [rename(key), value]));
}

/** The state dict of groups and states. Tensors in it are those of the optimizer, as in Python. */
export function packState(
  groups: readonly ParamGroup[],
  states: ReadonlyMap<unknown, ParameterState>,
): OptimizerStateDict {
  const indices = new Map<unknown, number>();
  let start = 0;
  const packed = groups.map(({ params, ...options }) => {
    for (const [i, parameter] of params.entries()) {
      if (!indices.has(parameter)) indices.set(parameter, start + i);
    }
    start += params.length;
    return { ...withKeys(Object.entries(options), snakeCase), params: params.map((p) => indices.get(p)) };
  });
  const state = Array.from(states, ([parameter, kept]) => {
    const key = (indices.get(parameter) ?? parameter) as number | string;
    return [key, withKeys(Object.entries(kept), snakeCase)] as const;
  });
  return { state: new Map(state), param_groups: packed };
}

/** The entries of a Map, or of an object of braces. */
function entriesOf(op: string, label: string, value: unknown): [unknown, unknown][] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)];
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value)) {
    return Object.entries(value);
  }
  throw expected(op, label, 'to be an object or a Map', show(value));
}

/** A value of another state dict for a group: copies of tensors and arrays, of which frozen ones are tuples of Python. */
function copied(value: unknown): unknown {
  if (isTensor(value)) return keep(value.detach().clone());
  if (!Array.isArray(value)) return value;
  return Object.isFrozen(value) ? Object.freeze(value.map(copied)) : value.map(copied);
}

/** A state dict taken apart and checked against the groups it is for; nothing is changed. */
export function unpackState(
  op: string,
  given: unknown,
  groups: readonly ParamGroup[],
): { groups: ParamGroup[]; states: Map<unknown, ParameterState> } {
  const top = new Map(entriesOf(op, "'stateDict'", given));
  const list = top.get('param_groups');
  if (!Array.isArray(list)) throw expected(op, "'stateDict.param_groups'", 'to be an array', show(list));
  if (list.length !== groups.length) {
    throw expected(op, "'stateDict'", `to have ${groups.length} groups of parameters`, `${list.length}`);
  }
  const saved = list.map((group: unknown, i) => {
    const entries = new Map(entriesOf(op, `'stateDict.param_groups[${i}]'`, group)) as Map<string, unknown>;
    const ids = entries.get('params');
    const { length } = (groups[i] as ParamGroup).params;
    if (!Array.isArray(ids) || ids.length !== length) {
      const actual = Array.isArray(ids) ? `${ids.length}` : show(ids);
      throw expected(op, `'stateDict.param_groups[${i}].params'`, `to have ${length} parameters`, actual);
    }
    entries.delete('params');
    return { entries, ids: ids as unknown[] };
  });
  const parameters = new Map<string, { parameter: Tensor; onDevice: boolean }>();
  for (const [i, { ids, entries }] of saved.entries()) {
    const onDevice = entries.get('fused') === true || entries.get('capturable') === true;
    for (const [j, id] of ids.entries()) {
      parameters.set(String(id), { parameter: (groups[i] as ParamGroup).params[j] as Tensor, onDevice });
    }
  }
  const states = new Map<unknown, ParameterState>();
  for (const [key, kept] of entriesOf(op, "'stateDict.state'", top.get('state'))) {
    const found = parameters.get(String(key));
    const entries = entriesOf(op, `'stateDict.state[${String(key)}]'`, kept) as [string, unknown][];
    const cast = entries.map(
      ([name, value]) =>
        [name, found === undefined ? value : castTo(found.parameter, found.onDevice, name, value)] as const,
    );
    states.set(found?.parameter ?? key, withKeys(cast, camelCase));
  }
  const unpacked = saved.map(({ entries }, i) => {
    const group = groups[i] as ParamGroup;
    const options = withKeys(
      [...entries].map(([name, value]) => [name, copied(value)] as const),
      camelCase,
    );
    const names = group.paramNames === undefined ? {} : { paramNames: group.paramNames };
    return { ...names, ...options, params: group.params } as ParamGroup;
  });
  return { groups: unpacked, states };
}

/** State as its parameter needs it: of its dtype and on its device, but for `step`, which stays where it is. */
function castTo(parameter: Tensor, onDevice: boolean, name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => castTo(parameter, onDevice, name, item));
  if (!isTensor(value)) return value;
  const { device } = parameter;
  if (name === 'step') return keep(onDevice ? value.to({ device, dtype: 'float32' }) : value);
  return keep(parameter.isFloatingPoint() ? value.to({ device, dtype: parameter.dtype }) : value.to({ device }));
}
