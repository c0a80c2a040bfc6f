/** Scopes: what they dispose, what they let go, and that they end once, however they end. */
import * as torch from 'libtorch-losses';
import { madeBy, refusal } from './support';

const { keep, scope } = torch;
const make = (): torch.Tensor => torch.ones([2]);
const alive = (...tensors: (torch.Tensor | undefined)[]): boolean[] =>
  tensors.map((tensor) => tensor?.isDisposed === false);
const tick = (milliseconds = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a synchronous scope', () => {
  test('disposes what was made in it, at once and to the last', () => {
    let inner: torch.Tensor | undefined;
    const made = madeBy(() => {
      const total = scope(() => {
        inner = make();
        return inner.add(1).mul(inner).sum().item();
      });
      expect(total).toBe(4);
    });
    expect([made, alive(inner)]).toEqual([0, [false]]);
  });

  test('leaves what was made before', () => {
    const x = make();
    expect(scope(() => x.sum().item())).toBe(2);
    expect(alive(x)).toEqual([true]);
  });

  class Layer {
    weight = make();
  }

  test.each<[string, (tensor: torch.Tensor) => unknown]>([
    ['itself', (tensor) => tensor],
    ['in an array', (tensor) => [1, [tensor]]],
    ['in an object', (tensor) => ({ a: { b: tensor } })],
    ['in a Map, as value', (tensor) => new Map([['key', tensor]])],
    ['in a Map, as key', (tensor) => new Map([[tensor, 1]])],
    ['in a Set', (tensor) => new Set([[tensor]])],
    ['in an object of a class', (tensor) => Object.assign(new Layer(), { weight: tensor })],
    [
      'in an object that holds itself',
      (tensor) => {
        const object: Record<string, unknown> = { tensor };
        object.self = object;
        return object;
      },
    ],
    [
      'as what a getter gives',
      (tensor) => ({
        get tensor() {
          return tensor;
        },
      }),
    ],
    ['twice', (tensor) => [tensor, tensor]],
    [
      'at the end of a long chain',
      (tensor) => {
        let chain: unknown = tensor;
        for (let i = 0; i < 50_000; i++) chain = { next: chain };
        return chain;
      },
    ],
  ])('lets go what is returned %s', (_name, wrap) => {
    let [returned, dropped]: (torch.Tensor | undefined)[] = [];
    scope(() => {
      dropped = make();
      returned = make();
      return wrap(returned);
    });
    expect(alive(returned, dropped)).toEqual([true, false]);
  });

  test.each([undefined, null, 5, 'text', Symbol('s'), () => 1, Buffer.alloc(8), new Date(0), /x/])(
    'passes %p through',
    (value) => {
      expect(scope(() => value)).toBe(value);
    },
  );

  test('hands what it returns to the scope around it', () => {
    let [inner, outer]: (torch.Tensor | undefined)[] = [];
    const kept = scope(() => {
      inner = scope(() => make());
      outer = scope(() => scope(() => make()));
      expect(alive(inner, outer)).toEqual([true, true]);
      return outer;
    });
    expect(alive(inner, kept)).toEqual([false, true]);
  });

  test('keep takes a tensor out of every scope around it', () => {
    const kept: torch.Tensor[] = [];
    scope(() => {
      const held = scope(() => {
        kept.push(keep(make()), ...keep([make()]));
        return keep({ a: make() });
      });
      kept.push(held.a);
    });
    expect(alive(...kept)).toEqual([true, true, true]);
    expect(keep(5)).toBe(5);
  });

  test('disposing in it is no trouble, nor is what outlives it', () => {
    const grad = scope(() => {
      const x = torch.ones([2], { requiresGrad: true });
      const y = x.mul(3);
      y.sum().backward();
      y.dispose();
      return x.grad;
    });
    expect(grad?.toArray()).toEqual([3, 3]);
  });

  test('disposes after an error, of the function and of a getter of what it returns', () => {
    const made: torch.Tensor[] = [];
    const failing: (() => unknown)[] = [
      () => {
        throw new Error('mine');
      },
      () => ({
        first: make(),
        get second(): never {
          throw new Error('mine');
        },
      }),
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what looks like a promise, and is none
        get then(): never {
          throw new Error('mine');
        },
      }),
    ];
    for (const fail of failing) {
      expect(() =>
        scope(() => {
          made.push(make());
          return fail();
        }),
      ).toThrow('mine');
    }
    expect(alive(...made)).toEqual(made.map(() => false));
    expect(madeBy(() => scope(make).dispose())).toBe(0);
  });

  test.each([undefined, null, {}, 'fn', 1])('refuses %p for a function', (fn) => {
    expect(refusal(() => scope(fn as never))).toMatchObject({ op: 'scope', argument: 'fn', code: 'INVALID_ARGUMENT' });
  });
});

