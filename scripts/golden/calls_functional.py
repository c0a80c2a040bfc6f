"""Calls of torch.nn.functional: what OpInfo has no samples of, every option of what Python writes, and forms in place."""

import itertools

seeds = itertools.count(1)


def randn(*shape: int, **more: object) -> dict[str, object]:
    return {"randn": list(shape), "seed": next(seeds), "grad": True, **more}


def constant(*shape: int, **more: object) -> dict[str, object]:
    return {"randn": list(shape), "seed": next(seeds), **more}


def randint(high: int, *shape: int) -> dict[str, object]:
    return {"randint": high, "shape": list(shape), "seed": next(seeds)}


def call(name: str, *args: object, **kwargs: object) -> dict[str, object]:
    return {"call": f"nn.functional.{name}", "args": list(args), "kwargs": kwargs}


def ints(*values: int) -> dict[str, object]:
    return {"tensor": list(values), "dtype": "int64"}


WITH_INPLACE = {
    "relu": {},
    "relu6": {},
    "elu": {"alpha": 0.7},
    "selu": {},
    "celu": {"alpha": 0.7},
    "leaky_relu": {"negative_slope": 0.2},
    "rrelu": {"training": True},
    "hardtanh": {"min_val": -0.5, "max_val": 0.4},
    "hardsigmoid": {},
    "hardswish": {},
    "silu": {},
    "mish": {},
    "threshold": {"threshold": 0.1, "value": -2.0},
    "dropout": {"p": 0.3},
    "dropout1d": {},
    "dropout2d": {},
    "dropout3d": {},
    "alpha_dropout": {"training": True},
    "feature_alpha_dropout": {"training": True},
}

SHAPES = {"dropout1d": (2, 3, 4), "dropout2d": (2, 3, 2, 2), "dropout3d": (2, 2, 1, 2, 2)}


def shape_of(name: str) -> tuple[int, ...]:
    return SHAPES.get(name, (2, 5))


