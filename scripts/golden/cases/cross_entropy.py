"""cross_entropy: class indices and class probabilities."""

import torch

from cases.common import FLOATING, FULL, HALF, REDUCTIONS, specials
from record import Group, Recorder
from tensors import LAYOUTS, channels_last

CALL = torch.nn.functional.cross_entropy
MODULE = "CrossEntropyLoss"

SHAPES = {
    "unbatched": (5,),
    "batched": (3, 4),
    "one_class": (4, 1),
    "one_row": (1, 5),
    "empty": (0, 4),
    "wide": (2, 67),
    "tall": (40, 3),
    "k1": (2, 3, 5),
    "k2": (2, 3, 4, 3),
    "k3": (2, 3, 2, 2, 2),
    "k1_empty": (2, 3, 0),
}
MAIN = ("unbatched", "batched", "k2")

WEIGHT = {"weight": "$weight"}
SMOOTH = {"label_smoothing": 0.1}
ALL = {"weight": "$weight", "ignore_index": 1, "label_smoothing": 0.2}
INDEX_OPTIONS = {
    "indices": {},
    "indices,all": ALL,
    "indices,weight": WEIGHT,
    "indices,ignore_index": {"ignore_index": 1},
    "indices,label_smoothing": SMOOTH,
    "indices,label_smoothing=1": {"label_smoothing": 1.0},
}
PROBABILITY_OPTIONS = {
    "probabilities": {},
    "probabilities,weight,label_smoothing": {**WEIGHT, **SMOOTH},
    "probabilities,weight": WEIGHT,
    "probabilities,label_smoothing": SMOOTH,
}
FEW = ("indices", "indices,all", "probabilities,weight,label_smoothing")


def class_dim(shape: tuple[int, ...]) -> int:
    return 0 if len(shape) == 1 else 1


def index_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[: class_dim(shape)] + shape[class_dim(shape) + 1 :]


def make(recorder: Recorder, name: str, shape: tuple[int, ...], dtype: torch.dtype, layout=None) -> Group:
    """Input, both kinds of target and class weights of one shape; `layout` rearranges input and probabilities."""
    draws = recorder.draws(name)
    classes = shape[class_dim(shape)]
    input = draws.normal(shape, dtype, 3.0)
    probabilities = draws.probabilities(shape, dtype, class_dim(shape))
    return recorder.group(
        name,
        input=layout(input) if layout else input,
        target=draws.indices(index_shape(shape), classes),
        probabilities=layout(probabilities) if layout else probabilities,
        weight=draws.uniform((classes,), dtype, 0.2, 2.0),
    )


def call(group: Group, options: tuple[str, ...] | None = None, reductions=REDUCTIONS) -> None:
    """Every reduction with the named options, or with all of them."""
    for reduction in reductions:
        for name, kwargs in INDEX_OPTIONS.items():
            if options is None or name in options:
                group.case(f"{reduction},{name}", reduction=reduction, **kwargs)
        for name, kwargs in PROBABILITY_OPTIONS.items():
            if options is None or name in options:
                grad = ["input", "probabilities"] + (["weight"] if "weight" in kwargs else [])
                group.case(
                    f"{reduction},{name}", args=("input", "probabilities"), grad=grad, reduction=reduction, **kwargs
                )


def shapes_and_options(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            call(make(recorder, f"{name}/{dtype_name}", shape, dtype), None if name in MAIN else FEW)
    for dtype_name, dtype in HALF.items():
        for name in ("batched", "wide", "k2"):
            call(make(recorder, f"{name}/{dtype_name}", SHAPES[name], dtype), FEW)
    # One target is the default ignore_index, so that the case sees every default.
    draws = recorder.draws("defaults")
    input = draws.normal((3, 4), torch.float32, 3.0)
    recorder.group("defaults", input=input, target=torch.tensor([2, -100, 1])).case("no options")


def layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", (5, 6), dtype, layout), FEW)
        call(make(recorder, f"channels_last/{dtype_name}", (2, 3, 4, 5), dtype, channels_last), FEW)
        call(make(recorder, f"k1_transposed/{dtype_name}", (3, 4, 5), dtype, LAYOUTS["transposed"]), FEW)


def targets(recorder: Recorder) -> None:
    """Ignored targets, targets of other integer types, targets in other layouts."""
    for dtype_name, dtype in FULL.items():
        draws = recorder.draws(f"targets/{dtype_name}")
        group = recorder.group(
            f"targets/{dtype_name}",
            input=draws.normal((4, 5), dtype, 2.0),
            some=torch.tensor([2, -100, 4, -100]),
            every=torch.tensor([-100, -100, -100, -100]),
            sevens=torch.tensor([0, 7, 1, 7]),
            bytes=draws.indices((4,), 5, torch.uint8),
            strided=torch.tensor([0, 9, 3, 9, 4, 9, 1])[::2],
            same=torch.tensor([3]).expand(4),
            weight=draws.uniform((5,), dtype, 0.2, 2.0),
            zero=torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0], dtype=dtype),
            zeros=torch.zeros(5, dtype=dtype),
        )
        for reduction in REDUCTIONS:
            for target in ("some", "every", "bytes", "strided", "same"):
                group.case(f"{reduction},{target}", args=("input", target), reduction=reduction)
                group.case(f"{reduction},{target},all", args=("input", target), reduction=reduction, **WEIGHT, **SMOOTH)
            group.case(f"{reduction},sevens", args=("input", "sevens"), reduction=reduction, ignore_index=7)
            group.case(f"{reduction},zero weights", args=("input", "some"), reduction=reduction, weight="$zero")
            group.case(f"{reduction},no weight", args=("input", "some"), reduction=reduction, weight="$zeros")


