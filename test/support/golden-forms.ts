/**
 * The other forms of a loss on recorded cases: as a number, into a buffer, off the main thread, and value with gradient.
 * Each is held to the plain call, bit for bit and error for error; that the plain call is PyTorch's, the golden suite shows.
 */
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { NativeError, TorchError } from '../../lib/errors';
import { bitsOf, difference } from '../../lib/parity/bits';
import { readable } from '../../lib/parity/forms';
import { build, evaluated } from '../../lib/parity/run-case';
import type { GoldenCase } from '../../lib/parity/vectors';

type Fn<Result> = (...args: unknown[]) => Result;

/** A loss with its forms, whatever it takes. */
export interface LossWithForms extends Fn<torch.Tensor> {
  item: Fn<number>;
  out: Fn<unknown>;
  async: Fn<Promise<torch.Tensor>>;
}

/** The loss that a golden file is of; `undefined` for one of an activation or a module. */
export function lossOf(op: string): LossWithForms | undefined {
  const functional = torch.nn.functional as unknown as Readonly<Record<string, Partial<LossWithForms> | undefined>>;
  const found = functional[camelCase(op)];
  return found?.async === undefined ? undefined : (found as LossWithForms);
}

interface Call {
  args: unknown[];
  leaves: Map<string, torch.Tensor>;
}

/** The arguments of a case, made anew; without gradients if none is to be recorded. */
function argumentsOf(golden: GoldenCase, recorded = true): Call {
  const args: unknown[] = [];
  const capture = {
    form: 'arguments',
    call: (given: unknown[], options: Record<string, unknown> | undefined) => {
      args.push(...given, ...(options === undefined ? [] : [readable(options)]));
      return true;
    },
  };
  const { leaves } = evaluated(recorded ? golden : { ...golden, grad: [] }, capture, undefined);
  return { args, leaves };
}

/** What a call gave: its result, or why there is none. */
type Outcome<T> = { result: T; error?: undefined } | { result?: undefined; error: unknown };

function attempt<T>(action: () => T): Outcome<T> {
  try {
    return { result: action() };
  } catch (error) {
    return { error: error ?? new Error('nothing was thrown') };
  }
}

async function attemptAsync<T>(action: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { result: await action() };
  } catch (error) {
    return { error: error ?? new Error('nothing was thrown') };
  }
}

/** What an error says. */
function described(error: unknown): unknown {
  if (!(error instanceof TorchError)) return String(error);
  const { code, message, argument, cause } = error;
  const kind = error instanceof NativeError ? 'NativeError' : 'TorchError';
  return { kind, code, message, argument, ...(cause !== undefined && { cause: described(cause) }) };
}

/** The checks of one case: each difference is noted under what was compared. */
class Comparison {
  readonly wrong: string[] = [];

  constructor(private readonly name: string) {}

  note(label: string, text: string): void {
    this.wrong.push(`${this.name}: ${label}: ${text}`);
  }

  same(label: string, actual: torch.Tensor, expected: torch.Tensor): void {
    const text = difference(
      'it',
      bitsOf(actual.detach()),
      bitsOf(expected.detach()),
      undefined,
      'the plain call gives',
    );
    if (text !== undefined) this.note(label, text);
  }

  /** The same error, or a result on both sides, which is then compared. */
  outcome<T, U>(
    label: string,
    actual: Outcome<T>,
    expected: Outcome<U>,
    compare: (actual: T, expected: U) => void,
  ): void {
    const [mine, other] = [actual, expected].map(({ error }) => error && JSON.stringify(described(error)));
    if (mine !== other) this.note(label, `${mine ?? 'no error'}, but the plain call: ${other ?? 'no error'}`);
    else if (mine === undefined) compare(actual.result as T, expected.result as U);
  }
}

/** The plain call; where it refuses to record a gradient that no other form asks for, without recording. */
function plain(loss: LossWithForms, args: unknown[]): Outcome<torch.Tensor> {
  const recorded = attempt(() => loss(...args));
  return recorded.error === undefined ? recorded : attempt(() => torch.noGrad(() => loss(...args)));
}

/** As a number, when it is recorded and when it runs as it was. */
export function compareItem(golden: GoldenCase, loss: LossWithForms): string[] {
  const comparison = new Comparison(golden.name);
  const { args } = argumentsOf(golden);
  const { result, error } = plain(loss, args);
  const expected = result === undefined ? { error } : attempt(() => result.item<number>());
  for (const label of ['item', 'item, again']) {
    const actual = attempt(() => loss.item(...args));
    comparison.outcome(label, actual, expected, (number, other) => {
      if (!Object.is(number, other)) comparison.note(label, `it is ${number}, but the plain call gives ${other}`);
    });
  }
  return comparison.wrong;
}

/** The typed array that a dtype's elements are read into. */
function arrayFor(tensor: torch.Tensor): torch.TypedArray {
  const array = tensor.toTypedArray();
  return array.fill(array instanceof BigInt64Array ? (7n as never) : (7 as never));
}

/** Into a tensor, and into a typed array. */
export function compareOut(golden: GoldenCase, loss: LossWithForms): string[] {
  const comparison = new Comparison(golden.name);
  const { args } = argumentsOf(golden);
  const expected = plain(loss, args);
  const like = expected.result ?? torch.zeros([]);
  const [tensor, array] = [torch.full(like.shape, 7, { dtype: like.dtype }), arrayFor(like)];
  comparison.outcome(
    'out, a tensor',
    attempt(() => loss.out(tensor, ...args)),
    expected,
    (out, value) => {
      if (out !== tensor) comparison.note('out, a tensor', 'another one is given back');
      comparison.same('out, a tensor', tensor, value);
    },
  );
  comparison.outcome(
    'out, a typed array',
    attempt(() => loss.out(array, ...args)),
    expected,
    (out, value) => {
      if (out !== array) comparison.note('out, a typed array', 'another one is given back');
      const { dtype, shape } = value;
      comparison.same('out, a typed array', torch.tensor(array, { dtype, shape }), value);
    },
  );
  return comparison.wrong;
}

