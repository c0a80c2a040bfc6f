"""Writes the files that examples/fine-tune.ts begins with: a small classifier of five classes, as Python saves it.

    python examples/fine-tune/pretrain.py [folder]
"""

import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn, optim


class Classifier(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU())
        self.head = nn.Linear(12, classes)

    def forward(self, x):
        return self.head(self.body(x))


folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
folder = folder if folder.is_dir() else folder.parent

torch.manual_seed(3)
inputs = torch.randn(200, 6)
labels = inputs.narrow(1, 0, 5).argmax(1)
model = Classifier(5)
optimizer = optim.AdamW(model.parameters(), lr=0.02)
for _ in range(60):
    optimizer.zero_grad()
    F.cross_entropy(model(inputs), labels).backward()
    optimizer.step()

torch.save(model.state_dict(), folder / "pretrained.pt")
save_file(model.state_dict(), folder / "pretrained.safetensors", metadata={"format": "pt"})
