"""Runs the cases that scripts/cuda/cases-document.mjs writes, in PyTorch on a device, and writes what came out.

    python cases.py cases.json cuda results.jsonl [every]

A line is a run: `{"name", "results": {label: [dtype, shape, data]}}`, or with `"refusal": {"type", "message"}` in place of
the results. The runs, their order and their tensors are those of scripts/cuda/case-run.mjs. Needs torch alone.
"""

import json
import re
import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "golden"))

from encode import encode_result, line  # noqa: E402


def snake_case(name: str) -> str:
    return re.sub(r"(?<=.)([A-Z])", lambda letter: "_" + letter[1].lower(), name)


def number(value: object) -> object:
    return float(value) if isinstance(value, str) else value


def made(value: object, dtype: torch.dtype, device: str) -> object:
    """An argument as a tensor, made on the CPU in float64 or in integers first; or the plain value that it is."""
    if isinstance(value, list):
        return [number(element) for element in value]
    if not isinstance(value, dict):
        return number(value)
    own = getattr(torch, value["dtype"]) if "dtype" in value else dtype
    first = torch.float64 if own.is_floating_point else own
    data = [number(element) for element in value["data"]]
    return torch.tensor(data, dtype=first).reshape(value["shape"]).to(device=device, dtype=own)


def upstream_for(value: torch.Tensor) -> torch.Tensor:
    """The gradient that a backward pass starts from: a fixed pattern of numbers in [0.5, 2)."""
    data = [0.5 + ((i * 7919 + 13) % 96) / 64 for i in range(value.numel())]
    return torch.tensor(data, dtype=torch.float64).reshape(value.shape).to(device=value.device, dtype=value.dtype)


def results_of(loss: str, case: dict, dtype: torch.dtype, reduction: str, device: str) -> dict[str, list]:
    args = {name: made(value, dtype, device) for name, value in case["args"].items()}
    options = {name: made(value, dtype, device) for name, value in case["options"].items()}
    leaves = {**options, **args}
    for name in case["gradients"]:
        leaves[name].requires_grad_()
    named = {snake_case(name): value for name, value in options.items()}
    value = getattr(F, snake_case(loss))(*args.values(), **named, reduction=reduction)
    results = {"value": encode_result(value.detach().cpu())}
    if case["gradients"]:
        value.backward(upstream_for(value))
    for name in case["gradients"]:
        if leaves[name].grad is not None:
            results[f"gradient of {name}"] = encode_result(leaves[name].grad.cpu())
    return results


def runs_of(document: list, every: int):
    runs = (
        (loss["name"], case, dtype, reduction)
        for loss in document
        for case in loss["cases"]
        for dtype in case["dtypes"]
        for reduction in loss["reductions"]
    )
    return (run for i, run in enumerate(runs) if i % every == 0)


def main(cases: str, device: str, out: str, every: str = "1") -> None:
    warnings.simplefilter("ignore")
    with open(cases, encoding="utf-8") as file:
        document = json.load(file)
    with open(out, "w", encoding="utf-8") as file:
        for loss, case, dtype, reduction in runs_of(document, int(every)):
            record = {"name": f"{loss} {dtype} {reduction}: {case['name']}"}
            try:
                record["results"] = results_of(loss, case, getattr(torch, dtype), reduction, device)
            except Exception as error:
                record["refusal"] = {"type": type(error).__name__, "message": str(error)}
            file.write(line(record))


main(*sys.argv[1:])
