"""smooth_l1_loss: square within beta, straight beyond; beta 0 is l1_loss."""

from dataclasses import replace

import torch

from cases.common import FLOATING, REDUCTIONS
from cases.elementwise import Elementwise, integers, record_common, sizes
from cases.l1_loss import LOSS as L1, edges, normal
from record import Recorder

CALL = torch.nn.functional.smooth_l1_loss
MODULE = "SmoothL1Loss"

LOSS = replace(
    L1,
    named={},
    options={
        "plain": {},
        "beta=0.5": {"beta": 0.5},
        "beta=0": {"beta": 0.0},
        "beta=-0": {"beta": -0.0},
        "beta=2.5": {"beta": 2.5},
    },
)
WIDE = {"beta=1e-9": {"beta": 1e-9}, "beta=1e30": {"beta": 1e30}, "beta=inf": {"beta": float("inf")}}
REFUSED = {"beta=-1": {"beta": -1.0}, "beta=nan": {"beta": float("nan")}, "beta=-inf": {"beta": float("-inf")}}


def boundaries(recorder: Recorder, loss: Elementwise, options: dict[str, dict]) -> None:
    """Differences of exactly the boundary, and of its neighbours."""
    for dtype_name, dtype in FLOATING.items():
        eps = torch.finfo(dtype).eps
        sizes = [size * factor for size in (0.5, 1.0, 2.5) for factor in (1.0 - eps / 2, 1.0, 1.0 + eps)]
        differences = torch.tensor([0.0, *sizes, *[-size for size in sizes]], dtype=torch.float64).to(dtype)
        group = recorder.group(f"boundaries/{dtype_name}", input=differences, target=torch.zeros_like(differences))
        for reduction in REDUCTIONS:
            for name, kwargs in options.items():
                group.case(f"{reduction},{name}", grad=loss.grad, reduction=reduction, **kwargs)


def refusals(recorder: Recorder, options: dict[str, dict]) -> None:
    draws = recorder.draws("options")
    tensors = {"input": normal(draws, (3, 4), torch.float32), "target": normal(draws, (3, 4), torch.float32)}
    group = recorder.group("options", **tensors)
    for name, kwargs in options.items():
        for reduction in REDUCTIONS:
            group.case(f"{reduction},{name}", grad=(), reduction=reduction, **kwargs)


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder, LOSS, {"plain": {}, "beta=0": {"beta": 0.0}})
    boundaries(recorder, LOSS, {**LOSS.options, **WIDE})
    refusals(recorder, REFUSED)
    integers(recorder, {"input": [3, 0, 1, 7], "target": [1, 0, 4, 7]})
    sizes(recorder, LOSS)
