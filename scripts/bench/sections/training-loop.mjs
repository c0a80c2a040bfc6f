// A linear classifier trained step after step, without leaving the loop: `training-loop.mjs scope|plain steps`.

import { torch } from '../peers/library.mjs';
import { highWater, resident } from '../peers/resident.mjs';

const kind = process.argv[2];
const steps = Number(process.argv[3]);
const F = torch.nn.functional;
torch.setNumThreads(1);
torch.manualSeed(0);

const x = torch.randn([64, 64]);
const y = torch.randint(0, 10, [64]);
const model = new torch.nn.Linear(64, 10);
const optimizer = new torch.optim.AdamW(model.parameters(), { lr: 0.1 });

function step() {
  optimizer.zeroGrad();
  F.crossEntropy(model(x), y).backward();
  optimizer.step();
}

const start = performance.now();
let halfway = 0;
for (let i = 0; i < steps; i++) {
  if (i === Math.floor(steps / 2)) halfway = resident();
  if (kind === 'scope') torch.scope(step);
  else step();
}
const seconds = (performance.now() - start) / 1000;
const growth = resident() - halfway;
const loss = F.crossEntropy(model(x), y).item();
console.log(JSON.stringify({ peak: highWater(), growth, seconds, loss }));
