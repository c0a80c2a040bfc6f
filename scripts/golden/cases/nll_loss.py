"""nll_loss: inputs are numbers below zero; the loss does not ask that they be log-probabilities."""

import torch

from cases.common import FLOATING, FULL, HALF, REDUCTIONS, specials
from cases.cross_entropy import SHAPES, class_dim, index_shape
from record import Group, Ours, Recorder
from tensors import LAYOUTS, channels_last

CALL = torch.nn.functional.nll_loss
MODULE = "NLLLoss"

OPTIONS = {
    "plain": {},
    "weight,ignore_index": {"weight": "$weight", "ignore_index": 1},
    "weight": {"weight": "$weight"},
    "ignore_index": {"ignore_index": 1},
}
FEW = ("plain", "weight,ignore_index")
CHANNELS_LAST = "PyTorch's backward refuses an input whose channels are last in memory; here that of a contiguous copy"


def make(recorder: Recorder, name: str, shape: tuple[int, ...], dtype: torch.dtype, layout=None) -> Group:
    draws = recorder.draws(name)
    classes = shape[class_dim(shape)]
    input = draws.uniform(shape, dtype, -5.0, -0.1)
    return recorder.group(
        name,
        input=layout(input) if layout else input,
        target=draws.indices(index_shape(shape), classes),
        weight=draws.uniform((classes,), dtype, 0.2, 2.0),
    )


def call(group: Group, options: tuple[str, ...] | None = None, reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        for name, kwargs in OPTIONS.items():
            if options is None or name in options:
                group.case(f"{reduction},{name}", reduction=reduction, **kwargs)


def shapes_and_layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            call(make(recorder, f"{name}/{dtype_name}", shape, dtype), None if name == "batched" else FEW)
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", (5, 6), dtype, layout), FEW)
        group = make(recorder, f"channels_last/{dtype_name}", (2, 3, 4, 5), dtype, channels_last)
        for reduction in REDUCTIONS:
            contiguous = {"input": group.tensors["input"].contiguous()}
            group.case(f"{reduction},plain", reduction=reduction, ours=Ours(CHANNELS_LAST, contiguous))
        call(make(recorder, f"k1_transposed/{dtype_name}", (3, 4, 5), dtype, LAYOUTS["transposed"]), ("plain",))
    for dtype_name, dtype in HALF.items():
        for name in ("batched", "tall", "k2"):
            call(make(recorder, f"{name}/{dtype_name}", SHAPES[name], dtype), FEW)
    # One target is the default ignore_index, so that the case sees every default.
    draws = recorder.draws("defaults")
    input = draws.uniform((3, 4), torch.float32, -5.0, -0.1)
    recorder.group("defaults", input=input, target=torch.tensor([2, -100, 1])).case("no options")


def targets_and_edges(recorder: Recorder) -> None:
    for dtype_name, dtype in FLOATING.items():
        draws = recorder.draws(f"targets/{dtype_name}")
        group = recorder.group(
            f"targets/{dtype_name}",
            input=draws.uniform((4, 5), dtype, -5.0, -0.1),
            some=torch.tensor([2, -100, 4, -100]),
            every=torch.tensor([-100, -100, -100, -100]),
            bytes=draws.indices((4,), 5, torch.uint8),
            same=torch.tensor([3]).expand(4),
            zero=torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0], dtype=dtype),
            zeros=torch.zeros(5, dtype=dtype),
        )
        for reduction in REDUCTIONS:
            for target in ("some", "every", "bytes", "same"):
                group.case(f"{reduction},{target}", args=("input", target), reduction=reduction)
            for weight in ("zero", "zeros"):
                group.case(f"{reduction},{weight}", args=("input", "some"), reduction=reduction, weight=f"${weight}")
        special = specials(dtype).reshape(3, 4)
        edges = recorder.group(f"edges/{dtype_name}", input=special.repeat(4, 1), target=torch.arange(12) // 3)
        for reduction in REDUCTIONS:
            edges.case(reduction, reduction=reduction)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.uniform((3, 4), torch.float32, -5.0, -0.1),
        flat=draws.uniform((4,), torch.float32, -5.0, -0.1),
        number=torch.tensor(-1.0),
        image=draws.uniform((2, 3, 2, 2), torch.float32, -5.0, -0.1),
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
        bytes=torch.zeros((2, 2, 2), dtype=torch.uint8),
        weight=draws.uniform((4,), torch.float32),
        weight3=draws.uniform((3,), torch.float32),
        weight64=draws.uniform((4,), torch.float64),
    )
    for target in ("high", "low", "short", "real", "int32", "columns", "input"):
        group.case(f"target {target}", args=("input", target), grad=())
    group.case("input number", args=("number", "one"), grad=())
    group.case("input integers", args=("integers", "target"), grad=())
    group.case("unbatched, two targets", args=("flat", "short"), grad=())
    group.case("unbatched, one target of size 1", args=("flat", "one"), grad=("flat",))
    group.case("spatial size", args=("image", "spatial"), grad=())
    group.case("spatial missing", args=("image", "short"), grad=())
    group.case("spatial bytes", args=("image", "bytes"), grad=())
    for weight in ("weight3", "weight64"):
        group.case(weight, grad=(), weight=f"${weight}")
    group.case("weight wants a gradient", grad=("weight",), weight="$weight")
    group.case("reduction", grad=(), reduction="batchmean")


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    targets_and_edges(recorder)
    errors(recorder)
    if recorder.live:
        for dtype_name, dtype in FLOATING.items():
            call(make(recorder, f"large/{dtype_name}", (40001, 2), dtype), FEW, ("mean",))
            call(make(recorder, f"large_k2/{dtype_name}", (7, 19, 17, 15), dtype), FEW, ("mean",))
