/** Everything that makes a loss whole: function, module, reference, cases and golden vectors. One of them missing fails. */
import * as torch from '../../lib';
import * as reference from '../../lib/reference';
import { losses } from '../cases';
import { camelCase, readManifest, vectors } from '../support/golden';

/** What `nn.functional` has besides losses. A new function is a loss unless it is named here. */
const notLosses = ['linear', 'logSigmoid', 'logSoftmax', 'logit', 'relu', 'sigmoid', 'softmax', 'tanh'];

const functions = Object.keys(torch.nn.functional).filter((name) => !notLosses.includes(name));
const { files } = readManifest(vectors);

test('every loss has cases, and everything with cases is a loss', () => {
  expect(losses.map(({ name }) => name).sort()).toEqual(functions.sort());
});

test('every module that is a loss is that of a loss with cases', () => {
  const modules = Object.keys(torch.nn).filter((name) => name.endsWith('Loss'));
  expect(losses.map(({ module }) => module).sort()).toEqual(modules.sort());
});

describe.each(losses)('$name', ({ name, module, reductions, valid, errors }) => {
  test('has golden vectors, of its module too', () => {
    const [recorded] = Object.entries(files).filter(([op]) => camelCase(op) === name);
    expect(recorded?.[1]).toMatchObject({ module, cases: expect.any(Number) });
  });

  test('is in the reference', () => {
    expect(Object.entries(reference)).toContainEqual([name, expect.any(Function)]);
  });

  test('has cases for a batch, for nothing at all and for every kind of error', () => {
    expect(valid.length).toBeGreaterThan(5);
    expect(valid.filter(({ input }) => input.data.length === 0)).not.toHaveLength(0);
    const codes = errors.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['UNKNOWN_OPTION', 'INVALID_ARGUMENT', 'DISPOSED', 'RUNTIME']));
    expect(reductions).toEqual(expect.arrayContaining(['none', 'mean', 'sum']));
  });

  test('has cases of different names', () => {
    for (const cases of [valid, errors]) {
      expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    }
  });
});
