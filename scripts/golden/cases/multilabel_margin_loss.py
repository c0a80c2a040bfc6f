"""multilabel_margin_loss: several true classes a row, listed up to the first -1."""

import random

import torch

from cases.common import FULL, HALF, INTEGRAL, REDUCTIONS, specials
from record import Group, Ours, Recorder
from tensors import LAYOUTS

CALL = torch.nn.functional.multilabel_margin_loss
MODULE = "MultiLabelMarginLoss"

SHAPES = {
    "0d": (),
    "unbatched": (5,),
    "batched": (3, 4),
    "one": (1, 1),
    "one_class": (3, 1),
    "wide": (2, 67),
    "tall": (33, 3),
}
UNINITIALISED = "PyTorch returns uninitialised memory for an empty batch"


def labels(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Rows of some classes, then -1, then more that do not count; some rows have none, some all."""
    rng = random.Random(name)
    classes = shape[-1] if shape else 1
    rows = 1
    for size in shape[:-1]:
        rows *= size
    made = []
    for _ in range(rows):
        count = rng.randrange(classes + 1)
        row = rng.sample(range(classes), count)
        rest = [rng.randrange(-1, classes) for _ in range(classes - count)]
        made += [*row, *([-1, *rest[1:]] if rest else [])]
    return torch.tensor(made).reshape(shape)


def make(recorder: Recorder, name: str, shape: tuple[int, ...], dtype: torch.dtype, layout=None) -> Group:
    input = recorder.draws(name).normal(shape, dtype)
    target = labels(f"{recorder.op}/{name}/target", shape)
    return recorder.group(name, input=layout(input) if layout else input, target=layout(target) if layout else target)


def call(group: Group, reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        group.case(reduction, reduction=reduction)


def shapes_and_layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            call(make(recorder, f"{name}/{dtype_name}", shape, dtype))
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", (5, 6), dtype, layout))
        plain = labels(f"{recorder.op}/plain target/{dtype_name}", (5, 6))
        input = LAYOUTS["transposed"](recorder.draws(f"plain target/{dtype_name}").normal((5, 6), dtype))
        call(recorder.group(f"plain target/{dtype_name}", input=input, target=plain))
    for dtype_name, dtype in HALF.items():
        call(make(recorder, f"batched/{dtype_name}", (3, 4), dtype))
    make(recorder, "defaults", (3, 4), torch.float32).case("no options")


def targets_and_edges(recorder: Recorder) -> None:
    """Rows without labels, with all, with one twice; scores exactly one apart; special numbers."""
    targets = [[-1, 0, 1, 2], [0, 1, 2, 3], [2, 2, -1, 0], [3, -1, -1, -1], [1, 0, 1, 0], [0, -1, 1, 1]]
    eps = 2.0**-8
    scores = [[0.0, 1.0, 2.0, -1.0], [1.0, 1.0, 1.0, 1.0], [0.5, -0.5, 1.5, 0.5 + eps], [1.0, 0.0, -0.0, 1.0 - eps]]
    for dtype_name, dtype in FULL.items():
        rows = torch.tensor([*scores, *scores[:2]], dtype=dtype)
        call(recorder.group(f"targets/{dtype_name}", input=rows, target=torch.tensor(targets)))
        special = specials(dtype).reshape(3, 4)
        target = torch.tensor([[0, 2, -1, -1], [3, -1, -1, -1], [1, 2, 3, 0]])
        call(recorder.group(f"edges/{dtype_name}", input=special, target=target))
        for row in range(3):
            call(recorder.group(f"edges, row {row}/{dtype_name}", input=special[row], target=target[row]))
        empty = recorder.group(
            f"empty/{dtype_name}", input=torch.zeros((0, 4), dtype=dtype), target=torch.zeros((0, 4), dtype=torch.int64)
        )
        empty.case("none", reduction="none")
        empty.case("mean", reduction="mean", ours=Ours(UNINITIALISED, value=torch.tensor(float("nan"), dtype=dtype)))
        empty.case("sum", reduction="sum", ours=Ours(UNINITIALISED, value=torch.tensor(0.0, dtype=dtype)))


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.normal((3, 4), torch.float32),
        flat=draws.normal((4,), torch.float32),
        cube=draws.normal((2, 3, 4), torch.float32),
        no_classes=torch.zeros((3, 0)),
        nothing=torch.zeros(0),
        target=labels("errors", (3, 4)),
        flat_target=torch.tensor([2, 0, -1, 1]),
        cube_target=labels("errors", (2, 3, 4)),
        no_classes_target=torch.zeros((3, 0), dtype=torch.int64),
        nothing_target=torch.zeros(0, dtype=torch.int64),
        short=labels("errors", (3, 3)),
        rows=labels("errors", (2, 4)),
        high=torch.tensor([[0, 4, -1, 1]] * 3),
        high_after_end=torch.tensor([[0, -1, 4, 1]] * 3),
        low=torch.tensor([[0, -2, -1, 1]] * 3),
        low_after_end=torch.tensor([[0, -1, -2, 1]] * 3),
    )
    for reduction in REDUCTIONS:
        for target in ("high", "high_after_end", "low", "low_after_end", "short", "rows", "flat_target", "flat"):
            group.case(f"{reduction},target {target}", args=("input", target), grad=(), reduction=reduction)
        group.case(f"{reduction},input flat", args=("flat", "target"), grad=(), reduction=reduction)
        for name in ("cube", "no_classes", "nothing"):
            args = (name, f"{name}_target")
            group.case(f"{reduction},input {name}", args=args, grad=(), reduction=reduction)
    group.case("target of the input's dtype", args=("input", "input"), grad=())
    group.case("reduction", grad=(), reduction="batchmean")
    for dtype_name, dtype in INTEGRAL.items():
        scores = torch.tensor([3, 0, 1, 2]).to(dtype)
        target = torch.tensor([2, 0, -1, 1])
        kinds = {"input": scores, "float": scores.float(), "target": target, "other": target.to(dtype)}
        one = recorder.group(f"integers/{dtype_name}", **kinds)
        one.case("input", grad=())
        if dtype_name != "int64":
            one.case("target", args=("float", "other"), grad=())


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    targets_and_edges(recorder)
    errors(recorder)
    if recorder.live:
        for dtype_name, dtype in FULL.items():
            call(make(recorder, f"large/{dtype_name}", (131, 67), dtype))
