"""CrossEntropyLoss takes logits, NLLLoss takes log-probabilities; apart from that they are the same loss."""

import torch
import torch.nn as nn
import torch.nn.functional as F

# Sample logits (raw scores) for 3 samples and 4 classes, and the class of each sample.
logits = torch.tensor([[1.0, 2.0, 0.5, 0.1],
                       [0.1, 0.2, 0.3, 0.4],
                       [2.0, 1.0, 0.1, 0.5]])
targets = torch.tensor([1, 3, 0])

# CrossEntropyLoss directly on logits.
criterion = nn.CrossEntropyLoss()
loss = criterion(logits, targets)
print(f"CrossEntropyLoss: {loss.item():.4f}")

# NLLLoss on log-probabilities.
log_probs = F.log_softmax(logits, dim=1)
criterion = nn.NLLLoss()
loss = criterion(log_probs, targets)
print(f"NLLLoss: {loss.item():.4f}")

# Each sample's loss; their mean is what was printed above.
each = nn.CrossEntropyLoss(reduction="none")(logits, targets)
print("each sample:", each)
print(f"mean: {each.mean().item():.4f}")

# Logits given to NLLLoss, or log-probabilities given to CrossEntropyLoss.
print("NLLLoss of logits:", nn.NLLLoss()(logits, targets))
print("CrossEntropyLoss of log-probabilities:", nn.CrossEntropyLoss()(log_probs, targets))

# Numerical stability.
extreme = torch.tensor([[1000.0, 0.0, -1000.0, 0.0]])
second = torch.tensor([1])
print("logits far apart:", nn.CrossEntropyLoss()(extreme, second))
print("by log(softmax):", nn.NLLLoss()(torch.log(torch.softmax(extreme, dim=1)), second))

# Log-probabilities that were worked on before the loss: two models averaged.
other = F.log_softmax(torch.tensor([[0.2, 1.0, 0.4, 0.3],
                                    [0.0, 0.1, 0.9, 1.5],
                                    [1.2, 0.3, 0.7, 0.2]]), dim=1)
averaged = torch.log((torch.exp(log_probs) + torch.exp(other)) / 2)
print("two models averaged:", nn.NLLLoss()(averaged, targets))

# Targets as class probabilities.
one_hot = torch.tensor([[0.0, 1.0, 0.0, 0.0],
                        [0.0, 0.0, 0.0, 1.0],
                        [1.0, 0.0, 0.0, 0.0]])
print("one-hot targets:", nn.CrossEntropyLoss()(logits, one_hot))
