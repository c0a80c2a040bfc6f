/** Every way in which this library offers an operator: function, method, module. Each must give PyTorch's bits. */
import { camelCase } from '../camel-case';
import * as torch from '../index';

/** The options of a call, in this library's names. */
export type Options = Record<string, unknown>;

/** A positional argument of a call. */
export type Argument = torch.Tensor | number | number[];

/** One way to call an operator. */
export interface Form {
  /** How a user writes it. */
  form: string;
  call(args: Argument[], options: Options | undefined): torch.Tensor | boolean;
}

type Callable = (...args: unknown[]) => torch.Tensor;
type Module = new (options?: Options) => { forward(...args: Argument[]): torch.Tensor };

const root = torch as unknown as Record<string, Callable | undefined>;
const functional = torch.nn.functional as unknown as Record<string, Callable | undefined>;
const modules = torch.nn as unknown as Record<string, Module | undefined>;

/** The forms of an operator, the function first; a loss has that and its module, without being named here. */
export function formsOf(op: string, moduleName: string | undefined): Form[] {
  const special = specialForms[op];
  if (special !== undefined) return special;
  const name = camelCase(op);
  const forms: Form[] = [
    { form: `nn.functional.${name}`, call: (args, o) => named(functional, name)(...call(args, readable(o))) },
  ];
  if (moduleName !== undefined) {
    forms.push({
      form: `nn.${moduleName}`,
      call: (args, options) => new (named(modules, moduleName))(readable(options)).forward(...args),
    });
  }
  return forms;
}

type Distance = (a: torch.Tensor, b: torch.Tensor) => torch.Tensor;

/** What a case's `distance_function` names; scripts/golden/cases/triplet_margin_with_distance_loss.py has the same. */
const distances: Record<string, Distance | undefined> = {
  pairwise_distance: (a, b) => torch.nn.functional.pairwiseDistance(a, b),
  l1: (a, b) => a.sub(b).abs().sum(-1),
  squared: (a, b) => a.sub(b).mul(a.sub(b)).sum(-1),
  cosine: (a, b) => torch.nn.functional.cosineSimilarity(a, b, { dim: -1 }).neg().add(1),
  elementwise: (a, b) => a.sub(b).abs(),
};

/** The options with the function that a name stands for. */
export function readable(options: Options | undefined): Options | undefined {
  const name = options?.distanceFunction;
  return typeof name === 'string' ? { ...options, distanceFunction: named(distances, name) } : options;
}

const specialForms: Record<string, Form[] | undefined> = {
  linear_cross_entropy: [
    {
      form: 'nn.functional.linearCrossEntropy',
      call: (args, o) => named(functional, 'linearCrossEntropy')(...call(args, o)),
    },
    { form: 'nn.LinearCrossEntropyLoss', call: linearCrossEntropyLoss },
  ],
  adaptive_log_softmax_with_loss: [{ form: 'nn.AdaptiveLogSoftmaxWithLoss', call: adaptiveLogSoftmaxWithLoss }],
  softmax: alongDim('softmax', 'Softmax'),
  log_softmax: alongDim('logSoftmax', 'LogSoftmax'),
  sigmoid: [
    ...unary('sigmoid'),
    { form: 'nn.functional.sigmoid', call: ([x]) => torch.nn.functional.sigmoid(given(x)) },
    { form: 'nn.Sigmoid', call: ([x]) => new torch.nn.Sigmoid().forward(given(x)) },
  ],
  logit: unary('logit'),
  allclose: [
    { form: 'torch.allclose', call: ([a, b], options) => torch.allclose(given(a), given(b), options) },
    { form: 'tensor.allclose', call: ([a, b], options) => given(a).allclose(given(b), options) },
  ],
  categorical_entropy: [{ form: 'Categorical.entropy', call: (_, options) => categorical(options).entropy() }],
  categorical_log_prob: [
    { form: 'Categorical.logProb', call: ([value], options) => categorical(options).logProb(given(value)) },
  ],
};

/** Functions, methods and a module that take the dimension to work along. */
function alongDim(name: 'softmax' | 'logSoftmax', moduleName: 'Softmax' | 'LogSoftmax'): Form[] {
  const dim = (options: Options | undefined): number => options?.dim as number;
  return [
    { form: `torch.${name}`, call: ([x], options) => named(root, name)(given(x), dim(options)) },
    { form: `tensor.${name}`, call: ([x], options) => given(x)[name](dim(options)) },
    { form: `nn.functional.${name}`, call: ([x], options) => named(functional, name)(given(x), dim(options)) },
    {
      form: `nn.${moduleName}`,
      call: ([x], options) => new (named(modules, moduleName))({ dim: dim(options) }).forward(given(x)),
    },
  ];
}

