/** A small network with batch norm and dropout: AdamW, a cosine schedule, clipped gradients, then evaluation. */
import * as torch from 'libtorch-losses';

const { nn, optim } = torch;
const F = nn.functional;

torch.manualSeed(0);
const inputs = torch.randn(120, 8);
const labels = inputs.pow(2).sum(1).gt(7).long();

const model = new nn.Sequential(
  new nn.Linear(8, 16),
  new nn.BatchNorm1d(16),
  new nn.ReLU(),
  new nn.Dropout(0.2),
  new nn.Linear(16, 2),
);
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.02, weightDecay: 0.01 });
const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, 30);

for (let epoch = 0; epoch < 30; epoch++) {
  const order = torch.randperm(120);
  let total = 0;
  for (const batch of order.split(40)) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(inputs.indexSelect(0, batch)), labels.indexSelect(0, batch));
    loss.backward();
    nn.utils.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    total += loss.item();
  }
  schedule.step();
  if (epoch % 5 === 4) console.log(`epoch ${epoch + 1}: loss ${total / 3}, next rate ${schedule.getLastLr()[0]}`);
}

model.eval();
const right = torch.noGrad(() => model(inputs).argmax(1).eq(labels).sum().item());
console.log(`${right} of 120 right`);
console.log('running mean:', model.getBuffer('1.running_mean').narrow(0, 0, 4));
