"""The formulas of cross entropy, beside torch.nn.CrossEntropyLoss."""

import torch

# Definition: H(p, q) = -sum_x p(x) log q(x), with q = softmax(logits).
logits = torch.tensor([1.0, 2.0, 0.5, 0.1])
p = torch.tensor([0.1, 0.6, 0.2, 0.1])
q = torch.softmax(logits, dim=0)
definition = -(p * torch.log(q)).sum()
print("H(p, q):", definition)
print("CrossEntropyLoss:", torch.nn.CrossEntropyLoss()(logits, p))

# Unbatched, the target a class index: l = -w_t ln(exp y_t / sum_i exp y_i).
w = torch.tensor([1.0, 2.0, 3.0, 4.0])
weighted = torch.nn.CrossEntropyLoss(weight=w, reduction="none")
t = 2
by_hand = -w[t] * torch.log(torch.exp(logits[t]) / torch.exp(logits).sum())
loss = weighted(logits, torch.tensor(t))
print("class index:", loss, torch.allclose(loss, by_hand))

# Unbatched, the target a distribution: l = -sum_k w_k t_k ln(exp y_k / sum_i exp y_i).
by_hand = -(w * p * torch.log(torch.exp(logits) / torch.exp(logits).sum())).sum()
loss = weighted(logits, p)
print("distribution:", loss, torch.allclose(loss, by_hand))

# Batched: input [N, C], target [N] or [N, C], one loss for each of the N.
batch = torch.tensor([[1.0, 2.0, 0.5, 0.1],
                      [0.1, 0.2, 0.3, 0.4],
                      [2.0, 1.0, 0.1, 0.5]])
indices = torch.tensor([1, 3, 0])
probabilities = torch.tensor([[0.1, 0.6, 0.2, 0.1],
                              [0.25, 0.25, 0.25, 0.25],
                              [0.7, 0.1, 0.1, 0.1]])
for reduction in ["none", "mean", "sum"]:
    loss_fn = torch.nn.CrossEntropyLoss(reduction=reduction)
    print(f"{reduction}:", loss_fn(batch, indices), loss_fn(batch, probabilities))

# With class weights and class indices, 'mean' divides by the weights of the targets.
each = weighted(batch, indices)
print("weighted mean:", torch.nn.CrossEntropyLoss(weight=w)(batch, indices), each.sum() / w[indices].sum())

# A target of ignore_index: its loss is zero, and 'mean' leaves it out.
ignored = torch.tensor([1, -100, 0])
print("ignored:", torch.nn.CrossEntropyLoss(reduction="none")(batch, ignored))
print("mean of the others:", torch.nn.CrossEntropyLoss()(batch, ignored))
print("any index:", torch.nn.CrossEntropyLoss(ignore_index=3, reduction="none")(batch, indices))
