"""triplet_margin_with_distance_loss: distance functions go by name, and both languages know them."""

from collections.abc import Callable

import torch

from cases.triplet_margin_loss import edges, errors, other_types, shapes_and_layouts
from record import Recorder

MODULE = "TripletMarginWithDistanceLoss"

# What a case's `distance_function` names; test/support/golden-forms.ts has the same.
DISTANCES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "pairwise_distance": torch.nn.functional.pairwise_distance,
    "l1": lambda a, b: (a - b).abs().sum(-1),
    "squared": lambda a, b: (a - b).mul(a - b).sum(-1),
    "cosine": lambda a, b: 1.0 - torch.nn.functional.cosine_similarity(a, b, -1),
    "elementwise": lambda a, b: (a - b).abs(),
}


def triplet_margin_with_distance_loss(*args: torch.Tensor, distance_function=None, **kwargs) -> torch.Tensor:
    distance = None if distance_function is None else DISTANCES[distance_function]
    call = torch.nn.functional.triplet_margin_with_distance_loss
    return call(*args, distance_function=distance, **kwargs)


CALL = triplet_margin_with_distance_loss

OPTIONS = {
    "plain": {},
    "swap,margin=0.5": {"swap": True, "margin": 0.5},
    "margin=2": {"margin": 2.0},
    **{name: {"distance_function": name} for name in DISTANCES},
    **{f"{name},swap": {"distance_function": name, "swap": True, "margin": 0.25} for name in DISTANCES},
}
HALF_OPTIONS = ("plain", "swap,margin=0.5", "l1", "cosine,swap")


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder, OPTIONS, HALF_OPTIONS)
    edges(recorder, {name: OPTIONS[name] for name in ("plain", "swap,margin=0.5", "l1,swap", "cosine")})
    other_types(recorder)
    errors(recorder)
