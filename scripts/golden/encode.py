"""Tensors as JSON: `[dtype, shape, data]`, or `[dtype, shape, data, strides, offset]` where the layout matters.

`data` holds the elements in memory order: integers as a list, floating types as the base64 of their little-endian bits,
so that NaN payloads and signed zeros survive.
"""

import base64
import ctypes
import json

import torch

Encoded = list[object]

# JSON readers hold numbers as doubles: integers beyond this go as bits.
SAFE_INTEGER = 2**53 - 1


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def encode_result(tensor: torch.Tensor) -> Encoded:
    """A value or gradient: its elements in logical order; the layout is not part of the result."""
    return _encode(tensor.detach().contiguous())


def encode_input(tensor: torch.Tensor) -> Encoded:
    """An input with its layout: strides, offset and the memory they reach."""
    tensor = tensor.detach()
    if tensor.is_contiguous() and tensor.storage_offset() == 0:
        return _encode(tensor)
    reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride())) if tensor.numel() else -1
    flat = torch.as_strided(tensor, (tensor.storage_offset() + reach + 1,), (1,), 0)
    dtype, _, data = _encode(flat)
    return [dtype, list(tensor.shape), data, list(tensor.stride()), tensor.storage_offset()]


def _encode(tensor: torch.Tensor) -> Encoded:
    head: Encoded = [dtype_name(tensor.dtype), list(tensor.shape)]
    if not tensor.is_floating_point():
        values = [int(v) for v in tensor.flatten().tolist()]
        if all(abs(v) <= SAFE_INTEGER for v in values):
            return [*head, values]
    size = tensor.numel() * tensor.element_size()
    bits = ctypes.string_at(tensor.data_ptr(), size) if size else b""
    return [*head, base64.b64encode(bits).decode("ascii")]


def line(record: dict[str, object]) -> str:
    """One record as one line of JSON."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"
