/** Recurrent layers over sequences. What computes one step of them is in `recurrent-cells.ts`. */
import { emitWarning } from '../../binding/load';
import { expected, show } from '../../errors';
import { isTensor } from '../../torch/bind';
import { zeros } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { uniform_ } from '../init';
import type { Parameter } from '../parameter';
import type { ModuleConstructors } from '../python.generated';
import { PackedSequence } from '../utils/rnn';
import { type LayerName, type LayerProperties, layer, type Resettable, setProperty, uninitialized } from './layer';
import type { AnyModule, Module } from './module';
import { pythonText } from './print';

/** What recurrent layers have besides their options. The weights are named as in Python: `weightIhL0`, `biasHhL1Reverse`. */
export interface RecurrentState extends Resettable {
  /** Whether there are biases. */
  bias: boolean;
}

/** The options that these layers share. */
interface Options {
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  batchFirst: boolean;
  dropout: number;
  bidirectional: boolean;
  /** Of an LSTM. */
  projSize?: number;
}

type Self = Module & Options & RecurrentState;
type Made = Parameters<typeof uninitialized>[1] & { bias: boolean };

/** Hidden state, and the cell state of an LSTM. */
type States = readonly Tensor[];

/** What distinguishes the layers. */
interface Kind {
  /** How many matrices stand in one. */
  readonly gates: number;
  readonly states: 1 | 2;
  /** The operator over padded sequences. */
  padded(self: Self, input: Tensor, states: States, weights: readonly Tensor[]): readonly Tensor[];
  /** The operator over packed ones. */
  packed(self: Self, data: Tensor, sizes: Tensor, states: States, weights: readonly Tensor[]): readonly Tensor[];
}

function checkOptions(op: string, self: Self): void {
  const { dropout, numLayers, projSize = 0, hiddenSize } = self;
  if (!(dropout >= 0 && dropout <= 1)) throw expected(op, "'dropout'", 'to be a number in [0, 1]', String(dropout));
  for (const name of ['inputSize', 'hiddenSize', 'numLayers'] as const) {
    if (self[name] <= 0) throw expected(op, `'${name}'`, 'to be an integer > 0', String(self[name]));
  }
  if (projSize < 0 || projSize >= hiddenSize) {
    throw expected(op, "'projSize'", `to be in [0, hiddenSize), where hiddenSize is ${hiddenSize}`, String(projSize));
  }
  if (dropout > 0 && numLayers === 1) {
    emitWarning(`${op}: 'dropout' is applied after all layers but the last one, and there is only one`);
  }
}

/** The names of the weights of each layer and direction. */
function weightNames({ numLayers, bidirectional, bias, projSize = 0 }: Self): string[][] {
  const kinds = ['weightIh', 'weightHh', ...(bias ? ['biasIh', 'biasHh'] : []), ...(projSize > 0 ? ['weightHr'] : [])];
  const names: string[][] = [];
  for (let i = 0; i < numLayers; i++) {
    for (const direction of bidirectional ? ['', 'Reverse'] : ['']) {
      names.push(kinds.map((kind) => `${kind}L${i}${direction}`));
    }
  }
  return names;
}

function weightsOf(self: Self): Tensor[] {
  return weightNames(self)
    .flat()
    .map((name) => Reflect.get(self, name) as Tensor);
}

/** The weights, a list for each layer and direction. **Source**: `torch.nn.RNNBase.all_weights`. */
function allWeights(self: AnyModule): Parameter[][] {
  return weightNames(self as unknown as Self).map((names) => names.map((name) => Reflect.get(self, name) as Parameter));
}

function makeWeights(self: Self, { gates }: Kind, options: Made): void {
  const { inputSize, hiddenSize, bidirectional, projSize = 0 } = self;
  const size = projSize > 0 ? projSize : hiddenSize;
  const directions = bidirectional ? 2 : 1;
  for (const [i, names] of weightNames(self).entries()) {
    const inputs = i < directions ? inputSize : size * directions;
    for (const name of names) {
      const shapes: Readonly<Record<string, readonly number[]>> = {
        weightIh: [gates * hiddenSize, inputs],
        weightHh: [gates * hiddenSize, size],
        weightHr: [projSize, hiddenSize],
      };
      const shape = shapes[name.replace(/L\d.*$/, '')] ?? [gates * hiddenSize];
      Reflect.set(self, name, uninitialized(shape, options));
    }
  }
}

