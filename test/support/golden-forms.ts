/** Every way in which this library offers an operator: function, method, module. Each must give PyTorch's bits. */
import * as torch from '../../lib';
import { camelCase } from './golden';

/** The options of a call, in this library's names. */
export type Options = Record<string, unknown>;

/** One way to call an operator. */
export interface Form {
  /** How a user writes it. */
  form: string;
  call(args: torch.Tensor[], options: Options | undefined): torch.Tensor | boolean;
}

type Callable = (...args: unknown[]) => torch.Tensor;
type Module = new (options?: Options) => { forward(...args: torch.Tensor[]): torch.Tensor };

const root = torch as unknown as Record<string, Callable | undefined>;
const functional = torch.nn.functional as unknown as Record<string, Callable | undefined>;
const modules = torch.nn as unknown as Record<string, Module | undefined>;

/** The forms of an operator; a loss has its function and its module, without being named here. */
export function formsOf(op: string, moduleName: string | undefined): Form[] {
  const special = specialForms[op];
  if (special !== undefined) return special;
  const name = camelCase(op);
  const forms: Form[] = [
    { form: `nn.functional.${name}`, call: (args, o) => named(functional, name)(...call(args, o)) },
  ];
  if (moduleName !== undefined) {
    forms.push({
      form: `nn.${moduleName}`,
      call: (args, options) => new (named(modules, moduleName))(options).forward(...args),
    });
  }
  return forms;
}

const specialForms: Record<string, Form[] | undefined> = {
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

function categorical(options: Options | undefined): torch.distributions.Categorical {
  return new torch.distributions.Categorical(options as { probs: torch.Tensor });
}

/** The arguments of a call; without options nothing stands in their place. */
function call(args: torch.Tensor[], options: Options | undefined): unknown[] {
  return options === undefined ? args : [...args, options];
}

function named<T>(table: Record<string, T | undefined>, name: string): T {
  const found = table[name];
  if (found === undefined) throw new Error(`this library has no ${name}`);
  return found;
}

function given(tensor: torch.Tensor | undefined): torch.Tensor {
  if (tensor === undefined) throw new Error('the case names fewer tensors than the operator takes');
  return tensor;
}
