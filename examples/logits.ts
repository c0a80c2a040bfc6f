/** Logits: the unnormalized scores that a model gives, and how they become probabilities. */
import * as torch from 'libtorch-losses';

// Binary: logit p = ln(p / (1 - p)) for p in (0, 1), the logarithm of the odds p / (1 - p).
const p = torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9]);
const odds = p.div(p.neg().add(1));
console.log('odds:', odds);
console.log('log-odds:', torch.log(odds));
console.log('logit:', torch.logit(p));

// The sigmoid 1 / (1 + exp(-x)) is its inverse.
const x = torch.logit(p);
console.log('sigmoid:', torch.sigmoid(x));
console.log('by hand:', torch.exp(x.neg()).add(1).pow(-1));
console.log(torch.allclose(torch.sigmoid(torch.logit(p)), p), torch.allclose(torch.logit(torch.sigmoid(x)), x));

// Several classes: softmax normalizes the logits to probabilities.
const logits = torch.tensor([1.0, 2.0, 0.5, 0.1]);
const probs = torch.softmax(logits, 0);
console.log('softmax:', probs);
console.log('sum:', probs.sum());

// Two classes: softmax of [x, 0] is [sigmoid(x), 1 - sigmoid(x)].
console.log('two classes:', torch.softmax(torch.tensor([1.5, 0]), 0), torch.sigmoid(torch.tensor(1.5)));
