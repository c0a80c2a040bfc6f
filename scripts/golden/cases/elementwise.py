"""What losses share that compare tensors element by element: shapes, dtypes, layouts, broadcasting, mixed dtypes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch

from cases.common import ELEMENTWISE_SHAPES, FLOATING, FULL, HALF, INTEGRAL, LARGE, REDUCTIONS
from record import Group, Recorder
from tensors import LAYOUTS, Draws, channels_last

Maker = Callable[[Draws, Sequence[int], torch.dtype], torch.Tensor]
Options = dict[str, object]

# Sizes that differ: the first tensor's, and those of the others. In the last pair both grow.
BROADCASTS = {
    "row": ((3, 4), (4,)),
    "column": ((2, 3), (2, 1)),
    "number": ((2, 3), ()),
    "input": ((4,), (3, 4)),
    "both": ((3, 1), (1, 4)),
}
# The same, where all tensors must have one number of dimensions.
ALIGNED_BROADCASTS = {"row": ((3, 4), (1, 4)), "input": ((1, 4), (3, 4)), "both": ((3, 1), (1, 4))}


@dataclass(frozen=True)
class Elementwise:
    """How a loss is run: its tensors in order, which of them get gradients, and its options."""

    tensors: dict[str, Maker]
    grad: tuple[str, ...]
    # By name; the first two run everywhere, all of them in two dimensions.
    options: dict[str, Options]
    # Tensors that options name, of the first tensor's shape; each gets a gradient where it is used.
    named: dict[str, Maker] = field(default_factory=dict)
    broadcasts: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=lambda: BROADCASTS)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=lambda: ELEMENTWISE_SHAPES)

    @property
    def few(self) -> tuple[str, ...]:
        return tuple(self.options)[:2]

    def group(self, recorder: Recorder, name: str, shapes: Sequence[Sequence[int]], dtype: torch.dtype) -> Group:
        """A group with the first tensor of the first shape, the others of the second."""
        draws = recorder.draws(name)
        kinds = {**self.tensors, **self.named}
        places = [shapes[0], *[shapes[-1]] * (len(self.tensors) - 1), *[shapes[0]] * len(self.named)]
        made = {key: make(draws, shape, dtype) for (key, make), shape in zip(kinds.items(), places)}
        return recorder.group(name, **made)

    def call(self, group: Group, options: Iterable[str], reductions: Iterable[str] = REDUCTIONS) -> None:
        for reduction in reductions:
            for name in options:
                self.case(group, f"{reduction},{name}", reduction=reduction, **self.options[name])

    def case(self, group: Group, name: str, *, grad: tuple[str, ...] | None = None, **kwargs: object) -> None:
        used = tuple(key for key in self.named if f"${key}" in kwargs.values())
        grad = (*self.grad, *used) if grad is None else grad
        group.case(name, args=tuple(self.tensors), grad=grad, **kwargs)


def record_common(recorder: Recorder, loss: Elementwise) -> None:
    """All that needs no knowledge of the loss."""
    for dtype_name, dtype in FULL.items():
        for name, shape in loss.shapes.items():
            options = loss.options if name == "2d" else loss.few
            loss.call(loss.group(recorder, f"{name}/{dtype_name}", [shape], dtype), options)
        for name, shapes in loss.broadcasts.items():
            group = loss.group(recorder, f"broadcast_{name}/{dtype_name}", shapes, dtype)
            loss.call(group, loss.few)
    for dtype_name, dtype in HALF.items():
        for name in ("2d", "tail"):
            group = loss.group(recorder, f"{name}/{dtype_name}", [loss.shapes[name]], dtype)
            loss.call(group, loss.options if name == "2d" else loss.few)
        shapes = loss.broadcasts.get("row")
        if shapes is not None:
            loss.call(loss.group(recorder, f"broadcast_row/{dtype_name}", shapes, dtype), loss.few, ("none", "mean"))
    layouts(recorder, loss)
    mixed_types(recorder, loss)
    group = loss.group(recorder, "defaults", [(3, 4)], torch.float32)
    loss.case(group, "no options")
    for key in loss.grad:
        loss.case(group, f"gradient of {key} alone", grad=(key,))
    if recorder.live:
        for name, (shape, dtypes, reductions) in LARGE.items():
            for dtype_name, dtype in dtypes.items():
                loss.call(loss.group(recorder, f"{name}/{dtype_name}", [shape], dtype), loss.few[-1:], reductions)


def layouts(recorder: Recorder, loss: Elementwise) -> None:
    """Memory that is not plain: all tensors alike, and each laid out in another way than the one before."""
    kinds = {**loss.tensors, **loss.named}
    for dtype_name, dtype in FULL.items():
        for name, layout in {**LAYOUTS, "channels_last": channels_last, "several": None}.items():
            draws = recorder.draws(f"{name}/{dtype_name}")
            shape = (2, 3, 4, 2) if layout is channels_last else (5, 6)
            made = {key: make(draws, shape, dtype) for key, make in kinds.items()}
            several = list(LAYOUTS.values())
            laid = {
                key: (layout or several[i % 4])(tensor) if tensor.dim() == len(shape) else tensor
                for i, (key, tensor) in enumerate(made.items())
            }
            loss.call(recorder.group(f"{name}/{dtype_name}", **laid), loss.few, ("none", "mean"))


def mixed_types(recorder: Recorder, loss: Elementwise) -> None:
    """One tensor of another dtype than the rest: promoted, or refused."""
    for key in (*loss.tensors, *loss.named):
        others = ("float64", "float16", "bfloat16") if key != next(iter(loss.tensors)) else ("float64",)
        for other in others:
            draws = recorder.draws(f"mixed/{key}/{other}")
            made = {
                name: make(draws, (3, 4), FLOATING[other] if name == key else torch.float32)
                for name, make in {**loss.tensors, **loss.named}.items()
            }
            group = recorder.group(f"mixed/{key} {other}", **made)
            for reduction in ("none", "mean"):
                options = next((o for o in loss.options.values() if f"${key}" in o.values()), {})
                loss.case(group, reduction, reduction=reduction, **options)


def integers(recorder: Recorder, values: dict[str, list[int]]) -> None:
    """Integer and bool tensors, in all places and in one at a time: most losses refuse, some compute, all without
    gradients. `values` gives each tensor's elements."""
    for dtype_name, dtype in INTEGRAL.items():
        made = {key: torch.tensor(value).to(dtype) for key, value in values.items()}
        floats = {f"{key}_float": torch.tensor(value, dtype=torch.float32) for key, value in values.items()}
        group = recorder.group(f"integers/{dtype_name}", **made, **floats)
        for reduction in REDUCTIONS:
            group.case(f"all,{reduction}", args=tuple(values), grad=(), reduction=reduction)
        for key in values:
            args = tuple(name if name == key else f"{name}_float" for name in values)
            group.case(f"{key} only", args=args, grad=(), reduction="sum")


def sizes(recorder: Recorder, loss: Elementwise) -> None:
    """Sizes that do not broadcast, and reductions that do not exist."""
    group = loss.group(recorder, "sizes", [(3, 4), (3, 3)], torch.float32)
    loss.case(group, "last", grad=())
    group = loss.group(recorder, "sizes of many dimensions", [(2, 3, 4), (2, 2, 4)], torch.float32)
    loss.case(group, "middle", grad=())
    group = loss.group(recorder, "reductions", [(3, 4)], torch.float32)
    for reduction in ("batchmean", "Mean", "", "no"):
        loss.case(group, f"'{reduction}'", grad=(), reduction=reduction)
