/** Weights that are computed of other tensors, by torch.nn.utils, as PyTorch computed them. */
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { bitsOf, expectBits, tolerances } from '../../lib/parity/bits';
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { type EncodedTensor, readManifest, resultBits, vectors } from '../../lib/parity/vectors';
import cases from './reparametrized.json';

type Named = [name: string, tensor: EncodedTensor][];

const judge = judgeFor(readManifest(vectors), thisHost());

function compare(label: string, actual: torch.Tensor, expected: EncodedTensor): void {
  const tolerance = judge.exact && judge.but === undefined ? undefined : tolerances[expected[0]];
  expectBits(label, bitsOf(actual.detach()), resultBits(expected), tolerance);
}

function compareAll(label: string, actual: Iterable<[string, torch.Tensor]>, expected: Named): void {
  const found = [...actual];
  expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
  for (const [i, [name, tensor]] of found.entries())
    compare(`${label} of ${name}`, tensor, expected[i]?.[1] as EncodedTensor);
}

beforeAll(() => {
  jest.spyOn(process, 'emitWarning').mockImplementation();
});
afterAll(() => jest.restoreAllMocks());

test.each(cases.map((recorded) => [`${recorded.call} ${JSON.stringify(recorded.kwargs)}`, recorded] as const))(
  '%s',
  (_, recorded) => {
    const { call, sizes, kwargs, printed } = recorded;
    torch.manualSeed(5);
    const module = new torch.nn.Linear(...(sizes as [number, number]));
    const named = Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [camelCase(key), value]));
    const made = call
      .split('.')
      .reduce<unknown>((at, part) => (at as Record<string, unknown>)[camelCase(part)], torch.nn.utils);
    expect((made as (...args: unknown[]) => unknown)(module, named)).toBe(module);
    expect(String(module)).toBe(printed);
    compareAll('state before', module.stateDict(), recorded.before as Named);
    const input = torch.randn(4, sizes[0] as number);
    const outputs = [module(input), module(input), module.eval()(input)];
    outputs.reduce((sum, output) => sum.add(output.sum()), torch.zeros([])).backward();
    for (const [i, output] of outputs.entries()) compare(`output ${i}`, output, recorded.outputs[i] as EncodedTensor);
    const grads = Array.from(module.namedParameters(), ([name, { grad }]): [string, torch.Tensor] => [
      name,
      grad as torch.Tensor,
    ]);
    compareAll('gradient', grads, recorded.grads as Named);
    compareAll('state after', module.stateDict(), recorded.after as Named);
    const property = (named.name ?? 'weight') as 'weight';
    compare('weight', module[property], recorded.weight as EncodedTensor);
  },
);
