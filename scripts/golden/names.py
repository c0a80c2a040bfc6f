"""Writes lib/torch/python.names.txt: the names of PyTorch's functions and methods that its C++ code derives from ATen's
operators. Those that are written in Python (`torch.einsum`) are left out: they are written in TypeScript, too.
Writes test/contract/python-signatures.txt, too: how Python calls them, from the stubs that PyTorch brings, and how it
calls the functions of torch.nn that are written in Python.

    python scripts/golden/names.py
"""

import ast
import importlib
import inspect
import re
import typing
from pathlib import Path

import torch

import signatures


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


def passed_through(owner: object) -> list[str]:
    """Names of torch.nn.functional that are operators, with the operator's own name where it is another."""
    found = {name: getattr(owner, name) for name in dir(owner) if not name.startswith("_")}
    named = {name: called.__name__ for name, called in found.items() if inspect.isbuiltin(called)}
    return [name if name == operator else f"{name} {operator}" for name, operator in named.items() if operator in operators_of_aten]


operators_of_aten = {name.removeprefix("aten::") for name in operators if name.startswith("aten::")}

# Written in Python, but only to pass their arguments on.
passed_on = {
    "torch": ["split"],
    "Tensor": ["istft", "split", "unflatten"],
    "nn.functional": ["glu", "pad", "rms_norm", "sigmoid", "tanh"],
}

sections = {
    "torch": sorted([*derived(torch, torch._C._VariableFunctions), *passed_on["torch"]]),
    "Tensor": sorted([*derived(torch.Tensor, torch._C.TensorBase), *passed_on["Tensor"]]),
    "linalg": derived(torch.linalg, torch.linalg, "linalg_"),
    "special": derived(torch.special, torch.special, "special_"),
    "fft": derived(torch.fft, torch.fft, "fft_"),
    "nn.functional": sorted([*passed_through(torch.nn.functional), *passed_on["nn.functional"]]),
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


def written_in_python(owner: str, names: list[str]) -> set[str]:
    """The signatures of functions that PyTorch writes in Python. Those that choose between two have that of the longer."""
    module = importlib.import_module(f"torch.{owner}")
    return {f"{owner}.{name}({plain(getattr(module, f'{name}_with_indices', getattr(module, name)))})" for name in names}


def plain(function: object) -> str:
    """`input, dim=None, *, dtype=None`: without types. Of a constructor that is declared by overloads, the first."""
    overloads = typing.get_overloads(function.__init__) if inspect.isclass(function) else []
    all_parameters = list(inspect.signature(overloads[0] if overloads else function).parameters.values())
    parts = []
    for parameter in all_parameters[1 if overloads else 0 :]:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(str(parameter.replace(annotation=parameter.empty)))
    # A function's text has its address.
    return re.sub(r"<function (\w+) at \w+>", r"\1", ", ".join(parts))


def functional_names() -> list[str]:
    """The functions of torch.nn.functional that are written in Python, but for losses and what is not for users."""
    module = torch.nn.functional
    others = {*signatures.FUNCTIONALS, "boolean_dispatch", "handle_torch_function"}
    public = [name for name in dir(module) if not name.startswith("_") and inspect.isfunction(getattr(module, name))]
    return [name for name in public if not name.endswith("_loss") and name not in others]


# The deprecated names without an underscore at the end are left out.
INIT = [name for name in torch.nn.init.__all__ if name.endswith("_") or name == "calculate_gain"]

UTILS = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_weights",
]

RNN = [name for name in torch.nn.utils.rnn.__all__ if name != "PackedSequence"]

# Without losses, which are declared elsewhere, and what is not for users of this library.
OTHERS = ("Lazy", "DataParallel", "SyncBatchNorm", "Container", "Module", "Parameter", "Sequential", "Identity", "AdaptiveLog")
MODULES = [
    name
    for name, module in vars(torch.nn).items()
    if inspect.isclass(module)
    and issubclass(module, torch.nn.Module)
    and not name.endswith("Loss")
    and not name.startswith(OTHERS)
]

stubs = Path(torch.__file__).parent / "_C"
functions = ast.parse((stubs / "_VariableFunctions.pyi").read_text()).body
classes = ast.parse((stubs / "__init__.pyi").read_text()).body
tensor = next(node for node in classes if isinstance(node, ast.ClassDef) and node.name == "TensorBase")
text = sorted(
    recorded("torch", functions)
    | recorded("Tensor", tensor.body)
    | written_in_python("nn.functional", functional_names())
    | written_in_python("nn.init", INIT)
    | written_in_python("nn", MODULES)
    | written_in_python("nn.utils", UTILS)
    | written_in_python("nn.utils.rnn", RNN)
)
heading = f"# Signatures of PyTorch {torch.__version__.split('+')[0]}, by scripts/golden/names.py."
path = Path(__file__).parents[2] / "test" / "contract" / "python-signatures.txt"
path.write_text("\n".join([heading, *text]) + "\n")
