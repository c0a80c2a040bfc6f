"""Fine-tunes a model: its weights come from a `.pt` and a `.safetensors` file, its head is replaced, its body is frozen,
then a part of the body is trained too, at a lower rate, and the result is saved as both kinds of files.

    python fine-tune.py [folder of the pretrained files [folder for the results]]
"""

import hashlib
import os
import pathlib
import sys
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn, optim


class Classifier(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU())
        self.head = nn.Linear(12, classes)

    def forward(self, x):
        return self.head(self.body(x))


temporary = tempfile.TemporaryDirectory()
given = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1] / "fine-tune"
results = sys.argv[2] if len(sys.argv) > 2 else temporary.name

torch.manual_seed(4)
model = Classifier(5)
state = torch.load(os.path.join(given, "pretrained.pt"), weights_only=True)
model.load_state_dict(state)
print(f"{len(state)} tensors loaded")
same = load_file(os.path.join(given, "pretrained.safetensors"))
print("both files agree:", all(torch.equal(tensor, same[name]) for name, tensor in state.items()))

# The new task: three classes.
inputs = torch.randn(90, 6)
labels = inputs.narrow(1, 0, 3).argmax(1)
model.head = nn.Linear(12, 3)
model.body.requires_grad_(False)
optimizer = optim.AdamW(
    [
        {"params": [model.head.weight], "weight_decay": 0.1},
        {"params": [model.get_parameter("head.bias")], "weight_decay": 0},
    ],
    lr=0.05,
)


def train(epochs):
    model.train()
    # The statistics of a frozen batch norm stay as they are.
    model.body.eval()
    for epoch in range(epochs):
        total = 0
        for batch in torch.randperm(90).split(30):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs.index_select(0, batch)), labels.index_select(0, batch))
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {total / 3}")


print("the head:")
train(10)
print("and the body's last layer:")
last = model.body[3]
last.requires_grad_()
optimizer.add_param_group({"params": last.parameters(), "lr": 0.005, "weight_decay": 0.01})
train(10)

model.eval()
with torch.no_grad():
    right = model(inputs).argmax(1).eq(labels).sum().item()
print(f"{right} of 90 right")
first = model.get_parameter("body.0.weight")
print("frozen weights unchanged:", torch.equal(first, state["body.0.weight"]))

torch.save(
    {"model": model.state_dict(), "optimizer": optimizer.state_dict()}, os.path.join(results, "fine-tuned.pt")
)
path = os.path.join(results, "fine-tuned.safetensors")
save_file(model.state_dict(), path, metadata={"format": "pt"})
print(f"sha256 of fine-tuned.safetensors: {hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()}")
temporary.cleanup()
