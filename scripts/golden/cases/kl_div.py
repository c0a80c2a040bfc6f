"""kl_div: targets as probabilities and as log-probabilities, broadcasting, batchmean."""

import torch

from cases.common import ELEMENTWISE_SHAPES, FLOATING, FULL, HALF, LARGE, REDUCTIONS, specials
from record import Group, Recorder
from tensors import LAYOUTS, channels_last

CALL = torch.nn.functional.kl_div
MODULE = "KLDivLoss"

BOTH = ("input", "target")
WITH_BATCHMEAN = (*REDUCTIONS, "batchmean")


def make(recorder: Recorder, name: str, shape: tuple[int, ...], dtype: torch.dtype, layout=None) -> Group:
    draws = recorder.draws(name)
    input = draws.uniform(shape, dtype, -4.0, -0.1)
    target = draws.uniform(shape, dtype, 0.05, 1.0)
    log_target = draws.uniform(shape, dtype, -4.0, -0.1)
    if layout:
        input, target, log_target = layout(input), layout(target), layout(log_target)
    return recorder.group(name, input=input, target=target, log_target=log_target)


def call(group: Group, reductions=WITH_BATCHMEAN) -> None:
    for reduction in reductions:
        group.case(reduction, grad=BOTH, reduction=reduction)
        group.case(
            f"{reduction},log_target",
            args=("input", "log_target"),
            grad=("input", "log_target"),
            reduction=reduction,
            log_target=True,
        )
        group.case(f"{reduction},input only", reduction=reduction)


def shapes_and_layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shape in ELEMENTWISE_SHAPES.items():
            call(make(recorder, f"{name}/{dtype_name}", shape, dtype))
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", (5, 6), dtype, layout), ("none", "batchmean"))
        call(make(recorder, f"channels_last/{dtype_name}", (2, 3, 4, 2), dtype, channels_last), ("none", "sum"))
    for dtype_name, dtype in HALF.items():
        call(make(recorder, f"2d/{dtype_name}", (3, 4), dtype))
        call(make(recorder, f"tail/{dtype_name}", (67,), dtype))
    make(recorder, "defaults", (3, 4), torch.float32).case("no options")


def broadcasts(recorder: Recorder) -> None:
    """Sizes that differ broadcast; batchmean divides by the first size of the input alone."""
    pairs = {"row": ((3, 4), (4,)), "column": ((3, 1), (1, 4)), "input": ((4,), (3, 4)), "number": ((), (2, 3))}
    for dtype_name, dtype in FULL.items():
        for name, (input, target) in pairs.items():
            draws = recorder.draws(f"broadcast_{name}/{dtype_name}")
            group = recorder.group(
                f"broadcast_{name}/{dtype_name}",
                input=draws.uniform(input, dtype, -4.0, -0.1),
                target=draws.uniform(target, dtype, 0.05, 1.0),
            )
            for reduction in WITH_BATCHMEAN:
                group.case(reduction, grad=BOTH, reduction=reduction)
                group.case(f"{reduction},log_target", grad=BOTH, reduction=reduction, log_target=True)


def edges(recorder: Recorder) -> None:
    """Zero and negative targets, infinities, NaN, subnormals."""
    for dtype_name, dtype in FLOATING.items():
        special = specials(dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=torch.cat([torch.full((12,), -0.7, dtype=dtype), special, special]).reshape(6, 6),
            target=torch.cat([special, torch.zeros(12, dtype=dtype), special.flip(0)]).reshape(6, 6),
            zeros=torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.5, 0.5]], dtype=dtype).expand(6, 6),
        )
        for reduction in WITH_BATCHMEAN:
            group.case(reduction, grad=BOTH, reduction=reduction)
            group.case(f"{reduction},log_target", grad=BOTH, reduction=reduction, log_target=True)
            group.case(f"{reduction},zeros", args=("input", "zeros"), grad=("input", "zeros"), reduction=reduction)


def mixed_types(recorder: Recorder) -> None:
    draws = recorder.draws("mixed")
    group = recorder.group(
        "mixed",
        input=draws.uniform((3, 4), torch.float32, -4.0, -0.1),
        double=draws.uniform((3, 4), torch.float64, 0.05, 1.0),
        half=draws.uniform((3, 4), torch.float16, 0.05, 1.0),
        brain=draws.uniform((3, 4), torch.bfloat16, 0.05, 1.0),
    )
    for target in ("double", "half", "brain"):
        for reduction in ("none", "batchmean"):
            group.case(f"{reduction},{target}", args=("input", target), grad=("input", target), reduction=reduction)


def errors(recorder: Recorder) -> None:
    group = recorder.group(
        "errors",
        input=recorder.draws("errors").uniform((3, 4), torch.float32, -4.0, -0.1),
        short=torch.full((3, 3), 0.5),
        integers=torch.ones((3, 4), dtype=torch.int64),
    )
    group.case("size", args=("input", "short"), grad=())
    group.case("input integers", args=("integers", "input"), grad=())
    group.case("both integers", args=("integers", "integers"), grad=())
    group.case("reduction", args=("input", "input"), grad=(), reduction="batch_mean")


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    broadcasts(recorder)
    edges(recorder)
    mixed_types(recorder)
    errors(recorder)
    if recorder.live:
        for name, (shape, dtypes, reductions) in LARGE.items():
            for dtype_name, dtype in dtypes.items():
                call(make(recorder, f"{name}/{dtype_name}", shape, dtype), reductions)