function unary(name: 'sigmoid' | 'logit'): Form[] {
  return [
    { form: `torch.${name}`, call: (args, options) => named(root, name)(...call(args, options)) },
    { form: `tensor.${name}`, call: ([x], options) => (given(x)[name] as Callable).call(x, ...call([], options)) },
  ];
}

interface OwningLoss {
  linear: torch.nn.Linear;
  forward(input: torch.Tensor, target: torch.Tensor): torch.Tensor;
}

interface AdaptiveLoss {
  head: torch.nn.Linear;
  tail: unknown;
  forward(input: torch.Tensor, target: torch.Tensor): { output: torch.Tensor; loss: torch.Tensor };
  logProb(input: torch.Tensor): torch.Tensor;
  predict(input: torch.Tensor): torch.Tensor;
}

/** The module owns its layer, which gets the case's weight and bias. */
function linearCrossEntropyLoss([input, weight, target]: Argument[], options: Options = {}): torch.Tensor {
  const { linearBias: bias, ...rest } = options;
  const { shape, dtype } = given(weight);
  const features = shape.at(-1);
  const made = { ...rest, outFeatures: shape.slice(1, -1), bias: bias !== undefined, dtype };
  const module = construct<OwningLoss>('LinearCrossEntropyLoss', features, shape[0], made);
  const flat = (bias as torch.Tensor | undefined)?.reshape([-1]);
  own(module.linear, given(weight).reshape([-1, features as number]), flat);
  return module.forward(given(input), given(target));
}

/** The module's parameters come as arguments: the head's weight, then two weights a cluster. */
function adaptiveLogSoftmaxWithLoss(args: Argument[], options: Options = {}): torch.Tensor {
  const [input, target, head, ...tail] = args.map(given) as [torch.Tensor, torch.Tensor, ...torch.Tensor[]];
  const { result, headBias, nClasses, cutoffs, ...rest } = options;
  const { shape, dtype } = given(head);
  const made = { ...rest, headBias: headBias !== undefined, dtype };
  const module = construct<AdaptiveLoss>('AdaptiveLogSoftmaxWithLoss', shape[1], nClasses, cutoffs, made);
  own(module.head, given(head), headBias as torch.Tensor | undefined);
  for (const [i, layer] of layersOf(module.tail).entries()) own(layer, given(tail[i]));
  if (result === 'log_prob') return module.logProb(input);
  if (result === 'predict') return module.predict(input);
  const { output, loss } = module.forward(input, target);
  return result === 'output' ? output : loss;
}

/** A module of this library, whatever its constructor takes. */
function construct<T>(name: string, ...args: unknown[]): T {
  return new (named(modules, name) as unknown as new (...args: unknown[]) => T)(...args);
}

/** Gives the layer tensors as its parameters, so that gradients reach them. */
function own(layer: torch.nn.Linear, weight: torch.Tensor, bias?: torch.Tensor): void {
  // Tensors of a graph are not parameters.
  for (const name of ['weight', 'bias']) Reflect.deleteProperty(layer, name);
  Object.assign(layer, { weight, bias });
}

/** The linear layers in an object, in order, however they are nested. */
function layersOf(value: unknown): torch.nn.Linear[] {
  if (value instanceof torch.nn.Linear) return [value];
  const holdsLayers = value instanceof torch.nn.Module || (typeof value === 'object' && value !== null);
  return holdsLayers ? Object.values(value).flatMap(layersOf) : [];
}

function categorical(options: Options | undefined): torch.distributions.Categorical {
  return new torch.distributions.Categorical(options as { probs: torch.Tensor });
}

/** The arguments of a call; without options nothing stands in their place. */
function call(args: Argument[], options: Options | undefined): unknown[] {
  return options === undefined ? args : [...args, options];
}

function named<T>(table: Record<string, T | undefined>, name: string): T {
  const found = table[name];
  if (found === undefined) throw new Error(`this library has no ${name}`);
  return found;
}

function given(argument: Argument | undefined): torch.Tensor {
  if (argument instanceof torch.Tensor) return argument;
  throw new Error('the case names fewer tensors than the operator takes');
}