CALLS = [
    *[call(name, randn(*shape_of(name)), **kwargs) for name, kwargs in WITH_INPLACE.items()],
    *[call(name, constant(*shape_of(name)), **kwargs, inplace=True) for name, kwargs in WITH_INPLACE.items()],
    *[call(name, randn(*shape_of(name)[1:]), training=True) for name in ("dropout1d", "dropout2d", "dropout3d")],
    *[call(name, constant(3, 4)) for name in ("relu_", "elu_", "selu_", "celu_", "hardtanh_", "leaky_relu_", "rrelu_")],
    call("threshold_", constant(3, 4), 0.1, -2.0),
    *[call(name, randn(2, 3)) for name in ("tanhshrink", "softsign", "tanh", "sigmoid", "logsigmoid", "gelu")],
    call("gelu", randn(2, 3), approximate="tanh"),
    call("softplus", randn(2, 3), 2, 0.5),
    call("softshrink", randn(2, 3), 0.3),
    call("hardshrink", randn(2, 3), lambd=0.3),
    call("glu", randn(3, 4), 1),
    call("prelu", randn(2, 3, 2), randn(3)),
    *[call(name, randn(*shape)) for name in ("softmax", "softmin", "log_softmax") for shape in [(3,), (2, 3), (2, 2, 2)]],
    *[call(name, randn(2, 3), -1, dtype={"dtype": "float64"}) for name in ("softmax", "softmin", "log_softmax")],
    call("gumbel_softmax", randn(3, 4)),
    call("gumbel_softmax", randn(3, 4), 0.5, True),
    call("gumbel_softmax", randn(3, 4), tau=2, hard=True, dim=0, eps=1e-9),
    call("linear", randn(2, 3), randn(4, 3), randn(4)),
    call("bilinear", randn(2, 3), randn(2, 4), randn(2, 3, 4), randn(2)),
    # Convolutions
    call("conv1d", randn(2, 4, 7), randn(6, 2, 3), randn(6), 2, 1, 1, 2),
    call("conv1d", randn(1, 2, 7), randn(2, 2, 3), padding="same"),
    call("conv2d", randn(2, 5, 5), randn(3, 2, 3, 3), None, [2, 1], [1, 0]),
    call("conv3d", randn(1, 1, 3, 3, 3), randn(1, 1, 2, 2, 2)),
    call("conv_transpose1d", randn(1, 2, 4), randn(2, 3, 3), randn(3), 2, 1, 1),
    call("conv_transpose2d", randn(1, 2, 3, 3), randn(2, 1, 2, 2), stride=2, dilation=2),
    call("conv_transpose3d", randn(1, 1, 2, 2, 2), randn(1, 1, 2, 2, 2)),
    call("conv_tbc", randn(4, 2, 3), randn(3, 3, 2), randn(2), 1),
    # Pooling
    call("avg_pool1d", randn(1, 2, 7), 3, 2, 1, True, False),
    call("avg_pool2d", randn(1, 1, 5, 5), [3, 2], stride=2, divisor_override=5),
    call("avg_pool3d", randn(1, 1, 3, 3, 3), 2),
    call("max_pool1d", randn(1, 2, 7), 3, 2, 1, 1, True),
    call("max_pool1d", randn(1, 2, 7), 3, return_indices=True),
    call("max_pool1d_with_indices", randn(2, 7), [2], dilation=2),
    call("max_pool2d", randn(1, 1, 5, 5), 2, return_indices=True),
    call("max_pool2d_with_indices", randn(1, 5, 5), [3, 2], 1, [1, 0]),
    call("max_pool3d", randn(1, 1, 4, 4, 4), 2),
    call("max_pool3d_with_indices", randn(1, 1, 3, 3, 3), 2, stride=1),
    call("fractional_max_pool2d", randn(1, 2, 6, 6), 2, output_ratio=[0.5, 0.7]),
    call("fractional_max_pool2d", randn(2, 6, 6), [2, 3], 3, return_indices=True),
    call("fractional_max_pool2d_with_indices", randn(1, 1, 5, 5), 2, 3, _random_samples=constant(1, 1, 2)),
    call("fractional_max_pool3d", randn(1, 1, 6, 6, 6), 2, output_ratio=0.4),
    call("fractional_max_pool3d_with_indices", randn(1, 1, 5, 5, 4), 2, [2, 3, 2]),
    call("adaptive_avg_pool1d", randn(1, 2, 7), 3),
    call("adaptive_avg_pool2d", randn(1, 1, 5, 5), [None, 2]),
    call("adaptive_avg_pool2d", randn(1, 5, 5), 3),
    call("adaptive_avg_pool3d", randn(1, 1, 3, 4, 5), [2, None, 2]),
    call("adaptive_max_pool1d", randn(1, 2, 7), 3),
    call("adaptive_max_pool1d_with_indices", randn(1, 2, 7), 3),
    call("adaptive_max_pool2d", randn(1, 1, 5, 5), [None, 2], True),
    call("adaptive_max_pool2d_with_indices", randn(1, 5, 5), 2),
    call("adaptive_max_pool3d", randn(1, 1, 3, 4, 5), [2, None, 2]),
    call("adaptive_max_pool3d_with_indices", randn(1, 1, 3, 4, 5), 2),
    call("lp_pool1d", randn(1, 2, 7), 2, 3),
    call("lp_pool1d", randn(1, 2, 7), {"number": "inf"}, 3, 2),
    call("lp_pool2d", randn(1, 1, 5, 5), 3, [3, 2], 2, True),
    call("lp_pool2d", randn(1, 1, 5, 5), {"number": "-inf"}, 2),
    call("lp_pool3d", randn(1, 1, 3, 3, 3), 1.5, 2),
    call("max_unpool1d", randn(1, 1, 3), {"tensor": [[[1, 2, 5]]], "dtype": "int64"}, 2),
    call("max_unpool1d", randn(1, 1, 3), {"tensor": [[[1, 2, 6]]], "dtype": "int64"}, 2, output_size=[7]),
    call("max_unpool2d", randn(1, 1, 2, 1), {"tensor": [[[[1], [4]]]], "dtype": "int64"}, [2, 2], [1, 2]),
    call("max_unpool3d", randn(1, 1, 1, 1, 2), {"tensor": [[[[[1, 2]]]]], "dtype": "int64"}, 2),
    # Normalization
    call("batch_norm", randn(4, 3), constant(3), {"tensor": [0.5, 1, 2], "dtype": "float32"}, randn(3), randn(3), True, 0.3),
    call("batch_norm", randn(2, 3, 2), constant(3), {"tensor": [0.5, 1, 2], "dtype": "float32"}, eps=1e-3),
    call("batch_norm", randn(4, 3), None, None, training=True),
    call("instance_norm", randn(2, 3, 4), weight=randn(3), bias=randn(3)),
    call("instance_norm", randn(2, 3, 4), constant(3), {"tensor": [0.5, 1, 2], "dtype": "float32"}, momentum=0.2),
    call("layer_norm", randn(2, 3, 4), [3, 4], randn(3, 4), randn(3, 4), 1e-3),
    call("rms_norm", randn(2, 4), [4], randn(4)),
    call("group_norm", randn(2, 4, 3), 2, randn(4), randn(4)),
    call("local_response_norm", randn(2, 4, 3), 3),
    call("local_response_norm", randn(2, 5, 2, 2), 2, 1e-2, 0.5, 2),
    call("normalize", randn(2, 3)),
    call("normalize", randn(2, 3), 1, [0, 1], 1e-3),
    call("normalize", constant(2, 3), dim=-1, out=constant(2, 3)),
    # Sampling and resizing
    *[call("pad", randn(1, 2, 4), [1, 2], mode) for mode in ("constant", "reflect", "replicate", "circular")],
    call("pad", randn(2, 3), [1, 0, 0, 2], value=1.5),
    call("interpolate", randn(1, 2, 5), 8),
    call("interpolate", randn(1, 2, 5), scale_factor=1.7, mode="linear"),
    call("interpolate", randn(1, 1, 3, 4), [5, 2], mode="bilinear", align_corners=True),
    call("interpolate", randn(1, 1, 3, 4), scale_factor=[2, 1.5], mode="bicubic", recompute_scale_factor=True),
    call("interpolate", randn(1, 1, 6, 6), 3, mode="bilinear", antialias=True),
    call("interpolate", randn(1, 1, 6, 6), 4, mode="bicubic", antialias=True, align_corners=False),
    call("interpolate", randn(1, 1, 6, 6), scale_factor=0.5, mode="area"),
    call("interpolate", randn(1, 1, 3, 3), scale_factor=1.5, mode="nearest-exact"),
    call("interpolate", randn(1, 1, 2, 2, 2), 3, mode="trilinear"),
    call("upsample", randn(1, 1, 2, 2), scale_factor=2),
    call("upsample_nearest", randn(1, 1, 2, 2), 3),
    call("upsample_bilinear", randn(1, 1, 2, 2), scale_factor=2),
    call("affine_grid", randn(1, 2, 3), [1, 1, 2, 3]),
    call("affine_grid", randn(1, 3, 4), [1, 1, 2, 2, 2], True),
    call("affine_grid", randn(1, 2, 3), [1, 1, 1, 3], align_corners=True),
    call("grid_sample", randn(1, 1, 3, 3), randn(1, 2, 2, 2)),
    call("grid_sample", randn(1, 1, 3, 3), randn(1, 2, 2, 2), "bicubic", "reflection", True),
    call("grid_sample", randn(1, 1, 3, 3, 2), randn(1, 1, 2, 2, 3), "nearest", "border", False),
    call("unfold", randn(1, 2, 4, 4), 2, 1, [1, 0], 2),
    call("fold", randn(1, 4, 9), [4, 4], 2),
    call("fold", randn(1, 4, 4), 4, 2, stride=2),
    call("pixel_shuffle", randn(1, 4, 2, 2), 2),
    call("pixel_unshuffle", randn(1, 1, 4, 2), 2),
    call("channel_shuffle", randn(1, 4, 2, 2), 2),
    call("native_channel_shuffle", constant(1, 4, 2, 2), 2),
    # Look-ups and distances
    call("embedding", randint(5, 2, 3), randn(5, 3), -1),
    call("embedding", randint(5, 2, 3), constant(5, 3), max_norm=1.0, norm_type=1.0),
    call("embedding", ints(1, 1, 2), randn(5, 3), scale_grad_by_freq=True),
    call("embedding_bag", randint(5, 2, 3), randn(5, 3)),
    call("embedding_bag", ints(0, 1, 2, 4), randn(5, 3), ints(0, 2), mode="max"),
    call("embedding_bag", ints(0, 1, 2, 4), randn(5, 3), ints(0, 2, 4), mode="sum", per_sample_weights=randn(4), include_last_offset=True),
    call("embedding_bag", ints(0, 1, 2, 4), constant(5, 3), ints(0, 2), 0.7, padding_idx=1),
    call("one_hot", ints(0, 2, 1), 4),
    call("pdist", randn(4, 3), 1),
    call("pairwise_distance", randn(3, 4), randn(3, 4), keepdim=True),
    call("cosine_similarity", randn(3, 4), randn(3, 4), 0),
    # Attention
    call("scaled_dot_product_attention", randn(1, 2, 3, 4), randn(1, 2, 5, 4), randn(1, 2, 5, 4), is_causal=True),
    call("scaled_dot_product_attention", randn(2, 3, 4), randn(2, 3, 4), randn(2, 3, 4), dropout_p=0.4, scale=0.3),
]


