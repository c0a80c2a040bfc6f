"""Goes on with the optimizers and schedules that test/live/optimizers.test.ts began, and begins some for it.

    python optimizers.py FOLDER

Reads FOLDER/<name>.node.pt with parameter, optimizer and schedule, and takes a step; prints the parameters and rates of
all as JSON. Writes FOLDER/<name>.python.pt likewise, before two steps from the beginning.
"""

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import torch

folder = Path(sys.argv[1])
target = torch.tensor([[0.5, 1, 2], [3, 3, 3]])


class Run:
    def __init__(self, name, options, scheduler, schedule):
        self.name = name
        self.x = torch.tensor([[1.0, 2, 3], [4, 5, 6]], requires_grad=True)
        self.optimizer = getattr(torch.optim, name)([self.x], **options)
        self.scheduler = getattr(torch.optim.lr_scheduler, scheduler)(self.optimizer, **schedule)

    def loss(self):
        self.optimizer.zero_grad()
        loss = (self.x - target).pow(2).sum()
        loss.backward()
        if self.name == "SparseAdam":
            self.x.grad = self.x.grad.to_sparse()
        return loss

    def step(self):
        if self.name == "LBFGS":
            self.optimizer.step(self.loss)
        else:
            self.loss()
            self.optimizer.step()
        self.scheduler.step(*([3.0] if isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau) else []))

    def state(self):
        parts = {"optimizer": self.optimizer.state_dict(), "scheduler": self.scheduler.state_dict()}
        return {"x": self.x.detach().clone(), **parts}

    def load(self, state):
        with torch.no_grad():
            self.x.copy_(state["x"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.optimizer.load_state_dict(state["optimizer"])

    def seen(self):
        return [*self.x.flatten().tolist(), *self.scheduler.get_last_lr()]


results = {}
for name, run in json.loads((folder / "runs.json").read_text()).items():
    going_on = Run(name, **run)
    going_on.load(torch.load(folder / f"{name}.node.pt", weights_only=True))
    going_on.step()
    begun = Run(name, **run)
    begun.step()
    begun.step()
    torch.save(begun.state(), folder / f"{name}.python.pt")
    results[name] = going_on.seen()
print(json.dumps(results))
