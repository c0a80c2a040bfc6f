"""Writes test/golden/optimizers.json: twelve steps of every optimizer and option; and what optimizers and schedules take,
test/contract/optimizer-signatures.json.

    python scripts/golden/optimizers.py

Three parameters get the same gradients in every case; the last one has none in the steps of `SKIPPED`. Recorded are
digests of the parameters after each step, and the state dict behind the last one, with digests of its tensors. Square
roots are MKL's, which has other code for each kind of processor: their digest says which one recorded.
"""

import ctypes
import hashlib
import inspect
import json
import pathlib
import re
import warnings

import environment

environment.pin()

import torch  # noqa: E402

from encode import dtype_name  # noqa: E402
from signatures import parameters  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "test" / "golden" / "optimizers.json"
SIGNATURES = ROOT / "test" / "contract" / "optimizer-signatures.json"
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
    "ASGD": [
        *both({}, {"lr": 0.1, "t0": 4, "lambd": 0.01}, {"weight_decay": 0.1, "maximize": True, "alpha": 0.5}, {"lr": LR}),
        {"differentiable": True, "t0": 3},
    ],
    "Adadelta": [
        *both({}, {"lr": 0.5, "rho": 0.8, "eps": 1e-4}, {"weight_decay": 0.1, "maximize": True}, {"lr": LR}),
        {"weight_decay": 0.1, "differentiable": True},
    ],
    "Adafactor": both(
        {},
        {"lr": 0.1, "beta2_decay": -0.5, "eps": [1e-10, 0.01], "d": 1.5},
        {"weight_decay": 0.1, "maximize": True},
        {"lr": LR, "weight_decay": 0.1},
    ),
    "Adagrad": [
        *both(
            {},
            {"lr": 0.1, "lr_decay": 0.5, "eps": 1e-4},
            {"weight_decay": 0.1, "initial_accumulator_value": 0.1, "maximize": True},
            {"lr": LR, "lr_decay": 0.5},
            extra=FUSED,
        ),
        {"lr_decay": 0.5, "differentiable": True},
    ],
    "Adamax": [
        *both({}, {"lr": 0.1, "betas": [0.8, 0.95]}, {"weight_decay": 0.1, "maximize": True}, {"lr": LR}),
        {"weight_decay": 0.1, "differentiable": True},
    ],
    "Muon": [
        {},
        {"lr": 0.1, "weight_decay": 0, "momentum": 0.5, "nesterov": False},
        {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "ns_coefficients": [3.1, -4.2, 2.1]},
        {"lr": LR},
    ],
    "NAdam": [
        *both(
            {},
            {"lr": 0.1, "betas": [0.8, 0.95], "momentum_decay": 0.01},
            {"weight_decay": 0.1, "maximize": True},
            {"weight_decay": 0.1, "decoupled_weight_decay": True},
            {"lr": LR, "weight_decay": 0.1, "decoupled_weight_decay": True},
        ),
        {"differentiable": True, "weight_decay": 0.1},
    ],
    "RAdam": [
        *both(
            {},
            {"lr": 0.1, "betas": [0.8, 0.95]},
            {"weight_decay": 0.1, "maximize": True},
            {"weight_decay": 0.1, "decoupled_weight_decay": True},
            {"lr": LR, "weight_decay": 0.1, "decoupled_weight_decay": True},
        ),
        {"differentiable": True, "weight_decay": 0.1},
    ],
    "RMSprop": [
        *both(
            {},
            {"lr": 0.1, "alpha": 0.9, "momentum": 0.9},
            {"lr": 0.1, "momentum": 0.9, "centered": True, "weight_decay": 0.1},
            {"centered": True, "maximize": True},
            {"lr": LR},
        ),
        {"lr": 0.1, "momentum": 0.9, "centered": True, "differentiable": True},
    ],
    "Rprop": [
        *both({}, {"lr": 0.1, "etas": [0.3, 1.5], "step_sizes": [0.01, 1]}, {"maximize": True}, {"lr": LR}),
        {"differentiable": True},
    ],
    "SparseAdam": [{}, {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-4}, {"maximize": True}, {"lr": LR}],
}
# Of these the closure is the sum over the parameters p, with q drawn like them, of mean((p - q)^4) + sum(p^2) / 10.
LBFGS = [
    {},
    {"lr": 0.1, "max_iter": 5, "history_size": 2},
    {"max_iter": 4, "max_eval": 3, "tolerance_change": 1e-3},
    {"line_search_fn": "strong_wolfe"},
    {"lr": 0.5, "line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 10},
    {"lr": {"tensor": 2.0}, "line_search_fn": "strong_wolfe", "max_iter": 3},
    {"lr": {"tensor": 0.5}},
    {"lr": 40, "line_search_fn": "strong_wolfe"},
]
COMPLEX = {
    "ASGD": {"t0": 4},
    "Adadelta": {"weight_decay": 0.1},
    "Adagrad": {"initial_accumulator_value": 0.1},
    "Adam": {"amsgrad": True, "weight_decay": 0.1},
    "AdamW": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {"betas": [0.8, 0.95]},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Rprop": {},
    "SGD": {"momentum": 0.9, "weight_decay": 0.1},
}
# Those that take sparse gradients, or want them: the first rows of the first parameter have one.
SPARSE = {"Adagrad": {"lr_decay": 0.1}, "SGD": {"momentum": 0.9}, "SparseAdam": {"lr": 0.1}}
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
    """A tensor; a complex one as pairs, a sparse one with its zeros."""
    tensor = tensor.to_dense()
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
        return f"{dtype_name(value.dtype)} {list(value.shape)} {digest(value)}"
    if isinstance(value, dict):
        return {str(key): encoded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(item) for item in value]
    return value


def run(name, kwargs, dtype=torch.float32, groups=None, sparse=False):
    options = {key: real(value) for key, value in kwargs.items()}
    # Muon moves matrices only.
    count = 1 if name == "Muon" or sparse else len(SHAPES)
    leaves = [p.requires_grad_() for p in drawn(dtype, 1)[:count]]
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
            p.grad = None if i == 2 and step in skipped else g.to_sparse() if name == "SparseAdam" else g
            if sparse:
                rows = torch.tensor([[0, step % 3, 0]])
                p.grad = torch.sparse_coo_tensor(rows, g[:3], g.shape)
        optimizer.step()
        after.append(digest(*params))
    case = {
        "optimizer": name,
        "options": kwargs,
        "dtype": str(dtype).removeprefix("torch."),
        **({"groups": groups} if groups is not None else {}),
        "skipped": sorted(skipped),
        "parameters": count,
        "sparse": sparse,
        "after": after,
        "state": encoded(optimizer.state_dict()),
    }
    if not options.keys() & {"foreach", "fused"}:
        case["text"] = repr(optimizer)
    if differentiable:
        try:
            sum(p.sum() for p in params).backward()
            case["gradients"] = digest(*(p.grad for p in leaves))
        except RuntimeError:
            # What a step needs for its gradient was changed in place by the next one.
            case["gradients"] = "refused"
    return case


def run_lbfgs(kwargs, dtype=torch.float32):
    params = [p.requires_grad_() for p in drawn(dtype, 1)]
    others = drawn(dtype, 2)
    optimizer = torch.optim.LBFGS(params, **{key: real(value) for key, value in kwargs.items()})
    losses, after = [], []

    def closure():
        optimizer.zero_grad()
        loss = torch.zeros((), dtype=dtype)
        for p, q in zip(params, others):
            loss = loss + (p - q).pow(4).mean() + p.pow(2).sum() * 0.1
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(3):
        optimizer.step(closure)
        after.append(digest(*params))
    return {
        "optimizer": "LBFGS",
        "options": kwargs,
        "dtype": dtype_name(dtype),
        "after": after,
        "losses": losses,
        "state": encoded(optimizer.state_dict()),
        "text": repr(optimizer),
    }


def signatures():
    optim = torch.optim
    names = [name for name in dir(optim) if name != "Optimizer" and inspect.isclass(getattr(optim, name))]
    schedules = [name for name in optim.lr_scheduler.__all__ if name != "LRScheduler"]
    return {
        "torch": torch.__version__,
        "optim": {name: parameters(getattr(optim, name)) for name in names},
        "lrScheduler": {name: parameters(getattr(optim.lr_scheduler, name)) for name in sorted(schedules)},
        "swaUtils": {name: parameters(getattr(optim.swa_utils, name)) for name in ("SWALR",)},
    }


def roots():
    """The digest of a thousand square roots, as test/golden/optimizers.test.ts computes it."""
    numbers = torch.arange(1000, dtype=torch.float64) * 0.013 + 0.001
    return digest(*(numbers.to(dtype).sqrt() for dtype in (torch.float32, torch.float64)))


def main():
    environment.check_pinned()
    warnings.simplefilter("ignore")
    # Exponents as the formatter of this repository writes them.
    SIGNATURES.write_text(re.sub(r'(": \d)e-0', r"\1e-", json.dumps(signatures(), indent=2)) + "\n")
    cases = []
    for name, options in CASES.items():
        cases += [run(name, kwargs) for kwargs in options]
        cases += [run(name, options[1], torch.float64)]
        # Where numbers are rounded shows in half types. There PyTorch's fused SGD reads memory that it never wrote.
        half = [kwargs for kwargs in options if not (kwargs.get("fused") or kwargs.get("differentiable"))]
        cases += [run(name, kwargs, (torch.bfloat16, torch.float16)[i % 3 == 2]) for i, kwargs in enumerate(half)]
        if name in COMPLEX:
            cases.append(run(name, COMPLEX[name], torch.complex64))
        if name in SPARSE:
            cases.append(run(name, SPARSE[name], sparse=True))
        if name in GROUPS:
            cases.append(run(name, {"lr": 0.02}, groups=GROUPS[name]))
    cases += [run_lbfgs(kwargs) for kwargs in LBFGS]
    cases += [run_lbfgs(LBFGS[i], torch.float64) for i in (0, 3)]
    with OUTPUT.open("w") as file:
        file.write('{"facts":' + json.dumps(environment.facts(True), separators=(",", ":")))
        file.write(f',"roots":"{roots()}","cases":[\n')
        file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
        file.write("\n]}\n")


if __name__ == "__main__":
    main()
