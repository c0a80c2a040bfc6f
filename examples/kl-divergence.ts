/** The Kullback-Leibler divergence: its two kinds of target, its reductions, and D(p ‖ q) = H(p, q) - H(p). */
import * as torch from 'libtorch-losses';

const { nn } = torch;

// The input holds log-probabilities. With probabilities as the target, l = target · (log target - input) by element.
const input = torch.log(
  torch.tensor([
    [0.2, 0.5, 0.3],
    [0.6, 0.3, 0.1],
  ]),
);
const target = torch.tensor([
  [0.1, 0.6, 0.3],
  [0.5, 0.25, 0.25],
]);
const pointwise = target.mul(torch.log(target).sub(input));
const loss = new nn.KLDivLoss({ reduction: 'none' }).forward(input, target);
console.log('none:');
console.log(loss);
console.log(torch.allclose(loss, pointwise));

// With log-probabilities as the target as well, l = exp(target) · (target - input).
const logTarget = torch.log(target);
const logPointwise = torch.exp(logTarget).mul(logTarget.sub(input));
const logLoss = new nn.KLDivLoss({ reduction: 'none', logTarget: true }).forward(input, logTarget);
console.log('log_target:');
console.log(logLoss);
console.log(torch.allclose(logLoss, logPointwise));

// Reductions: the sum, the sum over the number of elements, the sum over the size of the batch. Only the last is the
// mean of the samples' divergences.
const sum = pointwise.sum();
console.log('sum:', new nn.KLDivLoss({ reduction: 'sum' }).forward(input, target), sum);
console.log('mean:', new nn.KLDivLoss({ reduction: 'mean' }).forward(input, target), sum.div(6));
console.log('batchmean:', new nn.KLDivLoss({ reduction: 'batchmean' }).forward(input, target), sum.div(2));

// D(p ‖ q) = Σ p log(p / q) = -H(p) + H(p, q). The same seed gives Python's numbers.
torch.manualSeed(0);

const ceLossFn = new nn.CrossEntropyLoss({ reduction: 'none' });
const kldivLossFn = new nn.KLDivLoss({ reduction: 'sum' });

const nClass = 10;
const logits = torch.randn([nClass]);
const probs = torch.softmax(logits, 0);
const logProbs = torch.log(probs);

const p = torch.rand([nClass]);
p.div_(p.sum());

const entropy = new torch.distributions.Categorical({ probs: p }).entropy();
const kldiv = kldivLossFn.forward(logProbs, p);
const ce = ceLossFn.forward(logits, p);

console.log('D(p || q):', kldiv);
console.log('H(p, q) and H(p):', ce, entropy);
console.log(torch.allclose(kldiv, entropy.neg().add(ce)));
