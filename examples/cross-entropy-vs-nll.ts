/**
 * CrossEntropyLoss takes logits, NLLLoss takes log-probabilities; apart from that they are the same loss.
 *
 * This follows the article "CrossEntropyLoss vs NLLLoss in PyTorch: Key Differences and Usage", whose listings print
 * 1.2321 in its text. That figure is wrong: PyTorch gives 0.7837 for these logits and targets, and so does this example.
 */
import * as torch from 'libtorch-losses';

const { nn } = torch;
const F = nn.functional;

// Sample logits (raw scores) for 3 samples and 4 classes, and the class of each sample.
const logits = torch.tensor([
  [1.0, 2.0, 0.5, 0.1],
  [0.1, 0.2, 0.3, 0.4],
  [2.0, 1.0, 0.1, 0.5],
]);
const targets = torch.tensor([1, 3, 0], { dtype: 'int64' });

// CrossEntropyLoss directly on logits: it applies log_softmax itself.
const crossEntropyLoss = new nn.CrossEntropyLoss();
console.log(`CrossEntropyLoss: ${crossEntropyLoss.forward(logits, targets).item().toFixed(4)}`);

// NLLLoss on log-probabilities: the caller applies log_softmax.
const logProbs = F.logSoftmax(logits, 1);
const nllLoss = new nn.NLLLoss();
console.log(`NLLLoss: ${nllLoss.forward(logProbs, targets).item().toFixed(4)}`);

// Each sample's loss; their mean is what was printed above.
const each = new nn.CrossEntropyLoss({ reduction: 'none' }).forward(logits, targets);
console.log('each sample:', each);
console.log(`mean: ${each.mean().item().toFixed(4)}`);

// The usual slip: NLLLoss does not notice that it was given logits, and its figure means nothing. The other way round
// nothing happens, since log_softmax leaves log-probabilities as they are.
console.log('NLLLoss of logits:', nllLoss.forward(logits, targets));
console.log('CrossEntropyLoss of log-probabilities:', crossEntropyLoss.forward(logProbs, targets));

// Numerical stability: far apart, softmax rounds to zero and its logarithm is -inf; log_softmax subtracts instead.
const extreme = torch.tensor([[1000, 0, -1000, 0]]);
const second = torch.tensor([1], { dtype: 'int64' });
console.log('logits far apart:', crossEntropyLoss.forward(extreme, second));
console.log('by log(softmax):', nllLoss.forward(torch.log(torch.softmax(extreme, 1)), second));

// What NLLLoss is for: log-probabilities that were worked on before the loss. Here two models are averaged.
const other = F.logSoftmax(
  torch.tensor([
    [0.2, 1.0, 0.4, 0.3],
    [0.0, 0.1, 0.9, 1.5],
    [1.2, 0.3, 0.7, 0.2],
  ]),
  1,
);
const averaged = torch.log(torch.exp(logProbs).add(torch.exp(other)).div(2));
console.log('two models averaged:', nllLoss.forward(averaged, targets));

// The article says that both losses take class indices only. CrossEntropyLoss has taken class probabilities as well
// since PyTorch 1.10, one-hot vectors among them; NLLLoss has not.
const oneHot = torch.tensor([
  [0, 1, 0, 0],
  [0, 0, 0, 1],
  [1, 0, 0, 0],
]);
console.log('one-hot targets:', crossEntropyLoss.forward(logits, oneHot));
