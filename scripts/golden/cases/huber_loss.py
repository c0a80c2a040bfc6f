"""huber_loss: square within delta, straight beyond; the mean of weighted losses is the plain mean."""

from dataclasses import replace

import torch

from cases.elementwise import integers, record_common, sizes
from cases.l1_loss import LOSS as L1, edges, weights
from cases.smooth_l1_loss import boundaries, refusals
from record import Recorder

CALL = torch.nn.functional.huber_loss
MODULE = "HuberLoss"

LOSS = replace(
    L1,
    options={
        "plain": {},
        "weight,delta=0.5": {"weight": "$weight", "delta": 0.5},
        "delta=0.5": {"delta": 0.5},
        "delta=2.5": {"delta": 2.5},
        "weight": {"weight": "$weight"},
    },
)
DELTAS = {f"delta={delta}": {"delta": delta} for delta in (0.5, 1.0, 2.5, 1e-9, 1e30, float("inf"))}
REFUSED = {f"delta={delta}": {"delta": delta} for delta in (0.0, -0.0, -1.0, float("nan"), float("-inf"), "one")}


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder, LOSS, {"plain": {}})
    boundaries(recorder, LOSS, DELTAS)
    weights(recorder, LOSS)
    refusals(recorder, REFUSED)
    integers(recorder, {"input": [3, 0, 1, 7], "target": [1, 0, 4, 7]})
    sizes(recorder, LOSS)
