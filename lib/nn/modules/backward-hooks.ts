/** Hooks of the backward pass: places in the graph before and behind a module, where gradients go through. */
import { emitWarning } from '../../binding/load';
import { expected, show } from '../../errors';
import { isGradEnabled } from '../../torch/autograd';
import { isTensor } from '../../torch/bind';
import { hookGradients } from '../../torch/custom-function';
import type { Tensor } from '../../torch/tensor';
import { className, type Registered } from './registry';

// biome-ignore lint/suspicious/noExplicitAny: what a hook takes and gives is its module's matter
export type Hook = (...args: any[]) => any;

/** Gradients of inputs or results; `undefined` for what is not a tensor, and where there is none. */
export type Gradients = readonly (Tensor | undefined)[];

/** What goes through one call of a module. */
export class BackwardHooks {
  readonly #module: Registered;
  readonly #pre: readonly Hook[];
  readonly #full: readonly Hook[];
  #inputCount = 0;
  /** Which inputs gradients go through to; `undefined` if to none. */
  #inputPlaces: readonly number[] | undefined;
  /** From when they are known until those of the inputs are. */
  #ofResults: Gradients | undefined;

  constructor(module: Registered, pre: readonly Hook[], full: readonly Hook[]) {
    this.#module = module;
    this.#pre = pre;
    this.#full = full;
  }

  /** The inputs of the call, as those of its graph. */
  inputs(given: unknown[]): unknown[] {
    this.#inputCount = given.length;
    const { values, places } = placed(given, true, (gradients) => this.#atInputs(gradients));
    this.#inputPlaces = places;
    return values;
  }

  /** Its result, as that of its graph. */
  result(given: unknown): unknown {
    const isList = Array.isArray(given);
    if (!isList && !isTensor(given)) {
      emitWarning(`Hooks of the backward pass: a Tensor or an array of them is expected as result, not ${show(given)}`);
      return given;
    }
    const results: unknown[] = isList ? given : [given];
    const { values } = placed(results, false, (gradients, places) =>
      this.#atResults(gradients, places, results.length),
    );
    return isList ? values : values[0];
  }

  #atResults(gradients: Gradients, places: readonly number[], count: number): Gradients {
    let all = spread(gradients, places, count);
    for (const hook of this.#pre) all = this.#changed('before', all, hook(this.#module, all));
    if (this.#inputPlaces === undefined) this.#withoutInputs(all);
    else this.#ofResults = all;
    return places.map((place) => all[place]);
  }

  /** Nothing behind the module is waited for. */
  #withoutInputs(ofResults: Gradients): void {
    if (this.#full.length === 0) return;
    emitWarning(
      'A full backward hook is called with the gradients of results alone, since no input requires a gradient',
    );
    const ofInputs = new Array<undefined>(this.#inputCount).fill(undefined);
    for (const hook of this.#full) {
      const changed: unknown = hook(this.#module, ofInputs, ofResults);
      if (isAbsent(changed) || (Array.isArray(changed) && changed.every(isAbsent))) continue;
      throw expected(
        className(this.#module),
        'the hook',
        'to give nothing where no input requires a gradient',
        show(changed),
      );
    }
  }

  #atInputs(gradients: Gradients): Gradients {
    const ofResults = this.#ofResults;
    const places = this.#inputPlaces;
    // Gradients may come to the inputs on other ways: when they are differentiated again, for one.
    if (ofResults === undefined || places === undefined) return gradients;
    let all = spread(gradients, places, this.#inputCount);
    for (const hook of this.#full) all = this.#changed('behind', all, hook(this.#module, all, ofResults));
    this.#ofResults = undefined;
    return places.map((place) => all[place]);
  }

  #changed(where: string, gradients: Gradients, changed: unknown): Gradients {
    if (isAbsent(changed)) return gradients;
    const list: unknown[] = isTensor(changed) ? [changed] : Array.isArray(changed) ? changed : [];
    const fits = list.length === gradients.length && list.every((each) => isAbsent(each) || isTensor(each));
    if (fits) return list.map((each) => (isAbsent(each) ? undefined : (each as Tensor)));
    const what = `to give nothing or ${gradients.length} gradients`;
    throw expected(className(this.#module), `the hook ${where} the backward pass`, what, show(changed));
  }
}

type Through = (gradients: Gradients, places: readonly number[]) => Gradients;

/** The values with their tensors put where gradients meet a hook, and where those are; nowhere if nothing is recorded. */
function placed(
  given: unknown[],
  materializes: boolean,
  hook: Through,
): { values: unknown[]; places: readonly number[] | undefined } {
  const places = [...given.keys()].filter((i) => isTensor(given[i]));
  const tensors = places.map((i) => given[i] as Tensor);
  if (!isGradEnabled() || !tensors.some(({ requiresGrad }) => requiresGrad))
    return { values: given, places: undefined };
  const hooked = hookGradients(tensors, materializes, (gradients) => hook(gradients, places));
  const values = [...given];
  for (const [i, place] of places.entries()) values[place] = hooked[i];
  return { values, places };
}

function spread(gradients: Gradients, places: readonly number[], count: number): Gradients {
  const all = new Array<Tensor | undefined>(count).fill(undefined);
  for (const [i, place] of places.entries()) all[place] = gradients[i];
  return all;
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
