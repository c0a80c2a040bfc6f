"""poisson_nll_loss: rates and logarithms of rates, with and without Stirling's term."""

import torch

from cases.common import FLOATING, REDUCTIONS, specials
from cases.elementwise import Elementwise, integers, record_common, sizes
from record import Recorder

CALL = torch.nn.functional.poisson_nll_loss
MODULE = "PoissonNLLLoss"

LOSS = Elementwise(
    tensors={
        "input": lambda draws, shape, dtype: draws.uniform(shape, dtype, 0.1, 3.0),
        "target": lambda draws, shape, dtype: draws.uniform(shape, dtype, 0.0, 6.0),
    },
    grad=("input", "target"),
    options={
        "plain": {},
        "rate,full": {"log_input": False, "full": True},
        "rate": {"log_input": False},
        "full": {"full": True},
        "rate,eps=0.5": {"log_input": False, "eps": 0.5},
        "rate,eps=0": {"log_input": False, "eps": 0.0},
    },
)


def edges(recorder: Recorder) -> None:
    """Rates of zero and below, counts of zero; Stirling's term begins beyond 1."""
    for dtype_name, dtype in FLOATING.items():
        special = specials(dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=torch.cat([special, torch.full((12,), 0.75, dtype=dtype), special]).reshape(6, 6),
            target=torch.cat([torch.full((12,), 2.5, dtype=dtype), special, special.flip(0)]).reshape(6, 6),
        )
        eps = torch.finfo(dtype).eps
        counts = torch.tensor([0.0, -0.0, 0.5, 1.0 - eps / 2, 1.0, 1.0 + eps, 2.0, -1.0], dtype=torch.float64)
        near = recorder.group(f"stirling/{dtype_name}", input=torch.ones(8, dtype=dtype), target=counts.to(dtype))
        for reduction in REDUCTIONS:
            for name in ("plain", "rate", "rate,eps=0"):
                LOSS.case(group, f"{reduction},{name}", reduction=reduction, **LOSS.options[name])
            for name in ("full", "rate,full"):
                LOSS.case(near, f"{reduction},{name}", reduction=reduction, **LOSS.options[name])
        LOSS.case(near, "negative eps", reduction="none", log_input=False, eps=-1.5)


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder)
    integers(recorder, {"input": [3, 0, 1, 2], "target": [1, 0, 4, 7]})
    sizes(recorder, LOSS)
    group = recorder.group("integers with options", input=torch.tensor([3, 1, 2]), target=torch.tensor([0, 4, 1]))
    for name, kwargs in LOSS.options.items():
        group.case(name, grad=(), **kwargs)
