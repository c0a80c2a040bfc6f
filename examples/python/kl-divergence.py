"""The Kullback-Leibler divergence, its reductions, and D(p || q) = H(p, q) - H(p)."""

import torch

# Input: log-probabilities. Target: probabilities, l = target * (log target - input).
input = torch.log(torch.tensor([[0.2, 0.5, 0.3],
                                [0.6, 0.3, 0.1]]))
target = torch.tensor([[0.1, 0.6, 0.3],
                       [0.5, 0.25, 0.25]])
pointwise = target * (torch.log(target) - input)
loss = torch.nn.KLDivLoss(reduction='none')(input, target)
print("none:")
print(loss)
print(torch.allclose(loss, pointwise))

# log_target: l = exp(target) * (target - input).
log_target = torch.log(target)
pointwise = torch.exp(log_target) * (log_target - input)
loss = torch.nn.KLDivLoss(reduction='none', log_target=True)(input, log_target)
print("log_target:")
print(loss)
print(torch.allclose(loss, pointwise))

# Reductions: the sum, the sum over the number of elements, the sum over the size of the batch.
print("sum:", torch.nn.KLDivLoss(reduction='sum')(input, target), pointwise.sum())
print("mean:", torch.nn.KLDivLoss(reduction='mean')(input, target), pointwise.sum() / 6)
print("batchmean:", torch.nn.KLDivLoss(reduction='batchmean')(input, target), pointwise.sum() / 2)

# D(p || q) = sum p log(p / q) = -H(p) + H(p, q).
torch.manual_seed(0)

ce_loss_fn = torch.nn.CrossEntropyLoss(reduction='none')
kldiv_loss_fn = torch.nn.KLDivLoss(reduction='sum')

n_class = 10
logits = torch.randn((n_class,))
probs = torch.softmax(logits, dim=0)
log_probs = torch.log(probs)

target = torch.rand((n_class,))
target /= target.sum()

target_entropy = torch.distributions.Categorical(probs=target).entropy()
kldiv = kldiv_loss_fn(log_probs, target)
ce = ce_loss_fn(logits, target)

print("D(p || q):", kldiv)
print("H(p, q) and H(p):", ce, target_entropy)
print(torch.allclose(kldiv, -target_entropy+ce))
