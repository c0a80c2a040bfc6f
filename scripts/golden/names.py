"""Writes lib/torch/python.names.txt: the names of PyTorch's functions and methods that its C++ code derives from ATen's
operators. Those that are written in Python (`torch.einsum`) are left out: they are written in TypeScript, too.

    python scripts/golden/names.py
"""

import inspect
from pathlib import Path

import torch


operators = {name.split(".")[0] for name in torch._C._dispatch_get_all_op_names()}


def derived(owner: object, source: object, prefix: str = "") -> list[str]:
    """The public names of `owner` that `source` defines in C++ and that have an operator."""
    names = (name for name in dir(source) if not name.startswith("_") and hasattr(owner, name))
    return [
        name
        for name in names
        if callable(getattr(owner, name))
        and not inspect.isfunction(getattr(owner, name))
        and not inspect.isclass(getattr(owner, name))
        and f"aten::{prefix}{name}" in operators
    ]


sections = {
    "torch": derived(torch, torch._C._VariableFunctions),
    "Tensor": derived(torch.Tensor, torch._C.TensorBase),
    "linalg": derived(torch.linalg, torch.linalg, "linalg_"),
    "special": derived(torch.special, torch.special, "special_"),
    "fft": derived(torch.fft, torch.fft, "fft_"),
}

lines = [f"# Names of PyTorch {torch.__version__.split('+')[0]} with an operator of ATen, by scripts/golden/names.py."]
for section, names in sections.items():
    lines += ["", f"[{section}]", *names]
path = Path(__file__).parents[2] / "lib" / "torch" / "python.names.txt"
path.write_text("\n".join(lines) + "\n")
