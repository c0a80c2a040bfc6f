"""allclose: the answer is true or false."""

import torch

from cases.common import FLOATING
from record import Recorder

CALL = torch.allclose


def record(recorder: Recorder) -> None:
    for dtype_name, dtype in FLOATING.items():
        group = recorder.group(
            dtype_name,
            a=torch.tensor([1.0, -2.0, 0.0], dtype=dtype),
            near=torch.tensor([1.0 + 1e-6, -2.0, 1e-9], dtype=dtype),
            far=torch.tensor([1.25, -2.0, 0.0], dtype=dtype),
            nan=torch.tensor([1.0, float("nan"), 0.0], dtype=dtype),
            infinite=torch.tensor([1.0, float("inf"), 0.0], dtype=dtype),
            number=torch.tensor(1.0, dtype=dtype),
            ones=torch.ones((2, 3), dtype=dtype),
        )
        pairs = [("a", "a"), ("a", "near"), ("a", "far"), ("nan", "nan"), ("infinite", "infinite"), ("a", "infinite")]
        for left, right in [*pairs, ("ones", "number")]:
            group.case(f"{left},{right}", args=(left, right), grad=())
            group.case(f"{left},{right},equal_nan", args=(left, right), grad=(), equal_nan=True)
        group.case("rtol", args=("a", "far"), grad=(), rtol=0.25)
        group.case("rtol is of the second", args=("far", "a"), grad=(), rtol=0.2)
        group.case("atol", args=("a", "far"), grad=(), atol=0.25)
        group.case("zero tolerance", args=("a", "near"), grad=(), rtol=0.0, atol=0.0)