/** Draws all weights uniformly from ±1 / sqrt(hiddenSize). */
export function resetUniformly(self: Module & { hiddenSize: number }): void {
  const bound = 1 / Math.sqrt(self.hiddenSize);
  for (const weight of self.parameters()) uniform_(weight, -bound, bound);
}

function extraRepr({
  inputSize,
  hiddenSize,
  numLayers,
  bias,
  batchFirst,
  dropout,
  bidirectional,
  projSize,
}: Self): string {
  const parts = [`${inputSize}, ${hiddenSize}`];
  if (projSize !== undefined && projSize !== 0) parts.push(`proj_size=${projSize}`);
  if (numLayers !== 1) parts.push(`num_layers=${numLayers}`);
  if (!bias) parts.push('bias=False');
  if (batchFirst) parts.push('batch_first=True');
  if (dropout !== 0) parts.push(`dropout=${pythonText(dropout, 'float')}`);
  if (bidirectional) parts.push('bidirectional=True');
  return parts.join(', ');
}

function checkInput(op: string, { inputSize }: Self, input: Tensor, weight: Tensor): void {
  if (input.dtype !== weight.dtype) {
    throw expected(op, "'input'", `to be ${weight.dtype} as the weights, input.to('${weight.dtype}')`, input.dtype);
  }
  if (input.size(-1) !== inputSize) {
    throw expected(op, "'input'", `to have ${inputSize} features in the last dimension`, shapeText(input.shape));
  }
}

/** The shape of each state for so many sequences: that of the cell has no projection. */
function stateShapes({ numLayers, bidirectional, hiddenSize, projSize = 0 }: Self, batch: number): number[][] {
  const count = numLayers * (bidirectional ? 2 : 1);
  return [
    [count, batch, projSize > 0 ? projSize : hiddenSize],
    [count, batch, hiddenSize],
  ];
}

/** The states at the beginning: zeros if there are none. */
function startStates(
  op: string,
  kind: Kind,
  self: Self,
  given: States | undefined,
  input: Tensor,
  batch: number,
): States {
  const shapes = stateShapes(self, batch).slice(0, kind.states);
  if (given === undefined) return shapes.map((shape) => zeros(shape, { dtype: input.dtype, device: input.device }));
  for (const [i, state] of given.entries()) {
    const shape = shapes[i] as number[];
    if (sameShape(state.shape, shape)) continue;
    const name = kind.states === 1 ? "'hx'" : `'hx[${i}]'`;
    throw expected(op, name, `to have shape ${shapeText(shape)}`, `shape ${shapeText(state.shape)}`);
  }
  return given;
}

function permuted(states: States, order: Tensor | undefined): States {
  return order === undefined ? states : states.map((state) => state.indexSelect(1, order));
}

function overPacked(
  op: string,
  kind: Kind,
  self: Self,
  input: PackedSequence,
  given: States | undefined,
): [PackedSequence, States] {
  const { data, batchSizes, sortedIndices, unsortedIndices } = input;
  const weights = weightsOf(self);
  if (data.ndim !== 2) throw expected(op, "'input.data'", 'to have 2 dimensions', `shape ${shapeText(data.shape)}`);
  checkInput(op, self, data, weights[0] as Tensor);
  const states = startStates(op, kind, self, given, data, Number(batchSizes.select(0, 0).item()));
  const [output, ...ends] = kind.packed(self, data, batchSizes, permuted(states, sortedIndices), weights);
  const packed = new PackedSequence(output as Tensor, batchSizes, sortedIndices, unsortedIndices);
  return [packed, permuted(ends, unsortedIndices)];
}

