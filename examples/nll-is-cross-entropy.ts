/** The negative log likelihood is the cross entropy: NLLLoss(log_softmax(x), target) = CrossEntropyLoss(x, target). */
import * as torch from 'libtorch-losses';

// L(p, q) = Π_x q(x)^p(x), so -log L(p, q) = -Σ_x p(x) log q(x) = H(p, q).
const p = torch.tensor([0.1, 0.6, 0.2, 0.1]);
const q = torch.tensor([0.25, 0.4, 0.15, 0.2]);
const factors = q.pow(p);
const likelihood = [0, 1, 2, 3].map((x) => factors.select(0, x)).reduce((product, factor) => product.mul(factor));
console.log('-log L(p, q):', torch.log(likelihood).neg());
console.log('H(p, q):', p.mul(torch.log(q)).sum().neg());

// The same seed gives Python's numbers.
torch.manualSeed(0);

const ceLossFn = new torch.nn.CrossEntropyLoss({ reduction: 'none' });
const nllLossFn = new torch.nn.NLLLoss({ reduction: 'none' });

const logSoftmaxFn = new torch.nn.LogSoftmax({ dim: 0 });

const nClass = 10;
const logits = torch.randn([nClass]);
const logProb = logSoftmaxFn.forward(logits);
const target = torch.randint(0, nClass, []); // a tensor of empty shape, a scalar

const ceLoss = ceLossFn.forward(logits, target);
const nllLoss = nllLossFn.forward(logProb, target);

console.log(ceLoss, nllLoss);
console.log(torch.allclose(ceLoss, nllLoss)); // whether the numbers are very close
