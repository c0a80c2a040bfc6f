"""hinge_embedding_loss: distances that are to be small, or greater than a margin."""

import torch

from cases.common import FLOATING, REDUCTIONS, signs, specials
from cases.elementwise import Elementwise, integers, record_common, sizes
from cases.l1_loss import normal
from record import Recorder

CALL = torch.nn.functional.hinge_embedding_loss
MODULE = "HingeEmbeddingLoss"

LOSS = Elementwise(
    tensors={"input": normal, "target": signs},
    grad=("input",),
    options={
        "plain": {},
        "margin=0.5": {"margin": 0.5},
        "margin=0": {"margin": 0.0},
        "margin=-1": {"margin": -1.0},
        "margin=2": {"margin": 2.0},
    },
)


def edges(recorder: Recorder) -> None:
    """Distances of exactly the margin; targets that are not signs take both branches; special numbers."""
    for dtype_name, dtype in FLOATING.items():
        eps = torch.finfo(dtype).eps
        distances = [1.0, 1.0 - eps / 2, 1.0 + eps, 0.5, 0.0, -0.0, -1.0, 2.0]
        group = recorder.group(
            f"boundaries/{dtype_name}",
            input=torch.tensor(distances, dtype=torch.float64).to(dtype).repeat(2),
            target=torch.ones(16, dtype=dtype).index_fill(0, torch.arange(8), -1.0),
            odd=torch.tensor([0.0, 2.0, float("nan"), 0.5, float("inf"), -2.0, -0.0, 1.0] * 2, dtype=dtype),
        )
        special = specials(dtype)
        edge = recorder.group(
            f"edges/{dtype_name}",
            input=special.repeat(2),
            target=torch.ones(24, dtype=dtype).index_fill(0, torch.arange(12), -1.0),
        )
        for reduction in REDUCTIONS:
            for name, kwargs in LOSS.options.items():
                LOSS.case(group, f"{reduction},{name}", reduction=reduction, **kwargs)
            group.case(f"{reduction},odd targets", args=("input", "odd"), reduction=reduction)
            LOSS.case(edge, reduction, reduction=reduction)
        for margin in (float("inf"), float("-inf"), float("nan")):
            LOSS.case(group, f"margin={margin}", reduction="none", margin=margin)
    # The target is compared only: autograd gives it nothing.
    draws = recorder.draws("target")
    group = recorder.group("target", input=normal(draws, (6,), torch.float32), target=signs(draws, (6,), torch.float32))
    group.case("gradient of both", grad=("input", "target"))


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder)
    integers(recorder, {"input": [3, 0, 1, 2], "target": [1, -1, 1, -1]})
    sizes(recorder, LOSS)
