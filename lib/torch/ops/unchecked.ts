/**
 * Operators that trust their arguments: with ones that do not fit together, they read or write memory that is not theirs.
 * ATen calls them with arguments that it has checked, and Python's users do not call them.
 *
 * Found by calling every overload with hostile arguments (`test/lifecycle/fuzz/operators.cjs`), each in a process that
 * may end.
 */
import { expected, TorchError } from '../../errors';
import type { Tensor } from '../tensor';

/** Names of `aten`, all overloads of each. */
const unchecked: ReadonlySet<string> = new Set([
  '_add_batch_dim',
  '_batch_norm_with_update_functional',
  '_cdist_backward',
  '_cholesky_solve_helper',
  '_ctc_loss_backward',
  '_fft_r2c',
  '_foreach_copy',
  '_fused_moving_avg_obs_fq_helper',
  '_lstm_mps',
  '_nnpack_spatial_convolution',
  '_remove_batch_dim',
  '_reshape_alias_copy',
  '_slow_conv2d_backward',
  '_stack',
  '_thnn_differentiable_gru_cell_backward',
  '_weight_norm_interface',
  '_weight_norm_interface_backward',
  'embedding_dense_backward',
  'native_batch_norm_backward',
  'quantized_lstm_cell',
  'reflection_pad1d_backward',
  'reflection_pad2d_backward',
  // Not found, but made to skip the checks.
  '_sparse_bsc_tensor_unsafe',
  '_sparse_bsr_tensor_unsafe',
  '_sparse_compressed_tensor_unsafe',
  '_sparse_coo_tensor_unsafe',
  '_sparse_csc_tensor_unsafe',
  '_sparse_csr_tensor_unsafe',
]);

/** The names of the operators that are refused. */
export const uncheckedOperators: readonly string[] = [...unchecked];

/**
 * Lets only operators through that check their arguments.
 *
 * @throws TorchError `NOT_IMPLEMENTED` for others, unless `LIBTORCH_LOSSES_UNCHECKED_OPS=1` asks for them.
 */
export function checkOperator(op: string, name: string): void {
  if (!name.startsWith('aten::') || !unchecked.has(name.slice('aten::'.length))) return;
  if (process.env.LIBTORCH_LOSSES_UNCHECKED_OPS === '1') return;
  const message =
    `${op}: expected an operator that checks its arguments, but received one that trusts them, and can end the process ` +
    'with others; LIBTORCH_LOSSES_UNCHECKED_OPS=1 allows it';
  throw new TorchError('NOT_IMPLEMENTED', message, { op });
}

/** Operators that people call, and whose arguments are checked here because ATen does not. */
const batchNorms: readonly string[] = ['aten::native_batch_norm', 'aten::_native_batch_norm_legit'];

/** What is to be checked of an operator's arguments, by their names, before it is called; `undefined` for most. */
export function argumentCheck(op: string, name: string): ((values: ReadonlyMap<string, unknown>) => void) | undefined {
  if (!batchNorms.includes(name)) return undefined;
  return (values) => {
    const { shape } = values.get('input') as Tensor;
    if (shape.length < 2) throw expected(op, "'input'", 'to have shape [N, C, …]', `[${shape.join(', ')}]`);
    for (const argument of ['weight', 'bias', 'running_mean', 'running_var']) {
      const given = (values.get(argument) as Tensor | null | undefined)?.shape;
      if (given === undefined || (given.length === 1 && given[0] === shape[1])) continue;
      throw expected(op, `'${argument}'`, `to have shape [${shape[1]}]`, `[${given.join(', ')}]`);
    }
  };
}
