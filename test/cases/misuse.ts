/** What every loss refuses alike: options and arguments of the wrong kind. */
import type { ErrorCase } from './case';
import { disposed, type Values } from './values';

/** The cases of a loss for which `input` and `target` fit. */
export function misuse(input: Values, target: Values): ErrorCase[] {
  const wrongReduction = { input, target, code: 'INVALID_ARGUMENT', argument: 'reduction' } as const;
  const wrongOptions = { input, target, code: 'INVALID_ARGUMENT', argument: 'options' } as const;
  return [
    {
      name: 'a misspelled option',
      input,
      target,
      options: { reductoin: 'sum' },
      code: 'UNKNOWN_OPTION',
      argument: 'reductoin',
    },
    {
      name: "PyTorch's name of an option",
      input,
      target,
      options: { size_average: false },
      code: 'UNKNOWN_OPTION',
      argument: 'size_average',
    },
    { name: 'a reduction that does not exist', ...wrongReduction, options: { reduction: 'average' } },
    { name: 'a reduction in capitals', ...wrongReduction, options: { reduction: 'Mean' } },
    { name: "ATen's number of a reduction", ...wrongReduction, options: { reduction: 1 } },
    { name: 'null as a reduction', ...wrongReduction, options: { reduction: null } },
    { name: 'a reduction in place of the options', ...wrongOptions, options: 'mean' },
    { name: 'null in place of the options', ...wrongOptions, options: null },
    { name: 'an array in place of the options', ...wrongOptions, options: [1] },
    { name: 'text as input', input: 'abc', target, code: 'INVALID_ARGUMENT', argument: 'input' },
    { name: 'null as input', input: null, target, code: 'INVALID_ARGUMENT', argument: 'input' },
    { name: 'an object as target', input, target: {}, code: 'INVALID_ARGUMENT', argument: 'target' },
    { name: 'no target', input, target: undefined, code: 'INVALID_ARGUMENT', argument: 'target' },
    { name: 'a disposed input', input: disposed(input), target, code: 'DISPOSED', argument: 'input', nativeOnly: true },
    {
      name: 'a disposed target',
      input,
      target: disposed(target),
      code: 'DISPOSED',
      argument: 'target',
      nativeOnly: true,
    },
  ];
}
