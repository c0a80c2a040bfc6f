"""Calls of torch.nn.utils: gradients, which parameters are given beside them, and vectors."""

import itertools

seeds = itertools.count(3000)


def drawn(*shape: int, dtype: str = "float32") -> dict[str, object]:
    return {"randn": list(shape), "seed": next(seeds), "dtype": dtype}


def parameter(*shape: int, dtype: str = "float32") -> dict[str, object]:
    """A tensor with a gradient already there."""
    return {**drawn(*shape, dtype=dtype), "gradient": next(seeds)}


def call(name: str, *args: object, **kwargs: object) -> dict[str, object]:
    return {"call": f"nn.utils.{name}", "args": list(args), "kwargs": kwargs}


def variance() -> dict[str, object]:
    return {"tensor": [0.3, 1.7, 0.9], "dtype": "float32"}


def mixed() -> list[dict[str, object]]:
    return [parameter(2, 3), parameter(4, dtype="float64"), drawn(2), parameter(3), parameter(5, dtype="bfloat16")]


NORMS = [2.0, 1.0, 3.5, {"number": "inf"}, 0.0]

CALLS = [
    *[call("get_total_norm", [drawn(2, 3), drawn(4)], norm) for norm in NORMS],
    *[call("get_total_norm", [drawn(3), drawn(4, dtype="float64"), drawn(2)], norm, foreach=False) for norm in NORMS],
    call("get_total_norm", []),
    call("get_total_norm", drawn(5)),
    *[call("clip_grad_norm_", [parameter(2, 3), parameter(7)], 1.3, norm) for norm in NORMS],
    call("clip_grad_norm_", [parameter(2, 3), parameter(7)], 100.0),
    call("clip_grad_norm_", parameter(9), 0.4, foreach=False),
    call("clip_grad_norm_", mixed(), 1.0),
    call("clip_grad_norm_", [drawn(2)], 1.0),
    call("clip_grads_with_norm_", [parameter(2, 3), parameter(7)], 1.0, {"tensor": 3.7, "dtype": "float32"}),
    call("clip_grad_value_", [parameter(2, 3), parameter(7)], 0.6),
    call("clip_grad_value_", mixed(), 0.3, foreach=False),
    *[
        call("fuse_conv_bn_weights", drawn(*shape), bias, drawn(3), variance(), 1e-5, drawn(3), drawn(3), *more)
        for shape, bias, more in [((3, 2, 2), drawn(3), ()), ((3, 2, 2, 2), None, ()), ((2, 3, 1), drawn(3), (True,))]
    ],
    call("fuse_conv_bn_weights", drawn(3, 2, 2), None, drawn(3), variance(), 1e-3, None, None),
    call("fuse_linear_bn_weights", drawn(3, 4), drawn(3), drawn(3), variance(), 1e-5, drawn(3), drawn(3)),
    call("fuse_linear_bn_weights", drawn(3, 4), None, drawn(3), variance(), 1e-5, drawn(3), drawn(3)),
    call("parameters_to_vector", [drawn(2, 3), drawn(), drawn(2)]),
    call("vector_to_parameters", drawn(9), [drawn(2, 3), drawn(3)]),
]
