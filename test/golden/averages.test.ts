/** Averages of weights as PyTorch's own computed them: scripts/golden/averages.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { bitsOf, expectBits } from '../../lib/parity/bits';
import { judgeFor, thisHost, toleranceOf } from '../../lib/parity/judge';
import { type EncodedTensor, readManifest, resultBits, vectors } from '../../lib/parity/vectors';

const { nn } = torch;
const { swaUtils } = torch.optim;

type State = Record<string, EncodedTensor>;

const golden = JSON.parse(readFileSync(join(__dirname, 'averages.json'), 'utf8')) as {
  averages: Record<string, State>;
  updateBn: State;
};
const judge = judgeFor(readManifest(vectors), thisHost());

const cases = {
  mean: {},
  'mean, by lists': { multiAvgFn: swaUtils.getSwaMultiAvgFn() },
  'mean, one by one': { avgFn: swaUtils.getSwaAvgFn() },
  decaying: { multiAvgFn: swaUtils.getEmaMultiAvgFn(0.9) },
  'decaying, one by one': { avgFn: swaUtils.getEmaAvgFn({ decay: 0.7 }) },
  'decaying, with buffers': { multiAvgFn: swaUtils.getEmaMultiAvgFn(), useBuffers: true },
  'mean, with buffers': { useBuffers: true },
};

function makeModel(options: { momentum?: number } = {}): torch.nn.Sequential {
  return new nn.Sequential(new nn.Linear(5, 3), new nn.BatchNorm1d(3, options));
}

function change(model: torch.nn.Module, seed: number): void {
  const generator = new torch.Generator();
  generator.manualSeed(seed);
  torch.noGrad(() => {
    for (const tensor of [...model.parameters(), ...model.buffers()]) {
      if (tensor.isFloatingPoint()) tensor.copy_(torch.randn(tensor.shape, { generator }));
      else tensor.add_(7);
    }
  });
}

function expectState(model: torch.nn.Module<unknown>, expected: State): void {
  const state = model.stateDict() as ReadonlyMap<string, torch.Tensor>;
  expect([...state.keys()].sort()).toEqual(Object.keys(expected).sort());
  for (const [key, tensor] of state) {
    expectBits(key, bitsOf(tensor), resultBits(expected[key] as EncodedTensor), toleranceOf(tensor.dtype, judge));
  }
}

describe(judge.exact ? 'bit for bit' : `within PyTorch's tolerances (${judge.because})`, () => {
  test.each(Object.entries(cases))('%s', (name, options) => {
    const model = makeModel();
    change(model, 1);
    const averaged = new swaUtils.AveragedModel(model, options);
    for (let seed = 2; seed < 7; seed++) {
      change(model, seed);
      averaged.updateParameters(model);
    }
    expectState(averaged, golden.averages[name] as State);
  });

  test('updateBn', () => {
    const model = makeModel({ momentum: 0.3 });
    change(model, 1);
    const generator = new torch.Generator();
    generator.manualSeed(9);
    const batches = [0, 1, 2].map((i) => torch.randn([4 + i, 5], { generator }));
    swaUtils.updateBn(batches, model);
    expectState(model, golden.updateBn);
  });
});
