"""The negative log likelihood is the cross entropy."""

import torch

# L(p, q) = prod_x q(x)^p(x), so -log L(p, q) = -sum_x p(x) log q(x) = H(p, q).
p = torch.tensor([0.1, 0.6, 0.2, 0.1])
q = torch.tensor([0.25, 0.4, 0.15, 0.2])
likelihood = torch.prod(q ** p)
print("-log L(p, q):", -torch.log(likelihood))
print("H(p, q):", -(p * torch.log(q)).sum())

# NLLLoss(log_softmax(x), target) = CrossEntropyLoss(x, target).
torch.manual_seed(0)

ce_loss_fn = torch.nn.CrossEntropyLoss(reduction='none')
nll_loss_fn = torch.nn.NLLLoss(reduction='none')

log_softmax_fn = torch.nn.LogSoftmax(dim=0)

n_class = 10
logits = torch.randn((n_class,))
log_prob = log_softmax_fn(logits)
target = torch.randint(0, n_class, []) # tensor of empty shape, a scalar

ce_loss = ce_loss_fn(logits, target)
nll_loss = nll_loss_fn(log_prob, target)

print(ce_loss, nll_loss)
print(torch.allclose(ce_loss, nll_loss)) # test if tensors of float are very close
