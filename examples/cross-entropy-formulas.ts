/**
 * The formulas of cross entropy, beside `nn.CrossEntropyLoss`: a distribution or a class index as the target, class
 * weights, batches and their reductions, ignored targets. p is the target distribution, q the predicted one.
 */
import * as torch from 'libtorch-losses';

const { nn } = torch;

// Definition: H(p, q) = -Σ_x p(x) log q(x). The loss takes logits, of which q is the softmax.
const logits = torch.tensor([1.0, 2.0, 0.5, 0.1]);
const p = torch.tensor([0.1, 0.6, 0.2, 0.1]);
const q = torch.softmax(logits, 0);
const definition = p.mul(torch.log(q)).sum().neg();
console.log('H(p, q):', definition);
console.log('CrossEntropyLoss:', new nn.CrossEntropyLoss().forward(logits, p));

// Unbatched, the target a class index: l = -w_t ln(exp y_t / Σ_i exp y_i), where i runs over the classes 0 … C - 1.
const w = torch.tensor([1.0, 2.0, 3.0, 4.0]);
const weighted = new nn.CrossEntropyLoss({ weight: w, reduction: 'none' });
const t = 2;
const softmaxOfT = torch.exp(logits.select(0, t)).div(torch.exp(logits).sum());
const indexByHand = w.select(0, t).mul(torch.log(softmaxOfT)).neg();
const indexLoss = weighted.forward(logits, torch.tensor(t, { dtype: 'int64' }));
console.log('class index:', indexLoss, torch.allclose(indexLoss, indexByHand));

// Unbatched, the target a distribution: l = -Σ_k w_k t_k ln(exp y_k / Σ_i exp y_i).
const softmax = torch.exp(logits).div(torch.exp(logits).sum());
const distributionByHand = w.mul(p).mul(torch.log(softmax)).sum().neg();
const distributionLoss = weighted.forward(logits, p);
console.log('distribution:', distributionLoss, torch.allclose(distributionLoss, distributionByHand));

// Batched: input [N, C], target [N] or [N, C], one loss for each of the N; 'mean' is the default.
const batch = torch.tensor([
  [1.0, 2.0, 0.5, 0.1],
  [0.1, 0.2, 0.3, 0.4],
  [2.0, 1.0, 0.1, 0.5],
]);
const indices = torch.tensor([1, 3, 0], { dtype: 'int64' });
const probabilities = torch.tensor([
  [0.1, 0.6, 0.2, 0.1],
  [0.25, 0.25, 0.25, 0.25],
  [0.7, 0.1, 0.1, 0.1],
]);
for (const reduction of ['none', 'mean', 'sum'] as const) {
  const lossFn = new nn.CrossEntropyLoss({ reduction });
  console.log(`${reduction}:`, lossFn.forward(batch, indices), lossFn.forward(batch, probabilities));
}

// With class weights and class indices, 'mean' divides by the weights of the targets instead of their number.
const each = weighted.forward(batch, indices);
const weightedMean = new nn.CrossEntropyLoss({ weight: w }).forward(batch, indices);
console.log('weighted mean:', weightedMean, each.sum().div(w.indexSelect(0, indices).sum()));

// A target of ignoreIndex (-100 unless told): its loss is zero, and 'mean' leaves it out.
const ignored = torch.tensor([1, -100, 0], { dtype: 'int64' });
console.log('ignored:', new nn.CrossEntropyLoss({ reduction: 'none' }).forward(batch, ignored));
console.log('mean of the others:', new nn.CrossEntropyLoss().forward(batch, ignored));
console.log('any index:', new nn.CrossEntropyLoss({ ignoreIndex: 3, reduction: 'none' }).forward(batch, indices));
