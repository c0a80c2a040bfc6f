"""Random numbers: what a seed gives, call after call. A case is a seed and the steps that follow it.

A step is `[function, positional arguments, keyword arguments, result]`; `uniform_` and `normal_` fill a new tensor of
the shape that is their first argument.
"""

import torch

from encode import dtype_name, encode_result
from record import Recorder

SEEDS = (0, 1, 2, 3, 42, 2**32 + 1, 2**53 - 1)
# From 16 elements on, normal numbers are made in blocks of 16, and a tail of the last block is drawn again.
SHAPES = ((), (1,), (3,), (2, 3), (15,), (16,), (17,), (4, 8), (40,), (0,), (2, 0, 3))
FLOATING = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
INTEGRAL = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def filled(function: str, shape, *arguments: float, dtype: torch.dtype) -> torch.Tensor:
    return getattr(torch.empty(shape, dtype=dtype), function)(*arguments)


def draw(function: str, arguments: list, dtype: torch.dtype) -> torch.Tensor:
    if function.endswith("_"):
        return filled(function, *arguments, dtype=dtype)
    return getattr(torch, function)(*arguments, dtype=dtype)


def sequence(recorder: Recorder, name: str, seed: int, steps: list[tuple[str, list, torch.dtype]]) -> None:
    """One case: the steps in order after one seed."""
    recorder.claim(name)
    torch.manual_seed(seed)
    results = [
        [function, arguments, {"dtype": dtype_name(dtype)}, encode_result(draw(function, arguments, dtype))]
        for function, arguments, dtype in steps
    ]
    recorder.write({"case": name, "seed": seed, "steps": results})


def record(recorder: Recorder) -> None:
    for seed in SEEDS:
        for function in ("rand", "randn"):
            steps = [(function, [list(shape)], torch.float32) for shape in SHAPES]
            sequence(recorder, f"{function}/seed={seed}", seed, steps)
        steps = [("randint", [0, 10, list(shape)], torch.int64) for shape in SHAPES]
        sequence(recorder, f"randint/seed={seed}", seed, steps)
    for dtype in FLOATING:
        for function in ("rand", "randn"):
            steps = [(function, [list(shape)], dtype) for shape in SHAPES]
            sequence(recorder, f"{function}/{dtype_name(dtype)}", 7, steps)
        steps = [("uniform_", [list(shape), -2.0, 3.0], dtype) for shape in ((), (5,), (4, 8))]
        sequence(recorder, f"uniform_/{dtype_name(dtype)}", 8, steps)
        steps = [("normal_", [list(shape), 1.5, 0.25], dtype) for shape in ((), (5,), (4, 8), (17,))]
        sequence(recorder, f"normal_/{dtype_name(dtype)}", 9, steps)
    for dtype in (*INTEGRAL, torch.bool, *FLOATING):
        high = 2 if dtype == torch.bool else 100
        steps = [("randint", [0, high, list(shape)], dtype) for shape in SHAPES]
        sequence(recorder, f"randint/{dtype_name(dtype)}", 10, steps)
    ranges = ((-5, 5), (0, 1), (0, 2**31), (0, 2**32), (0, 2**40), (-(2**50), 2**50))
    steps = [("randint", [low, high, [7]], torch.int64) for low, high in ranges]
    sequence(recorder, "randint/ranges", 11, steps)
    mixed = [
        ("randn", [[3]], torch.float32),
        ("rand", [[3]], torch.float64),
        ("randint", [0, 5, []], torch.int64),
        ("randn", [[]], torch.float64),
        ("randn", [[1]], torch.float32),
        ("rand", [[20]], torch.float32),
        ("randn", [[20]], torch.float32),
    ]
    sequence(recorder, "mixed", 12, mixed)
