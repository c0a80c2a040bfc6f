"""A small character transformer: the embedding is the last layer's weight too, biases and norms are not decayed, gradients
of two batches are added up, the rate warms up, and training goes on from a checkpoint in its middle.
"""

import os
import tempfile

import torch
import torch.nn.functional as F
from torch import nn, optim

text = "the quick brown fox jumps over the lazy dog and the lazy dog sleeps while the quick brown fox runs on. "
characters = sorted(set(text))
codes = torch.tensor([characters.index(character) for character in text])
length = 12


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(characters), 16)
        self.position = nn.Parameter(torch.zeros(length, 16))
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(16, 2, dim_feedforward=32, dropout=0.1, batch_first=True, norm_first=True),
            2,
            nn.LayerNorm(16),
            enable_nested_tensor=False,
        )
        self.head = nn.Linear(16, len(characters), bias=False)
        self.mask = nn.Transformer.generate_square_subsequent_mask(length)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        embedded = self.embedding(x).add(self.position)
        return self.head(self.encoder(embedded, mask=self.mask, is_causal=True))


def new_training():
    model = Model()
    parameters = list(model.parameters())
    optimizer = optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0},
        ],
        lr=0.01,
        betas=(0.9, 0.95),
    )
    schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 5))
    return model, optimizer, schedule


def batch():
    starts = torch.randint(0, len(text) - length, [4])
    rows = torch.stack([codes.narrow(0, start.item(), length + 1) for start in starts])
    return rows.narrow(1, 0, length), rows.narrow(1, 1, length)


def train(training, start, end):
    model, optimizer, schedule = training
    for step in range(start, end):
        total = 0
        for _ in range(2):
            inputs, targets = batch()
            loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten()).div(2)
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % 4 == 3:
            print(f"step {step + 1}: loss {total}")


with tempfile.TemporaryDirectory() as folder:
    torch.manual_seed(2)
    first = new_training()
    print(f"{len(list(first[0].parameters()))} parameters, {len(first[0].state_dict())} in the state")
    train(first, 0, 12)
    checkpoint = os.path.join(folder, "checkpoint.pt")
    names = ("model", "optimizer", "schedule")
    state = {name: part.state_dict() for name, part in zip(names, first)}
    torch.save({**state, "random": torch.get_rng_state()}, checkpoint)

    second = new_training()
    saved = torch.load(checkpoint, weights_only=True)
    for name, part in zip(names, second):
        part.load_state_dict(saved[name])
    torch.set_rng_state(saved["random"])
    print("resumed")
    train(second, 12, 24)
    print("position:", second[0].position.select(0, 0).narrow(0, 0, 4))
