"""Calls of torch.nn.utils.rnn. A packed sequence is recorded as its four parts."""

import itertools

seeds = itertools.count(2000)


def randn(*shape: int) -> dict[str, object]:
    return {"randn": list(shape), "seed": next(seeds), "grad": True}


def call(name: str, *args: object, **kwargs: object) -> dict[str, object]:
    return {"call": f"nn.utils.rnn.{name}", "args": list(args), "kwargs": kwargs}


def ints(*values: int) -> dict[str, object]:
    return {"tensor": list(values), "dtype": "int64"}


DESCENDING = [randn(4, 2), randn(3, 2), randn(3, 2), randn(1, 2)]
MIXED = [randn(2), randn(4), randn(1)]
PACKED = {"packed": MIXED, "enforce_sorted": False}

CALLS = [
    call("pad_sequence", DESCENDING),
    call("pad_sequence", MIXED, True, -1.5),
    call("pad_sequence", MIXED, padding_side="left"),
    call("pad_sequence", randn(2, 3)),
    call("pack_sequence", DESCENDING),
    call("pack_sequence", MIXED, enforce_sorted=False),
    call("pack_padded_sequence", randn(4, 3, 2), [4, 2, 1]),
    call("pack_padded_sequence", randn(3, 4, 2), ints(1, 4, 2), True, False),
    call("pad_packed_sequence", PACKED),
    call("pad_packed_sequence", PACKED, True, 0.5, 6),
    call("pad_packed_sequence", {"packed": DESCENDING, "enforce_sorted": True}, total_length=5),
    call("unpack_sequence", PACKED),
    call("unpad_sequence", randn(3, 4, 2), ints(2, 4, 1), batch_first=True),
    call("invert_permutation", ints(2, 0, 3, 1)),
    call("invert_permutation", None),
]
