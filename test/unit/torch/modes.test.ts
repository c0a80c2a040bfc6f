/** noGrad, enableGrad and inferenceMode: what holds inside, and that it ends however the function ends. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal } from './support';

const modes = { noGrad: torch.noGrad, enableGrad: torch.enableGrad, inferenceMode: torch.inferenceMode };
const state = (): boolean[] => [torch.isGradEnabled(), torch.isInferenceModeEnabled()];
const outside = [true, false];
const leaf = (): torch.Tensor => torch.ones([2], { requiresGrad: true });

afterEach(() => {
  expect(state()).toEqual(outside);
});

test('each gives what the function gives, and its own state inside', () => {
  expect(torch.noGrad(state)).toEqual([false, false]);
  expect(torch.enableGrad(state)).toEqual([true, false]);
  expect(torch.inferenceMode(state)).toEqual([false, true]);
  expect(torch.noGrad(() => undefined)).toBeUndefined();
});

test('nested, the innermost holds, and the outer one comes back', () => {
  torch.noGrad(() => {
    expect(torch.enableGrad(() => leaf().mul(2).requiresGrad)).toBe(true);
    expect(state()).toEqual([false, false]);
    torch.inferenceMode(() => {
      expect(torch.noGrad(state)).toEqual([false, true]);
      // Recording can be switched on in there, and records nothing of what is made in there.
      expect(torch.enableGrad(() => torch.ones([1]).isInference())).toBe(true);
    });
    expect(state()).toEqual([false, false]);
  });
});

test('no operation is recorded', () => {
  const x = leaf();
  const [y, z] = [torch.noGrad(() => x.exp()), torch.inferenceMode(() => x.exp())];
  expect([y.requiresGrad, y.gradFn, y.isInference(), z.requiresGrad, z.isInference()]).toEqual([
    false,
    undefined,
    false,
    false,
    true,
  ]);
});

test('inference tensors can be read, but not recorded or changed outside', () => {
  const x = torch.inferenceMode(() => torch.ones([2]));
  expect(x.add(1).toArray()).toEqual([2, 2]);
  expectNative(
    refusal(() => x.mul(leaf())),
    'RUNTIME',
    /Inference tensors cannot be saved for backward/,
  );
  expectNative(
    refusal(() => x.add_(1)),
    'RUNTIME',
    /Inplace update to inference tensor outside InferenceMode/,
  );
  expectNative(
    refusal(() => x.requiresGrad_()),
    'RUNTIME',
    /inference tensor/,
  );
  expect(torch.inferenceMode(() => x.fill_(5)).toArray()).toEqual([5, 5]);
});

describe.each(Object.entries(modes))('%s', (name, mode) => {
  const thrown: unknown[] = [
    new Error('mine'),
    new torch.TorchError('VALUE', 'mine'),
    'text',
    5,
    undefined,
    null,
    Symbol('s'),
    { a: 1 },
  ];

  test.each(thrown.map((value) => [value]))('passes what is thrown on as it is: %p', (value) => {
    let caught: unknown = 'nothing';
    try {
      mode(() => {
        throw value;
      });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(value);
    expect(state()).toEqual(outside);
  });

  test('restores the state after libtorch’s errors, from any depth', () => {
    expect(() => mode(() => torch.noGrad(() => mode(() => torch.ones([2]).add(torch.ones([3])))))).toThrow(
      torch.NativeError,
    );
  });

  test('restores the state after a stack overflow', () => {
    const forever = (): unknown => mode(forever);
    expect(forever).toThrow(/Maximum call stack/);
  });

  test('refuses what gives a promise, and leaves its failure to nobody', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    for (const fn of [
      async () => 1,
      () => Promise.reject(new Error('later')),
      // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else
      () => ({ then: () => undefined }),
    ]) {
      expect(refusal(() => mode(fn as () => unknown))).toMatchObject({
        op: name,
        argument: 'fn',
        code: 'INVALID_ARGUMENT',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test.each([undefined, null, 1, 'fn', {}, torch.ones([1])])('refuses %p for a function', (fn) => {
    expect(refusal(() => mode(fn as never))).toMatchObject({ op: name, argument: 'fn' });
  });
});

test('a mode belongs to its call: what runs later is outside of it', async () => {
  const later = torch.noGrad(() => ({ state: Promise.resolve().then(state) }));
  expect(await later.state).toEqual(outside);
  expect(torch.noGrad(() => [1].map(state))).toEqual([[false, false]]);
});
