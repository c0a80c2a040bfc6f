/**
 * A small character transformer: the embedding is the last layer's weight too, biases and norms are not decayed, gradients
 * of two batches are added up, the rate warms up, and training goes on from a checkpoint in its middle.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as torch from 'libtorch-losses';

const { nn, optim } = torch;
const F = nn.functional;

const text = 'the quick brown fox jumps over the lazy dog and the lazy dog sleeps while the quick brown fox runs on. ';
const characters = [...new Set(text)].sort();
const codes = torch.tensor(
  [...text].map((character) => characters.indexOf(character)),
  { dtype: 'int64' },
);
const length = 12;

class Model extends nn.Module {
  embedding = new nn.Embedding(characters.length, 16);
  position = new nn.Parameter(torch.zeros(length, 16));
  encoder = new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(16, 2, { dimFeedforward: 32, dropout: 0.1, batchFirst: true, normFirst: true }),
    2,
    new nn.LayerNorm(16),
    { enableNestedTensor: false },
  );
  head = new nn.Linear(16, characters.length, { bias: false });
  mask = nn.Transformer.generateSquareSubsequentMask(length);

  constructor() {
    super();
    this.head.weight = this.embedding.weight;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    const embedded = this.embedding(x).add(this.position);
    return this.head(this.encoder(embedded, { mask: this.mask, isCausal: true }));
  }
}

type Training = { model: Model; optimizer: torch.optim.AdamW; schedule: torch.optim.lrScheduler.LambdaLR };

function newTraining(): Training {
  const model = new Model();
  const parameters = [...model.parameters()];
  const optimizer = new optim.AdamW(
    [
      { params: parameters.filter(({ ndim }) => ndim > 1), weightDecay: 0.1 },
      { params: parameters.filter(({ ndim }) => ndim === 1), weightDecay: 0 },
    ],
    { lr: 0.01, betas: [0.9, 0.95] },
  );
  const schedule = new optim.lrScheduler.LambdaLR(optimizer, (step) => Math.min(1, (step + 1) / 5));
  return { model, optimizer, schedule };
}

function batch(): [inputs: torch.Tensor, targets: torch.Tensor] {
  const starts = torch.randint(0, text.length - length, [4]);
  const windows = [...starts].map((start) => codes.narrow(0, start.item(), length + 1));
  const rows = torch.stack(windows);
  return [rows.narrow(1, 0, length), rows.narrow(1, 1, length)];
}

function train({ model, optimizer, schedule }: Training, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    let total = 0;
    for (let part = 0; part < 2; part++) {
      const [inputs, targets] = batch();
      const loss = F.crossEntropy(model(inputs).flatten(0, 1), targets.flatten()).div(2);
      loss.backward();
      total += loss.item();
    }
    optimizer.step();
    optimizer.zeroGrad();
    schedule.step();
    if (step % 4 === 3) console.log(`step ${step + 1}: loss ${total}`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'transformer-'));
try {
  torch.manualSeed(2);
  const first = newTraining();
  console.log(`${[...first.model.parameters()].length} parameters, ${first.model.stateDict().size} in the state`);
  train(first, 0, 12);
  const checkpoint = join(folder, 'checkpoint.pt');
  torch.save(
    new Map<string, unknown>([
      ['model', first.model.stateDict()],
      ['optimizer', first.optimizer.stateDict()],
      ['schedule', first.schedule.stateDict()],
      ['random', torch.getRngState()],
    ]),
    checkpoint,
  );

  const second = newTraining();
  const saved = torch.load(checkpoint) as Map<string, never>;
  second.model.loadStateDict(saved.get('model') as never);
  second.optimizer.loadStateDict(saved.get('optimizer') as never);
  second.schedule.loadStateDict(saved.get('schedule') as never);
  torch.setRngState(saved.get('random') as never);
  console.log('resumed');
  train(second, 12, 24);
  console.log('position:', second.model.position.select(0, 0).narrow(0, 0, 4));
} finally {
  rmSync(folder, { recursive: true });
}
