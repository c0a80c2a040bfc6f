"""Makers of input tensors. Every tensor is drawn from a generator seeded by its own name, so that adding a case
changes no other, and from Python's `random`, so that inputs do not depend on the version of PyTorch."""

import random
from collections.abc import Sequence

import torch

Shape = Sequence[int]


class Draws:
    """Random tensors of one name."""

    def __init__(self, name: str) -> None:
        self._random = random.Random(name)

    def uniform(self, shape: Shape, dtype: torch.dtype, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Uniform in [low, high)."""
        return self._fill(shape, dtype, lambda: low + (high - low) * self._random.random())

    def normal(self, shape: Shape, dtype: torch.dtype, scale: float = 1.0) -> torch.Tensor:
        """Close to normal: sums of four uniforms, which need no function of the C library."""
        draw = self._random.random
        return self._fill(shape, dtype, lambda: scale * 1.75 * (draw() + draw() + draw() + draw() - 2.0))

    def indices(self, shape: Shape, classes: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
        """Class indices in [0, classes)."""
        return self._fill(shape, dtype, lambda: self._random.randrange(classes))

    def probabilities(self, shape: Shape, dtype: torch.dtype, dim: int) -> torch.Tensor:
        """Positive numbers that sum to one along `dim`, as far as the dtype lets them."""
        drawn = self.uniform(shape, torch.float64, 0.05, 1.0)
        return (drawn / drawn.sum(dim, keepdim=True)).to(dtype)

    def _fill(self, shape: Shape, dtype: torch.dtype, draw) -> torch.Tensor:
        count = 1
        for size in shape:
            count *= size
        return torch.tensor([draw() for _ in range(count)], dtype=torch.float64).reshape(tuple(shape)).to(dtype)


def transposed(tensor: torch.Tensor) -> torch.Tensor:
    """The same elements, the first two dimensions swapped in memory."""
    return tensor.transpose(0, 1).contiguous().transpose(0, 1)


def sliced(tensor: torch.Tensor) -> torch.Tensor:
    """The same elements, every second one of a larger tensor, from its second on."""
    base = torch.full((*tensor.shape[:-1], 2 * tensor.shape[-1] + 1), 0.5).to(tensor.dtype)
    view = base[..., 1::2]
    return view.copy_(tensor)


def shifted(tensor: torch.Tensor) -> torch.Tensor:
    """The same elements, contiguous, but one element off the start of their memory."""
    base = torch.zeros(tensor.numel() + 1, dtype=tensor.dtype)
    return base[1:].copy_(tensor.flatten()).view(tensor.shape)


def expanded(tensor: torch.Tensor) -> torch.Tensor:
    """The first row, repeated without memory of its own."""
    return tensor[:1].clone().expand(tensor.shape)


def channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """The same elements, the second dimension innermost in memory."""
    return tensor.contiguous(memory_format=torch.channels_last)


LAYOUTS = {"transposed": transposed, "sliced": sliced, "shifted": shifted, "expanded": expanded}
