"""l1_loss: with and without weights; the mean of weighted losses is divided by the sum of the weights."""

import torch

from cases.common import FLOATING, REDUCTIONS, specials
from cases.elementwise import Elementwise, integers, record_common, sizes
from record import Recorder

CALL = torch.nn.functional.l1_loss
MODULE = "L1Loss"


def normal(draws, shape, dtype):
    return draws.normal(shape, dtype, 2.0)


def positive(draws, shape, dtype):
    return draws.uniform(shape, dtype, 0.2, 2.0)


LOSS = Elementwise(
    tensors={"input": normal, "target": normal},
    grad=("input", "target"),
    options={"plain": {}, "weight": {"weight": "$weight"}},
    named={"weight": positive},
)


def edges(recorder: Recorder, loss: Elementwise, options: dict[str, dict]) -> None:
    """Equal elements, where the sign of nothing is nothing; every special number beside every other."""
    for dtype_name, dtype in FLOATING.items():
        special = specials(dtype)
        count = len(special)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=special.repeat_interleave(count).reshape(count, count),
            target=special.repeat(count).reshape(count, count),
        )
        near = recorder.group(
            f"equal/{dtype_name}",
            input=torch.tensor([1.0, 0.0, -0.0, 2.0, -3.0, 0.5], dtype=dtype),
            target=torch.tensor([1.0, -0.0, 0.0, 2.0, 1.0, 0.5], dtype=dtype),
        )
        for reduction in REDUCTIONS:
            for name, kwargs in options.items():
                for one in (group, near):
                    one.case(f"{reduction},{name}", grad=loss.grad, reduction=reduction, **kwargs)


def weights(recorder: Recorder, loss: Elementwise) -> None:
    """Weights of zero, below zero, infinite; of another shape they are refused, though they would broadcast."""
    for dtype_name, dtype in FLOATING.items():
        draws = recorder.draws(f"weights/{dtype_name}")
        group = recorder.group(
            f"weights/{dtype_name}",
            input=normal(draws, (2, 3), dtype),
            target=normal(draws, (2, 3), dtype),
            zeros=torch.zeros((2, 3), dtype=dtype),
            negative=draws.normal((2, 3), dtype),
            infinite=torch.tensor([[0.0, 1.0, float("inf")], [float("nan"), -1.0, 0.5]], dtype=dtype),
            integers=torch.tensor([[1, 0, 2], [3, 1, 1]]),
        )
        for reduction in REDUCTIONS:
            for weight in ("zeros", "negative", "infinite"):
                group.case(f"{reduction},{weight}", grad=("input", weight), reduction=reduction, weight=f"${weight}")
            group.case(f"{reduction},integers", grad=loss.grad, reduction=reduction, weight="$integers")
    draws = recorder.draws("weight errors")
    group = recorder.group(
        "weight errors",
        input=normal(draws, (3, 4), torch.float32),
        target=normal(draws, (3, 4), torch.float32),
        row=normal(draws, (4,), torch.float32),
        column=normal(draws, (3, 1), torch.float32),
        number=torch.tensor(1.0),
        larger=normal(draws, (2, 3, 4), torch.float32),
    )
    for weight in ("row", "column", "number", "larger"):
        group.case(f"weight {weight}", grad=(), weight=f"${weight}")
    # What broadcasts is the input alone.
    group.case("target row, weight as the input", args=("input", "row"), weight="$target")
    group.case("input row, weight as the target", args=("row", "target"), grad=(), weight="$target")
    group.case("reduction", grad=(), reduction="batchmean", weight="$target")


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    edges(recorder, LOSS, {"plain": {}})
    weights(recorder, LOSS)
    integers(recorder, {"input": [3, 0, 1, 7], "target": [1, 0, 4, 7]})
    sizes(recorder, LOSS)
