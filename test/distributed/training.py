"""Trainings that ranks do together, as test/distributed/training.cjs has them; prints what comes out of each as JSON.

    python training.py LIST-OF-OPTIONS
"""

import hashlib
import json
import re
import sys

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(20, 64)
        self.norm = nn.BatchNorm1d(64)
        self.second = nn.Linear(64, 64)
        self.unused = nn.Linear(3, 3)
        self.last = nn.Linear(64, 5)

    def forward(self, x):
        return self.last(self.second(self.norm(self.first(x)).relu()).relu())


def train(given):
    rank, size = dist.get_rank(), dist.get_world_size()
    options = {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name): value for name, value in given.items()}
    torch.manual_seed(rank)
    net = Net()
    if not given.get("findUnusedParameters") and not given.get("staticGraph"):
        net.unused.requires_grad_(False)
    model = nn.parallel.DistributedDataParallel(net, **options)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    for i in range(8):
        generator = torch.Generator().manual_seed(1000 + i * size + rank)
        x = torch.randn(8, 20, generator=generator)
        y = torch.randint(5, (8,), generator=generator)

        def step():
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        optimizer.zero_grad()
        if i == 5 and not given.get("staticGraph"):
            with model.no_sync():
                step()
        losses.append(step().item())
        optimizer.step()
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    return {"losses": losses, "keys": list(model.state_dict()), "weights": digest.hexdigest()}


dist.init_process_group("gloo")
results = [train(options) for options in json.loads(sys.argv[1])]
dist.destroy_process_group()
print(json.dumps(results))
