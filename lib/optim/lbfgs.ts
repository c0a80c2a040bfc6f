/** L-BFGS. */
import { native } from '../binding/load';
import { expected, show } from '../errors';
import { callable, integer, oneOf } from '../options';
import { isTensor } from '../torch/bind';
import { cat, zerosLike } from '../torch/operators.generated';
import { keep, scope } from '../torch/scope';
import { synchronous } from '../torch/synchronous';
import type { Tensor } from '../torch/tensor';
import { isAtMost, isLess, type Numeric, numberIn, over, smallest, times } from './arithmetic';
import { asReal } from './batch';
import { optimizerClass } from './declare';
import { isGroup, type ParamGroup } from './groups';
import { strongWolfe } from './line-search';
import type { Closure } from './optimizer';
import { number, type Option, type OptionValues, rate } from './options';
import type { ParameterState } from './state-dict';
import { checkKinds } from './step';

const lineSearches = ['strong_wolfe'] as const;

const count = (otherwise: number): Option<number> => ({ default: otherwise, check: integer });

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1),
  /** The most iterations of a step. */
  maxIter: count(20),
  /** The most calls of the closure in a step; by default 5/4 of `maxIter`. */
  maxEval: {
    default: null,
    check: (op, label, value) => (value === null ? null : integer(op, label, value)),
  } satisfies Option<number | null> as Option<number | null>,
  /** The largest element of a gradient that counts as 0. */
  toleranceGrad: number(1e-7),
  /** The change of loss and parameters at which a step ends. */
  toleranceChange: number(1e-9),
  /** How many iterations are remembered. */
  historySize: count(100),
  /** How the size of an iteration is found; by default it is the learning rate. */
  lineSearchFn: {
    default: null,
    check: (op, label, value) => (value === null ? null : oneOf(op, label, value, lineSearches)),
  } satisfies Option<'strong_wolfe' | null> as Option<'strong_wolfe' | null>,
} as const;

type Group = OptionValues<typeof options>;

/** What is kept from step to step, in the state of the first parameter. */
interface Memory {
  funcEvals: number;
  nIter: number;
  d?: Tensor;
  t?: Numeric;
  oldDirs?: Tensor[];
  oldStps?: Tensor[];
  ro?: Tensor[];
  HDiag?: Numeric;
  prevFlatGrad?: Tensor;
  prevLoss?: number;
  al?: (Tensor | null)[];
}

/** One step: what it computes with lives as long, unless it goes into the memory. */
class Run {
  readonly #params: readonly Tensor[];
  readonly #group: Group;
  readonly #closure: () => unknown;
  readonly #made = new Set<Tensor>();
  readonly #memory: Memory;
  #evaluations = 0;
  #before: Tensor[] | undefined;

  constructor(params: readonly Tensor[], group: Group, closure: () => unknown, memory: Memory) {
    this.#params = params;
    this.#group = group;
    this.#closure = closure;
    // Lists are written to; the tensors in them are not.
    const { oldDirs = [], oldStps = [], ro = [], al } = memory;
    this.#memory = { ...memory, oldDirs: [...oldDirs], oldStps: [...oldStps], ro: [...ro], ...(al && { al: [...al] }) };
  }

