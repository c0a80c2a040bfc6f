"""triplet_margin_loss: an anchor is to be nearer to a positive than to a negative, in any norm."""

import torch

from cases.common import FLOATING, FULL, HALF, INTEGRAL, REDUCTIONS, specials
from record import Group, Recorder
from tensors import LAYOUTS

CALL = torch.nn.functional.triplet_margin_loss
MODULE = "TripletMarginLoss"

ARGS = ("anchor", "positive", "negative")
SHAPES = {
    "unbatched": (5,),
    "batched": (3, 4),
    "3d": (2, 3, 4),
    "one": (1, 1),
    "wide": (2, 67),
    "tall": (33, 3),
    "empty": (0, 4),
}
BROADCASTS = {
    "anchor": ((1, 4), (3, 4), (3, 4)),
    "positive": ((3, 4), (1, 4), (3, 4)),
    "negative": ((3, 4), (3, 4), (3, 1)),
    "several": ((2, 1, 4), (1, 3, 4), (2, 3, 1)),
}
INFINITY = float("inf")
OPTIONS = {
    "plain": {},
    "swap,margin=0.5": {"swap": True, "margin": 0.5},
    "p=1": {"p": 1.0},
    "p=1,swap": {"p": 1.0, "swap": True},
    "p=3": {"p": 3.0},
    "p=inf": {"p": INFINITY},
    "p=inf,swap": {"p": INFINITY, "swap": True},
    "p=0.5": {"p": 0.5},
    "p=0": {"p": 0.0},
    "p=1.5": {"p": 1.5},
    "p=-1": {"p": -1.0},
    "p=-inf": {"p": -INFINITY},
    "eps=0": {"eps": 0.0},
    "eps=0.1,margin=2": {"eps": 0.1, "margin": 2.0},
}
FEW = ("plain", "swap,margin=0.5")
HALF_OPTIONS = ("plain", "swap,margin=0.5", "p=1", "p=3", "p=inf")


def make(recorder: Recorder, name: str, shapes, dtype: torch.dtype, layout=None) -> Group:
    draws = recorder.draws(name)
    made = {key: draws.normal(shape, dtype) for key, shape in zip(ARGS, shapes)}
    return recorder.group(name, **{key: layout(tensor) if layout else tensor for key, tensor in made.items()})


