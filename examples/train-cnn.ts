/** A convolutional network: SGD with Nesterov momentum and a one-cycle schedule of rate and momentum. */
import * as torch from 'libtorch-losses';

const { nn, optim } = torch;

class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(4, 8, 3, { padding: 'same' }),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(2),
    new nn.Flatten(),
  );
  head = new nn.Linear(32, 3);

  override forward(x: torch.Tensor): torch.Tensor {
    return this.head(this.features(x));
  }
}

torch.manualSeed(1);
const labels = torch.arange(60).remainder(3);
const images = torch.randn(60, 1, 8, 8);
// Each class is bright in another row.
for (let i = 0; i < 60; i++)
  images
    .select(0, i)
    .select(1, 2 * (i % 3) + 1)
    .add_(1.5);

const model = new Net();
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9, nesterov: true, weightDecay: 1e-4 });
const schedule = new optim.lrScheduler.OneCycleLR(optimizer, 0.1, { epochs: 10, stepsPerEpoch: 3 });
const loss = new nn.CrossEntropyLoss({ labelSmoothing: 0.05 });

console.log(String(model));
for (let epoch = 0; epoch < 10; epoch++) {
  let total = 0;
  for (const batch of torch.randperm(60).split(20)) {
    optimizer.zeroGrad();
    const value = loss(model(images.indexSelect(0, batch)), labels.indexSelect(0, batch));
    value.backward();
    optimizer.step();
    schedule.step();
    total += value.item();
  }
  const [group] = optimizer.paramGroups;
  console.log(`epoch ${epoch + 1}: loss ${total / 3}, momentum ${group?.momentum}`);
}

const right = torch.noGrad(() => model.eval()(images).argmax(1).eq(labels).sum().item());
console.log(`${right} of 60 right`);
