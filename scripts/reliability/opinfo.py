"""Records the samples of PyTorch's OpInfo as calls that a user writes, with the bits and gradients that PyTorch gives.

    python scripts/reliability/opinfo.py build/opinfo.jsonl [dtype …]

For scripts/reliability/opinfo.mjs. `expecttest`, which PyTorch's testing modules import, is not needed: it is stubbed.
"""

import base64
import json
import sys
import types
import warnings

sys.modules.setdefault("expecttest", types.SimpleNamespace(TestCase=object, assert_expected_inline=None))

import torch  # noqa: E402
from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

MOST_SAMPLES = 20
MOST_ELEMENTS = 20000
DTYPES = ("float32", "int64", "bool", "complex64")

# OpInfo gives these their second argument first.
SWAPPED = ("einsum", "nn.functional.embedding", "special.polygamma")

# These are methods that write into their tensor.
DRAWN_IN_PLACE = ("cauchy", "exponential", "geometric", "log_normal", "uniform")


class NotRecorded(Exception):
    """A value that no JavaScript stands for."""


def encoded(value: object) -> object:
    match value:
        case torch.Tensor():
            return tensor(value)
        case None | str() | bool():
            return value
        case int():
            return {"int": str(value)}
        case float():
            return {"float": repr(value)}
        case complex():
            return {"complex": [repr(value.real), repr(value.imag)]}
        case list() | tuple():
            return [encoded(entry) for entry in value]
        case slice():
            return {"slice": [encoded(value.start), encoded(value.stop), encoded(value.step)]}
        case torch.dtype() | torch.memory_format() | torch.layout():
            return str(value).removeprefix("torch.")
        case torch.device():
            return str(value)
    if value is Ellipsis:
        return "..."
    raise NotRecorded(type(value).__name__)


def tensor(value: torch.Tensor) -> object:
    if value.layout != torch.strided or value.numel() > MOST_ELEMENTS:
        raise NotRecorded("a sparse or large tensor")
    plain = value.detach().resolve_conj().resolve_neg().contiguous()
    data = bytes(plain.reshape(-1).view(torch.uint8).numpy()) if plain.numel() else b""
    name = str(plain.dtype).removeprefix("torch.")
    return {"dtype": name, "shape": list(plain.shape), "data": base64.b64encode(data).decode(), "leaf": value.requires_grad}


def fresh(value: object) -> object:
    """The value with tensors of their own, contiguous, as JavaScript makes them of the bytes."""
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided:
            raise NotRecorded("a sparse tensor")
        own = value.detach().resolve_conj().resolve_neg().contiguous().clone()
        return own.requires_grad_(value.requires_grad)
    return type(value)(map(fresh, value)) if type(value) in (list, tuple) else value


def tensors(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [found for entry in value for found in tensors(entry)] if isinstance(value, (list, tuple)) else []


def recorded(name: str, form: str, call, args: tuple, keywords: dict) -> dict[str, object]:
    args, keywords = fresh(list(args)), {key: fresh(value) for key, value in keywords.items()}
    case = {"name": name, "form": form, "args": encoded(args)}
    case["keywords"] = {key: encoded(value) for key, value in keywords.items()}
    torch.manual_seed(0)
    result = call(*args, **keywords)
    case["result"] = encoded(list(result) if isinstance(result, tuple) else result)
    results = tensors(list(result) if isinstance(result, tuple) else result)
    outputs = [i for i, output in enumerate(results) if output.requires_grad and output.numel() > 0]
    leaves = [leaf for leaf in tensors([args, list(keywords.values())]) if leaf.requires_grad]
    if outputs and leaves:
        upstream = [torch.linspace(0.5, 1.5, results[i].numel()).reshape(results[i].shape).to(results[i].dtype) for i in outputs]
        grads = torch.autograd.grad([results[i] for i in outputs], leaves, upstream, allow_unused=True)
        case |= {"outputs": outputs, "grads": [None if grad is None else encoded(grad) for grad in grads]}
    return case


def public(name: str) -> object | None:
    found = torch
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def calls_of(op) -> dict[str, tuple[str, object]]:
    """The forms in which users call it: each with its name there."""
    if op.name in DRAWN_IN_PLACE:
        return {"method": (f"{op.name}_", getattr(torch.Tensor, f"{op.name}_"))}
    forms = {"function": (op.name, public(op.name)), "method": (op.name, getattr(torch.Tensor, op.name, None))}
    return {form: named for form, named in forms.items() if callable(named[1])}


def arguments_of(op, sample) -> tuple[object, ...]:
    given = (sample.input, *sample.args)
    return (given[1], given[0], *given[2:]) if op.name in SWAPPED else given


def main(path: str, *names: str) -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    dtypes = [getattr(torch, name) for name in names or DTYPES]
    count = 0
    with open(path, "w", encoding="utf-8") as file:
        for op in op_db:
            if op.name.startswith(("_", "torch.", "jiterator")):
                continue
            supported = op.supported_dtypes("cpu")
            others = [] if names else list(supported)[:1]
            for dtype in [dtype for dtype in dtypes if dtype in supported] or others:
                graded = op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")
                torch.manual_seed(1)
                for sample in list(op.sample_inputs("cpu", dtype, requires_grad=graded))[:MOST_SAMPLES]:
                    args = arguments_of(op, sample)
                    for form, (name, call) in calls_of(op).items():
                        if form == "method" and not isinstance(args[0], torch.Tensor):
                            continue
                        try:
                            case = recorded(name, form, call, args, sample.kwargs)
                        except (NotRecorded, RuntimeError, TypeError, ValueError):
                            continue
                        file.write(json.dumps(case) + "\n")
                        count += 1
    print(f"{count} calls recorded in {path}")


main(*sys.argv[1:])
