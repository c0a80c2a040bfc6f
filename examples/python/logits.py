"""Logits: unnormalized scores, and how they become probabilities."""

import torch

# Binary: logit p = ln(p / (1 - p)), the logarithm of the odds.
p = torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9])
odds = p / (1 - p)
print("odds:", odds)
print("log-odds:", torch.log(odds))
print("logit:", torch.logit(p))

# The sigmoid 1 / (1 + exp(-x)) is its inverse.
x = torch.logit(p)
print("sigmoid:", torch.sigmoid(x))
print("by hand:", 1 / (1 + torch.exp(-x)))
print(torch.allclose(torch.sigmoid(torch.logit(p)), p), torch.allclose(torch.logit(torch.sigmoid(x)), x))

# Several classes: softmax normalizes.
logits = torch.tensor([1.0, 2.0, 0.5, 0.1])
probs = torch.softmax(logits, dim=0)
print("softmax:", probs)
print("sum:", probs.sum())

# Two classes: softmax of [x, 0] is [sigmoid(x), 1 - sigmoid(x)].
print("two classes:", torch.softmax(torch.tensor([1.5, 0.0]), dim=0), torch.sigmoid(torch.tensor(1.5)))
