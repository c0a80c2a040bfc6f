/**
 * What becomes of native failures, on an addon that fails where a GPU would: memory that runs out, once or for good, and a
 * device that is lost.
 */
import { throwing } from '../../lib/binding/failures';
import type { Native } from '../../lib/binding/native';
import type { TorchError } from '../../lib/errors';
import { refusal } from './reference/support';

const assertion =
  'CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported at some other API call';
const outOfMemory = 'CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 4.00 GiB';

/** An addon whose functions fail with the codes and messages given, one after the other, and then work. */
function failing(...failures: [code: string, message: string][]): { native: Native; calls: string[] } {
  const failed = {};
  const calls: string[] = [];
  let last: readonly unknown[] = [];
  const entry =
    (name: string) =>
    (...args: unknown[]): unknown => {
      calls.push(name);
      const next = failures.shift();
      if (next === undefined) return args[0];
      last = [...next, name, ''];
      return failed;
    };
  const later =
    (name: string) =>
    (given: unknown, done: (result: unknown) => void): void => {
      const result = entry(name)(given);
      done(name === 'start' && result !== failed ? undefined : result);
    };
  const fake = {
    failed,
    failure: () => last,
    reclaim: () => calls.push('reclaim'),
    operator: (name: string) => entry(name),
    ...Object.fromEntries(
      ['item', 'copyTo', 'startTransfer', 'run', 'backward', 'grad'].map((name) => [name, entry(name)]),
    ),
    asyncCopy: later('asyncCopy'),
    start: later('start'),
  };
  return { native: throwing(fake as unknown as Native), calls };
}

describe('memory that runs out', () => {
  test.each(['item', 'copyTo', 'startTransfer', 'run'] as const)(
    '%s is called once more, after what can be given back',
    (name) => {
      const { native, calls } = failing(['OUT_OF_MEMORY', outOfMemory]);
      expect((native[name] as (value: unknown) => unknown)(5)).toBe(5);
      expect(calls).toEqual([name, 'reclaim', name]);
    },
  );

  test('so are operators, but those that change a tensor in place', () => {
    const pure = failing(['OUT_OF_MEMORY', outOfMemory]);
    expect(pure.native.operator('aten::mul', 'Tensor')(3)).toBe(3);
    expect(pure.calls).toEqual(['aten::mul', 'reclaim', 'aten::mul']);
    const inPlace = failing(['OUT_OF_MEMORY', outOfMemory]);
    expect(refusal(() => inPlace.native.operator('aten::mul_', 'Tensor')(3)).code).toBe('OUT_OF_MEMORY');
    expect(inPlace.calls).toEqual(['aten::mul_']);
  });

  test.each(['backward', 'grad'] as const)('%s is not: it has given parts of the graph away', (name) => {
    const { native, calls } = failing(['OUT_OF_MEMORY', outOfMemory]);
    expect(refusal(() => (native[name] as (value: unknown) => unknown)(5)).message).toBe(outOfMemory);
    expect(calls).toEqual([name]);
  });

  test('for good: the error has the sizes, and says what was tried', () => {
    const { native } = failing(['OUT_OF_MEMORY', outOfMemory], ['OUT_OF_MEMORY', outOfMemory]);
    expect(refusal(() => native.item(5 as never))).toMatchObject({
      name: 'NativeError',
      code: 'OUT_OF_MEMORY',
      message: `${outOfMemory} (after dropped tensors and what allocators keep had been given back)`,
    });
  });

  test('another failure the second time is told as it is', () => {
    const { native } = failing(['OUT_OF_MEMORY', outOfMemory], ['RUNTIME', 'something else']);
    expect(refusal(() => native.item(5 as never))).toMatchObject({ code: 'RUNTIME', message: 'something else' });
  });
});

describe('a device that is lost', () => {
  const text = /^item: expected a GPU that works, .*names them \(libtorch: CUDA error: device-side assert triggered\)$/;

  test('is told of by every call, in one sentence', () => {
    const { native, calls } = failing(['DEVICE_LOST', assertion], ['DEVICE_LOST', assertion]);
    for (let i = 0; i < 2; i++) {
      const error = refusal(() => native.item(5 as never));
      expect(error).toMatchObject({ name: 'NativeError', code: 'DEVICE_LOST', message: expect.stringMatching(text) });
    }
    expect(calls).toEqual(['item', 'item']);
  });

  test('is told of by what runs off the main thread', () => {
    const { native } = failing(['DEVICE_LOST', assertion], ['DEVICE_LOST', assertion]);
    const told: unknown[] = [];
    native.asyncCopy(5 as never, (copy, error) => told.push(copy, (error as TorchError).code));
    native.start(
      () => [],
      (failure) => told.push((failure?.error as TorchError | undefined)?.code),
    );
    expect(told).toEqual([undefined, 'DEVICE_LOST', 'DEVICE_LOST']);
  });
});

test('what runs off the main thread gives its result where nothing fails', () => {
  const { native } = failing();
  const told: unknown[] = [];
  native.asyncCopy(5 as never, (copy, error) => told.push(copy, error));
  native.start(
    () => [],
    (failure) => told.push(failure),
  );
  expect(told).toEqual([5, undefined, undefined]);
});
