"""Samples of modules that PyTorch's ModuleInfo lacks, and the modules whose samples of ModuleInfo are not recorded."""

# Those of ModuleInfo are too many, or given modules; there are some below.
WITHOUT_INFO = {"Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder"}


def drawn(*shape: int, seed: int = 7, grad: bool = True) -> dict[str, object]:
    return {"randn": list(shape), "seed": seed, **({"grad": True} if grad else {})}


def integers(data: object) -> dict[str, object]:
    return {"tensor": data, "dtype": "int64"}


def sample(module: str, args: list[object], *inputs: object, named: dict[str, object] | None = None, **kwargs: object):
    made = {"module": module, "args": args, "kwargs": kwargs, "inputs": list(inputs), "named": named or {}}
    return {key: value for key, value in made.items() if value or key in ("module", "inputs")}


def inference(*args: object, **kwargs: object) -> dict[str, object]:
    """A sample in eval mode, without gradients: what one kernel computes there."""
    return {**sample(*args, **kwargs), "inference": True}


def booleans(data: object) -> dict[str, object]:
    return {"tensor": data, "dtype": "bool"}


def states(name: str, *shape: int) -> object:
    hidden = drawn(*shape, seed=8)
    return [hidden, drawn(*shape, seed=9)] if name.startswith("LSTM") else hidden


RECURRENT = [
    made
    for name in ("RNN", "GRU", "LSTM")
    for made in (
        sample(name, [3, 4], drawn(5, 2, 3)),
        sample(name, [3, 4, 2], drawn(5, 2, 3), states(name, 4, 2, 4), bidirectional=True, dropout=0.5),
        sample(name, [3, 4], drawn(2, 5, 3), bias=False, batch_first=True),
        sample(name, [3, 4, 2], drawn(5, 3), states(name, 2, 4)),
        inference(name, [17, 33, 2], drawn(7, 9, 17), bidirectional=True),
    )
]
RECURRENT += [
    sample("RNN", [3, 4, 2, "relu"], drawn(5, 2, 3)),
    sample("LSTM", [3, 6, 2], drawn(5, 2, 3), [drawn(4, 2, 2), drawn(4, 2, 6)], bidirectional=True, proj_size=2),
    sample("RNNCell", [3, 4], drawn(2, 3), drawn(2, 4), nonlinearity="relu"),
    *(sample(f"{name}Cell", [3, 4], drawn(3), states(name, 4)) for name in ("RNN", "GRU", "LSTM")),
    *(sample(f"{name}Cell", [3, 4, False], drawn(2, 3)) for name in ("RNN", "GRU", "LSTM")),
]

PADDING = booleans([[False, False, False], [False, False, True]])
LATER_ROWS = booleans([[False, True, True], [False, False, True], [False, False, False]])
ROWS = {"named": {"key_padding_mask": PADDING, "attn_mask": LATER_ROWS}}

ATTENTION = [
    sample("MultiheadAttention", [4, 2], *(drawn(3, 2, 4, seed=seed) for seed in (7, 8, 9)), **ROWS),
    sample("MultiheadAttention", [4, 2, 0.3], *(drawn(3, 2, size) for size in (4, 3, 5)), kdim=3, vdim=5),
    sample("MultiheadAttention", [4, 2, 0, True, True, True], *(drawn(3, 2, 4, seed=seed) for seed in (7, 8, 9)), **ROWS),
    *(
        sample("TransformerEncoderLayer", [4, 2, 8], drawn(2, 3, 4), batch_first=True, norm_first=first, bias=bias)
        for first in (True, False)
        for bias in (True, False)
    ),
    *(
        inference("TransformerEncoderLayer", [4, 2, 8, 0.1, name], drawn(2, 3, 4), batch_first=True, named=masks)
        for name in ("relu", "gelu")
        for masks in (
            {},
            {"src_key_padding_mask": PADDING},
            {"src_mask": LATER_ROWS},
            {"src_mask": LATER_ROWS, "src_key_padding_mask": PADDING},
        )
    ),
    inference("TransformerEncoderLayer", [4, 2, 8], drawn(2, 3, 4), batch_first=True, norm_first=True),
    sample("TransformerDecoderLayer", [4, 2, 8], drawn(2, 3, 4), drawn(2, 5, 4, seed=8), batch_first=True, norm_first=True),
    sample("TransformerDecoderLayer", [4, 2, 8, 0.1, "gelu"], drawn(3, 4), drawn(5, 4, seed=8), bias=False),
    sample("Transformer", [4, 2, 1, 1, 8], drawn(3, 2, 4), drawn(5, 2, 4, seed=8)),
    sample("TransformerDecoderLayer", [4, 2, 8], drawn(3, 2, 4), drawn(5, 2, 4, seed=8), named={"tgt_mask": LATER_ROWS}),
    *(
        inference("Transformer", [4, 2, 2, 2, 8], drawn(2, 3, 4), drawn(2, 3, 4, seed=8), batch_first=True, named=masks)
        for masks in (
            {},
            {"src_key_padding_mask": PADDING},
            {"src_mask": LATER_ROWS, "src_key_padding_mask": PADDING},
            {"tgt_mask": LATER_ROWS, "memory_key_padding_mask": PADDING},
        )
    ),
]