/** Off the main thread: the value, the graph that it is in, and the gradients that a backward pass gives. */
export async function compareAsync(golden: GoldenCase, loss: LossWithForms): Promise<string[]> {
  const comparison = new Comparison(golden.name);
  const [own, other] = [argumentsOf(golden), argumentsOf(golden)];
  const expected = attempt(() => loss(...own.args));
  const actual = await attemptAsync(() => loss.async(...other.args));
  comparison.outcome('async', actual, expected, (value, wanted) => {
    comparison.same('async', value, wanted);
    const [mine, theirs] = [value, wanted].map(({ requiresGrad, gradFn, isLeaf }) => [requiresGrad, gradFn, isLeaf]);
    if (String(mine) !== String(theirs))
      comparison.note('async', `its graph is ${mine}, that of the plain call ${theirs}`);
    if (golden.upstream === undefined) return;
    const gradient = build(golden.upstream);
    const [pass, wantedPass] = [value, wanted].map((result) => attempt(() => result.backward({ gradient })));
    comparison.outcome('async, backward', pass as Outcome<void>, wantedPass as Outcome<void>, () => {
      for (const name of golden.grad) {
        const [grad, wantedGrad] = [other, own].map(({ leaves }) => leaves.get(name)?.grad);
        const label = `async, gradient of ${name}`;
        if (grad && wantedGrad) comparison.same(label, grad, wantedGrad);
        else if (grad || wantedGrad) comparison.note(label, 'it exists on one side only');
      }
    });
  });
  return comparison.wrong;
}

type Both = torch.ValueAndGrad<torch.Tensor | torch.TypedArray>;

/** Value and gradient in every way they can be had, against the graph. */
export async function compareValueAndGrad(golden: GoldenCase, loss: LossWithForms): Promise<string[]> {
  const comparison = new Comparison(golden.name);
  // What no derivative is registered for goes through the graph.
  const inGraph = torch.valueAndGrad((...passed: unknown[]) => loss(...passed));
  let { args } = argumentsOf(golden);
  const given = (): [torch.Tensor] => args as [torch.Tensor];
  let expected = attempt(() => inGraph(...given()));
  if (/cannot have requires_grad True/.test(String(expected.error))) {
    // Without a graph nobody asks for the gradient that there is none of.
    args = argumentsOf(golden, false).args;
    expected = attempt(() => inGraph(...given()));
  }
  const [input] = given();
  const check = (label: string, actual: Outcome<Both>, into?: unknown): void => {
    comparison.outcome(label, actual, expected, ({ value, grad }, wanted) => {
      comparison.same(`${label}, value`, value, wanted.value);
      const { dtype, shape } = wanted.grad;
      const gradient = grad instanceof torch.Tensor ? grad : torch.tensor(grad, { dtype, shape });
      comparison.same(`${label}, gradient`, gradient, wanted.grad);
      if (value.requiresGrad || gradient.requiresGrad) comparison.note(label, 'it is in a graph');
      if (into !== undefined && grad !== into) comparison.note(label, 'another tensor is given back');
    });
  };
  // Off the main thread a derivative says itself why it refuses, where the graph may have had another reason first.
  const checkAsync = (label: string, actual: Outcome<Both>, into?: unknown): void => {
    if (!(expected.error instanceof TorchError && actual.error instanceof TorchError)) check(label, actual, into);
  };
  const direct = torch.valueAndGrad(loss);
  for (const label of ['valueAndGrad', 'valueAndGrad, again'])
    check(
      label,
      attempt(() => direct(...given())),
    );
  checkAsync('valueAndGrad.async', await attemptAsync(() => direct.async(...given())));
  const { shape, dtype } = input;
  if (dtype !== 'float64' && dtype !== 'float32' && dtype !== 'float16' && dtype !== 'bfloat16')
    return comparison.wrong;
  for (const into of [torch.full(shape, 7, { dtype }), arrayFor(torch.zeros(shape, { dtype }))]) {
    const label = `gradInto ${into instanceof torch.Tensor ? 'a new tensor' : 'a typed array'}`;
    check(
      label,
      attempt(() => torch.valueAndGrad(loss, { gradInto: into })(...given())),
      into,
    );
  }
  // An expanded input has one element in several places: nothing can be written into it.
  if (input.stride().includes(0) && input.numel() > 1) return comparison.wrong;
  const own = argumentsOf(golden, false).args as [torch.Tensor];
  const inPlace = attempt(() => torch.valueAndGrad(loss, { gradInto: own[0] })(...own));
  check('gradInto the input itself', inPlace, own[0]);
  const other = argumentsOf(golden, false).args as [torch.Tensor];
  const later = await attemptAsync(() => torch.valueAndGrad(loss, { gradInto: other[0] }).async(...other));
  checkAsync('gradInto the input itself, async', later, other[0]);
  return comparison.wrong;
}

/** What the comparisons find wrong with the cases, each in a scope of its own. */
export async function wrongWith(
  cases: readonly GoldenCase[],
  loss: LossWithForms,
  compare: (golden: GoldenCase, loss: LossWithForms) => string[] | Promise<string[]>,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const golden of cases) wrong.push(...(await torch.scope(async () => compare(golden, loss))));
  return wrong;
}