function overPadded(op: string, kind: Kind, self: Self, given: Tensor, hidden: States | undefined): [Tensor, States] {
  if (given.ndim !== 2 && given.ndim !== 3) {
    throw expected(op, "'input'", 'to have 2 or 3 dimensions', `shape ${shapeText(given.shape)}`);
  }
  for (const [i, state] of (hidden ?? []).entries()) {
    if (state.ndim === given.ndim) continue;
    const name = kind.states === 1 ? "'hx'" : `'hx[${i}]'`;
    throw expected(op, name, `to have ${given.ndim} dimensions as 'input'`, `shape ${shapeText(state.shape)}`);
  }
  const isBatch = given.ndim === 3;
  const batchDim = self.batchFirst ? 0 : 1;
  const input = isBatch ? given : given.unsqueeze(batchDim);
  const weights = weightsOf(self);
  checkInput(op, self, input, weights[0] as Tensor);
  const start = isBatch ? hidden : hidden?.map((state) => state.unsqueeze(1));
  const states = startStates(op, kind, self, start, input, input.size(batchDim));
  const [output, ...ends] = kind.padded(self, input, states, weights) as [Tensor, ...Tensor[]];
  return isBatch ? [output, ends] : [output.squeeze(batchDim), ends.map((state) => state.squeeze(1))];
}

type AnySequence = Tensor | PackedSequence;
type AnyInputs = [input: AnySequence, hx?: Tensor | readonly [Tensor, Tensor] | null];
type AnyResult = [AnySequence, Tensor | [Tensor, Tensor]];

function statesOf(op: string, kind: Kind, hx: AnyInputs[1]): States | undefined {
  if (hx === undefined || hx === null) return undefined;
  const isList = Array.isArray(hx);
  if (![hx].flat().every(isTensor)) throw expected(op, "'hx'", 'to be made of tensors', show(hx));
  if (kind.states === 1 && !isList) return [hx as Tensor];
  if (kind.states === 2 && isList && hx.length === 2) return hx as States;
  const what = kind.states === 1 ? 'to be a Tensor' : 'to be [h, c], two tensors';
  throw expected(op, "'hx'", what, isList ? `a list of ${hx.length}` : 'a Tensor');
}

type RecurrentName = LayerName & ('RNN' | 'LSTM' | 'GRU');

function recurrent<Name extends RecurrentName, Called>(
  name: Name,
  kindOf: (self: Self) => Kind,
  check?: (self: AnyModule) => void,
): ModuleConstructors<Called & RecurrentState & LayerProperties<Name>>[Name] {
  return layer<Name, AnyInputs, AnyResult, RecurrentState>(name, {
    make(given, options) {
      const self = given as unknown as Self;
      setProperty(self, 'bias', (options as Made).bias);
      check?.(self);
      checkOptions(name, self);
      makeWeights(self, kindOf(self), options as Made);
    },
    reset: (self) => resetUniformly(self as unknown as Self),
    inputs: '(Any input, Any? hx=None)',
    forward(given, input, hx) {
      const self = given as unknown as Self;
      const kind = kindOf(self);
      if (!isTensor(input) && !(input instanceof PackedSequence)) {
        throw expected(name, "'input'", 'to be a Tensor or a PackedSequence', show(input));
      }
      const states = statesOf(name, kind, hx);
      const [output, ends] =
        input instanceof PackedSequence
          ? overPacked(name, kind, self, input, states)
          : overPadded(name, kind, self, input, states);
      return [output, kind.states === 1 ? (ends[0] as Tensor) : (ends as [Tensor, Tensor])];
    },
    text: (self) => extraRepr(self as unknown as Self),
  }) as never;
}

/** A layer with one state for each sequence. */
export interface Recurrent extends Module<[AnySequence, Tensor]> {
  (input: Tensor, hx?: Tensor | null): [output: Tensor, hn: Tensor];
  (input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, hn: Tensor];
  /** Computes output and last state. */
  forward(input: Tensor, hx?: Tensor | null): [output: Tensor, hn: Tensor];
  forward(input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, hn: Tensor];
}

/** Hidden state and cell state. */
export type LSTMStates = readonly [h: Tensor, c: Tensor];

