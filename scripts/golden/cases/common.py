"""What the cases of several operators share."""

from collections.abc import Sequence

import torch

from tensors import Draws

REDUCTIONS = ("none", "mean", "sum")

# All cases run in these; the half types, whose kernels differ only in the element type, run a selection.
FULL = {"float64": torch.float64, "float32": torch.float32}
HALF = {"float16": torch.float16, "bfloat16": torch.bfloat16}
FLOATING = {**FULL, **HALF}

# Shapes of elementwise losses. What is left after whole vectors of 4, 8, 16 or 32 elements takes another path.
ELEMENTWISE_SHAPES = {
    "0d": (),
    "1d": (5,),
    "2d": (3, 4),
    "3d": (2, 3, 4),
    "4d": (2, 3, 2, 2),
    "one": (1, 1),
    "tail": (67,),
    "empty": (0, 4),
}

# Large enough for the kernels to share the work among threads; compared only where PyTorch runs beside, never stored.
# Each is a shape, the dtypes and the reductions that it is run in.
LARGE = {
    "large": ((131, 257), FLOATING, ("mean",)),
    "long": ((33001,), {"float32": torch.float32}, ("none", "sum")),
}


INTEGRAL = {
    "int64": torch.int64,
    "int32": torch.int32,
    "int16": torch.int16,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "bool": torch.bool,
}


def specials(dtype: torch.dtype) -> torch.Tensor:
    """NaN, infinities, zeros of both signs, subnormals, the largest and the smallest numbers."""
    info = torch.finfo(dtype)
    inf = float("inf")
    tiny = info.smallest_normal
    values = [float("nan"), inf, -inf, 0.0, -0.0, tiny, -tiny, info.max, info.min, info.eps, tiny / 2, -tiny / 2]
    return torch.tensor(values, dtype=torch.float64).to(dtype)


def signs(draws: Draws, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """Targets of two-sided losses: 1 and -1."""
    return (2 * draws.indices(shape, 2) - 1).to(dtype)
