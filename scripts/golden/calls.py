"""Writes test/golden/calls: what PyTorch answers to calls of functions: results, gradients, what is written in place.

    python scripts/golden/calls.py

Inputs are drawn from seeds on both sides, so only answers are recorded. `calls_*.py` list the calls, one file an area.
"""

import importlib
import json
import pathlib
import warnings

import environment

environment.pin()

import torch  # noqa: E402

from encode import encode_result  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "calls"
AREAS = ["functional", "init", "utils", "rnn", "torch"]


def function_of(name: str) -> object:
    found = torch
    for part in name.split("."):
        found = getattr(found, part)
    return found


def made(value: object, drawn: dict[int, torch.Tensor]) -> object:
    """A recorded argument as Python's. One seed is one tensor."""
    match value:
        case {"randn": shape, "seed": seed}:
            if seed not in drawn:
                dtype = getattr(torch, value.get("dtype", "float32"))
                drawn[seed] = torch.randn(shape, dtype=dtype, generator=generator(seed)).requires_grad_("grad" in value)
                if "gradient" in value:
                    drawn[seed].grad = torch.randn(shape, dtype=dtype, generator=generator(value["gradient"]))
            return drawn[seed]
        case {"randint": high, "shape": shape, "seed": seed}:
            return torch.randint(high, shape, generator=generator(seed))
        case {"tensor": data, "dtype": dtype}:
            return torch.tensor(data, dtype=getattr(torch, dtype))
        case {"dtype": dtype}:
            return getattr(torch, dtype)
        case {"packed": sequences, "enforce_sorted": is_sorted}:
            return torch.nn.utils.rnn.pack_sequence(made(sequences, drawn), is_sorted)
        case {"generator": seed}:
            return generator(seed)
        case {"number": text}:
            return float(text)
        case {"tuple": entries}:
            return tuple(made(entry, drawn) for entry in entries)
        case list():
            return [made(entry, drawn) for entry in value]
    return value


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tensors(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [found for entry in value for found in tensors(entry)] if isinstance(value, (list, tuple)) else []


def encoded(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return {"tensor": encode_result(value)}
    if isinstance(value, (list, tuple)):
        return [encoded(entry) for entry in value]
    return value


def record(call: dict[str, object]) -> dict[str, object]:
    """The call with its answer. Gradients are those of a sum weighted by 0.5 to 1.5 over all results."""
    drawn: dict[int, torch.Tensor] = {}
    args = made(call.get("args", []), drawn)
    kwargs = {key: made(value, drawn) for key, value in call.get("kwargs", {}).items()}
    torch.manual_seed(call.get("seed", 0))
    inputs = tensors([args, list(kwargs.values())])
    leaves = [leaf for leaf in drawn.values() if leaf.requires_grad]
    versions = [given._version for given in inputs]
    places = [given.data_ptr() for given in inputs]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function_of(call["call"])(*args, **kwargs)
    answer = {**call, "result": encoded(result)}
    if caught:
        answer["warns"] = True
    # What is given other elements by its `data` has no new version.
    written = [i for i, given in enumerate(inputs) if given._version != versions[i] or given.data_ptr() != places[i]]
    if written:
        answer["written"] = {str(i): encoded(inputs[i]) for i in written}
    gradients = [one.grad for one in drawn.values() if one.grad is not None]
    if gradients:
        answer["gradients"] = encoded(gradients)
    outputs = [output for output in tensors(result) if output.requires_grad and output.grad_fn is not None]
    if outputs and leaves:
        upstream = [torch.linspace(0.5, 1.5, out.numel()).reshape(out.shape).to(out.dtype) for out in outputs]
        answer["grads"] = [
            None if grad is None else encoded(grad)
            for grad in torch.autograd.grad(outputs, leaves, upstream, allow_unused=True)
        ]
    return answer


def main() -> None:
    environment.check_pinned()
    OUTPUT.mkdir(exist_ok=True)
    for area in AREAS:
        calls = importlib.import_module(f"calls_{area}").CALLS
        lines = [json.dumps(record(call), separators=(",", ":"), allow_nan=False) + "\n" for call in calls]
        (OUTPUT / f"{area}.jsonl").write_text("".join(lines))
        print(f"{len(lines)} calls in {area}.jsonl")


main()