def edges(recorder: Recorder) -> None:
    """NaN, infinities, subnormals, the largest numbers, equal logits, odd probabilities."""
    for dtype_name, dtype in FLOATING.items():
        special = specials(dtype)
        inf = float("inf")
        rows = torch.tensor(
            [[0.0] * 4, [inf, 1, 2, 3], [-inf, 1, 2, 3], [-inf] * 4, [float("nan"), 1, 2, 3], [1000, -1000, 0, 5]]
        )
        group = recorder.group(
            f"edges/{dtype_name}",
            input=torch.cat([rows.to(dtype), special.reshape(3, 4)]),
            target=torch.tensor([0, 0, 0, 1, 2, 1, 3, 0, 1]),
            probabilities=torch.tensor([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [-1, 2, 3, 0]] * 3, dtype=dtype),
        )
        for reduction in REDUCTIONS:
            group.case(f"{reduction},indices", reduction=reduction)
            group.case(f"{reduction},label_smoothing", reduction=reduction, **SMOOTH)
            group.case(f"{reduction},probabilities", args=("input", "probabilities"), reduction=reduction)
        small = recorder.group(
            f"tiny/{dtype_name}", input=special[[5, 6, 9, 10, 11]].reshape(1, 5), target=torch.tensor([3])
        )
        small.case("none", reduction="none")


def mixed_types(recorder: Recorder) -> None:
    """Probabilities and weights of another dtype promote."""
    draws = recorder.draws("mixed")
    group = recorder.group(
        "mixed",
        input=draws.normal((3, 4), torch.float32),
        probabilities=draws.probabilities((3, 4), torch.float64, 1),
        weight=draws.uniform((4,), torch.float64, 0.2, 2.0),
    )
    for reduction in REDUCTIONS:
        args, grad = ("input", "probabilities"), ("input", "probabilities")
        group.case(f"{reduction},probabilities", args=args, grad=grad, reduction=reduction)
        group.case(f"{reduction},probabilities,weight", args=args, grad=grad, reduction=reduction, **WEIGHT)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.normal((3, 4), torch.float32),
        flat=draws.normal((4,), torch.float32),
        image=draws.normal((2, 3, 2, 2), torch.float32),
        integers=draws.indices((3, 4), 4),
        target=torch.tensor([0, 1, 2]),
        high=torch.tensor([0, 4, 2]),
        low=torch.tensor([0, -1, 2]),
        short=torch.tensor([0, 1]),
        one=torch.tensor([2]),
        real=torch.tensor([0.0, 1.0, 2.0]),
        int32=torch.tensor([0, 1, 2], dtype=torch.int32),
        columns=torch.tensor([[0], [1], [2]]),
        spatial=torch.zeros((2, 2, 3), dtype=torch.int64),
        weight=draws.uniform((4,), torch.float32),
        weight3=draws.uniform((3,), torch.float32),
        weight5=draws.uniform((5,), torch.float32),
        weight64=draws.uniform((4,), torch.float64),
    )
    for target in ("high", "low", "short", "real", "int32", "columns", "integers"):
        group.case(f"target {target}", args=("input", target), grad=())
    group.case("input integers", args=("integers", "target"), grad=())
    group.case("unbatched, two targets", args=("flat", "short"), grad=())
    group.case("unbatched, one target of size 1", args=("flat", "one"), grad=("flat",))
    group.case("spatial size", args=("image", "spatial"), grad=())
    group.case("spatial missing", args=("image", "short"), grad=())
    for weight in ("weight3", "weight5", "weight64"):
        group.case(weight, grad=(), weight=f"${weight}")
    group.case("weight wants a gradient", grad=("weight",), weight="$weight")
    group.case("label_smoothing above 1", grad=(), label_smoothing=1.5)
    group.case("ignore_index with probabilities", args=("input", "input"), grad=(), ignore_index=1)
    group.case("reduction", grad=(), reduction="average")


def record(recorder: Recorder) -> None:
    shapes_and_options(recorder)
    layouts(recorder)
    targets(recorder)
    edges(recorder)
    mixed_types(recorder)
    errors(recorder)
    if recorder.live:
        for dtype_name, dtype in FLOATING.items():
            call(make(recorder, f"large/{dtype_name}", (131, 257), dtype), FEW, ("mean",))
            call(make(recorder, f"large_k2/{dtype_name}", (7, 19, 17, 15), dtype), FEW, ("mean",))
        call(make(recorder, "large_rows", (4099, 10), torch.float32), FEW, ("none", "sum"))
