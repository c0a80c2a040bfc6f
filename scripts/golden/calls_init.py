"""Calls of torch.nn.init: every function, dtypes, fans, and both ways of the truncated normal."""

import itertools

seeds = itertools.count(1000)


def tensor(*shape: int, dtype: str = "float32") -> dict[str, object]:
    return {"randn": list(shape), "seed": next(seeds), "dtype": dtype}


def call(name: str, *args: object, **kwargs: object) -> dict[str, object]:
    return {"call": f"nn.init.{name}", "args": list(args), "kwargs": kwargs, "seed": next(seeds)}


NONLINEARITIES = ["linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
RANDOM = ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_"]

CALLS = [
    *[call("calculate_gain", name) for name in NONLINEARITIES],
    call("calculate_gain", "leaky_relu", 0.3),
    *[call(name, tensor(4, 6)) for name in RANDOM],
    *[call(name, tensor(5, 4, dtype="float64")) for name in RANDOM],
    *[call(name, tensor(4, 6, dtype="bfloat16")) for name in RANDOM if name != "orthogonal_"],
    *[call(name, tensor(4, 3, 2), generator={"generator": 7}) for name in RANDOM],
    call("uniform_", tensor(20), -2, 3),
    call("normal_", tensor(20), 2, 0.5),
    call("trunc_normal_", tensor(30), std=0.02),
    call("trunc_normal_", tensor(30), 0.5, 1, 0.2, 0.9),
    call("trunc_normal_", tensor(30), 0, 1, 1.5, 2.5),
    call("trunc_normal_", tensor(30), 3, 0.1, -1, 1),
    call("constant_", tensor(2, 3), 0.3),
    call("ones_", tensor(2, 3)),
    call("zeros_", tensor(2, 3)),
    call("eye_", tensor(2, 3)),
    call("eye_", tensor(3, 2)),
    call("dirac_", tensor(3, 2, 3)),
    call("dirac_", tensor(4, 2, 2, 3), 2),
    call("dirac_", tensor(2, 1, 1, 2, 3), groups=2),
    call("xavier_uniform_", tensor(3, 2, 2), 1.7),
    call("xavier_normal_", tensor(3, 2), gain=0.1),
    call("kaiming_uniform_", tensor(3, 2, 2), 0.2, "fan_out", "leaky_relu"),
    call("kaiming_uniform_", tensor(3, 2), nonlinearity="relu"),
    call("kaiming_normal_", tensor(3, 2, 2), mode="fan_out", nonlinearity="selu"),
    call("kaiming_uniform_", tensor(0, 2)),
    call("kaiming_normal_", tensor(2, 0)),
    call("orthogonal_", tensor(2, 5), 1.3),
    call("orthogonal_", tensor(3, 2, 2)),
    call("sparse_", tensor(5, 3), 0.4),
    call("sparse_", tensor(5, 3), 0.1, 0.5, generator={"generator": 3}),
]
