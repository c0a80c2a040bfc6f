"""multi_margin_loss: the true class is to win by a margin, in the first or second power, weighted by class."""

import torch

from cases.common import FULL, HALF, INTEGRAL, REDUCTIONS, specials
from cases.multilabel_margin_loss import UNINITIALISED
from record import Group, Ours, Recorder
from tensors import LAYOUTS

CALL = torch.nn.functional.multi_margin_loss
MODULE = "MultiMarginLoss"

SHAPES = {"unbatched": (5,), "batched": (3, 4), "one": (1, 1), "one_class": (3, 1), "wide": (2, 67), "tall": (33, 3)}
OPTIONS = {
    "plain": {},
    "p=2,weight,margin=0.5": {"p": 2, "weight": "$weight", "margin": 0.5},
    "p=2": {"p": 2},
    "weight": {"weight": "$weight"},
    "margin=0.5": {"margin": 0.5},
    "margin=-0.5": {"margin": -0.5},
    "p=2,margin=0": {"p": 2, "margin": 0.0},
}
FEW = ("plain", "p=2,weight,margin=0.5")


def make(recorder: Recorder, name: str, shape: tuple[int, ...], dtype: torch.dtype, layout=None) -> Group:
    draws = recorder.draws(name)
    input = draws.normal(shape, dtype)
    weight = draws.uniform((shape[-1],), dtype, 0.2, 2.0)
    target = draws.indices(shape[:-1], shape[-1])
    return recorder.group(name, input=layout(input) if layout else input, target=target, weight=weight)


def call(group: Group, options=FEW, reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        for name in options:
            group.case(f"{reduction},{name}", reduction=reduction, **OPTIONS[name])


def shapes_and_layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            call(make(recorder, f"{name}/{dtype_name}", shape, dtype), OPTIONS if name == "batched" else FEW)
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", (5, 6), dtype, layout))
        draws = recorder.draws(f"strided/{dtype_name}")
        strided = recorder.group(
            f"strided/{dtype_name}",
            input=draws.normal((4, 5), dtype),
            target=LAYOUTS["sliced"](draws.indices((4,), 5)),
            weight=LAYOUTS["sliced"](draws.uniform((5,), dtype, 0.2, 2.0)),
        )
        call(strided)
        number = recorder.group(f"0d/{dtype_name}", input=torch.tensor(0.5, dtype=dtype), target=torch.tensor(0))
        call(number, ("plain", "p=2"))
        draws = recorder.draws(f"one target/{dtype_name}")
        one = recorder.group(f"one target/{dtype_name}", input=draws.normal((4,), dtype), target=torch.tensor([2]))
        call(one, ("plain", "p=2"))
    for dtype_name, dtype in HALF.items():
        call(make(recorder, f"batched/{dtype_name}", (3, 4), dtype), FEW)
    make(recorder, "defaults", (3, 4), torch.float32).case("no options")


def edges(recorder: Recorder) -> None:
    """Scores exactly the margin apart; special numbers; odd weights; no rows."""
    eps = 2.0**-8
    rows = [[0.0, 1.0, 2.0, -1.0], [1.0, 1.0, 1.0, 1.0], [0.5, -0.5, 1.5, 0.5 + eps], [1.0, 0.0, -0.0, 1.0 - eps]]
    for dtype_name, dtype in FULL.items():
        group = recorder.group(
            f"boundaries/{dtype_name}",
            input=torch.tensor([*rows, *rows], dtype=dtype),
            target=torch.tensor([0, 1, 2, 3, 1, 0, 3, 0]),
            weight=torch.tensor([0.0, -1.0, 2.0, 1.0], dtype=dtype),
            infinite=torch.tensor([float("inf"), float("nan"), 0.0, 1.0], dtype=dtype),
        )
        edge = recorder.group(
            f"edges/{dtype_name}", input=specials(dtype).reshape(3, 4).repeat(4, 1), target=torch.arange(12) // 3
        )
        empty = recorder.group(
            f"empty/{dtype_name}",
            input=torch.zeros((0, 4), dtype=dtype),
            target=torch.zeros(0, dtype=torch.int64),
            weight=torch.ones(4, dtype=dtype),
        )
        call(group, OPTIONS)
        for reduction in REDUCTIONS:
            for p in (1, 2):
                edge.case(f"{reduction},p={p}", reduction=reduction, p=p)
                group.case(f"{reduction},infinite,p={p}", reduction=reduction, p=p, weight="$infinite")
        for margin in (float("inf"), float("-inf"), float("nan")):
            group.case(f"margin={margin}", reduction="none", margin=margin)
        for name in FEW:
            empty.case(f"none,{name}", reduction="none", **OPTIONS[name])
            for reduction, number in {"mean": float("nan"), "sum": 0.0}.items():
                ours = Ours(UNINITIALISED, value=torch.tensor(number, dtype=dtype))
                empty.case(f"{reduction},{name}", reduction=reduction, ours=ours, **OPTIONS[name])


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.normal((3, 4), torch.float32),
        flat=draws.normal((4,), torch.float32),
        cube=draws.normal((2, 3, 4), torch.float32),
        no_classes=torch.zeros((3, 0)),
        nothing=torch.zeros(0),
        target=torch.tensor([0, 1, 3]),
        number=torch.tensor(1),
        short=torch.tensor([0, 1]),
        columns=torch.tensor([[0], [1], [3]]),
        high=torch.tensor([0, 4, 1]),
        low=torch.tensor([0, -1, 1]),
        real=torch.tensor([0.0, 1.0, 3.0]),
        weight=draws.uniform((4,), torch.float32),
        weight3=draws.uniform((3,), torch.float32),
        weight2d=draws.uniform((1, 4), torch.float32),
        weight0d=draws.uniform((), torch.float32),
        weight64=draws.uniform((4,), torch.float64),
    )
    for reduction in REDUCTIONS:
        for target in ("high", "low"):
            group.case(f"{reduction},target {target}", args=("input", target), grad=(), reduction=reduction)
    for target in ("number", "short", "columns", "real"):
        group.case(f"target {target}", args=("input", target), grad=())
    for input, target in (("flat", "target"), ("cube", "target"), ("no_classes", "target"), ("nothing", "number")):
        group.case(f"input {input}", args=(input, target), grad=())
    for weight in ("weight3", "weight2d", "weight0d", "weight64"):
        group.case(weight, grad=(), weight=f"${weight}")
    group.case("weight wants a gradient", grad=("weight",), weight="$weight")
    for p in (0, 3, -1, 1.5):
        group.case(f"p={p}", grad=(), p=p)
    group.case("reduction", grad=(), reduction="batchmean")
    for dtype_name, dtype in INTEGRAL.items():
        kinds = {"input": torch.tensor([[3, 0, 1, 2]] * 3).to(dtype), "target": torch.tensor([0, 1, 1])}
        one = recorder.group(
            f"integers/{dtype_name}", **kinds, float=kinds["input"].float(), other=kinds["target"].to(dtype)
        )
        one.case("input", grad=())
        if dtype_name != "int64":
            one.case("target", args=("float", "other"), grad=())


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    edges(recorder)
    errors(recorder)
    if recorder.live:
        for dtype_name, dtype in FULL.items():
            call(make(recorder, f"large/{dtype_name}", (131, 257), dtype), FEW[1:], ("none", "mean"))
