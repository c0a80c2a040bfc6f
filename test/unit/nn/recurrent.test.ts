/** Recurrent layers: sequences that are packed, and what they refuse. What they compute is in test/golden/modules.test.ts. */
import * as torch from '../../../lib';

const { nn } = torch;
const { packPaddedSequence, padPackedSequence } = nn.utils.rnn;

const lengths = [2, 5, 3];
const input = torch.randn([5, 3, 3], { generator: new torch.Generator().manualSeed(1) });

test.each(['RNN', 'GRU', 'LSTM'] as const)('%s gives packed sequences what each gets alone', (name) => {
  torch.manualSeed(2);
  const layer = new (nn[name] as typeof nn.GRU)(3, 4, { numLayers: 2, bidirectional: true });
  const packed = packPaddedSequence(input, lengths, { enforceSorted: false });
  const [output, ends] = layer(packed);
  const [padded] = padPackedSequence(output);
  for (const [i, length] of lengths.entries()) {
    const [alone, end] = layer(input.narrow(0, 0, length).select(1, i));
    torch.testing.assertClose(padded.select(1, i).narrow(0, 0, length), alone);
    const [hidden, own] = [[ends].flat()[0], [end].flat()[0]] as [torch.Tensor, torch.Tensor];
    torch.testing.assertClose(hidden.select(1, i), own);
  }
});

test('states are given in the order of the sequences, not of the packed ones', () => {
  const layer = new nn.GRU(3, 4);
  const start = torch.randn(1, 3, 4);
  const [, ends] = layer(packPaddedSequence(input, lengths, { enforceSorted: false }), start);
  const [, end] = layer(input.narrow(0, 0, 2).select(1, 0), start.select(1, 0));
  torch.testing.assertClose(ends.select(1, 0), end);
});

test('weights are parameters by their names in Python, and listed by layer', () => {
  const layer = new nn.LSTM(3, 6, { projSize: 2, bidirectional: true });
  expect([...layer.stateDict().keys()]).toEqual(
    ['', '_reverse'].flatMap((direction) =>
      ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh', 'weight_hr'].map((kind) => `${kind}_l0${direction}`),
    ),
  );
  expect(layer.allWeights.map((weights) => weights.length)).toEqual([5, 5]);
  expect(layer.allWeights[0]?.[0]).toBe(layer.getParameter('weight_ih_l0'));
});

test.each([
  [() => new nn.RNN(0, 4), "RNN: expected 'inputSize' to be an integer > 0, but received 0"],
  [() => new nn.GRU(3, 4, { dropout: 2 }), "GRU: expected 'dropout' to be a number in [0, 1], but received 2"],
  [() => new nn.LSTM(3, 4, { projSize: 4 }), "LSTM: expected 'projSize' to be in [0, hiddenSize)"],
  [() => new nn.RNN(3, 4, { nonlinearity: 'gelu' }), "RNN: expected 'nonlinearity' to be 'tanh' or 'relu'"],
  [() => new nn.GRU(3, 4)(torch.ones(5, 2, 4)), "GRU: expected 'input' to have 3 features in the last dimension"],
  [() => new nn.GRU(3, 4)(torch.ones(3)), "GRU: expected 'input' to have 2 or 3 dimensions"],
  [() => new nn.GRU(3, 4)(input.double()), "GRU: expected 'input' to be float32 as the weights"],
  [() => new nn.GRU(3, 4)(input, torch.ones(1, 3, 5)), "GRU: expected 'hx' to have shape [1, 3, 4]"],
  [() => new nn.GRU(3, 4)(input, torch.ones(3, 4)), "GRU: expected 'hx' to have 3 dimensions as 'input'"],
  [() => new nn.LSTM(3, 4)(input, torch.ones(1, 3, 4) as never), "LSTM: expected 'hx' to be [h, c], two tensors"],
  [() => new nn.LSTM(3, 4)([1, 2] as never), "LSTM: expected 'input' to be a Tensor or a PackedSequence"],
  [() => new nn.GRUCell(3, 4)(torch.ones(2, 3, 3)), "GRUCell: expected 'input' to have 1 or 2 dimensions"],
  [() => new nn.LSTMCell(3, 4)(torch.ones(2, 3), [torch.ones(4), torch.ones(4)]), "LSTMCell: expected 'hx' to have 2"],
])('%s is refused', (call, message) => {
  expect(call).toThrow(message);
});
