"""distributions.Categorical: entropy and the log-probability of values, made of probabilities or of logits."""

import torch

from cases.common import FULL
from record import Recorder

SHAPES = {"1d": (5,), "2d": (3, 4), "3d": (2, 3, 4), "wide": (2, 67), "one_class": (3, 1)}


def entropy(**parameters: torch.Tensor) -> torch.Tensor:
    return torch.distributions.Categorical(**parameters).entropy()


def log_prob(value: torch.Tensor, **parameters: torch.Tensor) -> torch.Tensor:
    return torch.distributions.Categorical(**parameters).log_prob(value)


def groups(recorder: Recorder):
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            draws = recorder.draws(f"{name}/{dtype_name}")
            yield recorder.group(
                f"{name}/{dtype_name}",
                probs=draws.probabilities(shape, dtype, -1),
                # Need not sum to one: the distribution divides by the sum.
                counts=draws.uniform(shape, dtype, 0.5, 9.0),
                zeros=draws.indices(shape, 2).to(dtype) + torch.eye(shape[-1], dtype=dtype)[0],
                logits=draws.normal(shape, dtype, 3.0),
                value=draws.indices(shape[:-1], shape[-1]),
                values=draws.indices((4, *shape[:-1]), shape[-1]),
            )


def record_entropy(recorder: Recorder) -> None:
    for group in groups(recorder):
        for name in ("probs", "counts", "zeros"):
            group.case(f"probs={name}", args=(), grad=(name,), probs=f"${name}")
        group.case("logits", args=(), grad=("logits",), logits="$logits")


def record_log_prob(recorder: Recorder) -> None:
    for group in groups(recorder):
        for value in ("value", "values"):
            for name in ("probs", "counts", "zeros"):
                group.case(f"probs={name},{value}", args=(value,), grad=(name,), probs=f"${name}")
            group.case(f"logits,{value}", args=(value,), grad=("logits",), logits="$logits")
