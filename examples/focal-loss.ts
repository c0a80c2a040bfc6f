/** A loss of your own: the focal loss, declared once, with the forms that every loss has. */
import * as torch from 'libtorch-losses';

const F = torch.nn.functional;

// The cross entropy of each outcome, less where the model is sure already, and weighed by outcome.
const focalLoss = torch.defineLoss({
  name: 'focalLoss',
  arguments: ['input', 'target'],
  options: { alpha: 0.25, gamma: 2 },
  losses({ input, target, alpha, gamma }) {
    const p = input.sigmoid();
    const crossEntropy = F.binaryCrossEntropyWithLogits(input, target, { reduction: 'none' });
    const no = target.neg().add(1);
    const ofOutcome = p.mul(target).add(p.neg().add(1).mul(no));
    const losses = crossEntropy.mul(ofOutcome.neg().add(1).pow(gamma));
    return target
      .mul(alpha)
      .add(no.mul(1 - alpha))
      .mul(losses);
  },
});

const scores = torch.tensor([2.0, -1.0, 0.5, -3.0], { requiresGrad: true });
const outcomes = torch.tensor([1, 0, 0, 1]);

console.log('mean:', focalLoss(scores, outcomes));
console.log('each:', focalLoss(scores, outcomes, { gamma: 1, reduction: 'none' }));

const loss = focalLoss(scores, outcomes, { reduction: 'sum' });
loss.backward();
console.log('gradient:', scores.grad);

// The same in the other forms.
const value = focalLoss.item(scores, outcomes, { reduction: 'sum' });
const { grad } = torch.valueAndGrad(focalLoss)(scores, outcomes, { reduction: 'sum' });
const criterion = new focalLoss.Module({ reduction: 'sum' });
console.log(
  value === loss.item(),
  torch.equal(grad, scores.grad as torch.Tensor),
  torch.equal(criterion(scores, outcomes), loss),
);
