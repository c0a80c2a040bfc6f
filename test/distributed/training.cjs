// Trainings that ranks do together, as test/distributed/training.py has them; prints what comes out of each as JSON.
//
//     node training.cjs LIBRARY LIST-OF-OPTIONS
const { createHash } = require('node:crypto');
const torch = require(process.argv[2]);

const { distributed, nn, optim } = torch;
const F = nn.functional;

class Net extends nn.Module {
  first = new nn.Linear(20, 64);
  norm = new nn.BatchNorm1d(64);
  second = new nn.Linear(64, 64);
  unused = new nn.Linear(3, 3);
  last = new nn.Linear(64, 5);
  forward(x) {
    return this.last(this.second(this.norm(this.first(x)).relu()).relu());
  }
}

function train(options) {
  const [rank, size] = [distributed.getRank(), distributed.getWorldSize()];
  torch.manualSeed(rank);
  const net = new Net();
  if (!options.findUnusedParameters && !options.staticGraph) net.unused.requiresGrad_(false);
  const model = new nn.parallel.DistributedDataParallel(net, options);
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
  const losses = [];
  for (let i = 0; i < 8; i++) {
    const generator = new torch.Generator().manualSeed(1000 + i * size + rank);
    const x = torch.randn(8, 20, { generator });
    const y = torch.randint(5, [8], { generator });
    const step = () => {
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      return loss;
    };
    optimizer.zeroGrad();
    if (i === 5 && !options.staticGraph) model.noSync(step);
    losses.push(step().item());
    optimizer.step();
  }
  const hash = createHash('sha256');
  for (const tensor of model.stateDict().values()) {
    const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return { losses, keys: [...model.stateDict().keys()], weights: hash.digest('hex') };
}

(async () => {
  await distributed.initProcessGroup('gloo');
  const results = JSON.parse(process.argv[3]).map(train);
  await distributed.destroyProcessGroup();
  console.log(JSON.stringify(results));
})();
