/** What every loss refuses alike: options and arguments of the wrong kind. */
import type { WrittenError } from './case';
import { disposed, Values } from './values';

/** The cases of a loss for which these arguments fit. `Values` among them are meant to be tensors. */
export function misuse<const Name extends string>(fitting: Readonly<Record<Name, unknown>>): WrittenError<Name>[] {
  return [
    ...misusedOptions(fitting),
    ...Object.entries(fitting).flatMap(([name, value]) =>
      value instanceof Values ? misusedTensor(fitting, name as Name, value) : [],
    ),
  ];
}

function misusedOptions<Name extends string>(fitting: Readonly<Record<Name, unknown>>): WrittenError<Name>[] {
  const wrongReduction = { ...fitting, code: 'INVALID_ARGUMENT', argument: 'reduction' } as const;
  const wrongOptions = { ...fitting, code: 'INVALID_ARGUMENT', argument: 'options' } as const;
  const unknown = { ...fitting, code: 'UNKNOWN_OPTION' } as const;
  return [
    { ...unknown, name: 'a misspelled option', options: { reductoin: 'sum' }, argument: 'reductoin' },
    { ...unknown, name: "PyTorch's name of an option", options: { size_average: false }, argument: 'size_average' },
    { ...wrongReduction, name: 'a reduction that does not exist', options: { reduction: 'average' } },
    { ...wrongReduction, name: 'a reduction in capitals', options: { reduction: 'Mean' } },
    { ...wrongReduction, name: "ATen's number of a reduction", options: { reduction: 1 } },
    { ...wrongOptions, name: 'a Map in place of the options', options: new Map([['reduction', 'sum']]) },
  ];
}

function misusedTensor<Name extends string>(
  fitting: Readonly<Record<Name, unknown>>,
  name: Name,
  value: Values,
): WrittenError<Name>[] {
  const wrong = { ...fitting, code: 'INVALID_ARGUMENT', argument: name } as const;
  const gone = { ...wrong, code: 'DISPOSED', [name]: disposed(value), nativeOnly: true } as const;
  const plain = (other: unknown): unknown =>
    other instanceof Values && other !== value ? { data: other.data, shape: other.shape } : other;
  const others = Object.entries(fitting).map(([other, given]) => [other, other === name ? gone[name] : plain(given)]);
  return [
    { ...wrong, name: `text as ${name}`, [name]: 'abc' },
    { ...wrong, name: `null as ${name}`, [name]: null },
    { ...wrong, name: `an object as ${name}`, [name]: {} },
    { ...wrong, name: `no ${name}`, [name]: undefined },
    { ...gone, name: `a disposed ${name}` },
    { ...gone, name: `a disposed ${name} beside plain data`, ...Object.fromEntries(others) },
  ];
}

/** Numbers that are wanted and something else given: text as `margin`, for instance. */
export function notNumbers<Name extends string>(
  fitting: Readonly<Record<Name, unknown>>,
  ...names: readonly string[]
): WrittenError<Name>[] {
  return names.flatMap((name): WrittenError<Name>[] => {
    const wrong = { ...fitting, code: 'INVALID_ARGUMENT', argument: name } as const;
    return [
      { ...wrong, name: `text as ${name}`, options: { [name]: '1' } },
      { ...wrong, name: `true as ${name}`, options: { [name]: true } },
    ];
  });
}

/** Flags that are wanted and something else given: a number as `swap`, for instance. */
export function notFlags<Name extends string>(
  fitting: Readonly<Record<Name, unknown>>,
  ...names: readonly string[]
): WrittenError<Name>[] {
  return names.flatMap((name): WrittenError<Name>[] => {
    const wrong = { ...fitting, code: 'INVALID_ARGUMENT', argument: name } as const;
    return [
      { ...wrong, name: `a number as ${name}`, options: { [name]: 1 } },
      { ...wrong, name: `text as ${name}`, options: { [name]: 'true' } },
    ];
  });
}
