"""mse_loss: with and without weights; the mean of weighted losses is divided by the sum of the weights."""

import torch

from cases.elementwise import integers, record_common, sizes
from cases.l1_loss import LOSS, edges, weights
from record import Recorder

CALL = torch.nn.functional.mse_loss
MODULE = "MSELoss"


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder, LOSS, {"plain": {}})
    weights(recorder, LOSS)
    integers(recorder, {"input": [3, 0, 1, 7], "target": [1, 0, 4, 7]})
    sizes(recorder, LOSS)
