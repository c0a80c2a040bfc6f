/** Types of optimizers and schedules: what compiles, and what must not. */
import { nn, optim, type Tensor, zeros } from 'libtorch-losses';

declare const weight: Tensor;
const model = new nn.Linear(2, 3);

const sgd = new optim.SGD(model.parameters(), 0.1, 0.9);
new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true });
new optim.SGD(model.parameters(), 0.1, { momentum: 0.9, foreach: null });
new optim.SGD(model.namedParameters(), zeros([]));
new optim.SGD([
  { params: [weight], lr: 0.1 },
  { params: weight, tag: 'mine' },
]);
new optim.Adam([['weight', weight]], { betas: [0.9, 0.99], amsgrad: true });
new optim.Adafactor([weight], { eps: [null, 0.01] });
new optim.LBFGS([weight], { lineSearchFn: 'strong_wolfe' });

// @ts-expect-error A rate is a number or a tensor.
new optim.SGD([weight], '0.1');
// @ts-expect-error There is no such option.
new optim.SGD([weight], { learningRate: 0.1 });
// @ts-expect-error The options behind nesterov go by name.
new optim.SGD([weight], 0.1, 0.9, 0, 0, false, true);
// @ts-expect-error AdamW has decoupled weight decay, always.
new optim.AdamW([weight], { decoupledWeightDecay: true });
// @ts-expect-error Searches have names.
new optim.LBFGS([weight], { lineSearchFn: 'wolfe' });
// @ts-expect-error Parameters are tensors.
new optim.SGD([1, 2]);

for (const group of sgd.paramGroups) {
  group.lr = 0.01;
  group.momentum *= 0.5;
  // @ts-expect-error A momentum is a number.
  group.momentum = 'high';
}
sgd.step();
const loss: number = sgd.step(() => 0.5);
const average: unknown = sgd.state.get(weight)?.momentumBuffer;
const { state, param_groups } = sgd.stateDict();
sgd.loadStateDict({ state, param_groups });

const scheduler = new optim.lrScheduler.StepLR(sgd, 30, { gamma: 0.5 });
const size: number = scheduler.stepSize;
const rates: (number | Tensor)[] = scheduler.getLastLr();
new optim.lrScheduler.CosineAnnealingLR(sgd, { TMax: 10 });
new optim.lrScheduler.OneCycleLR(sgd, [0.1], { totalSteps: 10, annealStrategy: 'linear' });
new optim.lrScheduler.SequentialLR(sgd, [scheduler], []);
// @ts-expect-error There is no such option.
new optim.lrScheduler.StepLR(sgd, { size: 30 });
// @ts-expect-error Strategies have names.
new optim.lrScheduler.OneCycleLR(sgd, 0.1, { totalSteps: 10, annealStrategy: 'sin' });

class Mine extends optim.Optimizer<{ lr: number }> {
  constructor(params: Iterable<Tensor>) {
    super(params, { lr: 0.1 });
  }
}

export const used = [loss, average, size, rates, Mine];
