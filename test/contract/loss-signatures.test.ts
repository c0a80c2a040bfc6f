/**
 * Option names and defaults of every loss here against those of PyTorch, read from the running PyTorch by
 * scripts/golden/generate.py. Names come from the error for an unknown option; a default is right if writing it out
 * changes nothing.
 */
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { TorchError } from '../../lib/errors';
import { bitsOf, expectBits } from '../../lib/parity/bits';
import { type Argument, type Form, formsOf, type Options } from '../../lib/parity/forms';
import { build } from '../../lib/parity/run-case';
import { type EncodedTensor, type GoldenCase, readCases, readManifest, vectors } from '../../lib/parity/vectors';
import signatures from './python-signatures.json';

interface Parameter {
  name: string;
  default?: unknown;
}

/** Deprecated in PyTorch in favour of `reduction`; this library begins without them. */
const dropped = ['size_average', 'reduce'];

/** Positional in the constructors of modules that own parameters. */
const sizes = ['in_features', 'num_classes'];

const python: Record<string, Parameter[]> = signatures.functional;
const pythonModules: Record<string, Parameter[]> = signatures.modules;
const { files } = readManifest(vectors);
const offered = Object.keys(python).filter((op) => camelCase(op) in torch.nn.functional);

test('every loss has golden cases', () => {
  expect(offered.filter((op) => !(op in files))).toEqual([]);
  expect(offered).toEqual(expect.arrayContaining(['cross_entropy', 'nll_loss', 'kl_div', 'binary_cross_entropy']));
});

describe.each(offered)('%s', (op) => {
  const golden = plainCase(op);
  const args = golden.args.map((argument) =>
    typeof argument === 'string' ? build(golden.tensors[argument] as EncodedTensor) : argument,
  );
  const moduleName = files[op]?.module as string;

  describe.each(formsOf(op, moduleName))('$form', (form) => {
    const parameters = form.form.startsWith('nn.functional')
      ? (python[op] as Parameter[]).filter(({ name }) => !golden.args.includes(name))
      : (pythonModules[moduleName] as Parameter[]);
    const kept = parameters.filter(({ name }) => !dropped.includes(name) && !sizes.includes(name));

    test('takes the options of PyTorch', () => {
      expect(knownOptions(form, args)).toEqual(kept.map(({ name }) => camelCase(name)).sort());
    });

    test('has the defaults of PyTorch', () => {
      const options: Options = {};
      for (const { name, default: value } of kept) {
        if (value !== null) options[camelCase(name)] = value;
      }
      const [spelledOut, plain] = [form.call(args, options), form.call(args, undefined)] as torch.Tensor[];
      expectBits('value with defaults written out', bitsOf(spelledOut as torch.Tensor), bitsOf(plain as torch.Tensor));
    });
  });
});

/** The case that passes no options. */
function plainCase(op: string): GoldenCase {
  const golden = readCases(vectors, op).find(({ case: name }) => name === 'no options');
  if (golden === undefined) throw new Error(`${op} has no case named 'no options'`);
  return golden;
}

/** The options that the error for an unknown one lists. */
function knownOptions(form: Form, args: Argument[]): string[] {
  try {
    form.call(args, { noSuchOption: 1 });
  } catch (error) {
    if (!(error instanceof TorchError) || error.code !== 'UNKNOWN_OPTION') throw error;
    const [, list = ''] = error.message.split('known options are ');
    return [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name as string).sort();
  }
  throw new Error(`${form.form} takes an option that does not exist`);
}
