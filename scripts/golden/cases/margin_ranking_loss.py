"""margin_ranking_loss: which of two scores is to be the greater."""

import torch

from cases.common import FLOATING, REDUCTIONS, signs, specials
from cases.elementwise import ALIGNED_BROADCASTS, Elementwise, integers, record_common, sizes
from cases.l1_loss import normal
from record import Recorder

CALL = torch.nn.functional.margin_ranking_loss
MODULE = "MarginRankingLoss"

LOSS = Elementwise(
    tensors={"input1": normal, "input2": normal, "target": signs},
    grad=("input1", "input2", "target"),
    options={
        "plain": {},
        "margin=0.5": {"margin": 0.5},
        "margin=-0.5": {"margin": -0.5},
        "margin=2": {"margin": 2.0},
    },
    broadcasts=ALIGNED_BROADCASTS,
)


def edges(recorder: Recorder) -> None:
    """Differences of exactly the margin, where the hinge bends; targets that are not signs; special numbers."""
    for dtype_name, dtype in FLOATING.items():
        eps = torch.finfo(dtype).eps
        differences = [0.0, -0.0, 0.5, 0.5 - eps / 4, 0.5 + eps / 2, -0.5, 2.0, -2.0]
        scores = torch.tensor(differences, dtype=torch.float64).to(dtype)
        near = recorder.group(
            f"boundaries/{dtype_name}",
            input1=scores.repeat(2),
            input2=torch.zeros(16, dtype=dtype),
            target=torch.ones(16, dtype=dtype).index_fill(0, torch.arange(8), -1.0),
            odd=torch.tensor([0.0, 2.0, -3.0, 0.5] * 4, dtype=dtype),
        )
        special = specials(dtype)
        count = len(special)
        group = recorder.group(
            f"edges/{dtype_name}",
            input1=special.repeat_interleave(count).reshape(count, count),
            input2=special.repeat(count).reshape(count, count),
            target=torch.tensor([1.0, -1.0], dtype=dtype).repeat(count * count // 2).reshape(count, count),
        )
        for reduction in REDUCTIONS:
            for name, kwargs in LOSS.options.items():
                LOSS.case(near, f"{reduction},{name}", reduction=reduction, **kwargs)
            odd = ("input1", "input2", "odd")
            near.case(f"{reduction},odd targets", args=odd, grad=odd, reduction=reduction, margin=0.5)
            LOSS.case(group, reduction, reduction=reduction)
        for margin in (float("inf"), float("-inf"), float("nan")):
            LOSS.case(near, f"margin={margin}", reduction="none", margin=margin)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        matrix=normal(draws, (3, 4), torch.float32),
        row=normal(draws, (4,), torch.float32),
        number=normal(draws, (), torch.float32),
    )
    for args in (("row", "matrix", "matrix"), ("matrix", "row", "matrix"), ("matrix", "matrix", "row")):
        group.case(f"dimensions of {','.join(args)}", args=args, grad=())
    group.case("dimensions of a number", args=("matrix", "matrix", "number"), grad=())


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder)
    errors(recorder)
    integers(recorder, {"input1": [3, 0, 1, 2], "input2": [1, 0, 4, 7], "target": [1, -1, 1, -1]})
    sizes(recorder, LOSS)