def call(group: Group, options: dict[str, dict], reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        for name, kwargs in options.items():
            group.case(f"{reduction},{name}", args=ARGS, grad=ARGS, reduction=reduction, **kwargs)


def shapes_and_layouts(recorder: Recorder, all_options: dict[str, dict], half: tuple[str, ...]) -> None:
    few = {name: all_options[name] for name in FEW}
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            options = all_options if name == "batched" else few
            call(make(recorder, f"{name}/{dtype_name}", [shape] * 3, dtype), options)
        for name, shapes in BROADCASTS.items():
            call(make(recorder, f"broadcast_{name}/{dtype_name}", shapes, dtype), few)
        for name, layout in LAYOUTS.items():
            group = make(recorder, f"{name}/{dtype_name}", [(5, 6)] * 3, dtype, layout)
            call(group, few, ("none", "mean"))
        numbers = make(recorder, f"0d/{dtype_name}", [()] * 3, dtype)
        call(numbers, few)
    for dtype_name, dtype in HALF.items():
        options = {name: all_options[name] for name in half}
        call(make(recorder, f"batched/{dtype_name}", [(3, 4)] * 3, dtype), options)
        call(make(recorder, f"wide/{dtype_name}", [(2, 67)] * 3, dtype), few, ("none", "mean"))
    group = make(recorder, "defaults", [(3, 4)] * 3, torch.float32)
    group.case("no options", args=ARGS, grad=ARGS)
    for key in ARGS:
        group.case(f"gradient of {key} alone", args=ARGS, grad=(key,))
    if recorder.live:
        for dtype_name, dtype in FLOATING.items():
            call(make(recorder, f"large/{dtype_name}", [(131, 257)] * 3, dtype), {FEW[1]: few[FEW[1]]}, ("mean",))


def edges(recorder: Recorder, options: dict[str, dict]) -> None:
    """Equal vectors, distances that cancel, exactly the margin, positive and negative equally far; special numbers."""
    rows = [
        ([0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
        ([1.0, 2.0], [1.0, 2.0], [4.0, 6.0]),
        ([1.0, 2.0], [4.0, 6.0], [1.0, 2.0]),
        ([0.0, 0.0], [3.0, 4.0], [4.0, 3.0]),
        ([0.0, 0.0], [3.0, 0.0], [4.0, 0.0]),
        ([0.0, 0.0], [3.0, 0.0], [-4.0, 0.0]),
        ([0.0, 0.0], [4.0, 0.0], [3.0, 0.0]),
        ([1.0, -1.0], [-1.0, 1.0], [-1.0, 1.0]),
        ([float("nan"), 0.0], [1.0, 1.0], [2.0, 2.0]),
        ([INFINITY, 0.0], [1.0, 1.0], [2.0, 2.0]),
    ]
    for dtype_name, dtype in FLOATING.items():
        tensors = {key: torch.tensor([row[i] for row in rows], dtype=dtype) for i, key in enumerate(ARGS)}
        call(recorder.group(f"edges/{dtype_name}", **tensors), options)
        special = specials(dtype)
        kinds = (special, special.roll(1), special.flip(0))
        tensors = {key: tensor.reshape(6, 2) for key, tensor in zip(ARGS, kinds)}
        few = {name: options[name] for name in FEW}
        call(recorder.group(f"specials/{dtype_name}", **tensors), few, ("none", "sum"))


def other_types(recorder: Recorder) -> None:
    for key in ARGS:
        for other in ("float64", "float16", "bfloat16"):
            draws = recorder.draws(f"mixed/{key}/{other}")
            kinds = {name: FLOATING[other] if name == key else torch.float32 for name in ARGS}
            tensors = {name: draws.normal((3, 4), dtype) for name, dtype in kinds.items()}
            group = recorder.group(f"mixed/{key} {other}", **tensors)
            group.case("none", args=ARGS, grad=ARGS, reduction="none")
            group.case("mean,swap", args=ARGS, grad=ARGS, swap=True)
    for dtype_name, dtype in INTEGRAL.items():
        values = {"anchor": [[3, 0], [1, 2]], "positive": [[1, 0], [4, 7]], "negative": [[1, 1], [2, 2]]}
        group = recorder.group(
            f"integers/{dtype_name}",
            **{key: torch.tensor(value).to(dtype) for key, value in values.items()},
            floats=torch.tensor([[0.5, 1.5], [2.5, -1.0]]),
        )
        for reduction in REDUCTIONS:
            group.case(f"all,{reduction}", args=ARGS, grad=(), reduction=reduction)
        group.case("two", args=("anchor", "floats", "negative"), grad=(), reduction="none")


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        **{key: draws.normal((3, 4), torch.float32) for key in ARGS},
        flat=draws.normal((4,), torch.float32),
        rows=draws.normal((2, 4), torch.float32),
        other=draws.normal((3, 3), torch.float32),
        cube=draws.normal((1, 3, 4), torch.float32),
    )
    for name in ("flat", "rows", "other", "cube"):
        for place in range(3):
            args = tuple(name if i == place else key for i, key in enumerate(ARGS))
            group.case(f"{ARGS[place]} {name}", args=args, grad=())
            group.case(f"{ARGS[place]} {name},swap", args=args, grad=(), swap=True)
    for margin in (0.0, -0.0, -1.0, -INFINITY):
        group.case(f"margin={margin}", args=ARGS, grad=(), margin=margin)
    for margin in (INFINITY, float("nan"), 1e-300):
        group.case(f"margin={margin}", args=ARGS, grad=ARGS, margin=margin)
    group.case("reduction", args=ARGS, grad=(), reduction="batchmean")
    group.case("reduction before margin", args=ARGS, grad=(), reduction="Sum", margin=-1.0)


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder, OPTIONS, HALF_OPTIONS)
    few = ("plain", "swap,margin=0.5", "p=1", "p=3", "p=inf", "eps=0")
    edges(recorder, {name: OPTIONS[name] for name in few})
    other_types(recorder)
    errors(recorder)
