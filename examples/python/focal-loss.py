"""The focal loss by hand."""

import torch
import torch.nn.functional as F


def focal_loss(input, target, alpha=0.25, gamma=2, reduction="mean"):
    p = input.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(input, target, reduction="none")
    no = 1 - target
    of_outcome = p * target + (1 - p) * no
    losses = cross_entropy * (1 - of_outcome).pow(gamma)
    losses = (target * alpha + no * (1 - alpha)) * losses
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


scores = torch.tensor([2.0, -1.0, 0.5, -3.0], requires_grad=True)
outcomes = torch.tensor([1.0, 0.0, 0.0, 1.0])

print("mean:", focal_loss(scores, outcomes))
print("each:", focal_loss(scores, outcomes, gamma=1, reduction="none"))

loss = focal_loss(scores, outcomes, reduction="sum")
loss.backward()
print("gradient:", scores.grad)

again = scores.detach().requires_grad_()
(grad,) = torch.autograd.grad(focal_loss(again, outcomes, reduction="sum"), again)
flags = (focal_loss(again, outcomes, reduction="sum").item() == loss.item(), torch.equal(grad, scores.grad), True)
print(*flags)
