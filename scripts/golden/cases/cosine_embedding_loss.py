"""cosine_embedding_loss: vectors that are to point the same way, or not."""

import torch

from cases.common import FLOATING, FULL, HALF, INTEGRAL, REDUCTIONS, signs, specials
from record import Group, Recorder
from tensors import LAYOUTS

CALL = torch.nn.functional.cosine_embedding_loss
MODULE = "CosineEmbeddingLoss"

ARGS = ("input1", "input2", "target")
BOTH = ("input1", "input2")
SHAPES = {"unbatched": (5,), "batched": (3, 4), "one": (1, 1), "wide": (2, 67), "tall": (33, 3), "empty": (0, 4)}
OPTIONS = {
    "plain": {},
    "margin=0.25": {"margin": 0.25},
    "margin=-0.5": {"margin": -0.5},
    "margin=1": {"margin": 1.0},
}
FEW = ("plain", "margin=0.25")


def make(recorder: Recorder, name: str, shapes: list[tuple[int, ...]], dtype: torch.dtype, layout=None) -> Group:
    """Two inputs of the first and last shapes, a target of the size that the middle one says."""
    draws = recorder.draws(name)
    input1, input2 = draws.normal(shapes[0], dtype), draws.normal(shapes[-1], dtype)
    target = signs(draws, shapes[1][:-1] if len(shapes) == 3 else shapes[0][:-1], dtype)
    if layout:
        input1, input2 = layout(input1), layout(input2)
    return recorder.group(name, input1=input1, input2=input2, target=target)


