"""Writes test/golden/modules.jsonl: what PyTorch's modules print, draw, give and learn.

    python scripts/golden/modules.py

The samples are those of PyTorch's own ModuleInfo, and those below of classes that it lacks. Parameters and inputs are drawn
from seeds on both sides, so only answers are recorded, as digests: state at the beginning, result, every gradient, and
state after the call. `expecttest`, which PyTorch's testing modules import, is not needed: it is stubbed.
"""

import base64
import hashlib
import json
import pathlib
import sys
import types
import warnings

import environment

environment.pin()
sys.modules.setdefault("expecttest", types.SimpleNamespace(TestCase=object, assert_expected_inline=None))

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.testing._internal.common_modules import module_db  # noqa: E402

from modules_samples import WITHOUT_INFO, SAMPLES  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "modules.jsonl"
DTYPES = (torch.float32, torch.float64)


def digest(tensor: torch.Tensor) -> str:
    """The dtype, the shape and a digest of the elements in logical order."""
    plain = tensor.detach().to_dense().contiguous()
    data = bytes(plain.reshape(-1).view(torch.uint8).numpy()) if plain.numel() else b""
    name = str(plain.dtype).removeprefix("torch.")
    text = base64.b64encode(hashlib.sha256(data).digest()[:12]).decode()
    return f"{name} {list(plain.shape)} {text}".replace(", ", ",")


def answers(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return digest(value)
    if isinstance(value, (list, tuple)):
        return [answers(entry) for entry in value]
    return value


class Samples:
    """Describes values as both sides make them: floating tensors are drawn, each from a seed of its own."""

    def __init__(self) -> None:
        self.seed = 100

    def described(self, value: object) -> object:
        match value:
            case torch.Tensor() if value.is_floating_point():
                self.seed += 1
                return {"randn": list(value.shape), "seed": self.seed, **({"grad": True} if value.requires_grad else {})}
            case torch.Tensor():
                return {"tensor": value.tolist(), "dtype": str(value.dtype).removeprefix("torch.")}
            case list() | tuple():
                return [self.described(entry) for entry in value]
            case dict():
                return {key: self.described(entry) for key, entry in value.items()}
            case float() if value in (float("inf"), float("-inf")):
                return {"number": repr(value)}
            case None | bool() | int() | float() | str():
                return value
            case _ if value in (F.relu, F.gelu):
                return value.__name__
        raise TypeError(type(value))


def made(value: object, dtype: torch.dtype) -> object:
    match value:
        case {"randn": shape, "seed": seed}:
            drawn = torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
            return drawn.requires_grad_("grad" in value)
        case {"tensor": data, "dtype": name}:
            return torch.tensor(data, dtype=getattr(torch, name))
        case {"number": text}:
            return float(text)
        case list():
            return tuple(made(entry, dtype) for entry in value)
        case dict():
            return {key: made(entry, dtype) for key, entry in value.items()}
    return value


def tensors(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [found for entry in value for found in tensors(entry)] if isinstance(value, (list, tuple)) else []


def state(module: nn.Module) -> dict[str, str]:
    return {key: digest(value) for key, value in module.state_dict().items()}


def record(sample: dict[str, object], dtype: torch.dtype, training: bool) -> dict[str, object]:
    torch.manual_seed(0)
    module = getattr(nn, sample["module"])(*made(sample.get("args", []), dtype), **made(sample.get("kwargs", {}), dtype))
    answer = {**sample, "dtype": str(dtype).removeprefix("torch."), "repr": repr(module)}
    module.to(dtype).train(training)
    before = state(module)
    inputs = made(sample["inputs"], dtype)
    named = made(sample.get("named", {}), dtype)
    leaves = [leaf for leaf in tensors([*inputs, named]) if leaf.requires_grad]
    # What is written in place must not be a leaf.
    given = [entry.clone() if module.__dict__.get("inplace") and entry.requires_grad else entry for entry in inputs]
    torch.manual_seed(1)
    with torch.set_grad_enabled("inference" not in sample):
        result = module(*given, **named)
    after = state(module)
    outputs = [output for output in tensors(result) if output.requires_grad]
    parameters = list(module.parameters())
    if outputs:
        upstream = [torch.linspace(0.5, 1.5, out.numel(), dtype=out.dtype).reshape(out.shape) for out in outputs]
        grads = torch.autograd.grad(outputs, [*leaves, *parameters], upstream, allow_unused=True)
        answer["grads"] = answers(grads)
    answer.update(result=answers(result), state=before)
    changed = {key: value for key, value in after.items() if before[key] != value}
    if changed:
        answer["after"] = changed
    if not training:
        answer["eval"] = True
    return answer


def infos() -> list[dict[str, object]]:
    """The samples of ModuleInfo."""
    found = []
    for info in module_db:
        name = info.module_cls.__name__
        if name.startswith("Lazy") or name.endswith("Loss") or name in WITHOUT_INFO:
            continue
        torch.manual_seed(0)
        for given in info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=True, training=True):
            samples = Samples()
            constructor, forward = given.constructor_input, given.forward_input
            sample = {
                "module": name,
                "args": samples.described(constructor.args),
                "kwargs": samples.described(constructor.kwargs),
                "inputs": samples.described(forward.args),
                "named": samples.described(forward.kwargs),
            }
            found.append({key: value for key, value in sample.items() if value or key in ("module", "inputs")})
    return found


def main() -> None:
    environment.check_pinned()
    warnings.simplefilter("ignore")
    lines = []
    for sample in [*infos(), *SAMPLES]:
        for dtype in DTYPES:
            if "inference" in sample:
                lines.append(record(sample, dtype, False))
                continue
            trained = record(sample, dtype, True)
            lines.append(trained)
            evaluated = record(sample, dtype, False)
            same = {key: value for key, value in evaluated.items() if key != "eval"}
            if same != trained:
                lines.append(evaluated)
    text = "".join(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n" for line in lines)
    OUTPUT.write_text(text)
    print(f"{len(lines)} records of {len({line['module'] for line in lines})} modules, {len(text)} bytes")


main()
