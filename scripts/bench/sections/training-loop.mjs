// A linear classifier trained step after step, without leaving the loop: `training-loop.mjs scope|plain steps`.

import { torch } from '../peers/library.mjs';
import { highWater } from '../peers/resident.mjs';

const [kind, steps] = process.argv.slice(2);
const F = torch.nn.functional;
torch.setNumThreads(1);
torch.manualSeed(0);

const x = torch.randn([64, 64]);
const y = torch.randint(0, 10, [64]);
const weight = torch.zeros([10, 64], { requiresGrad: true });
const bias = torch.zeros([10], { requiresGrad: true });

function step() {
  const loss = F.crossEntropy(F.linear(x, weight, bias), y);
  const gradients = torch.grad(loss, [weight, bias]);
  torch.noGrad(() => {
    weight.sub_(gradients[0].mul(0.1));
    bias.sub_(gradients[1].mul(0.1));
  });
}

const start = performance.now();
for (let i = 0; i < Number(steps); i++) {
  if (kind === 'scope') torch.scope(step);
  else step();
}
const seconds = (performance.now() - start) / 1000;
const loss = F.crossEntropy(F.linear(x, weight, bias), y).item();
console.log(JSON.stringify({ peak: highWater(), seconds, loss }));