SAMPLES = [
    *(sample(name, [], drawn(3, 4)) for name in ("Hardsigmoid", "RReLU", "AlphaDropout", "Dropout", "Identity")),
    sample("RReLU", [0.1, 0.3, True], drawn(3, 4)),
    sample("CELU", [0.5, True], drawn(3, 4)),
    sample("SELU", [True], drawn(3, 4)),
    sample("Hardtanh", [-0.5, 0.7], drawn(3, 4), inplace=True),
    sample("Threshold", [0.1, 20, True], drawn(3, 4)),
    sample("GELU", ["tanh"], drawn(3, 4)),
    sample("Softmax2d", [], drawn(2, 3, 2)),
    sample("Dropout", [0.3], drawn(5, 4), inplace=True),
    sample("Dropout1d", [0.4], drawn(4, 3, 2)),
    sample("Dropout1d", [], drawn(4, 3)),
    sample("Dropout2d", [0.25, True], drawn(4, 3, 2, 2)),
    sample("Dropout3d", [], drawn(2, 3, 2, 2, 2)),
    sample("AlphaDropout", [0.2, True], drawn(4, 3)),
    sample("FeatureAlphaDropout", [0.3], drawn(4, 3, 2)),
    sample("PReLU", [3], drawn(2, 3, 4), init=0.1),
    sample("Flatten", [], drawn(2, 3, 4)),
    sample("Flatten", [0, 1], drawn(2, 3, 4)),
    sample("Unflatten", [1, [2, 3]], drawn(4, 6)),
    sample("Fold", [[4, 5], [2, 2]], drawn(2, 12, 12)),
    sample("Fold", [6, 3], drawn(9, 9), stride=2, padding=1, dilation=1),
    sample("Unfold", [[2, 3]], drawn(2, 3, 4, 5)),
    sample("Unfold", [2], drawn(2, 3, 6, 6), dilation=2, padding=1, stride=2),
    sample("PixelShuffle", [2], drawn(2, 8, 2, 3)),
    sample("PixelUnshuffle", [2], drawn(2, 2, 4, 6)),
    sample("ChannelShuffle", [2], drawn(2, 4, 2, 3)),
    sample("Upsample", [], drawn(1, 2, 3, 4), size=[5, 7]),
    sample("Upsample", [7], drawn(1, 2, 3), mode="linear", align_corners=True),
    sample("Upsample", [], drawn(1, 2, 3, 4), scale_factor=2, mode="bilinear"),
    sample("Upsample", [], drawn(1, 2, 4, 4), scale_factor=[1.5, 2.5], mode="bicubic", align_corners=False),
    sample("Upsample", [], drawn(1, 2, 2, 3, 2), scale_factor=1.7, mode="trilinear", recompute_scale_factor=True),
    sample("UpsamplingNearest2d", [], drawn(1, 2, 3, 4), scale_factor=2),
    sample("UpsamplingNearest2d", [5], drawn(1, 2, 3, 4)),
    sample("UpsamplingBilinear2d", [[5, 4]], drawn(1, 2, 3, 4)),
    sample("MaxUnpool1d", [2], drawn(1, 2, 2), integers([[[1, 2], [0, 3]]])),
    sample("MaxUnpool1d", [2], drawn(1, 1, 2), integers([[[1, 4]]]), named={"output_size": [5]}),
    sample("MaxUnpool2d", [2, 2, 0], drawn(1, 1, 2, 2), integers([[[[0, 3], [9, 14]]]])),
    sample("MaxUnpool3d", [2], drawn(1, 1, 1, 1, 2), integers([[[[[0, 10]]]]])),
    sample("MaxPool1d", [2], drawn(2, 6), return_indices=True),
    sample("MaxPool2d", [[2, 3], [1, 2]], drawn(1, 2, 5, 6), padding=1, dilation=[2, 1], ceil_mode=True),
    sample("AdaptiveMaxPool2d", [[2, None]], drawn(1, 2, 5, 4), return_indices=True),
    sample("FractionalMaxPool2d", [2], drawn(1, 2, 6, 6), output_ratio=0.5),
    sample("FractionalMaxPool2d", [2, 3], drawn(2, 6, 6), return_indices=True),
    sample("FractionalMaxPool3d", [2], drawn(1, 2, 6, 6, 6), output_size=[3, 3, 4]),
    sample("LPPool1d", [3, 2, 1, True], drawn(1, 2, 5)),
    sample("Conv1d", [4, 6, 3], drawn(2, 4, 7), padding="same", dilation=2, groups=2),
    sample("Conv1d", [2, 3, 4], drawn(2, 6), padding="same", bias=False),
    sample("Conv2d", [3, 4, [3, 2]], drawn(2, 3, 6, 5), padding=[2, 1], padding_mode="circular", stride=[1, 2]),
    sample("Conv2d", [3, 3, 3], drawn(3, 6, 5), padding="same", padding_mode="reflect"),
    sample("Conv2d", [3, 3, 2, 1, "valid"], drawn(1, 3, 4, 4), padding_mode="replicate"),
    sample("Conv3d", [2, 4, [1, 2, 3]], drawn(1, 2, 3, 4, 5), padding=[0, 1, 1], groups=2),
    sample("ConvTranspose1d", [4, 6, 3, 2], drawn(2, 4, 3), groups=2, output_padding=1, padding=1),
    sample("ConvTranspose1d", [2, 3, 3, 2], drawn(2, 2, 3), named={"output_size": [8]}),
    sample("ConvTranspose2d", [3, 2, [2, 3], [2, 1]], drawn(1, 3, 3, 3), dilation=2, bias=False),
    sample("ConvTranspose2d", [3, 2, 3, 2], drawn(3, 3, 3), named={"output_size": [2, 8, 7]}),
    sample("ConvTranspose3d", [2, 2, 2], drawn(1, 2, 2, 2, 2), stride=2, padding=1, output_padding=[1, 0, 1]),
    sample("Linear", [3, 4, False], drawn(3)),
    sample("Bilinear", [2, 3, 4], drawn(5, 2, seed=8), drawn(5, 3)),
    sample("Bilinear", [2, 3, 4, False], drawn(5, 2, seed=8), drawn(5, 3)),
    sample("BatchNorm1d", [3], drawn(4, 3), momentum=None),
    sample("BatchNorm1d", [3], drawn(4, 3, 2), affine=False, track_running_stats=False),
    sample("BatchNorm2d", [3, 1e-3, 0.3], drawn(2, 3, 2, 2), bias=False),
    sample("InstanceNorm1d", [3], drawn(2, 3, 4), affine=True, track_running_stats=True),
    sample("InstanceNorm2d", [3], drawn(3, 4, 2), track_running_stats=True, momentum=None),
    sample("GroupNorm", [2, 4], drawn(2, 4, 3), bias=False),
    sample("GroupNorm", [2, 4], drawn(2, 4, 3), affine=False),
    sample("LayerNorm", [[3, 4]], drawn(2, 3, 4), bias=False),
    sample("LayerNorm", [4], drawn(2, 3, 4), elementwise_affine=False),
    sample("RMSNorm", [4, 1e-3], drawn(2, 3, 4)),
    sample("RMSNorm", [[3, 4]], drawn(2, 3, 4), elementwise_affine=False),
    sample("LocalResponseNorm", [2], drawn(2, 5, 3, 3), alpha=1e-2, beta=0.5, k=2),
    sample("Embedding", [5, 3, 0], integers([[1, 0], [4, 0]])),
    sample("Embedding", [5, 3], integers([[1, 0], [4, 1]]), padding_idx=-1, max_norm=0.9, norm_type=1.5),
    sample("Embedding", [5, 3], integers([1, 1, 2]), scale_grad_by_freq=True),
    sample("Embedding", [5, 3], integers([1, 1, 2]), sparse=True),
    sample("Embedding", [5, 3], integers([1, 1, 2]), _weight=drawn(5, 3, grad=False), _freeze=True),
    sample("EmbeddingBag", [5, 3], integers([[1, 2], [4, 0]])),
    sample("EmbeddingBag", [5, 3], integers([1, 2, 4, 3]), integers([0, 1]), mode="max", padding_idx=4),
    sample(
        "EmbeddingBag",
        [5, 3],
        integers([1, 2, 4, 3]),
        integers([0, 2, 4]),
        named={"per_sample_weights": drawn(4)},
        mode="sum",
        include_last_offset=True,
    ),
    sample("EmbeddingBag", [5, 3, 0.9, 1.5, True], integers([[1, 2], [4, 0]])),
    sample("CosineSimilarity", [], drawn(3, 4, seed=8), drawn(3, 4)),
    sample("CosineSimilarity", [0, 1e-6], drawn(3, 4, seed=8), drawn(3, 4)),
    sample("PairwiseDistance", [], drawn(3, 4, seed=8), drawn(3, 4)),
    sample("PairwiseDistance", [1], drawn(3, 4, seed=8), drawn(3, 4), keepdim=True),
    *RECURRENT,
    *ATTENTION,
]
