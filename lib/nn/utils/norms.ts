/**
 * Weight norm and spectral norm by a hook before `forward`, as PyTorch had them before parametrizations: the weight is a
 * plain property, computed anew in each call.
 */
import { emitWarning } from '../../binding/load';
import { expected, show } from '../../errors';
import { noGrad } from '../../torch/autograd';
import type { Call } from '../../torch/call';
import type { HookHandle } from '../../torch/hooks';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { normalize } from '../functional/normalization';
import type { AnyModule } from '../modules/module';
import { className, isModule, registry } from '../modules/registry';
import { Parameter } from '../parameter';
import { asMatrix } from './matrix';
import { readSpectralNorm, readWeightNorm, type SpectralNormOptions, type WeightNormOptions } from './parametrizations';

/** What a norm puts in the place of a parameter. */
interface Norm {
  readonly kind: 'weightNorm' | 'spectralNorm';
  /** The properties that the weight is computed of. */
  readonly parts: readonly string[];
  /** The weight of a module: of the one that it was made for, or of a copy. */
  compute(module: AnyModule, isTraining: boolean): Tensor;
}

/** The norms of each module, by parameter. */
const applied = new WeakMap<AnyModule, Map<string, { norm: Norm; handle: HookHandle }>>();

function parameterOf(op: string, module: AnyModule, name: string): Parameter {
  if (!isModule(module)) throw expected(op, "'module'", 'to be an nn.Module', show(module));
  const norms = applied.get(module);
  if (norms?.has(name)) throw expected(op, "'name'", `to be a parameter without ${op}`, show(name));
  const entry = registry(module).entries().get(name);
  if (entry?.value instanceof Parameter) return entry.value;
  throw expected(op, "'name'", `to be a parameter of ${className(module)}`, show(name));
}

/** A property of a module, which is not a parameter. */
function put(module: AnyModule, name: string, value: Tensor): void {
  Reflect.set(module, name, value);
}

const partOf = (module: AnyModule, name: string): Tensor => registry(module).valueOf(name) as Tensor;

function apply(module: AnyModule, name: string, norm: Norm): void {
  const handle = module.registerForwardPreHook((called) => put(called, name, norm.compute(called, called.training)));
  const norms = applied.get(module) ?? new Map<string, { norm: Norm; handle: HookHandle }>();
  applied.set(module, norms.set(name, { norm, handle }));
}

function remove<M extends AnyModule>(op: string, kind: Norm['kind'], module: M, name: string): M {
  const norms = applied.get(module);
  const found = norms?.get(name);
  if (found?.norm.kind !== kind) throw expected(op, "'name'", `to be a parameter with ${kind}`, show(name));
  const weight = noGrad(() => found.norm.compute(module, false));
  for (const property of [name, ...found.norm.parts]) registry(module).remove(property);
  module.registerParameter(name, new Parameter(weight.detach()));
  found.handle.remove();
  norms?.delete(name);
  return module;
}

/**
 * Trains a weight as length `<name>_g` and direction `<name>_v`. Deprecated, as in PyTorch: `parametrizations.weightNorm` has its
 * place.
 *
 * **Source**: `torch.nn.utils.weight_norm`.
 */
export function weightNorm<M extends AnyModule>(module: M, ...args: Call<[], WeightNormOptions, ['name', 'dim']>): M {
  const [name, dim = -1] = readWeightNorm(...args);
  emitWarning('weightNorm is deprecated; use parametrizations.weightNorm');
  const weight = parameterOf('weightNorm', module, name);
  const [length, direction] = [`${name}G`, `${name}V`];
  registry(module).remove(name);
  module.registerParameter(length, new Parameter(aten.norm_except_dim(weight, 2, dim).detach()));
  module.registerParameter(direction, new Parameter(weight.detach()));
  const compute = (of: AnyModule): Tensor => aten._weight_norm(partOf(of, direction), partOf(of, length), dim);
  put(module, name, compute(module));
  apply(module, name, { kind: 'weightNorm', parts: [length, direction], compute });
  return module;
}

/** Takes {@link weightNorm} away; the weight keeps its value. **Source**: `torch.nn.utils.remove_weight_norm`. */
export function removeWeightNorm<M extends AnyModule>(module: M, name = 'weight'): M {
  return remove('removeWeightNorm', 'weightNorm', module, name);
}

/**
 * Divides a weight, `<name>_orig` in state dicts, by its largest singular value, which power iterations follow in training.
 * `parametrizations.spectralNorm` is its newer form.
 *
 * **Source**: `torch.nn.utils.spectral_norm`.
 */
export function spectralNorm<M extends AnyModule>(
  module: M,
  ...args: Call<[], SpectralNormOptions, ['name', 'nPowerIterations', 'eps', 'dim']>
): M {
  const [name, times, eps, dim] = readSpectralNorm('spectralNorm', module, args);
  const weight = parameterOf('spectralNorm', module, name);
  const [original, left, right] = [`${name}Orig`, `${name}U`, `${name}V`];
  const matrix = noGrad(() => asMatrix(weight, dim));
  const drawn = (size: number): Tensor => normalize(aten.new_empty(weight, [size]).normal_(0, 1), { dim: 0, eps });
  const [u, v] = [drawn(matrix.size(0)), drawn(matrix.size(1))];
  registry(module).remove(name);
  module.registerParameter(original, weight);
  put(module, name, weight.detach());
  module.registerBuffer(left, u);
  module.registerBuffer(right, v);
  const compute = (of: AnyModule, isTraining: boolean): Tensor => {
    const trained = partOf(of, original);
    const rows = asMatrix(trained, dim);
    let [first, second] = [partOf(of, left), partOf(of, right)];
    if (isTraining) {
      noGrad(() => {
        for (let i = 0; i < times; i++) {
          normalize(aten.mv(rows.t(), first), { dim: 0, eps, out: second });
          normalize(aten.mv(rows, second), { dim: 0, eps, out: first });
        }
        // Copies: the next call changes the vectors, and this one's graph needs them.
        [first, second] = [aten.clone(first), aten.clone(second)];
      });
    }
    return trained.div(aten.dot(first, aten.mv(rows, second)));
  };
  apply(module, name, { kind: 'spectralNorm', parts: [original, left, right], compute });
  return module;
}

/** Takes {@link spectralNorm} away; the weight keeps its value. **Source**: `torch.nn.utils.remove_spectral_norm`. */
export function removeSpectralNorm<M extends AnyModule>(module: M, name = 'weight'): M {
  return remove('removeSpectralNorm', 'spectralNorm', module, name);
}
