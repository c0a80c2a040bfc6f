/** Binary cross entropy of probabilities (`nn.BCELoss`) and of logits (`nn.BCEWithLogitsLoss`). */
import * as torch from 'libtorch-losses';

const { nn } = torch;

// l = -w (y ln x + (1 - y) ln(1 - x)), of the same shape as input and target; w is broadcast to it.
const x = torch.tensor([
  [0.9, 0.2, 0.6],
  [0.3, 0.7, 0.5],
]);
const y = torch.tensor([
  [1, 0, 0.5],
  [0, 1, 0.25],
]);
const w = torch.tensor([1, 2, 0.5]);
const formula = (probability: torch.Tensor): torch.Tensor => {
  const one = torch.log(probability).mul(y);
  const zero = torch.log(probability.neg().add(1)).mul(y.neg().add(1));
  return one.add(zero).mul(w).neg();
};
const bceLossFn = new nn.BCELoss({ weight: w, reduction: 'none' });
const loss = bceLossFn.forward(x, y);
console.log('BCELoss:');
console.log(loss);
console.log(torch.allclose(loss, formula(x)));

// BCEWithLogitsLoss is a sigmoid layer and BCELoss in one: l = -w (y ln σ(x) + (1 - y) ln(1 - σ(x))).
const logits = torch.tensor([
  [2, -1.5, 0.5],
  [-1, 0.8, 0],
]);
const s = torch.sigmoid(logits);
const withLogits = new nn.BCEWithLogitsLoss({ weight: w, reduction: 'none' }).forward(logits, y);
console.log('BCEWithLogitsLoss:');
console.log(withLogits);
console.log(torch.allclose(withLogits, formula(s)));
console.log(torch.allclose(withLogits, bceLossFn.forward(s, y)));

// The default is the mean.
console.log('mean:', new nn.BCELoss().forward(s, y), new nn.BCEWithLogitsLoss().forward(logits, y));

// Far from zero the sigmoid rounds to 1, where BCELoss cuts its logarithm off at -100; the loss on logits has no need to.
const [far, zero] = [torch.tensor([20, 50, 200]), torch.zeros([3])];
console.log('BCELoss far off:', new nn.BCELoss({ reduction: 'none' }).forward(torch.sigmoid(far), zero));
console.log('BCEWithLogitsLoss:', new nn.BCEWithLogitsLoss({ reduction: 'none' }).forward(far, zero));
