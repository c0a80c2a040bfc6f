"""Writes test/golden/reparametrized.json: linear layers whose weights are computed of other tensors, by torch.nn.utils.

    python scripts/golden/reparametrized.py

For each: the printed form, the state dict before and after two calls in training and one in evaluation, the outputs, and
the gradients of the sum of all outputs.
"""

import json
import pathlib

import environment

environment.pin()

import torch  # noqa: E402

from encode import encode_result  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "reparametrized.json"

CASES = [
    ("parametrizations.weight_norm", [5, 3], {}),
    ("parametrizations.weight_norm", [5, 3], {"dim": 1}),
    ("parametrizations.weight_norm", [5, 3], {"dim": -1}),
    ("parametrizations.weight_norm", [5, 3], {"dim": None}),
    ("parametrizations.weight_norm", [2, 3], {"name": "bias"}),
    ("parametrizations.spectral_norm", [5, 3], {}),
    ("parametrizations.spectral_norm", [5, 3], {"n_power_iterations": 3, "dim": 1, "eps": 1e-6}),
    ("parametrizations.spectral_norm", [5, 3], {"name": "bias"}),
    ("parametrizations.orthogonal", [4, 4], {}),
    ("parametrizations.orthogonal", [5, 3], {}),
    ("parametrizations.orthogonal", [3, 5], {"orthogonal_map": "cayley"}),
    ("parametrizations.orthogonal", [3, 5], {"orthogonal_map": "matrix_exp"}),
    ("parametrizations.orthogonal", [5, 3], {"orthogonal_map": "householder", "use_trivialization": False}),
    ("weight_norm", [5, 3], {}),
    ("weight_norm", [5, 3], {"dim": 1}),
    ("spectral_norm", [5, 3], {}),
    ("spectral_norm", [5, 3], {"n_power_iterations": 2, "dim": 1}),
]


def state(module: torch.nn.Module) -> list[list[object]]:
    return [[key, encode_result(value)] for key, value in module.state_dict().items()]


def record(name: str, sizes: list[int], kwargs: dict[str, object]) -> dict[str, object]:
    torch.manual_seed(5)
    module = torch.nn.Linear(*sizes)
    call = torch.nn.utils
    for part in name.split("."):
        call = getattr(call, part)
    call(module, **kwargs)
    case = {"call": name, "sizes": sizes, "kwargs": kwargs, "printed": str(module), "before": state(module)}
    inputs = torch.randn(4, sizes[0])
    outputs = [module(inputs), module(inputs), module.eval()(inputs)]
    sum(output.sum() for output in outputs).backward()
    case["outputs"] = [encode_result(output) for output in outputs]
    case["grads"] = [[key, encode_result(value.grad)] for key, value in module.named_parameters()]
    case["after"] = state(module)
    case["weight"] = encode_result(getattr(module, kwargs.get("name", "weight")))
    return case


def main() -> None:
    environment.check_pinned()
    cases = [record(*case) for case in CASES]
    OUTPUT.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases in {OUTPUT.name}")


main()
