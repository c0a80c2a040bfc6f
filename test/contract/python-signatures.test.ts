/** Functions and methods that are derived from schemas take what Python's take: the same names, order and defaults. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { native } from '../../lib/binding/load';
import type { ArgumentSchema } from '../../lib/binding/native';
import { camelCase } from '../../lib/camel-case';
import * as nn from '../../lib/nn';
import * as functional from '../../lib/nn/functional';
import { functionalSchemas, initSchemas, moduleSchemas, rnnSchemas, utilsSchemas } from '../../lib/nn/python.generated';
import { dtypeName } from '../../lib/torch/dtype';

const lines = readFileSync(join(__dirname, 'python-signatures.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** What every factory takes, in an order of its own in Python; `out` is a keyword of another overload in libtorch. */
const common = new Set(['out', 'layout', 'device', 'pin_memory', 'requires_grad', 'names']);

/** Names whose functions are written in TypeScript, and tested elsewhere. */
const handwritten = new Set(
  `full nonzero index_put_ is_contiguous is_inference item numel record_stream requires_grad_ retain_grad size stride to
  dim`.split(/\s+/),
);

/** Python's layer differs from the operators in these, and so do they here; each line says how. */
const exceptions: Readonly<Record<string, string>> = {
  'Tensor.contiguous': 'memory_format is a keyword in fact; the stub has it by position',
  'Tensor.expand': 'implicit is a keyword in fact',
  'Tensor.resize_': 'memory_format is a keyword in fact',
  'Tensor.new_ones': 'dtype is a keyword in fact',
  'Tensor.copy_': 'the stub calls src other',
  'Tensor.hash_tensor': 'keepdim and mode are keywords in fact',
  'Tensor.div': 'an absent rounding_mode is another overload in libtorch',
  'Tensor.div_': 'an absent rounding_mode is another overload in libtorch',
  'torch.div': 'an absent rounding_mode is another overload in libtorch',
  'Tensor.set_': 'stride has a default in libtorch',
  'torch.arange': 'an absent step is another overload in libtorch',
  'torch.linspace': 'steps is required in libtorch, and so it is in Python',
  'torch.logspace': 'steps is required in libtorch, and so it is in Python',
  ...Object.fromEntries(
    ['bsc', 'bsr', 'compressed', 'coo', 'csc', 'csr'].map((layout) => [
      `torch.sparse_${layout}_tensor`,
      "check_invariants is of Python's layer; an absent size is another overload in libtorch",
    ]),
  ),
};

interface Parameter {
  name: string;
  default: string | undefined;
  isKeywordOnly: boolean;
}

