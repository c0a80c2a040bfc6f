/** One step of recurrent layers. */
import { expected } from '../../errors';
import { zeros } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { Parameter } from '../parameter';
import { type LayerName, layer, type Resettable, setProperty, uninitialized } from './layer';
import type { Module } from './module';
import { checkNonlinearity, type LSTMStates, resetUniformly } from './recurrent';

/** What cells have besides their options. */
export interface CellState extends Resettable {
  /** Whether there are biases. */
  bias: boolean;
  /** `[gates * hiddenSize, inputSize]` */
  weightIh: Parameter;
  /** `[gates * hiddenSize, hiddenSize]` */
  weightHh: Parameter;
  /** `[gates * hiddenSize]`; `undefined` without biases. */
  biasIh: Parameter | undefined;
  /** `[gates * hiddenSize]`; `undefined` without biases. */
  biasHh: Parameter | undefined;
}

type CellName = LayerName & ('RNNCell' | 'LSTMCell' | 'GRUCell');
type Self = Module & CellState & { inputSize: number; hiddenSize: number; nonlinearity?: string };
type Made = Parameters<typeof uninitialized>[1] & { bias: boolean };

/** Computes the states behind the step. */
type Step = (self: Self, input: Tensor, states: readonly Tensor[]) => Tensor | [Tensor, Tensor];

function makeCell(self: Self, gates: number, options: Made): void {
  const { inputSize, hiddenSize } = self;
  const { bias } = options;
  setProperty(self, 'bias', bias);
  self.weightIh = uninitialized([gates * hiddenSize, inputSize], options);
  self.weightHh = uninitialized([gates * hiddenSize, hiddenSize], options);
  for (const name of ['biasIh', 'biasHh']) {
    self.registerParameter(name, bias ? uninitialized([gates * hiddenSize], options) : undefined);
  }
}

function checkDims(op: string, argument: string, given: Tensor, allowed: readonly number[]): void {
  if (allowed.includes(given.ndim)) return;
  throw expected(op, argument, `to have ${allowed.join(' or ')} dimensions`, `shape ${shapeText(given.shape)}`);
}

function step(
  op: string,
  self: Self,
  run: Step,
  input: Tensor,
  given: readonly Tensor[] | undefined,
): Tensor | [Tensor, Tensor] {
  checkDims(op, "'input'", input, [1, 2]);
  for (const state of given ?? []) checkDims(op, "'hx'", state, [input.ndim]);
  if (input.ndim === 2) return run(self, input, given ?? startStates(self, input, input.size(0)));
  const row = input.unsqueeze(0);
  const states = given?.map((state) => state.unsqueeze(0)) ?? startStates(self, input, 1);
  const result = run(self, row, states);
  return Array.isArray(result) ? [result[0].squeeze(0), result[1].squeeze(0)] : result.squeeze(0);
}

function startStates({ hiddenSize }: Self, input: Tensor, batch: number): readonly Tensor[] {
  const start = zeros([batch, hiddenSize], { dtype: input.dtype, device: input.device });
  return [start, start];
}

function extraRepr({ inputSize, hiddenSize, bias, nonlinearity = 'tanh' }: Self): string {
  const options = `${bias ? '' : ', bias=False'}${nonlinearity === 'tanh' ? '' : `, nonlinearity=${nonlinearity}`}`;
  return `${inputSize}, ${hiddenSize}${options}`;
}

function cell<Name extends CellName, Hidden, Result>(name: Name, gates: number, run: Step) {
  return layer<Name, [input: Tensor, hx?: Hidden | null], Result, CellState>(name, {
    make: (self, options) => makeCell(self as unknown as Self, gates, options as Made),
    reset: (self) => resetUniformly(self as unknown as Self),
    inputs: `(Tensor input, Tensor${name === 'LSTMCell' ? '[2]' : ''}? hx=None)`,
    forward(self, input, hx) {
      const given = hx === undefined || hx === null ? undefined : ([hx].flat() as Tensor[]);
      return step(name, self as unknown as Self, run, input, given) as Result;
    },
    text: (self) => extraRepr(self as unknown as Self),
  });
}

const rnnStep: Step = ({ nonlinearity, weightIh, weightHh, biasIh, biasHh }, input, [h]) => {
  checkNonlinearity('RNNCell', { nonlinearity: nonlinearity as string });
  const operator = nonlinearity === 'tanh' ? aten.rnn_tanh_cell : aten.rnn_relu_cell;
  return operator(input, h as Tensor, weightIh, weightHh, biasIh, biasHh);
};

/**
 * One step of an Elman network. **Shapes**: input `[N, inputSize]`, hx `[N, hiddenSize]`, or without N -> `[N, hiddenSize]`.
 * **Source**: `torch.nn.RNNCell`.
 */
export class RNNCell extends cell<'RNNCell', Tensor, Tensor>('RNNCell', 1, rnnStep) {}

/** One step of gated recurrent units. **Shapes**: as {@link RNNCell}. **Source**: `torch.nn.GRUCell`. */
export class GRUCell extends cell<'GRUCell', Tensor, Tensor>(
  'GRUCell',
  3,
  ({ weightIh, weightHh, biasIh, biasHh }, input, [h]) =>
    aten.gru_cell(input, h as Tensor, weightIh, weightHh, biasIh, biasHh),
) {}

/**
 * One step of long short-term memory: `[h, c]`. **Shapes**: input `[N, inputSize]`, hx `[h, c]` of `[N, hiddenSize]` each, or
 * without N -> `[h, c]`. **Source**: `torch.nn.LSTMCell`.
 */
export class LSTMCell extends cell<'LSTMCell', LSTMStates, [h: Tensor, c: Tensor]>(
  'LSTMCell',
  4,
  ({ weightIh, weightHh, biasIh, biasHh }, input, states) =>
    aten.lstm_cell(input, states, weightIh, weightHh, biasIh, biasHh),
) {}
