"""binary_cross_entropy_with_logits: any finite logit, any target."""

import torch

from cases.common import ELEMENTWISE_SHAPES, FLOATING, FULL, HALF, LARGE, REDUCTIONS, specials
from record import Group, Recorder
from tensors import LAYOUTS, channels_last

CALL = torch.nn.functional.binary_cross_entropy_with_logits
MODULE = "BCEWithLogitsLoss"

BOTH = ("input", "target")
WEIGHT = {"weight": "$weight"}
POSITIVE = {"pos_weight": "$positive"}


def make(recorder: Recorder, name: str, shape: tuple[int, ...], dtype: torch.dtype, layout=None) -> Group:
    draws = recorder.draws(name)
    input = draws.normal(shape, dtype, 3.0)
    target = draws.uniform(shape, dtype)
    if layout:
        input, target = layout(input), layout(target)
    return recorder.group(
        name,
        input=input,
        target=target,
        weight=draws.uniform(shape, dtype, 0.2, 2.0),
        positive=draws.uniform(shape[-1:], dtype, 0.2, 3.0),
    )


def call(group: Group, reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        group.case(reduction, grad=BOTH, reduction=reduction)
        group.case(f"{reduction},pos_weight", grad=BOTH, reduction=reduction, **POSITIVE)
        group.case(f"{reduction},weight", reduction=reduction, **WEIGHT)
        group.case(f"{reduction},weight,pos_weight", reduction=reduction, **WEIGHT, **POSITIVE)


def shapes_and_layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shape in ELEMENTWISE_SHAPES.items():
            call(make(recorder, f"{name}/{dtype_name}", shape, dtype))
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", (5, 6), dtype, layout), ("none", "mean"))
        call(make(recorder, f"channels_last/{dtype_name}", (2, 3, 4, 2), dtype, channels_last), ("none", "sum"))
    for dtype_name, dtype in HALF.items():
        call(make(recorder, f"2d/{dtype_name}", (3, 4), dtype))
        call(make(recorder, f"tail/{dtype_name}", (67,), dtype), ("none", "mean"))
    make(recorder, "defaults", (3, 4), torch.float32).case("no options")


def weights(recorder: Recorder) -> None:
    """Weights of every shape that broadcasts to the input."""
    for dtype_name, dtype in FULL.items():
        draws = recorder.draws(f"weights/{dtype_name}")
        group = recorder.group(
            f"weights/{dtype_name}",
            input=draws.normal((2, 3, 4), dtype, 3.0),
            target=draws.uniform((2, 3, 4), dtype),
            number=torch.tensor(2.5, dtype=dtype),
            column=draws.uniform((3, 1), dtype, 0.2, 2.0),
            batch=draws.uniform((2, 1, 1), dtype, 0.2, 2.0),
            zeros=torch.zeros((4,), dtype=dtype),
        )
        for weight in ("number", "column", "batch", "zeros"):
            for reduction in REDUCTIONS:
                group.case(f"{reduction},weight {weight}", grad=BOTH, reduction=reduction, weight=f"${weight}")
                group.case(f"{reduction},pos_weight {weight}", grad=BOTH, reduction=reduction, pos_weight=f"${weight}")


def edges(recorder: Recorder) -> None:
    """Logits far from zero, where a naive form overflows; infinities and NaN; targets outside [0, 1]."""
    for dtype_name, dtype in FLOATING.items():
        logits = torch.cat([specials(dtype), torch.tensor([1000, -1000, 100, -100, 20, -20], dtype=dtype)])
        targets = torch.tensor([0.0, 1.0, 0.5, -0.0, 2.0, -1.0], dtype=dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=logits.repeat_interleave(6).reshape(18, 6),
            target=targets.expand(18, 6),
            positive=torch.tensor([1.0, 0.0, 3.0, 2.0, float("inf"), -1.0], dtype=dtype),
        )
        for reduction in REDUCTIONS:
            group.case(reduction, grad=BOTH, reduction=reduction)
            group.case(f"{reduction},pos_weight", grad=BOTH, reduction=reduction, **POSITIVE)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.normal((3, 4), torch.float32),
        target=draws.uniform((3, 4), torch.float32),
        short=draws.uniform((3, 3), torch.float32),
        row=draws.uniform((4,), torch.float32),
        integers=torch.ones((3, 4), dtype=torch.int64),
        booleans=torch.ones((3, 4), dtype=torch.bool),
        weight=draws.uniform((3, 4), torch.float32),
        weight3=draws.uniform((3,), torch.float32),
        larger=draws.uniform((2, 3, 4), torch.float32),
    )
    for name in ("short", "row", "booleans"):
        group.case(f"target {name}", args=("input", name), grad=())
    group.case("input integers", args=("integers", "target"), grad=())
    for weight in ("weight3", "larger"):
        group.case(f"weight {weight}", grad=(), weight=f"${weight}")
        group.case(f"pos_weight {weight}", grad=(), pos_weight=f"${weight}")
    group.case("weight wants a gradient", grad=("weight",), weight="$weight")
    group.case("pos_weight wants a gradient", grad=("weight",), pos_weight="$weight")
    group.case("reduction", grad=(), reduction="elementwise")


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    weights(recorder)
    edges(recorder)
    errors(recorder)
    if recorder.live:
        for name, (shape, dtypes, reductions) in LARGE.items():
            for dtype_name, dtype in dtypes.items():
                call(make(recorder, f"{name}/{dtype_name}", shape, dtype), reductions)
