"""A small network with batch norm and dropout: AdamW, a cosine schedule, clipped gradients, then evaluation."""

import torch
import torch.nn.functional as F
from torch import nn, optim

torch.manual_seed(0)
inputs = torch.randn(120, 8)
labels = inputs.pow(2).sum(1).gt(7).long()

model = nn.Sequential(
    nn.Linear(8, 16),
    nn.BatchNorm1d(16),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(16, 2),
)
optimizer = optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.01)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)

for epoch in range(30):
    order = torch.randperm(120)
    total = 0
    for batch in order.split(40):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs.index_select(0, batch)), labels.index_select(0, batch))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        total += loss.item()
    schedule.step()
    if epoch % 5 == 4:
        rate = schedule.get_last_lr()[0]
        print(f"epoch {epoch + 1}: loss {total / 3}, next rate {0 if rate == 0 else rate}")

model.eval()
with torch.no_grad():
    right = model(inputs).argmax(1).eq(labels).sum().item()
print(f"{right} of 120 right")
print("running mean:", model.get_buffer("1.running_mean").narrow(0, 0, 4))
