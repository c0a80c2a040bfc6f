"""Writes lib/torch/python.names.txt: the names of PyTorch's functions and methods that its C++ code derives from ATen's
operators. Those that are written in Python (`torch.einsum`) are left out: they are written in TypeScript, too.
Writes test/contract/python-signatures.txt, too: how Python calls them, from the stubs that PyTorch brings.

    python scripts/golden/names.py
"""

import ast
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


# Written in Python, but only to pass their arguments on.
passed_on = {"torch": ["split"], "Tensor": ["istft", "split", "unflatten"]}

sections = {
    "torch": sorted([*derived(torch, torch._C._VariableFunctions), *passed_on["torch"]]),
    "Tensor": sorted([*derived(torch.Tensor, torch._C.TensorBase), *passed_on["Tensor"]]),
    "linalg": derived(torch.linalg, torch.linalg, "linalg_"),
    "special": derived(torch.special, torch.special, "special_"),
    "fft": derived(torch.fft, torch.fft, "fft_"),
}

lines = [f"# Names of PyTorch {torch.__version__.split('+')[0]} with an operator of ATen, by scripts/golden/names.py."]
for section, names in sections.items():
    lines += ["", f"[{section}]", *names]
path = Path(__file__).parents[2] / "lib" / "torch" / "python.names.txt"
path.write_text("\n".join(lines) + "\n")


def signature(function: ast.FunctionDef) -> str:
    """`input, other, *, alpha=1, out=None`: without types."""
    given = function.args
    positional = given.posonlyargs + given.args
    missing = len(positional) - len(given.defaults)
    defaults = [None] * missing + given.defaults
    parts = [entry(*pair) for pair in zip(positional, defaults, strict=True)]
    if given.vararg:
        parts.append(f"*{given.vararg.arg}")
    elif given.kwonlyargs:
        parts.append("*")
    parts += [entry(*pair) for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return ", ".join(parts)


def entry(parameter: ast.arg, default: ast.expr | None) -> str:
    return parameter.arg if default is None else f"{parameter.arg}={ast.unparse(default)}"


def recorded(owner: str, body: list[ast.stmt]) -> set[str]:
    """The signatures that PyTorch's stubs have for the names of a section."""
    return {
        f"{owner}.{node.name}({signature(node)})"
        for node in body
        if isinstance(node, ast.FunctionDef) and node.name in sections[owner]
    }


stubs = Path(torch.__file__).parent / "_C"
functions = ast.parse((stubs / "_VariableFunctions.pyi").read_text()).body
classes = ast.parse((stubs / "__init__.pyi").read_text()).body
tensor = next(node for node in classes if isinstance(node, ast.ClassDef) and node.name == "TensorBase")
text = sorted(recorded("torch", functions) | recorded("Tensor", tensor.body))
heading = f"# Signatures of PyTorch {torch.__version__.split('+')[0]}, by scripts/golden/names.py."
path = Path(__file__).parents[2] / "test" / "contract" / "python-signatures.txt"
path.write_text("\n".join([heading, *text]) + "\n")