/** `1.0` and `1`, `()` and `[]`, None and an absent tensor are the same default. */
function canonical(value: unknown): string {
  if (value === undefined || value === null || value === 'None') return 'none';
  const numbers = String(value).replace(/[()[\]'"\s]/g, '');
  // One number for all of a list of fixed length.
  const text = new Set(numbers.split(',')).size === 1 ? (numbers.split(',')[0] as string) : numbers;
  return text === '' ? 'empty' : Number.isFinite(Number(text)) ? String(Number(text)) : text.toLowerCase();
}

/** A default dtype is that of the operator, which Python calls None. */
function defaultOf(name: string, value: unknown): string | undefined {
  if (name === 'generator') return 'none';
  if (value === undefined) return undefined;
  return name === 'dtype' ? 'none' : canonical(typeof value === 'string' ? value.replace('torch.', '') : value);
}

function pythonParameters(text: string): Parameter[] {
  let isKeywordOnly = false;
  const parts = text.split(/, (?![^(]*\))/).filter((part) => part !== '');
  return parts.flatMap((part) => {
    if (part === '*') isKeywordOnly = true;
    if (part === '*') return [];
    const [name = '', value] = part.split(/=(.*)/s);
    const parameter = { name: name.replace(/^\*|_$/g, ''), default: defaultOf(name, value), isKeywordOnly };
    // Everything behind *size goes by name.
    if (name.startsWith('*')) isKeywordOnly = true;
    return [parameter];
  });
}

function ownParameters(schema: readonly ArgumentSchema[], isMethod: boolean): Parameter[] {
  return schema
    .filter(({ isOut, name }) => !isOut && !(isMethod && name === 'self'))
    .map((argument) => ({
      name: argument.name === 'self' ? 'input' : argument.name.replace(/_$/, ''),
      default: defaultOf(argument.name, argument.hasDefault ? ownDefault(argument) : undefined),
      isKeywordOnly: argument.kwargOnly,
    }));
}

/** The default as Python writes it. */
function ownDefault({ type, default: value }: ArgumentSchema): unknown {
  return type === 'ScalarType' && typeof value === 'number' ? dtypeName(value) : (value ?? null);
}

const isShared = ({ name }: Parameter): boolean => !common.has(name);
const show = (parameters: readonly Parameter[]): string =>
  parameters
    .filter(isShared)
    .map(
      (parameter) =>
        `${parameter.isKeywordOnly ? '*' : ''}${parameter.name}${parameter.default === undefined ? '' : `=${parameter.default}`}`,
    )
    .join(', ');

/** Keyword arguments may stand in any order. */
const normal = (parameters: readonly Parameter[]): string =>
  show([
    ...parameters.filter((parameter) => !parameter.isKeywordOnly),
    ...parameters.filter((parameter) => parameter.isKeywordOnly).sort((a, b) => a.name.localeCompare(b.name)),
  ]);

test('every signature of Python has an overload', () => {
  const differing: string[] = [];
  let compared = 0;
  for (const line of lines.filter((text) => !text.startsWith('nn.'))) {
    const [, owner = '', name = '', text = ''] = /^(\w+)\.(\w+)\((.*)\)$/s.exec(line) ?? [];
    const isMethod = owner === 'Tensor';
    const parameters = pythonParameters(text).filter((parameter) => !(isMethod && parameter.name === 'self'));
    // Deprecated forms, such as add(self, alpha, other).
    if (!isMethod && parameters.some((parameter) => parameter.name === 'self')) continue;
    if (handwritten.has(name) || `${owner}.${name}` in exceptions) continue;
    compared += 1;
    const wanted = normal(parameters);
    const overloads = native()
      .operatorSchemas(`aten::${name}`)
      .map((schema) => normal(ownParameters(schema.arguments, isMethod)));
    if (!overloads.includes(wanted)) differing.push(`${owner}.${name}(${wanted}): ${overloads.join(' | ')}`);
  }
  expect(differing).toEqual([]);
  expect(compared).toBeGreaterThan(1000);
});

/** The schemas of the functions of torch.nn that are written in TypeScript. */
const written: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'nn.functional': functionalSchemas,
  'nn.init': initSchemas,
  'nn.utils': utilsSchemas,
  'nn.utils.rnn': rnnSchemas,
};

/** Classes of torch.nn that are not here: bases, and legacy ones. */
const leftOut = ['CrossMapLRN2d', 'NLLLoss2d', 'RNNBase', 'RNNCellBase'];

test('the classes of torch.nn take what Python’s take', () => {
  const differing: string[] = [];
  const all = lines.flatMap((line) => {
    const [, name = '', text = ''] = /^nn\.(\w+)\((.*)\)$/s.exec(line) ?? [];
    return name === '' || leftOut.includes(name) ? [] : [[name, text] as const];
  });
  const schemas: Readonly<Record<string, readonly string[] | undefined>> = moduleSchemas;
  expect(all.filter(([name]) => !(name in nn))).toEqual([]);
  for (const [name, text] of all) {
    const [own = '()'] = schemas[name] ?? [];
    const form = normal(ownParameters(native().parseSchema(`f${own} -> Any`).arguments, false));
    // What Python's classes without options take is ignored, and refused in the end.
    // An absent activation is relu.
    const python = text.replace('*args, **kwargs', '').replace('activation=relu', 'activation=None');
    const wanted = normal(pythonParameters(python));
    if (form !== wanted) differing.push(`nn.${name}(${wanted}): ${form}`);
  }
  expect(differing).toEqual([]);
  expect(all.length).toBeGreaterThan(90);
});

/** Functions of torch.nn that take something else than Python's; each line says what. */
const ownWay: Readonly<Record<string, string>> = {
  'nn.functional.softmax': 'a private argument stands before dtype, which goes by name',
  'nn.functional.softmin': 'a private argument stands before dtype, which goes by name',
  'nn.functional.log_softmax': 'a private argument stands before dtype, which goes by name',
};

test('and so has every function of torch.nn that Python writes itself', () => {
  const differing: string[] = [];
  let compared = 0;
  for (const line of lines) {
    const [, owner = '', name = '', text = ''] = /^(nn[\w.]*)\.(\w+)\((.*)\)$/s.exec(line) ?? [];
    const schemas = written[owner];
    if (schemas === undefined || `${owner}.${name}` in ownWay) continue;
    compared += 1;
    const own = schemas[camelCase(name)];
    const found =
      own === undefined ? native().operatorSchemas(`aten::${name}`) : [native().parseSchema(`f${own} -> Any`)];
    const wanted = normal(pythonParameters(text));
    const forms = found.map((schema) => normal(ownParameters(schema.arguments, false)));
    if (!forms.includes(wanted)) differing.push(`${owner}.${name}(${wanted}): ${forms.join(' | ')}`);
  }
  expect(differing).toEqual([]);
  expect(compared).toBeGreaterThan(70);
});

test('every function of torch.nn.functional is there', () => {
  const names = readFileSync(join(__dirname, '../../lib/torch/python.names.txt'), 'utf8');
  const operators = names.split('[nn.functional]\n')[1]?.trim().split('\n') ?? [];
  const written = lines.flatMap((line) => /^nn\.functional\.(\w+)/.exec(line)?.[1] ?? []);
  const wanted = [...operators.map((line) => line.split(' ')[0] as string), ...written].map(camelCase);
  expect(wanted.length).toBeGreaterThan(100);
  const own = Object.keys(functional);
  expect(wanted.filter((name) => !own.includes(name))).toEqual([]);
});
