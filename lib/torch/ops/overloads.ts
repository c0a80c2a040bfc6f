/** The overloads of an operator, of which a call takes the first that its arguments fit. */
import type { OperatorSchema } from '../../binding/native';
import { show, TorchError } from '../../errors';
import { BoundOverload, undecided, unfit } from './overload';
import { isFactory, misfit, type Naming, type Refusal } from './signature';

/** An operator with overloads in the order in which they are tried; each is bound when it is. */
export class Overloads {
  readonly schemas: readonly OperatorSchema[];
  readonly #op: string;
  readonly #operator: string;
  readonly #naming: Naming;
  readonly #bound: (BoundOverload | undefined)[] = [];
  readonly #isOnly: boolean;
  readonly #makesTensors: boolean;
  /** The function that users call: stacks of errors begin above it. */
  thrower: (...args: never[]) => unknown = () => undefined;

  /** `op` is what errors call it, `operator` its name in libtorch: `aten::add`. */
  constructor(op: string, operator: string, schemas: readonly OperatorSchema[], naming: Naming) {
    this.#op = op;
    this.#operator = operator;
    this.schemas = schemas;
    this.#naming = naming;
    this.#isOnly = schemas.length === 1;
    this.#makesTensors = schemas.some(isFactory);
  }

  #bind(index: number): BoundOverload {
    const bound = new BoundOverload(
      this.#op,
      this.#operator,
      this.schemas[index] as OperatorSchema,
      this.#naming,
      this.#makesTensors,
      this.#isOnly,
      this.thrower,
    );
    this.#bound[index] = bound;
    return bound;
  }

  /** Calls the first overload that fits `count` arguments: those before `rest`, and what is in there. */
  call(count: number, a: unknown, b: unknown, c: unknown, rest: readonly unknown[]): unknown {
    const args = count > 3 ? [a, b, c, ...rest] : undefined;
    for (let i = 0; i < this.schemas.length; i++) {
      const bound = this.#bound[i] ?? this.#bind(i);
      const result = args === undefined ? bound.direct(count, a, b, c) : bound.listed(args);
      if (result === undecided) break;
      if (result !== unfit) return result;
    }
    return this.#callAtLength(args ?? [a, b, c].slice(0, count));
  }

  /** {@link call} with the arguments in an array. */
  callWith(args: readonly unknown[]): unknown {
    return this.call(args.length, args[0], args[1], args[2], args.slice(3));
  }

  /** With keywords, or with errors. */
  #callAtLength(args: readonly unknown[]): unknown {
    const refusals: Refusal[] = [];
    for (let i = 0; i < this.schemas.length; i++) {
      const bound = this.#bound[i] ?? this.#bind(i);
      const fitting = bound.fit(args);
      if ('values' in fitting) return bound.run(fitting);
      refusals.push(fitting);
    }
    for (const bound of this.#bound as BoundOverload[]) {
      const fitting = bound.fit(args, true);
      if ('values' in fitting) return bound.run(fitting);
    }
    throw this.#naming === 'python' ? misfit(this.#op, refusals) : this.#noOverload(refusals, args);
  }

  /** The refusal of each overload. */
  #noOverload(refusals: readonly Refusal[], args: readonly unknown[]): TorchError {
    if (this.#isOnly) return (refusals[0] as Refusal).error();
    const op = this.#op;
    const lines = this.schemas.map(({ schema }, i) => {
      const { message } = (refusals[i] as Refusal).error();
      return `  ${schema}\n    ${message.slice(message.indexOf(': ') + 2)}`;
    });
    const received = args.map(show).join(', ');
    const message = `${op}: expected arguments of one of its overloads, but received (${received}):\n${lines.join('\n')}`;
    return new TorchError('INVALID_ARGUMENT', message, { op });
  }
}
