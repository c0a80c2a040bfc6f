"""Writes test/golden/averages.json: what averages of weights are after each update, and running statistics by update_bn.

    python scripts/golden/averages.py
"""

import json
import pathlib

import environment

environment.pin()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim import swa_utils  # noqa: E402

from encode import encode_result  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "averages.json"
# The test has the same functions by the same names.
CASES = {
    "mean": {},
    "mean, by lists": {"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()},
    "mean, one by one": {"avg_fn": swa_utils.get_swa_avg_fn()},
    "decaying": {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)},
    "decaying, one by one": {"avg_fn": swa_utils.get_ema_avg_fn(0.7)},
    "decaying, with buffers": {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(), "use_buffers": True},
    "mean, with buffers": {"use_buffers": True},
}


def change(model, seed):
    """Draws all parameters and the running statistics of a model anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
            else:
                tensor.add_(7)


def state(model):
    return {key: encode_result(value) for key, value in model.state_dict().items()}


def run(kwargs):
    model = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3))
    change(model, 1)
    averaged = swa_utils.AveragedModel(model, **kwargs)
    for seed in range(2, 7):
        change(model, seed)
        averaged.update_parameters(model)
    return state(averaged)


def run_update_bn():
    model = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3, momentum=0.3))
    change(model, 1)
    generator = torch.Generator().manual_seed(9)
    batches = [torch.randn([4 + i, 5], generator=generator) for i in range(3)]
    swa_utils.update_bn(batches, model)
    return state(model)


def main():
    environment.check_pinned()
    cases = {name: run(kwargs) for name, kwargs in CASES.items()}
    document = {"facts": environment.facts(True), "averages": cases, "updateBn": run_update_bn()}
    OUTPUT.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
