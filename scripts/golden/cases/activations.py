"""softmax, log_softmax, sigmoid and logit."""

import torch

from cases.common import ELEMENTWISE_SHAPES, FLOATING, FULL, specials
from record import Recorder
from tensors import LAYOUTS

SOFTMAX_SHAPES = {"1d": (5,), "2d": (3, 4), "3d": (2, 3, 4), "wide": (2, 67), "tall": (33, 3), "empty": (0, 4)}


def record_softmax(recorder: Recorder) -> None:
    """Along every dimension, from the front and from the back."""
    for dtype_name, dtype in FLOATING.items():
        for name, shape in SOFTMAX_SHAPES.items():
            if name in ("1d", "3d", "tall") and dtype_name not in FULL:
                continue
            group = recorder.group(
                f"{name}/{dtype_name}", input=recorder.draws(f"{name}/{dtype_name}").normal(shape, dtype, 3.0)
            )
            for dim in range(-1, len(shape)):
                group.case(f"dim={dim}", args=("input",), dim=dim)
        edges = recorder.group(f"edges/{dtype_name}", input=specials(dtype).reshape(4, 3))
        for dim in (0, 1):
            edges.case(f"dim={dim}", args=("input",), dim=dim)
    for name, layout in LAYOUTS.items():
        draws = recorder.draws(name)
        group = recorder.group(name, input=layout(draws.normal((5, 6), torch.float32, 3.0)))
        for dim in (0, 1):
            group.case(f"dim={dim}", args=("input",), dim=dim)
    errors = recorder.group("errors", input=torch.zeros(2, 3), integers=torch.zeros((2, 3), dtype=torch.int64))
    errors.case("dim too large", args=("input",), grad=(), dim=2)
    errors.case("dim too small", args=("input",), grad=(), dim=-3)
    errors.case("integers", args=("integers",), grad=(), dim=1)
    if recorder.live:
        for dtype_name, dtype in FLOATING.items():
            large = recorder.draws(f"large/{dtype_name}").normal((131, 257), dtype, 3.0)
            group = recorder.group(f"large/{dtype_name}", input=large)
            for dim in (0, 1):
                group.case(f"dim={dim}", args=("input",), dim=dim)


def record_sigmoid(recorder: Recorder) -> None:
    shapes = {**ELEMENTWISE_SHAPES, **({"long": (33001,)} if recorder.live else {})}
    for dtype_name, dtype in FLOATING.items():
        for name, shape in shapes.items():
            input = recorder.draws(f"{name}/{dtype_name}").normal(shape, dtype, 4.0)
            recorder.group(f"{name}/{dtype_name}", input=input).case("sigmoid", args=("input",))
        recorder.group(f"edges/{dtype_name}", input=specials(dtype)).case("sigmoid", args=("input",))
    for name, layout in LAYOUTS.items():
        input = layout(recorder.draws(name).normal((5, 6), torch.float32, 4.0))
        recorder.group(name, input=input).case("sigmoid", args=("input",))


def record_logit(recorder: Recorder) -> None:
    shapes = {**ELEMENTWISE_SHAPES, **({"long": (33001,)} if recorder.live else {})}
    for dtype_name, dtype in FLOATING.items():
        for name, shape in shapes.items():
            input = recorder.draws(f"{name}/{dtype_name}").uniform(shape, dtype, 0.01, 0.99)
            group = recorder.group(f"{name}/{dtype_name}", input=input)
            group.case("no eps", args=("input",))
            group.case("eps", args=("input",), eps=0.125)
        points = torch.tensor([0.0, 1.0, -0.5, 1.5, float("nan"), 0.5, 0.25], dtype=dtype)
        group = recorder.group(f"edges/{dtype_name}", input=points)
        group.case("no eps", args=("input",))
        group.case("eps", args=("input",), eps=1e-3)
