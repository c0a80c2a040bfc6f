"""Calls of what torch has besides operators: masked reductions, windows, decompositions of low rank."""

import itertools

seeds = itertools.count(2000)

MASK = {"tensor": [[True, False, True, True], [False, False, False, False], [True, True, False, True]], "dtype": "bool"}
ROW = {"tensor": [True, False, True, True], "dtype": "bool"}
NUMBERS = {"tensor": [[2, 0, -1, 4], [0, 0, 0, 0], [3, 1, 0, 5]], "dtype": "int64"}


def tensor(*shape: int, dtype: str = "float32", grad: bool = False) -> dict[str, object]:
    described = {"randn": list(shape), "seed": next(seeds), "dtype": dtype}
    return {**described, "grad": True} if grad else described


def call(name: str, *args: object, **kwargs: object) -> dict[str, object]:
    return {"call": name, "args": list(args), "kwargs": kwargs, "seed": next(seeds)}


def masked(name: str, *args: object, **kwargs: object) -> dict[str, object]:
    return call(f"masked.{name}", *args, **kwargs)


REDUCTIONS = ["sum", "prod", "amax", "amin", "mean", "logsumexp", "norm", "std", "var"]
ALONG = ["softmax", "log_softmax", "softmin", "cumsum", "cumprod"]
WINDOWS = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_hamming", "hamming", "hann", "kaiser", "nuttall"]


def reductions() -> list[dict[str, object]]:
    return [
        case
        for name in REDUCTIONS
        for case in (
            masked(name, tensor(3, 4)),
            masked(name, tensor(3, 4, grad=True), mask=MASK),
            masked(name, tensor(3, 4, dtype="float64", grad=True), dim=1, mask=MASK),
            masked(name, tensor(2, 3, 4), dim=[0, -1], keepdim=True, mask=ROW),
            masked(name, tensor(3, 4), dim=0, dtype={"dtype": "float64"}, mask={"tensor": [[True], [False], [True]], "dtype": "bool"}),
            masked(name, tensor(dtype="float32"), mask={"tensor": False, "dtype": "bool"}),
        )
    ]


def integers() -> list[dict[str, object]]:
    small = {"tensor": NUMBERS["tensor"], "dtype": "int8"}
    return [
        *[masked(name, numbers, dim=1, mask=ROW) for name in ["sum", "prod", "amax", "amin", "argmax", "median"] for numbers in (NUMBERS, small)],
        *[masked(name, NUMBERS, dim=1, mask=ROW) for name in ["std", "var", "cumsum", "cumprod"]],
        masked("amax", {"tensor": [[3, 9], [200, 255]], "dtype": "uint8"}, dim=1, mask={"tensor": [[False, False], [True, False]], "dtype": "bool"}),
        masked("amin", small, dim=1, mask=MASK),
    ]


def windows() -> list[dict[str, object]]:
    def of(name: str, *args: object, **kwargs: object) -> dict[str, object]:
        return call(f"signal.windows.{name}", *args, **kwargs)

    return [
        *[of(name, count, sym=sym, dtype={"dtype": dtype}) for name in WINDOWS for count in (0, 1, 2, 9, 16) for sym in (True, False) for dtype in ("float32", "float64")],
        of("general_cosine", 11, a=[0.4, 0.3, 0.2, 0.1]),
        of("general_cosine", 1, a=[0.4, 0.6], sym=False),
        of("general_hamming", 10, alpha=0.7),
        of("exponential", 10, tau=2.5),
        of("exponential", 10, center=2, sym=False),
        of("gaussian", 10, std=1.9),
        of("kaiser", 10, beta=3.3),
        of("kaiser", 10, beta=0.1, sym=False, dtype={"dtype": "float64"}),
        of("hann", 5, requires_grad=True),
    ]


CALLS = [
    *reductions(),
    *[masked(name, tensor(3, 4, grad=True), 1, mask=MASK) for name in ALONG],
    *[masked(name, tensor(2, 3, 4), dim=-2) for name in ALONG],
    *[masked(name, tensor(3, 4), dim=0, dtype={"dtype": "float64"}, mask=ROW) for name in ALONG],
    *[masked(name, tensor(3, 4), *args, mask=ROW) for name in ["argmax", "argmin"] for args in ([], [1], [-2])],
    *[masked("median", tensor(3, 4), *args, mask=MASK) for args in ([], [0], [1])],
    *[masked("norm", tensor(3, 4, grad=True), order, 1, mask=MASK) for order in (1, 2, 3.5, {"number": "inf"}, {"number": "-inf"}, 0)],
    *[masked("normalize", tensor(3, 4, grad=True), order, 1, mask=MASK) for order in (1, 2)],
    masked("normalize", tensor(3, 4), 2.0, 0, eps=10, dtype={"dtype": "float64"}),
    masked("std", tensor(3, 4), 1, False, mask=ROW),
    masked("var", tensor(3, 4), 1, correction=3, keepdim=True, mask=ROW),
    masked("var", tensor(3, 4), 1, correction=0.5),
    masked("logaddexp", tensor(3, 4, grad=True), tensor(3, 4), input_mask=MASK, other_mask=ROW),
    masked("logaddexp", tensor(3, 4), tensor(3, 4), dtype={"dtype": "float64"}),
    *integers(),
    *windows(),
    call("svd_lowrank", tensor(7, 5), 2),
    call("svd_lowrank", tensor(4, 9), q=3, niter=1),
    call("svd_lowrank", tensor(2, 6, 4, dtype="float64"), 3, 0, tensor(4, dtype="float64")),
    call("svd_lowrank", tensor(8, 8)),
    call("pca_lowrank", tensor(9, 4)),
    call("pca_lowrank", tensor(5, 7, dtype="float64"), q=2, center=False),
    call("pca_lowrank", tensor(3, 6, 5), 3, niter=4),
]