/** A layer with two states for each sequence. */
export interface RecurrentWithCell extends Module<[AnySequence, [Tensor, Tensor]]> {
  (input: Tensor, hx?: LSTMStates | null): [output: Tensor, [hn: Tensor, cn: Tensor]];
  (input: PackedSequence, hx?: LSTMStates | null): [output: PackedSequence, [hn: Tensor, cn: Tensor]];
  /** Computes output and last states. */
  forward(input: Tensor, hx?: LSTMStates | null): [output: Tensor, [hn: Tensor, cn: Tensor]];
  forward(input: PackedSequence, hx?: LSTMStates | null): [output: PackedSequence, [hn: Tensor, cn: Tensor]];
}

function simple(operator: 'rnn_tanh' | 'rnn_relu' | 'gru', gates: number): Kind {
  return {
    gates,
    states: 1,
    padded: ({ bias, numLayers, dropout, training, bidirectional, batchFirst }, input, [h], weights) =>
      aten[operator].input(input, h as Tensor, weights, bias, numLayers, dropout, training, bidirectional, batchFirst),
    packed: ({ bias, numLayers, dropout, training, bidirectional }, data, sizes, [h], weights) =>
      aten[operator].data(data, sizes, h as Tensor, weights, bias, numLayers, dropout, training, bidirectional),
  };
}

const rnnKinds = { tanh: simple('rnn_tanh', 1), relu: simple('rnn_relu', 1) };
const gruKind = simple('gru', 3);
const lstmKind: Kind = {
  gates: 4,
  states: 2,
  padded: ({ bias, numLayers, dropout, training, bidirectional, batchFirst }, input, states, weights) =>
    aten.lstm.input(input, states, weights, bias, numLayers, dropout, training, bidirectional, batchFirst),
  packed: ({ bias, numLayers, dropout, training, bidirectional }, data, sizes, states, weights) =>
    aten.lstm.data(data, sizes, states, weights, bias, numLayers, dropout, training, bidirectional),
};

/** Refuses what is no activation of an {@link RNN}. */
export function checkNonlinearity(op: string, { nonlinearity }: { nonlinearity: string }): void {
  if (nonlinearity === 'tanh' || nonlinearity === 'relu') return;
  throw expected(op, "'nonlinearity'", "to be 'tanh' or 'relu'", `'${nonlinearity}'`);
}

const rnnOf = (self: Self): Kind => rnnKinds[(self as unknown as { nonlinearity: 'tanh' | 'relu' }).nonlinearity];

/**
 * An Elman network: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or with `relu`. **Shapes**: input `[L, N, inputSize]`,
 * `[N, L, …]` with `batchFirst`, or `[L, inputSize]`; hx `[layers * directions, N, hiddenSize]` ->
 * `[output [L, N, directions * hiddenSize], hn]`. **Source**: `torch.nn.RNN`.
 */
export class RNN extends recurrent<'RNN', Recurrent>('RNN', rnnOf, (self) => checkNonlinearity('RNN', self as never)) {
  /** The weights, a list for each layer and direction. */
  get allWeights(): Parameter[][] {
    return allWeights(this);
  }
}

/**
 * Gated recurrent units: `r, z = sigmoid(…)`, `n = tanh(W_in x + b_in + r * (W_hn h + b_hn))`, `h' = (1 - z) n + z h`.
 * **Shapes**: as {@link RNN}. **Source**: `torch.nn.GRU`.
 */
export class GRU extends recurrent<'GRU', Recurrent>('GRU', () => gruKind) {
  /** The weights, a list for each layer and direction. */
  get allWeights(): Parameter[][] {
    return allWeights(this);
  }
}

/**
 * Long short-term memory: `i, f, o = sigmoid(…)`, `g = tanh(…)`, `c' = f c + i g`, `h' = o tanh(c')`, projected to `projSize`
 * where that is given. **Shapes**: input as {@link RNN}; hx `[h, c]`, `[layers * directions, N, projSize or hiddenSize]` and
 * `[…, hiddenSize]` -> `[output, [hn, cn]]`. **Source**: `torch.nn.LSTM`.
 */
export class LSTM extends recurrent<'LSTM', RecurrentWithCell>('LSTM', () => lstmKind) {
  /** The weights, a list for each layer and direction. */
  get allWeights(): Parameter[][] {
    return allWeights(this);
  }
}
