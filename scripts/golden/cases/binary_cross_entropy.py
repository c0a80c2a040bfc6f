"""binary_cross_entropy: inputs and targets in [0, 1]."""

import torch

from cases.common import ELEMENTWISE_SHAPES, FLOATING, FULL, HALF, LARGE, REDUCTIONS
from record import Group, Recorder
from tensors import LAYOUTS, channels_last

CALL = torch.nn.functional.binary_cross_entropy
MODULE = "BCELoss"

BOTH = ("input", "target")


def make(recorder: Recorder, name: str, shape: tuple[int, ...], dtype: torch.dtype, layout=None) -> Group:
    draws = recorder.draws(name)
    input = draws.uniform(shape, dtype, 0.02, 0.98)
    target = draws.uniform(shape, dtype)
    if layout:
        input, target = layout(input), layout(target)
    return recorder.group(
        name,
        input=input,
        target=target,
        hard=draws.indices(shape, 2).to(dtype),
        weight=draws.uniform(shape, dtype, 0.2, 2.0),
        last=draws.uniform(shape[-1:], dtype, 0.2, 2.0),
    )


def call(group: Group, reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        group.case(reduction, grad=BOTH, reduction=reduction)
        group.case(f"{reduction},weight", grad=BOTH, reduction=reduction, weight="$weight")
        group.case(f"{reduction},weight of the last dimension", reduction=reduction, weight="$last")
        group.case(f"{reduction},hard", args=("input", "hard"), reduction=reduction)


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
    """Weights of every shape that broadcasts."""
    for dtype_name, dtype in FULL.items():
        draws = recorder.draws(f"weights/{dtype_name}")
        group = recorder.group(
            f"weights/{dtype_name}",
            input=draws.uniform((2, 3, 4), dtype, 0.02, 0.98),
            target=draws.uniform((2, 3, 4), dtype),
            number=torch.tensor(0.5, dtype=dtype),
            column=draws.uniform((3, 1), dtype, 0.2, 2.0),
            batch=draws.uniform((2, 1, 1), dtype, 0.2, 2.0),
            zeros=torch.zeros((2, 3, 4), dtype=dtype),
            negative=draws.uniform((4,), dtype, -2.0, 0.0),
        )
        for weight in ("number", "column", "batch", "zeros", "negative"):
            for reduction in REDUCTIONS:
                group.case(f"{reduction},{weight}", grad=BOTH, reduction=reduction, weight=f"${weight}")


def edges(recorder: Recorder) -> None:
    """Exact zeros and ones, where the logarithm is cut at -100, their neighbours, subnormals."""
    for dtype_name, dtype in FLOATING.items():
        info = torch.finfo(dtype)
        points = torch.tensor(
            [0.0, -0.0, 1.0, info.smallest_normal / 2, info.smallest_normal, info.eps, 1.0 - info.eps / 2, 0.5],
            dtype=torch.float64,
        ).to(dtype)
        targets = torch.tensor([0.0, 1.0, 0.5, -0.0, info.smallest_normal], dtype=torch.float64).to(dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=points.repeat_interleave(5).reshape(8, 5),
            target=targets.repeat(8, 1),
            infinite=torch.tensor([1.0, float("inf"), 0.0, float("nan"), -1.0], dtype=dtype),
        )
        for reduction in REDUCTIONS:
            group.case(reduction, grad=BOTH, reduction=reduction)
            group.case(f"{reduction},infinite weight", grad=BOTH, reduction=reduction, weight="$infinite")


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.uniform((3, 4), torch.float32),
        target=draws.uniform((3, 4), torch.float32),
        above=torch.full((3, 4), 1.25),
        below=torch.full((3, 4), -0.25),
        nan=torch.full((3, 4), float("nan")),
        short=draws.uniform((3, 3), torch.float32),
        row=draws.uniform((4,), torch.float32),
        double=draws.uniform((3, 4), torch.float64),
        integers=torch.ones((3, 4), dtype=torch.int64),
        weight=draws.uniform((3, 4), torch.float32),
        weight3=draws.uniform((3,), torch.float32),
        larger=draws.uniform((2, 3, 4), torch.float32),
    )
    for name in ("above", "below", "nan", "short", "row", "double", "integers"):
        group.case(f"input {name}", args=(name, "target"), grad=())
        group.case(f"target {name}", args=("input", name), grad=())
    group.case("both integers", args=("integers", "integers"), grad=())
    for weight in ("weight3", "larger", "double"):
        group.case(f"weight {weight}", grad=(), weight=f"${weight}")
    group.case("weight wants a gradient", grad=("weight",), weight="$weight")
    group.case("reduction", grad=(), reduction="Mean")


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    weights(recorder)
    edges(recorder)
    errors(recorder)
    if recorder.live:
        for name, (shape, dtypes, reductions) in LARGE.items():
            for dtype_name, dtype in dtypes.items():
                call(make(recorder, f"{name}/{dtype_name}", shape, dtype), reductions)
