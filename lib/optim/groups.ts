/** Parameters in groups, each with options of its own. */
import { emitWarning } from '../binding/load';
import { expected, show, TorchError } from '../errors';
import { isPlain } from '../options';
import { isTensor } from '../torch/bind';
import type { Tensor } from '../torch/tensor';

/** A group of parameters: they share options, each a property by its name in camelCase. */
export type ParamGroup<Options extends object = object> = {
  /** The parameters. */
  params: Tensor[];
  /** Their names, where the optimizer was given names. */
  paramNames?: string[];
  // biome-ignore lint/suspicious/noExplicitAny: users and schedulers keep what they like in groups
  [key: string]: any;
} & Options;

/** A parameter, by itself or with its name. */
export type Named = Tensor | readonly [name: string, parameter: Tensor];

/** A group as it is given: options that it lacks are the optimizer's. */
export type GroupInput<Options extends object = object> = {
  /** One parameter or several; all of them with names, or none. */
  params: Tensor | Iterable<Named>;
} & { [Name in keyof Options]?: Options[Name] | null } & { [key: string]: unknown };

/** What an optimizer is to train: parameters, named ones, or groups of them. */
export type Params<Options extends object = object> = Iterable<Named> | Iterable<GroupInput<Options>>;

/** What was given as groups: each with `params`, the rest as it is. */
export function readGroups(op: string, params: unknown): GroupInput[] {
  const what = 'to be an iterable of Tensors, of [name, Tensor] or of groups { params, … }';
  const actual = isTensor(params) ? 'a Tensor' : show(params);
  if (isTensor(params) || !isIterable(params)) throw expected(op, "'params'", what, actual);
  const items = Array.from(params);
  if (items.length === 0) throw expected(op, "'params'", 'to hold at least one parameter', 'none');
  return isGroup(items[0]) ? (items as GroupInput[]) : [{ params: items as Named[] }];
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/** Whether a value is an object of braces: a group, and no parameter. */
export function isGroup(value: unknown): value is GroupInput {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isTensor(value) && isPlain(value);
}

/** The parameters of a group, and their names if they have some. */
export function readParams(
  op: string,
  given: unknown,
  takesAnyTensor: boolean,
): { params: Tensor[]; paramNames?: string[] } {
  const what = 'to be a Tensor or an iterable of them';
  if (!isTensor(given) && !isIterable(given)) throw expected(op, "'params'", what, show(given));
  const items: unknown[] = isTensor(given) ? [given] : Array.from(given);
  const names: string[] = [];
  const params = items.map((item, i) => {
    const [name, tensor] = isNamed(item) ? item : [undefined, item];
    if (name !== undefined) names.push(name);
    if (!isTensor(tensor)) throw expected(op, `'params[${i}]'`, 'to be a Tensor', show(tensor));
    if (!takesAnyTensor && !tensor.isLeaf && !tensor.retainsGrad) {
      throw expected(op, `'params[${i}]'`, 'to be a leaf of the graph', `the result of ${tensor.gradFn}`);
    }
    return tensor;
  });
  if (names.length === 0) return { params };
  if (names.length === params.length) return { params, paramNames: names };
  throw expected(op, "'params'", 'to have names for all parameters or for none', `${names.length} of ${params.length}`);
}

function isNamed(item: unknown): item is readonly [string, unknown] {
  return Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
}

/** Refuses a group whose parameters, or names, do not go with those of the others. */
export function checkGroup(op: string, groups: readonly ParamGroup[], group: ParamGroup): void {
  if (new Set(group.params).size < group.params.length) {
    emitWarning(`${op}: a group of parameters has the same parameter twice, which will be an error`);
  }
  const known = new Set(groups.flatMap(({ params }) => params));
  const index = group.params.findIndex((parameter) => known.has(parameter));
  if (index >= 0) {
    const message = `${op}: expected 'params[${index}]' to be in one group only, but received one of another group`;
    throw new TorchError('INVALID_ARGUMENT', message, { op, argument: 'params' });
  }
  const [first] = groups;
  if (first === undefined || 'paramNames' in first === 'paramNames' in group) return;
  const actual = 'paramNames' in group ? 'a group with names' : 'a group without';
  throw expected(op, "'params'", 'to have names in all groups or in none', actual);
}
