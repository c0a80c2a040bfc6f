/** Parameters as one vector, and modules whose parameters nobody draws. */
import { expected, TorchError } from '../../errors';
import { definer } from '../../torch/functions';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import type { Device } from '../../types';
import type { AnyModule } from '../modules/module';
import { type UtilsCalls, type UtilsImplementations, utilsSchemas } from '../python.generated';
import { listed } from './tensors';

const define = definer<UtilsCalls, UtilsImplementations>(utilsSchemas);

/** The parameters, if all are on one device. */
function onOneDevice(op: string, parameters: Tensor | Iterable<Tensor>): Tensor[] {
  const list = listed(op, 'parameters', parameters);
  const [first] = list;
  const other = list.findIndex(({ device }) => device !== first?.device);
  if (other < 0) return list;
  throw expected(op, `'parameters[${other}]'`, `to be on ${first?.device} as the first is`, `${list[other]?.device}`);
}

/** All parameters, one behind the other: `[n]`. **Source**: `torch.nn.utils.parameters_to_vector`. */
export const parametersToVector = define('parametersToVector', (parameters) =>
  aten.cat(onOneDevice('parametersToVector', parameters).map((parameter) => parameter.view(-1))),
);

/**
 * Makes parts of a vector the elements of parameters, which share its memory from then on. **Source**:
 * `torch.nn.utils.vector_to_parameters`.
 */
export const vectorToParameters = define('vectorToParameters', (vector, parameters) => {
  const op = 'vectorToParameters';
  const list = onOneDevice(op, parameters);
  const wanted = list.reduce((sum, parameter) => sum + parameter.numel(), 0);
  if (vector.ndim !== 1 || vector.numel() < wanted) {
    throw expected(op, "'vec'", `to have shape [n], n >= ${wanted}`, `shape [${vector.shape}]`);
  }
  let from = 0;
  for (const parameter of list) {
    const part = aten.slice.Tensor(vector, 0, from, from + parameter.numel());
    aten.set_data(parameter, part.viewAs(parameter).detach());
    from += parameter.numel();
  }
});

/** The arguments of a constructor, with more options in the trailing object. */
type Options = Readonly<Record<string, unknown>>;

/**
 * A module whose parameters are memory that nobody has set: for one that gets its state by `loadStateDict` anyway. The
 * constructor's arguments follow the class; it has to take the option `device`.
 *
 * @example nn.utils.skipInit(nn.Linear, 4, 2).weight.shape // [2, 4]
 *
 * **Source**: `torch.nn.utils.skip_init`.
 */
export function skipInit<M extends AnyModule>(
  // biome-ignore lint/suspicious/noExplicitAny: classes have several forms, of which types would know the last
  moduleClass: new (...args: any[]) => M,
  ...args: readonly unknown[]
): M {
  if (typeof moduleClass !== 'function') {
    throw new TorchError('INVALID_ARGUMENT', "skipInit: expected 'moduleClass' to be a class of a module", {
      op: 'skipInit',
      argument: 'moduleClass',
    });
  }
  const last = args.at(-1);
  const hasOptions = typeof last === 'object' && last !== null && !Array.isArray(last);
  const { device = 'cpu', ...options } = (hasOptions ? last : {}) as Options & { device?: Device };
  const positional = hasOptions ? args.slice(0, -1) : args;
  const module = new moduleClass(...positional, { ...options, device: 'meta' });
  return module.toEmpty({ device });
}