def call(group: Group, options=FEW, reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        for name in options:
            group.case(f"{reduction},{name}", args=ARGS, grad=BOTH, reduction=reduction, **OPTIONS[name])


def shapes_and_layouts(recorder: Recorder) -> None:
    broadcasts = {
        "first": [(1, 4), (3, 1), (3, 4)],
        "features": [(3, 4), (3, 1), (3, 1)],
        "target": [(3, 4), (1, 1), (3, 4)],
        "both": [(1, 4), (3, 1), (1, 4)],
    }
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            call(make(recorder, f"{name}/{dtype_name}", [shape], dtype), OPTIONS if name == "batched" else FEW)
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", [(5, 6)], dtype, layout), FEW, ("none", "mean"))
        for name, shapes in broadcasts.items():
            call(make(recorder, f"broadcast_{name}/{dtype_name}", shapes, dtype))
    for dtype_name, dtype in HALF.items():
        call(make(recorder, f"batched/{dtype_name}", [(3, 4)], dtype), OPTIONS)
        call(make(recorder, f"wide/{dtype_name}", [(2, 67)], dtype))
    group = make(recorder, "defaults", [(3, 4)], torch.float32)
    group.case("no options", args=ARGS, grad=BOTH)
    for key in ARGS[:2]:
        group.case(f"gradient of {key} alone", args=ARGS, grad=(key,))
    group.case("gradient of the target", args=ARGS, grad=(*BOTH, "target"))


def edges(recorder: Recorder) -> None:
    """Zero vectors, equal and opposite ones, right angles where the hinge bends; targets that are not signs."""
    nan, inf = float("nan"), float("inf")
    pairs = [
        ([0.0, 0.0, 0.0], [1.0, 2.0, 3.0]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ([1.0, 2.0, 2.0], [1.0, 2.0, 2.0]),
        ([1.0, 2.0, 2.0], [-1.0, -2.0, -2.0]),
        ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
        ([3.0, 4.0, 0.0], [1.0, 0.0, 0.0]),
        ([1e-4, 0.0, 0.0], [1e-4, 1e-4, 0.0]),
        ([2e4, 0.0, 0.0], [1.0, 1.0, 0.0]),
        ([nan, 0.0, 0.0], [1.0, 1.0, 0.0]),
        ([inf, 0.0, 0.0], [1.0, 1.0, 0.0]),
    ]
    for dtype_name, dtype in FLOATING.items():
        group = recorder.group(
            f"edges/{dtype_name}",
            input1=torch.tensor([left for left, _ in pairs], dtype=dtype),
            input2=torch.tensor([right for _, right in pairs], dtype=dtype),
            ones=torch.ones(10, dtype=dtype),
            minus=-torch.ones(10, dtype=dtype),
            odd=torch.tensor([0.0, 2.0, nan, 0.5, -0.5, inf, -0.0, -2.0, 1.0, -1.0], dtype=dtype),
            longs=torch.tensor([1, -1, 0, 2, 1, -1, 1, -1, 1, -1]),
        )
        for reduction in REDUCTIONS:
            for target in ("ones", "minus", "odd", "longs"):
                args = (*BOTH, target)
                group.case(f"{reduction},{target}", args=args, grad=BOTH, reduction=reduction)
        for margin in (0.6, -1.0, inf, nan):
            group.case(f"margin={margin}", args=(*BOTH, "minus"), grad=BOTH, reduction="none", margin=margin)
        special = specials(dtype)
        tensors = {"input1": special.reshape(6, 2), "input2": special.flip(0).reshape(6, 2)}
        edge = recorder.group(f"specials/{dtype_name}", **tensors, target=torch.tensor([1.0, -1.0] * 3, dtype=dtype))
        call(edge, ("plain",))


def other_types(recorder: Recorder) -> None:
    draws = recorder.draws("types")
    group = recorder.group(
        "types",
        input1=draws.normal((3, 4), torch.float32),
        double=draws.normal((3, 4), torch.float64),
        half=draws.normal((3, 4), torch.float16),
        brain=draws.normal((3, 4), torch.bfloat16),
        target=torch.tensor([1, -1, 1]),
        doubles=torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64),
    )
    for name in ("double", "half", "brain"):
        for reduction in ("none", "mean"):
            args = ("input1", name, "target")
            group.case(f"{reduction},{name}", args=args, grad=args[:2], reduction=reduction)
    group.case("target", args=("input1", "input1", "doubles"), grad=("input1",))
    for dtype_name, dtype in INTEGRAL.items():
        values = {"input1": [[3, 0, 1, 2], [0, 0, 0, 1]], "input2": [[1, 0, 4, 7], [1, 1, 0, 1]], "target": [1, -1]}
        made = {key: torch.tensor(value).to(dtype) for key, value in values.items()}
        one = recorder.group(f"integers/{dtype_name}", **made, floats=made["input2"].float())
        for reduction in REDUCTIONS:
            one.case(f"all,{reduction}", args=ARGS, grad=(), reduction=reduction)
        one.case("one", args=("input1", "floats", "target"), grad=(), reduction="none")


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        matrix=draws.normal((3, 4), torch.float32),
        other=draws.normal((3, 5), torch.float32),
        rows=draws.normal((2, 4), torch.float32),
        flat=draws.normal((4,), torch.float32),
        number=draws.normal((), torch.float32),
        cube=draws.normal((2, 3, 4), torch.float32),
        signs=torch.tensor([1.0, -1.0, 1.0]),
        two=torch.tensor([1.0, -1.0]),
        sign=torch.tensor(1.0),
        columns=torch.tensor([[1.0], [-1.0], [1.0]]),
    )
    calls = [
        ("matrix", "other", "signs"),
        ("matrix", "rows", "signs"),
        ("matrix", "matrix", "two"),
        ("matrix", "matrix", "sign"),
        ("matrix", "matrix", "columns"),
        ("flat", "flat", "signs"),
        ("matrix", "flat", "signs"),
        ("flat", "matrix", "sign"),
        ("cube", "cube", "signs"),
        ("number", "number", "sign"),
    ]
    for args in calls:
        group.case(",".join(args), args=args, grad=())
    group.case("reduction", args=("matrix", "matrix", "signs"), grad=(), reduction="batchmean")


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    edges(recorder)
    other_types(recorder)
    errors(recorder)
    if recorder.live:
        for dtype_name, dtype in FLOATING.items():
            call(make(recorder, f"large/{dtype_name}", [(131, 257)], dtype), FEW[1:], ("mean",))
