"""Binary cross entropy of probabilities and of logits."""

import torch

# l = -w (y ln x + (1 - y) ln(1 - x)), of the same shape as input and target.
x = torch.tensor([[0.9, 0.2, 0.6], [0.3, 0.7, 0.5]])
y = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, 0.25]])
w = torch.tensor([1.0, 2.0, 0.5])
by_hand = -w * (y * torch.log(x) + (1 - y) * torch.log(1 - x))
loss = torch.nn.BCELoss(weight=w, reduction='none')(x, y)
print("BCELoss:")
print(loss)
print(torch.allclose(loss, by_hand))

# BCEWithLogitsLoss: a sigmoid layer and BCELoss in one.
logits = torch.tensor([[2.0, -1.5, 0.5], [-1.0, 0.8, 0.0]])
s = torch.sigmoid(logits)
by_hand = -w * (y * torch.log(s) + (1 - y) * torch.log(1 - s))
with_logits = torch.nn.BCEWithLogitsLoss(weight=w, reduction='none')(logits, y)
print("BCEWithLogitsLoss:")
print(with_logits)
print(torch.allclose(with_logits, by_hand))
print(torch.allclose(with_logits, torch.nn.BCELoss(weight=w, reduction='none')(s, y)))

# The default is the mean.
print("mean:", torch.nn.BCELoss()(s, y), torch.nn.BCEWithLogitsLoss()(logits, y))

# Far from zero the sigmoid rounds to 1, and only the loss on logits still tells how far.
far, zero = torch.tensor([20.0, 50.0, 200.0]), torch.zeros(3)
print("BCELoss far off:", torch.nn.BCELoss(reduction='none')(torch.sigmoid(far), zero))
print("BCEWithLogitsLoss:", torch.nn.BCEWithLogitsLoss(reduction='none')(far, zero))
