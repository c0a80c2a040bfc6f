"""Writes test/golden/schedules.json: the learning rates of 50 steps of every schedule.

    python scripts/golden/schedules.py

The optimizer has two groups. Recorded are the rates of each step, what else a schedule changes in groups, and the state
dict behind the last step.
"""

import json
import math
import pathlib
import warnings

import environment

environment.pin()

import torch  # noqa: E402
from torch.optim import lr_scheduler, swa_utils  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "schedules.json"
STEPS = 50
# The test has the same functions by the same names.
FUNCTIONS = {
    "inverse": lambda epoch: 1 / (1 + epoch),
    "saw": lambda epoch: (epoch % 7 + 1) / 7,
    "nearly": lambda epoch: 0.97,
    "half": lambda x: 1 / (1 + 0.5 * x),
}
METRICS = [math.sin(i * 0.7) / (i + 1) + (i // 9) * 0.01 for i in range(STEPS)]

CASES = [
    ("LambdaLR", {"lr_lambda": "inverse"}),
    ("LambdaLR", {"lr_lambda": ["inverse", "saw"]}),
    ("MultiplicativeLR", {"lr_lambda": "nearly"}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 3, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [3, 17, 17, 40]}),
    ("MultiStepLR", {"milestones": [5, 6], "gamma": 0.3}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.3, "total_iters": 11}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 33}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 43, "power": 1.7}),
    ("CosineAnnealingLR", {"T_max": 13}),
    ("CosineAnnealingLR", {"T_max": 47, "eta_min": 1e-3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2, "eta_min": 1e-3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 7}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.3], "step_size_up": 5, "step_size_down": 8,
                  "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "mode": "exp_range", "gamma": 0.97,
                  "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "scale_fn": "half", "scale_mode": "iterations"}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 51}),
    ("OneCycleLR", {"max_lr": [0.1, 0.7], "epochs": 6, "steps_per_epoch": 9, "anneal_strategy": "linear",
                    "three_phase": True, "div_factor": 7.0, "final_div_factor": 33.0}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 60, "pct_start": 0.41, "cycle_momentum": False}),
    ("ReduceLROnPlateau", {"patience": 2}),
    ("ReduceLROnPlateau", {"mode": "max", "factor": 0.7, "patience": 1, "threshold": 0.01, "threshold_mode": "abs",
                           "cooldown": 2, "min_lr": [0.001, 0.002]}),
    ("SequentialLR", {"schedulers": [("LinearLR", {"start_factor": 0.1, "total_iters": 10}),
                                     ("CosineAnnealingLR", {"T_max": 30})], "milestones": [10]}),
    ("SequentialLR", {"schedulers": [("ConstantLR", {"factor": 0.5}), ("ExponentialLR", {"gamma": 0.9}),
                                     ("StepLR", {"step_size": 4})], "milestones": [6, 21]}),
    ("SWALR", {"swa_lr": 0.03}),
    ("SWALR", {"swa_lr": [0.03, 0.5], "anneal_epochs": 23, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.03, "anneal_epochs": 0}),
    ("ChainedScheduler", {"schedulers": [("ConstantLR", {"factor": 0.1, "total_iters": 4}),
                                         ("ExponentialLR", {"gamma": 0.9})]}),
]


def make(optimizer, name, options):
    def read(key, value):
        if key in ("lr_lambda", "scale_fn"):
            return [FUNCTIONS[v] for v in value] if isinstance(value, list) else FUNCTIONS[value]
        if key == "schedulers":
            return [make(optimizer, *part) for part in value]
        return value

    kwargs = {key: read(key, value) for key, value in options.items()}
    made = getattr(swa_utils if name == "SWALR" else lr_scheduler, name)
    return made(**kwargs) if name == "ChainedScheduler" else made(optimizer, **kwargs)


def plain(value):
    """Numbers that JSON lacks are strings."""
    if isinstance(value, torch.Tensor):
        return {"tensor": value.item()}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def run(name, options, optimizer_name="SGD", tensor=False, epochs=None):
    params = [torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)]
    lrs = [torch.tensor(0.1), torch.tensor(1 / 3)] if tensor else [0.1, 1 / 3]
    groups = [{"params": [p], "lr": lr} for p, lr in zip(params, lrs)]
    kwargs = {"momentum": 0.9} if optimizer_name == "SGD" else {}
    optimizer = getattr(torch.optim, optimizer_name)(groups, **kwargs)
    scheduler = make(optimizer, name, options)
    momentum = "betas" if optimizer_name == "Adam" else "momentum"

    def seen():
        rates = [float(group["lr"]) for group in optimizer.param_groups]
        if name not in ("CyclicLR", "OneCycleLR"):
            return rates
        return [*rates, *([group["betas"][0] if momentum == "betas" else group["momentum"]
                           for group in optimizer.param_groups])]

    steps = [seen()]
    for i in range(STEPS):
        optimizer.step()
        if name == "ReduceLROnPlateau":
            scheduler.step(METRICS[i])
        elif epochs is not None:
            scheduler.step(epochs[i])
        else:
            scheduler.step()
        steps.append(seen())
    return {
        "scheduler": name,
        "options": options,
        "optimizer": optimizer_name,
        **({"tensor": True} if tensor else {}),
        **({"epochs": epochs} if epochs is not None else {}),
        "steps": steps,
        "state": plain(scheduler.state_dict()),
    }


def main():
    warnings.simplefilter("ignore")
    cases = [run(name, options) for name, options in CASES]
    cases += [run(name, options, "Adam") for name, options in CASES if name in ("CyclicLR", "OneCycleLR")]
    tensors = ("LambdaLR", "StepLR", "LinearLR", "PolynomialLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
               "ReduceLROnPlateau", "SequentialLR")
    cases += [run(name, options, tensor=True) for name, options in CASES if name in tensors]
    # Deprecated epochs: by the closed form where there is one; fractions for restarts.
    closed = ("StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR",
              "LambdaLR")
    order = [(i * 7) % 53 for i in range(STEPS)]
    cases += [run(name, options, epochs=order) for name, options in CASES if name in closed]
    fractions = [i * 0.37 for i in range(STEPS)]
    cases += [run(name, options, epochs=fractions) for name, options in CASES if name == "CosineAnnealingWarmRestarts"]
    metrics = json.dumps(METRICS, separators=(",", ":"))
    with OUTPUT.open("w") as file:
        file.write('{"facts":' + json.dumps(environment.facts(True), separators=(",", ":")))
        file.write(',"metrics":' + metrics + ',"cases":[\n')
        file.write(",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases))
        file.write("\n]}\n")


if __name__ == "__main__":
    main()
