"""gaussian_nll_loss: variances as tensors of every admitted shape and as a number."""

import torch

from cases.common import FLOATING, FULL, HALF, REDUCTIONS, specials
from cases.elementwise import Elementwise, integers, record_common, sizes
from cases.l1_loss import normal, positive
from record import Recorder

CALL = torch.nn.functional.gaussian_nll_loss
MODULE = "GaussianNLLLoss"

LOSS = Elementwise(
    tensors={"input": normal, "target": normal, "var": positive},
    grad=("input", "target", "var"),
    options={
        "plain": {},
        "full": {"full": True},
        "eps=0.75": {"eps": 0.75},
        "full,eps=0.75": {"full": True, "eps": 0.75},
    },
    # The shape of the variance has rules of its own.
    broadcasts={},
)
TARGETS = {"row": (4,), "number": (), "column": (2, 3, 1), "same": (2, 3, 4)}
VARIANCES = {"same": (2, 3, 4), "rows": (2, 3), "last": (2, 3, 1), "middle": (2, 1, 4), "first": (1, 3, 4)}


def variances(recorder: Recorder) -> None:
    """A variance of the input's shape, of that without its last size, with one size of one, or one number for all."""
    for dtype_name, dtype in {**FULL, **HALF}.items():
        draws = recorder.draws(f"variances/{dtype_name}")
        group = recorder.group(
            f"variances/{dtype_name}",
            input=normal(draws, (2, 3, 4), dtype),
            **{f"target_{name}": normal(draws, shape, dtype) for name, shape in TARGETS.items()},
            **{f"var_{name}": positive(draws, shape, dtype) for name, shape in VARIANCES.items()},
        )
        for reduction in REDUCTIONS:
            for name in VARIANCES:
                args = ("input", "target_same", f"var_{name}")
                group.case(f"{reduction},{name}", args=args, grad=args, reduction=reduction)
            for number in (1.0, 0.25, 0.0):
                args = ("input", "target_same", number)
                group.case(f"{reduction},var={number}", args=args, grad=args[:2], reduction=reduction)
            if dtype_name in FULL:
                for name in ("row", "number", "column"):
                    args = ("input", f"target_{name}", "var_rows")
                    group.case(f"{reduction},target {name}", args=args, grad=args, reduction=reduction, full=True)
                    args = ("input", f"target_{name}", 0.5)
                    group.case(f"{reduction},target {name},var=0.5", args=args, grad=args[:2], reduction=reduction)
        flat = recorder.group(
            f"one size/{dtype_name}",
            input=normal(draws, (5,), dtype),
            target=normal(draws, (5,), dtype),
            number=positive(draws, (), dtype),
            one=positive(draws, (1,), dtype),
        )
        for var in ("number", "one"):
            args = ("input", "target", var)
            flat.case(var, args=args, grad=args)


def edges(recorder: Recorder) -> None:
    """Variances of zero, of exactly eps and beside it; infinities and NaN, which is not below zero."""
    for dtype_name, dtype in FLOATING.items():
        special = specials(dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=torch.cat([special, torch.full((12,), 0.75, dtype=dtype)]),
            target=torch.cat([torch.full((12,), 0.5, dtype=dtype), special.flip(0)]),
            ones=torch.ones(24, dtype=dtype),
            specials=torch.cat([special.abs(), special.abs().flip(0)]),
        )
        step = torch.finfo(dtype).eps
        vars = torch.tensor([0.0, -0.0, 0.5 - step / 4, 0.5, 0.5 + step / 2, 1.0], dtype=torch.float64).to(dtype)
        near = recorder.group(
            f"eps/{dtype_name}", input=torch.ones(6, dtype=dtype), target=torch.zeros(6, dtype=dtype), var=vars
        )
        for reduction in REDUCTIONS:
            for var in ("ones", "specials"):
                args = ("input", "target", var)
                group.case(f"{reduction},{var}", args=args, grad=args, reduction=reduction)
            for eps in (0.5, 0.0, 1e-6, 10.0):
                LOSS.case(near, f"{reduction},eps={eps}", reduction=reduction, eps=eps)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=normal(draws, (2, 3, 4), torch.float32),
        target=normal(draws, (2, 3, 4), torch.float32),
        negative=-positive(draws, (2, 3, 4), torch.float32),
        one_negative=torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, -1e-30]]),
        row=positive(draws, (4,), torch.float32),
        number=positive(draws, (), torch.float32),
        two_ones=positive(draws, (2, 1, 1), torch.float32),
        other=positive(draws, (2, 3, 5), torch.float32),
        larger=positive(draws, (1, 2, 3, 4), torch.float32),
        first=positive(draws, (2,), torch.float32),
    )
    for var in ("negative", "one_negative", "row", "number", "two_ones", "other", "larger", "first", -1.0, -1e-300):
        for reduction in ("mean", "none"):
            group.case(f"{reduction},var {var}", args=("input", "target", var), grad=(), reduction=reduction)
    group.case("var before reduction", args=("input", "target", "row"), grad=(), reduction="batchmean")
    group.case("target size", args=("input", "other", 1.0), grad=())


def record(recorder: Recorder) -> None:
    record_common(recorder, LOSS)
    variances(recorder)
    edges(recorder)
    errors(recorder)
    integers(recorder, {"input": [3, 0, 1, 2], "target": [1, 0, 4, 7], "var": [1, 2, 3, 1]})
    sizes(recorder, LOSS)
