"""soft_margin_loss: the logistic loss of signs, exponential and not stabilised."""

import torch

from cases.common import FLOATING, REDUCTIONS, signs, specials
from cases.elementwise import Elementwise, integers, record_common, sizes
from cases.l1_loss import normal
from record import Recorder

CALL = torch.nn.functional.soft_margin_loss
MODULE = "SoftMarginLoss"

LOSS = Elementwise(tensors={"input": normal, "target": signs}, grad=("input",), options={"plain": {}})


def edges(recorder: Recorder) -> None:
    """Where the exponential overflows: the loss is infinite and its gradient NaN; targets that are not signs."""
    for dtype_name, dtype in FLOATING.items():
        special = specials(dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=special.repeat(2),
            target=torch.ones(24, dtype=dtype).index_fill(0, torch.arange(12), -1.0),
            odd=torch.tensor([0.0, 2.0, float("nan"), 0.5, float("inf"), -2.0, -0.0, 1.0] * 3, dtype=dtype),
        )
        scores = [-8.0, -12.0, -88.0, -90.0, -104.0, -709.0, -711.0, -800.0, 8.0, 20.0, 90.0, 104.0, 711.0, 750.0]
        wide = recorder.group(
            f"overflow/{dtype_name}",
            input=torch.tensor(scores, dtype=dtype),
            target=torch.ones(14, dtype=dtype),
            other=-torch.ones(14, dtype=dtype),
        )
        for reduction in REDUCTIONS:
            group.case(reduction, reduction=reduction)
            group.case(f"{reduction},odd targets", args=("input", "odd"), reduction=reduction)
            wide.case(reduction, reduction=reduction)
            wide.case(f"{reduction},other", args=("input", "other"), reduction=reduction)
    draws = recorder.draws("target")
    group = recorder.group("target", input=normal(draws, (6,), torch.float32), target=signs(draws, (6,), torch.float32))
    group.case("target wants a gradient", grad=("input", "target"))


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder)
    integers(recorder, {"input": [3, 0, 1, 2], "target": [1, -1, 1, -1]})
    sizes(recorder, LOSS)
