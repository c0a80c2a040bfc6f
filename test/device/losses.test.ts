/** Every loss on a device: each form gives the bits that the same form gives on the CPU, and refuses what it refuses there. */
import * as torch from '../../lib';
import { TorchError } from '../../lib/errors';
import { bitsOf, difference } from '../../lib/parity/bits';
import type { FloatingDType } from '../../lib/types';
import { type ErrorCase, gradientsOf, type Loss, type LossCase, losses } from '../cases';
import { argumentsOf, type Leaves, leavesOf, materialised, nativeFunction, optionsOf } from '../cases/call';
import { random } from '../cases/values';
import { quietly } from '../support/conditions';
import { devices, fake } from '../support/device';

quietly();

type Callable<Result> = (...args: unknown[]) => Result;
type Results = Readonly<Record<string, torch.Tensor | number | undefined>>;
type Outcome = Results | { error: unknown };
/** A form of a call, with its results by name. */
type Form = (args: Callable<unknown[]>, leaves: Leaves) => Results | Promise<Results>;

interface LossWithForms extends Callable<torch.Tensor> {
  item: Callable<number>;
  out: Callable<torch.Tensor>;
  async: Callable<Promise<torch.Tensor>>;
}

type Module = new (options: unknown) => { forward(...args: unknown[]): torch.Tensor };

const [device] = devices;

describe.each(losses)('$name', (loss) => {
  describe.each(loss.valid)('$name', (lossCase) => {
    test.each(lossCase.dtypes ?? loss.dtypes)('%s', async (dtype) => {
      const before = fake.kernels(0);
      const wrong: string[] = [];
      for (const reduction of loss.reductions) {
        for (const [name, form] of Object.entries(formsOf(loss, lossCase, reduction))) {
          const onDevice = await attempt(loss, lossCase, dtype, reduction, form, device);
          const onCpu = await attempt(loss, lossCase, dtype, reduction, form, 'cpu');
          wrong.push(...differences(onDevice, onCpu).map((text) => `${reduction}, ${name}: ${text}`));
        }
      }
      expect(wrong).toEqual([]);
      expect(fake.kernels(0)).toBeGreaterThan(before);
    });
  });

  test.each(loss.errors)('refuses $name', (errorCase) => {
    const [onDevice, onCpu] = [device, 'cpu'].map((where) => refusal(loss, errorCase, where));
    expect(onDevice).toEqual(onCpu);
    expect(onDevice).not.toBeUndefined();
  });
});

/** The forms of a loss, and the module. */
function formsOf(loss: Loss, lossCase: LossCase, reduction: string): Readonly<Record<string, Form>> {
  const call = nativeFunction(loss) as LossWithForms;
  const { [loss.module]: Loss } = torch.nn as unknown as Record<Loss['module'], Module>;
  const valueAndGrad = torch.valueAndGrad(call as (input: torch.Tensor, ...rest: unknown[]) => torch.Tensor);
  const backward = (value: torch.Tensor, leaves: Leaves): Results => {
    const names = gradientsOf(loss, lossCase);
    const shape = value.shape;
    if (names.length > 0) {
      const upstream = random(reduction.length, shape, 0.5, 2);
      const gradient = torch.tensor({ data: upstream.data, shape }, { dtype: value.dtype, device: value.device });
      value.backward({ gradient });
    }
    return {
      value,
      ...Object.fromEntries(names.map((name) => [`gradient of ${name}`, leaves[name]?.grad ?? undefined])),
    };
  };
  const own: Record<string, Form> = {
    'with a graph': (args, leaves) => backward(call(...args()), leaves),
    'without a graph': (args) => torch.noGrad(() => ({ value: call(...args()) })),
    async: async (args, leaves) => backward(await call.async(...args()), leaves),
    out: (args) => {
      const like = torch.noGrad(() => call(...args()));
      return { value: call.out(torch.full(like.shape, 7, { dtype: like.dtype, device: like.device }), ...args()) };
    },
  };
  if (reduction !== 'none') {
    own.item = (args) => ({ first: call.item(...args()), second: call.item(...args()) });
    own['value and gradient'] = (args) => ({ ...valueAndGrad(...(args() as [torch.Tensor])) });
    own['value and gradient, async'] = async (args) => ({
      ...(await valueAndGrad.async(...(args() as [torch.Tensor]))),
    });
  }
  if (!loss.ownsParameters && !loss.functionOnly.some((name) => name in (lossCase.options ?? {}))) {
    own.module = (args, leaves) => {
      const options = args().at(-1);
      return backward(new Loss(options).forward(...args().slice(0, -1)), leaves);
    };
  }
  return own;
}

/** What a form gives, on tensors that are on a device. */
async function attempt(
  loss: Loss,
  lossCase: LossCase,
  dtype: FloatingDType,
  reduction: string,
  form: Form,
  where: torch.Device,
): Promise<Outcome> {
  const made = leavesOf(loss, lossCase, dtype);
  const entries = Object.entries(made).map(([name, leaf]) => [name, moved(leaf, where)] as const);
  const leaves = Object.fromEntries(entries);
  const args = (): unknown[] => [...argumentsOf(lossCase, leaves), { ...optionsOf(lossCase, leaves), reduction }];
  try {
    const results = await form(args, leaves);
    for (const [name, value] of Object.entries(results)) {
      if (value instanceof torch.Tensor && value.device !== where) {
        return { error: `${name} is on ${value.device}, but the arguments are on ${where}` };
      }
    }
    return results;
  } catch (error) {
    return { error };
  }
}

function moved(leaf: torch.Tensor, where: torch.Device): torch.Tensor {
  const there = leaf.detach().to(where);
  return leaf.requiresGrad ? there.requiresGrad_() : there;
}

function differences(onDevice: Outcome, onCpu: Outcome): string[] {
  if ('error' in onDevice || 'error' in onCpu) {
    const [mine, other] = [onDevice, onCpu].map((outcome) =>
      'error' in outcome ? described(outcome.error) : 'no error',
    );
    return mine === other ? [] : [`${mine}, but on the CPU: ${other}`];
  }
  return Object.entries(onCpu).flatMap(([name, expected]) => {
    const actual = onDevice[name];
    if (actual instanceof torch.Tensor && expected instanceof torch.Tensor) {
      return difference(name, bitsOf(actual.detach()), bitsOf(expected.detach()), undefined, 'the CPU gives') ?? [];
    }
    return Object.is(actual, expected) ? [] : [`${name} is ${actual}, but on the CPU ${expected}`];
  });
}

function described(error: unknown): string {
  if (!(error instanceof TorchError)) return String(error);
  return `${error.code} ${error.op} ${error.argument} ${error.message}`;
}

/** What a refused call names, of tensors on a device. */
function refusal(loss: Loss, errorCase: ErrorCase, where: torch.Device): unknown {
  const { args, options } = materialised(errorCase);
  try {
    nativeFunction(loss)(...args.map((value) => there(value, where)), thereIn(options, where));
  } catch (error) {
    const { code, op, argument } = error as TorchError;
    return { code, op, argument };
  }
  return undefined;
}

function there(value: unknown, where: torch.Device): unknown {
  return value instanceof torch.Tensor && !value.isDisposed ? value.to(where) : value;
}

function thereIn(options: unknown, where: torch.Device): unknown {
  const isPlain =
    typeof options === 'object' && options !== null && Object.getPrototypeOf(options) === Object.prototype;
  if (!isPlain) return options;
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, there(value, where)]));
}