def attention(query: object, key: object, value: object, *, width: int = 4, heads: int = 2, **more: object) -> dict[str, object]:
    """`multi_head_attention_forward`; what has no default may be among `more`."""
    required = {
        "in_proj_weight": randn(3 * width, width),
        "in_proj_bias": randn(3 * width),
        "bias_k": None,
        "bias_v": None,
        "add_zero_attn": False,
        "dropout_p": 0.0,
        "out_proj_weight": randn(width, width),
        "out_proj_bias": randn(width),
    }
    kwargs = {"embed_dim_to_check": width, "num_heads": heads, **required, **more}
    return call("multi_head_attention_forward", query, key, value, **kwargs)


ITSELF, OTHER = randn(3, 2, 4), randn(5, 2, 4)
CAUSAL = {"tensor": [[False, True, True], [False, False, True], [False, False, False]], "dtype": "bool"}
PADDING = {"tensor": [[False, False, True], [False, False, False]], "dtype": "bool"}

CALLS += [
    attention(ITSELF, ITSELF, ITSELF),
    attention(ITSELF, OTHER, OTHER, in_proj_bias=None),
    attention(randn(3, 2, 4), randn(5, 2, 4), randn(5, 2, 4)),
    attention(randn(3, 4), randn(5, 4), randn(5, 4), average_attn_weights=False),
    attention(randn(3, 2, 4), randn(3, 2, 4), randn(3, 2, 4), need_weights=False, attn_mask=CAUSAL, is_causal=True),
    attention(randn(3, 2, 4), randn(3, 2, 4), randn(3, 2, 4), need_weights=False, attn_mask=CAUSAL, key_padding_mask=PADDING),
    attention(randn(3, 2, 4), randn(3, 2, 4), randn(3, 2, 4), attn_mask=CAUSAL, key_padding_mask=PADDING, dropout_p=0.3),
    attention(randn(3, 2, 4), randn(3, 2, 4), randn(3, 2, 4), attn_mask=randn(4, 3, 3), add_zero_attn=True),
    attention(randn(3, 2, 4), randn(3, 2, 4), randn(3, 2, 4), attn_mask=randn(3, 3), key_padding_mask=PADDING, bias_k=randn(1, 1, 4), bias_v=randn(1, 1, 4)),
    attention(randn(3, 2, 4), randn(3, 2, 4), randn(3, 2, 4), static_k=randn(4, 6, 2), static_v=randn(4, 6, 2), training=False, dropout_p=0.5),
    attention(
        randn(3, 2, 4),
        randn(5, 2, 3),
        randn(5, 2, 2),
        in_proj_weight=None,
        use_separate_proj_weight=True,
        q_proj_weight=randn(4, 4),
        k_proj_weight=randn(4, 3),
        v_proj_weight=randn(4, 2),
    ),
]
