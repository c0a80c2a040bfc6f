"""Writes test/golden/optimizers.json: twelve steps of every optimizer and option.

    python scripts/golden/optimizers.py

Three parameters get the same gradients in every case; the last one has none in the steps of `SKIPPED`. Recorded are the
parameters after the first step, a digest of them after each other one, and the state dict behind the last one, with
digests of its tensors.
"""

import ctypes
import hashlib
import json
import pathlib
import warnings

import environment

environment.pin()

import torch  # noqa: E402

from encode import dtype_name, encode_result  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "optimizers.json"
SHAPES = [(4, 9), (17,), ()]
STEPS = 12
SKIPPED = {0, 4}
LR = {"tensor": 0.01}


def both(*cases, extra=()):
    """Each of the options by itself, and with the lists of PyTorch."""
    return [{**case, **mode} for case in cases for mode in ({}, {"foreach": True}, *extra)]


FUSED = ({"fused": True},)

CASES = {
    "SGD": [
        *both(
            {},
            {"lr": 0.1, "momentum": 0.9},
            {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
            {"lr": 0.1, "weight_decay": 0.1},
            {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
            {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True},
            {"lr": LR, "momentum": 0.9},
            extra=FUSED,
        ),
        {"lr": 0.1, "weight_decay": {"tensor": 0.1}},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "differentiable": True},
    ],
    "Adam": [
        *both(
            {},
            {"lr": 0.01, "betas": [0.8, 0.95], "eps": 1e-6},
            {"weight_decay": 0.1},
            {"weight_decay": 0.1, "amsgrad": True},
            {"weight_decay": 0.1, "amsgrad": True, "maximize": True, "lr": 0.01},
            {"weight_decay": 0.1, "decoupled_weight_decay": True},
            extra=FUSED,
        ),
        {"lr": LR},
        {"lr": LR, "weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True},
        {"lr": LR, "fused": True},
        {"lr": LR, "betas": [{"tensor": 0.9}, {"tensor": 0.99}]},
        {"lr": 0.01, "betas": [{"tensor": 0.9}, {"tensor": 0.99}], "amsgrad": True},
        {"weight_decay": 0.1, "amsgrad": True, "differentiable": True},
    ],
    "AdamW": [
        *both(
            {},
            {"lr": 0.01, "betas": [0.8, 0.95]},
            {"weight_decay": 0.1, "amsgrad": True},
            {"weight_decay": 0.1, "maximize": True, "lr": 0.01},
            extra=FUSED,
        ),
        {"lr": LR},
        {"differentiable": True},
    ],
}
COMPLEX = {"Adam": {"amsgrad": True, "weight_decay": 0.1}, "AdamW": {}, "SGD": {"momentum": 0.9, "weight_decay": 0.1}}
GROUPS = {
    "SGD": [{"params": [0], "lr": 0.1, "momentum": 0.5}, {"params": [1, 2], "weight_decay": 0.01}],
    "Adam": [{"params": [2, 0], "lr": 0.1, "betas": [0.5, 0.9]}, {"params": [1], "amsgrad": True}],
}


def drawn(dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    wide = torch.complex128 if dtype.is_complex else torch.float64
    return [torch.randn(shape, generator=generator, dtype=wide).to(dtype) for shape in SHAPES]


def real(value):
    """An option as Python takes it."""
    if isinstance(value, dict):
        return torch.tensor(value["tensor"])
    if isinstance(value, list):
        return tuple(real(item) for item in value)
    return value


def flat(tensor):
    """A tensor; a complex one as pairs."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def digest(*tensors):
    """What stands for the bits of tensors."""
    found = hashlib.sha256()
    for tensor in tensors:
        values = flat(tensor.detach()).contiguous()
        found.update(ctypes.string_at(values.data_ptr(), values.numel() * values.element_size()))
    return found.hexdigest()[:16]


def encoded(value):
    if isinstance(value, torch.Tensor):
        return {"dtype": dtype_name(value.dtype), "shape": list(value.shape), "digest": digest(value)}
    if isinstance(value, dict):
        return {str(key): encoded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(item) for item in value]
    return value


def run(name, kwargs, dtype=torch.float32, groups=None):
    options = {key: real(value) for key, value in kwargs.items()}
    leaves = [p.requires_grad_() for p in drawn(dtype, 1)]
    differentiable = options.get("differentiable", False)
    params = [p.clone() for p in leaves] if differentiable else leaves
    given = params
    if groups is not None:
        given = [{**{k: real(v) for k, v in g.items()}, "params": [params[i] for i in g["params"]]} for g in groups]
    optimizer = getattr(torch.optim, name)(given, **options)
    # PyTorch's fused SGD refuses a parameter that joins later.
    skipped = set() if name == "SGD" and options.get("fused") else SKIPPED
    after = []
    for step in range(STEPS):
        for i, (p, g) in enumerate(zip(params, drawn(dtype, 100 + step))):
            p.grad = None if i == 2 and step in skipped else g
        optimizer.step()
        tensors = [p.detach() for p in params]
        after.append(digest(*tensors) if step > 0 else [encode_result(flat(t)) for t in tensors])
    case = {
        "optimizer": name,
        "options": kwargs,
        "dtype": str(dtype).removeprefix("torch."),
        **({"groups": groups} if groups is not None else {}),
        "skipped": sorted(skipped),
        "after": after,
        "state": encoded(optimizer.state_dict()),
        "text": repr(optimizer),
    }
    if differentiable:
        try:
            sum(p.sum() for p in params).backward()
            case["gradients"] = digest(*(p.grad for p in leaves))
        except RuntimeError:
            # What a step needs for its gradient was changed in place by the next one.
            case["gradients"] = "refused"
    return case


def main():
    environment.check_pinned()
    warnings.simplefilter("ignore")
    cases = []
    for name, options in CASES.items():
        cases += [run(name, kwargs) for kwargs in options]
        cases += [run(name, options[1], dtype) for dtype in (torch.float64, torch.bfloat16)]
        if name in COMPLEX:
            cases.append(run(name, COMPLEX[name], torch.complex64))
        if name in GROUPS:
            cases.append(run(name, {"lr": 0.02}, groups=GROUPS[name]))
    with OUTPUT.open("w") as file:
        file.write('{"facts":' + json.dumps(environment.facts(True), separators=(",", ":")) + ',"cases":[\n')
        file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
        file.write("\n]}\n")


if __name__ == "__main__":
    main()
