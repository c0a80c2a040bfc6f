/**
 * Fine-tunes a model that Python trained: its weights come from a `.pt` and a `.safetensors` file, its head is replaced, its
 * body is frozen, then a part of the body is trained too, at a lower rate, and the result goes back to Python as both kinds
 * of files.
 *
 *     node fine-tune.js [folder of the pretrained files [folder for the results]]
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as torch from 'libtorch-losses';

const { nn, optim, safetensors } = torch;
const F = nn.functional;

class Classifier extends nn.Module {
  body = new nn.Sequential(
    new nn.Linear(6, 12),
    new nn.BatchNorm1d(12),
    new nn.ReLU(),
    new nn.Linear(12, 12),
    new nn.ReLU(),
  );
  head: torch.nn.Linear;

  constructor(classes: number) {
    super();
    this.head = new nn.Linear(12, classes);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return this.head(this.body(x));
  }
}

const inPackage = (): string => join(dirname(require.resolve('libtorch-losses/package.json')), 'examples/fine-tune');
const temporary = mkdtempSync(join(tmpdir(), 'fine-tune-'));
const [given = inPackage(), results = temporary] = process.argv.slice(2);

try {
  torch.manualSeed(4);
  const model = new Classifier(5);
  const state = torch.load(join(given, 'pretrained.pt')) as Map<string, torch.Tensor>;
  model.loadStateDict(state);
  console.log(`${state.size} tensors loaded`);
  const same = safetensors.loadFile(join(given, 'pretrained.safetensors'));
  console.log(
    'both files agree:',
    [...state].every(([name, tensor]) => torch.equal(tensor, same.get(name) as torch.Tensor)),
  );

  // The new task: three classes.
  const inputs = torch.randn(90, 6);
  const labels = inputs.narrow(1, 0, 3).argmax(1);
  model.head = new nn.Linear(12, 3);
  model.body.requiresGrad_(false);
  const optimizer = new optim.AdamW(
    [
      { params: [model.head.weight], weightDecay: 0.1 },
      { params: [model.getParameter('head.bias')], weightDecay: 0 },
    ],
    { lr: 0.05 },
  );

  const train = (epochs: number): void => {
    model.train();
    // The statistics of a frozen batch norm stay as they are.
    model.body.eval();
    for (let epoch = 0; epoch < epochs; epoch++) {
      let total = 0;
      for (const batch of torch.randperm(90).split(30)) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model(inputs.indexSelect(0, batch)), labels.indexSelect(0, batch));
        loss.backward();
        optimizer.step();
        total += loss.item();
      }
      if (epoch % 5 === 4) console.log(`epoch ${epoch + 1}: loss ${total / 3}`);
    }
  };

  console.log('the head:');
  train(10);
  console.log("and the body's last layer:");
  const last = model.body[3] as torch.nn.Linear;
  last.requiresGrad_();
  optimizer.addParamGroup({ params: last.parameters(), lr: 0.005, weightDecay: 0.01 });
  train(10);

  model.eval();
  const right = torch.noGrad(() => model(inputs).argmax(1).eq(labels).sum().item());
  console.log(`${right} of 90 right`);
  const first = model.getParameter('body.0.weight');
  console.log('frozen weights unchanged:', torch.equal(first, state.get('body.0.weight') as torch.Tensor));

  torch.save({ model: model.stateDict(), optimizer: optimizer.stateDict() }, join(results, 'fine-tuned.pt'));
  const path = join(results, 'fine-tuned.safetensors');
  safetensors.saveFile(model.stateDict(), path, { metadata: { format: 'pt' } });
  console.log(`sha256 of fine-tuned.safetensors: ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
} finally {
  rmSync(temporary, { recursive: true });
}
