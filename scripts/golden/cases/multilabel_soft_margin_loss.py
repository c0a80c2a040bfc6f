"""multilabel_soft_margin_loss: binary cross entropy with logits, averaged over the classes."""

import torch

from cases.common import ELEMENTWISE_SHAPES, FLOATING, FULL, REDUCTIONS, specials
from cases.elementwise import Elementwise, integers, record_common, sizes
from record import Recorder

CALL = torch.nn.functional.multilabel_soft_margin_loss
MODULE = "MultiLabelSoftMarginLoss"

LOSS = Elementwise(
    tensors={
        "input": lambda draws, shape, dtype: draws.normal(shape, dtype, 3.0),
        "target": lambda draws, shape, dtype: draws.uniform(shape, dtype),
    },
    grad=("input", "target"),
    options={"plain": {}, "weight": {"weight": "$weight"}},
    named={"weight": lambda draws, shape, dtype: draws.uniform(shape[-1:], dtype, 0.2, 2.0)},
    shapes={name: shape for name, shape in ELEMENTWISE_SHAPES.items() if shape},
)


def hard_targets(recorder: Recorder) -> None:
    """Zeros and ones, as floating numbers and as integers."""
    for dtype_name, dtype in FLOATING.items():
        draws = recorder.draws(f"hard/{dtype_name}")
        hard = draws.indices((4, 5), 2)
        tensors = {"input": draws.normal((4, 5), dtype, 3.0), "hard": hard.to(dtype), "integers": hard}
        group = recorder.group(f"hard/{dtype_name}", **tensors, bytes=hard.to(torch.uint8))
        for reduction in REDUCTIONS:
            for target in ("hard", "integers", "bytes"):
                group.case(f"{reduction},{target}", args=("input", target), reduction=reduction)


def weights(recorder: Recorder) -> None:
    """Weights of every shape that broadcasts, also those that make the loss larger."""
    for dtype_name, dtype in FULL.items():
        draws = recorder.draws(f"weights/{dtype_name}")
        group = recorder.group(
            f"weights/{dtype_name}",
            input=draws.normal((2, 3, 4), dtype, 3.0),
            target=draws.uniform((2, 3, 4), dtype),
            number=torch.tensor(0.5, dtype=dtype),
            column=draws.uniform((3, 1), dtype, 0.2, 2.0),
            full=draws.uniform((2, 3, 4), dtype, 0.2, 2.0),
            zeros=torch.zeros(4, dtype=dtype),
            larger=draws.uniform((2, 2, 3, 4), dtype),
            infinite=torch.tensor([float("inf"), float("nan"), -1.0, 0.0], dtype=dtype),
        )
        for weight in ("number", "column", "full", "zeros", "larger", "infinite"):
            for reduction in REDUCTIONS:
                grad = ("input", "target", weight)
                group.case(f"{reduction},{weight}", grad=grad, reduction=reduction, weight=f"${weight}")


def edges(recorder: Recorder) -> None:
    for dtype_name, dtype in FLOATING.items():
        special = specials(dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=special.repeat(2).reshape(6, 4),
            target=torch.tensor([0.0, 1.0, 0.5, 2.0, -1.0, 1.0], dtype=dtype).repeat(4).reshape(6, 4),
            specials=special.repeat(2).flip(0).reshape(6, 4),
        )
        for reduction in REDUCTIONS:
            for target in ("target", "specials"):
                args = ("input", target)
                group.case(f"{reduction},{target}", args=args, grad=args, reduction=reduction)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.normal((3, 4), torch.float32),
        target=draws.uniform((3, 4), torch.float32),
        number=torch.tensor(0.5),
        weight3=draws.uniform((3,), torch.float32),
    )
    for reduction in REDUCTIONS:
        group.case(f"{reduction},weight3", grad=(), reduction=reduction, weight="$weight3")
        group.case(f"{reduction},0-dim", args=("number", "number"), grad=(), reduction=reduction)
    no_classes = recorder.group("no classes", input=torch.zeros((2, 0)), target=torch.zeros((2, 0)))
    for reduction in REDUCTIONS:
        no_classes.case(reduction, reduction=reduction)


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    hard_targets(recorder)
    weights(recorder)
    edges(recorder)
    errors(recorder)
    integers(recorder, {"input": [3, 0, 1, 2], "target": [1, 0, 1, 0]})
    sizes(recorder, LOSS)
