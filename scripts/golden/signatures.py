"""Names and defaults of PyTorch's losses, read from the running PyTorch."""

import inspect

import torch

FUNCTIONALS = (
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "linear_cross_entropy",
)


def parameters(callable_object: object) -> list[dict[str, object]]:
    """Every parameter in order. No `default` means required; `keywordOnly` those after `*`."""
    found = []
    for parameter in inspect.signature(callable_object).parameters.values():
        entry: dict[str, object] = {"name": parameter.name}
        if parameter.default is not inspect.Parameter.empty:
            entry["default"] = parameter.default if is_json(parameter.default) else repr(parameter.default)
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            entry["keywordOnly"] = True
        found.append(entry)
    return found


def is_json(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str)) or value == ()


def signatures() -> dict[str, object]:
    """All functional losses and all loss modules."""
    functional = torch.nn.functional
    losses = [name for name in dir(functional) if name.endswith("_loss") and not name.startswith("_")]
    modules = [name for name in dir(torch.nn) if name.endswith("Loss")]
    return {
        "torch": torch.__version__,
        "functional": {name: parameters(getattr(functional, name)) for name in sorted([*losses, *FUNCTIONALS])},
        "modules": {name: parameters(getattr(torch.nn, name)) for name in sorted(modules)},
    }