describe('an asynchronous scope', () => {
  test('ends when its promise settles', async () => {
    const made: torch.Tensor[] = [];
    const running = scope(async () => {
      made.push(make());
      await tick();
      made.push(make());
      return [keep(make()), make().sum()];
    });
    expect(alive(...made)).toEqual([true]);
    const results = await running;
    expect([alive(...made), alive(...results)]).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  test('disposes when it fails, and fails as it did', async () => {
    let made: torch.Tensor | undefined;
    const failing = scope(async () => {
      made = make();
      await tick();
      throw new Error('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    expect(alive(made)).toEqual([false]);
  });

  test('two at once do not see each other’s tensors', async () => {
    const [slow, fast]: torch.Tensor[][] = [[], []];
    const steps = (list: torch.Tensor[] | undefined, pause: number) =>
      scope(async () => {
        for (let i = 0; i < 5; i++) {
          list?.push(make());
          await tick(pause);
          expect(alive(...(list ?? []))).toEqual((list ?? []).map(() => true));
        }
        return list?.[0];
      });
    const running = [steps(slow, 8), steps(fast, 1)];
    await running[1];
    expect(alive(...(fast ?? []))).toEqual([true, false, false, false, false]);
    await running[0];
    expect(alive(...(slow ?? []))).toEqual([true, false, false, false, false]);
  });

  test('tensors of a call that nobody awaited, made after the end, belong to nobody', async () => {
    let late: Promise<torch.Tensor> | undefined;
    await scope(async () => {
      late = tick(5).then(make);
      await tick();
    });
    expect(alive(await (late as Promise<torch.Tensor>))).toEqual([true]);
  });

  test('outside of it nothing is tracked meanwhile', async () => {
    const running = scope(async () => {
      await tick(5);
      return make();
    });
    const outside = make();
    const inner = await running;
    expect(alive(outside, inner)).toEqual([true, true]);
  });

  test('a scope in a scope, both asynchronous', async () => {
    const [kept, dropped]: torch.Tensor[][] = [[], []];
    await scope(async () => {
      const inner = await scope(async () => {
        dropped?.push(make());
        await tick();
        return make();
      });
      expect(alive(inner, dropped?.[0])).toEqual([true, false]);
      dropped?.push(inner);
      await tick();
      kept?.push(keep(make()));
    });
    expect([alive(...(kept ?? [])), alive(...(dropped ?? []))]).toEqual([[true], [false, false]]);
  });

  test('ends once, whatever a foreign promise does', async () => {
    const settlesTwice = {
      // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else
      then(resolve: (value: number) => void, reject: (error: Error) => void) {
        resolve(1);
        resolve(2);
        reject(new Error('late'));
        throw new Error('later');
      },
    };
    expect(await scope(() => settlesTwice as never)).toBe(1);
    // Scopes go on working: none of these has been counted twice.
    expect(madeBy(() => scope(() => make().item === undefined))).toBe(0);
  });
});

test('using disposes at the end of its block, also after an error, and disposing twice is not an error', () => {
  const made: torch.Tensor[] = [];
  const block = (fail: boolean): number => {
    using x = make();
    using y = x.add(1);
    made.push(x, y);
    if (fail) throw new Error('mine');
    x.dispose();
    return y.sum().item();
  };
  expect(block(false)).toBe(4);
  expect(() => block(true)).toThrow('mine');
  expect(alive(...made)).toEqual([false, false, false, false]);
});

test('memory() counts tensors and the bytes that they show', () => {
  const before = torch.memory();
  const x = torch.zeros([1000], { dtype: 'float64' });
  const view = x.narrow(0, 0, 10);
  const wide = torch.ones([1]).expand([1000]);
  const now = torch.memory();
  // A view counts what it shows, but no more than its storage has.
  expect([now.tensors - before.tensors, now.bytes - before.bytes]).toEqual([4, 8000 + 80 + 4 + 4]);
  for (const tensor of [x, view, wide]) tensor.dispose();
  expect(torch.memory().bytes - before.bytes).toBe(4);
});