  /** The loss of the first evaluation, and the memory after the step. */
  run(): { loss: unknown; memory: Memory } {
    try {
      const loss = this.#closure();
      this.#memory.funcEvals += 1;
      this.#evaluations = 1;
      const gradient = this.#gradient();
      if (!this.#isFlat(gradient)) this.#iterate(numberOf(loss), gradient);
      return { loss, memory: this.#memory };
    } catch (error) {
      if (this.#before !== undefined) this.#write(this.#before);
      throw error;
    } finally {
      this.#dispose();
    }
  }

  /** Gives back what was made and is not in the memory. */
  #dispose(): void {
    const kept = new Set(Object.values(this.#memory).flat());
    for (const tensor of this.#made) if (!kept.has(tensor)) tensor.dispose();
  }

  readonly #compute = <T>(fn: () => T): T => {
    const result = keep(scope(fn));
    for (const item of [result].flat()) {
      const found: unknown[] = isTensor(item) || !isGroup(item) ? [item] : Object.values(item);
      for (const tensor of found) if (isTensor(tensor) && tensor !== this.#group.lr) this.#made.add(tensor);
    }
    return result;
  };

  #iterate(first: number, gradientOfFirst: Tensor): void {
    const { maxIter, maxEval, toleranceChange } = this.#group;
    const memory = this.#memory;
    this.#before = this.#compute(() => this.#params.map((parameter) => parameter.clone()));
    let [loss, gradient] = [first, gradientOfFirst];
    for (let i = 1; i <= maxIter; i++) {
      memory.nIter += 1;
      memory.d = this.#direction(gradient);
      memory.prevFlatGrad = gradient;
      const previous = loss;
      memory.prevLoss = loss;
      const direction = memory.d;
      memory.t = this.#compute(() => this.#firstSize(gradient));
      const slope = this.#compute(() => gradient.dot(direction));
      if (this.#compute(() => isLess(-toleranceChange, slope))) break;
      const isLast = i === maxIter;
      const found = this.#move(loss, gradient, slope, isLast);
      [loss, gradient] = [found.loss, found.gradient];
      memory.funcEvals += found.evaluations;
      this.#evaluations += found.evaluations;
      if (isLast || this.#evaluations >= (maxEval as number) || this.#isFlat(gradient)) break;
      const size = this.#compute(() =>
        direction
          .mul(memory.t as Tensor)
          .abs()
          .max(),
      );
      if (this.#compute(() => isAtMost(size, toleranceChange))) break;
      if (Math.abs(loss - previous) < toleranceChange) break;
    }
  }

  #firstSize(gradient: Tensor): Numeric {
    const { lr } = this.#group;
    const rate = isTensor(lr) && lr.ndim > 0 ? lr.squeeze() : lr;
    if (this.#memory.nIter > 1) return rate;
    return times(smallest(1, over(1, gradient.abs().sum())), rate);
  }

  /** Moves along the direction, and evaluates there unless it was the last time. */
  #move(
    loss: number,
    gradient: Tensor,
    slope: Tensor,
    isLast: boolean,
  ): { loss: number; gradient: Tensor; evaluations: number } {
    const memory = this.#memory;
    const direction = memory.d as Tensor;
    if (this.#group.lineSearchFn === null) {
      this.#add(memory.t as Numeric, direction);
      if (isLast) return { loss, gradient, evaluations: 0 };
      return { loss: numberOf(this.#closure()), gradient: this.#gradient(), evaluations: 1 };
    }
    const start = this.#compute(() => this.#params.map((parameter) => parameter.clone()));
    const found = strongWolfe({
      direction,
      start: { loss, gradient, slope },
      first: memory.t as Numeric,
      toleranceChange: 1e-9,
      most: (this.#group.maxEval as number) - this.#evaluations,
      compute: this.#compute,
      evaluate: (at) => {
        this.#add(at, direction);
        const here = { at, loss: numberOf(this.#closure()), gradient: this.#gradient() };
        this.#write(start);
        return { ...here, slope: this.#compute(() => here.gradient.dot(direction)) };
      },
    });
    memory.t = found.at;
    this.#add(found.at, direction);
    return found;
  }

  /** The approximate inverse Hessian times the gradient, negated. */
  #direction(gradient: Tensor): Tensor {
    const memory = this.#memory;
    const { historySize } = this.#group;
    if (memory.nIter === 1) {
      Object.assign(memory, { oldDirs: [], oldStps: [], ro: [], HDiag: 1 });
      return this.#compute(() => gradient.neg());
    }
    const { oldDirs, oldStps, ro } = memory as Required<Memory>;
    const y = this.#compute(() => gradient.sub(memory.prevFlatGrad as Tensor));
    const s = this.#compute(() => (memory.d as Tensor).mul(memory.t as Tensor));
    const ys = this.#compute(() => y.dot(s));
    if (this.#compute(() => isLess(1e-10, ys))) {
      if (oldDirs.length === historySize) for (const list of [oldDirs, oldStps, ro]) list.shift();
      oldDirs.push(y);
      oldStps.push(s);
      ro.push(this.#compute(() => over(1, ys) as Tensor));
      memory.HDiag = this.#compute(() => ys.div(y.dot(y)));
    }
    memory.al ??= Array.from({ length: historySize }, () => null);
    const { al } = memory;
    const q = this.#compute(() => gradient.neg());
    for (let i = oldDirs.length - 1; i >= 0; i--) {
      const share = this.#compute(() => (oldStps[i] as Tensor).dot(q).mul(ro[i] as Tensor));
      al[i] = share;
      this.#compute(() => void q.add_(oldDirs[i] as Tensor, { alpha: -numberIn(share) }));
    }
    const r = this.#compute(() => q.mul(memory.HDiag as Tensor));
    for (const [i, direction] of oldDirs.entries()) {
      this.#compute(() => {
        const share = direction.dot(r).mul(ro[i] as Tensor);
        r.add_(oldStps[i] as Tensor, { alpha: numberIn((al[i] as Tensor).sub(share)) });
      });
    }
    return r;
  }

  #isFlat(gradient: Tensor): boolean {
    return this.#compute(() => isAtMost(gradient.abs().max(), this.#group.toleranceGrad));
  }

  /** All gradients as one vector; zeros where there is none. */
  #gradient(): Tensor {
    return this.#compute(() =>
      cat(
        this.#params.map((parameter) => {
          const { grad } = parameter;
          if (grad === undefined) return asReal(zerosLike(parameter.detach()).view(-1)).view(-1);
          return asReal((grad.isSparse ? grad.toDense() : grad).view(-1)).view(-1);
        }),
        0,
      ),
    );
  }

  #add(size: Numeric, direction: Tensor): void {
    this.#compute(() => {
      let start = 0;
      for (const parameter of this.#params.map(asReal)) {
        const length = parameter.numel();
        parameter.add_(direction.narrow(0, start, length).viewAs(parameter), { alpha: numberIn(size) });
        start += length;
      }
    });
  }

  #write(values: readonly Tensor[]): void {
    for (const [i, parameter] of this.#params.entries()) parameter.copy_(values[i] as Tensor);
  }
}

function numberOf(loss: unknown): number {
  if (isTensor(loss)) return loss.item<number>();
  if (typeof loss === 'number') return loss;
  throw expected('step', "'closure'", 'to give the loss', show(loss));
}

const LBFGSOptions = optimizerClass({
  options,
  positional: ['lr', 'maxIter', 'maxEval', 'toleranceGrad', 'toleranceChange', 'historySize', 'lineSearchFn'],
  gradients: 'any',
  complete: (read: Group): Group => ({ ...read, maxEval: read.maxEval ?? Math.floor((read.maxIter * 5) / 4) }),
  update: () => {},
});

/**
 * L-BFGS: steps along an approximate Newton direction, by the gradients of the last `historySize` iterations. A step needs a
 * closure, and may call it `maxEval` times. There is one group only.
 *
 * If a closure throws in the middle of a step, parameters and memory are as they were before it.
 *
 * **Options**, all also by position: `lr` (1), `maxIter` (20) of a step, `maxEval` (`maxIter * 5 / 4`), `toleranceGrad`
 * (1e-7), `toleranceChange` (1e-9), `historySize` (100), `lineSearchFn` (`null` or `'strong_wolfe'`).
 *
 * @example optimizer.step(() => { optimizer.zeroGrad(); const loss = F.mseLoss(model(x), y); loss.backward(); return loss; });
 *
 * **Source**: `torch.optim.LBFGS`.
 */
export class LBFGS extends LBFGSOptions {
  constructor(...args: ConstructorParameters<typeof LBFGSOptions>) {
    super(...args);
    this.#group();
  }

  override step<T>(closure?: Closure<T> | null): T {
    const evaluate = synchronous('step', callable('step', "'closure'", closure as Closure<T>));
    const group = this.#group();
    checkKinds(this.constructor.name, options, group);
    const [first] = group.params as [Tensor];
    return native().withGradMode(false, () => {
      const before = { funcEvals: 0, nIter: 0, ...this.state.get(first) } as Memory;
      const closed = (): unknown => native().withGradMode(true, evaluate);
      const { loss, memory } = new Run(group.params, group, closed, before).run();
      this.state.set(first, memory as unknown as ParameterState);
      return loss as T;
    });
  }

  #group(): ParamGroup<Group> {
    const [group, ...others] = this.paramGroups;
    if (group !== undefined && others.length === 0) return group;
    throw expected('LBFGS', "'params'", 'to be one group', `${this.paramGroups.length}`);
  }
}
