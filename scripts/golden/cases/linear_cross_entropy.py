"""linear_cross_entropy: cross entropy of a linear layer, at once and in chunks of the batch.

Products stay below the size from which oneDNN takes over, whose bits depend on the processor.
"""

import torch
from torch.nn.modules.linear_cross_entropy_options import LinearCrossEntropyOptions

from cases.common import FLOATING, FULL, HALF, REDUCTIONS, specials
from record import Group, Recorder
from tensors import LAYOUTS

MODULE = "LinearCrossEntropyLoss"

ARGS = ("input", "linear_weight", "target")
PROBABILITIES = ("input", "linear_weight", "probabilities")


def linear_cross_entropy(*args: torch.Tensor, options: dict | None = None, **kwargs) -> torch.Tensor:
    """`options` as a dictionary; dtypes in it by name."""
    if options is None:
        return torch.nn.functional.linear_cross_entropy(*args, **kwargs)
    fields = {key: getattr(torch, value) if key == "acc_dtype" else value for key, value in options.items()}
    made = LinearCrossEntropyOptions(**fields)
    return torch.nn.functional.linear_cross_entropy(*args, **kwargs, options=made)


CALL = linear_cross_entropy

# The shape of the input, of the weight and of the target.
SHAPES = {
    "batched": ((5, 3), (4, 3), (5,)),
    "unbatched": ((3,), (4, 3), ()),
    "one": ((1, 1), (1, 1), (1,)),
    "tall": ((33, 2), (3, 2), (33,)),
    "wide": ((2, 5), (67, 5), (2,)),
    "k1": ((3, 4), (5, 2, 4), (3, 2)),
    "k2": ((2, 3), (4, 2, 3, 3), (2, 2, 3)),
    "empty": ((0, 3), (4, 3), (0,)),
}
WEIGHT = {"weight": "$weight"}
BIAS = {"linear_bias": "$linear_bias"}
OPTIONS = {
    "plain": {},
    "bias,weight,ignore_index": {**BIAS, **WEIGHT, "ignore_index": 1},
    "bias": BIAS,
    "weight": WEIGHT,
    "ignore_index": {"ignore_index": 1},
    "label_smoothing": {**BIAS, "label_smoothing": 0.3},
    "label_smoothing,weight": {**WEIGHT, "label_smoothing": 0.3, "ignore_index": 1},
}
FEW = ("plain", "bias,weight,ignore_index")
CHUNKS = {
    "default": {},
    "2": {"batch_chunk_size": 2},
    "1": {"batch_chunk_size": 1, "acc_policy": "accurate"},
    "3,balanced": {"batch_chunk_size": 3, "acc_policy": "balanced"},
    "2,compact": {"batch_chunk_size": 2, "acc_policy": "compact"},
    "aspect_ratio": {"chunking_method": "aspect_ratio"},
    "aspect_ratio:2": {"chunking_method": "aspect_ratio:2", "allow_retain_graph": True},
    "none": {"chunking_method": None},
    "large": {"batch_chunk_size": 100},
}
HALF_CHUNKS = {
    "2,accurate,float32": {"batch_chunk_size": 2, "acc_policy": "accurate", "acc_dtype": "float32"},
    "2,balanced,float32": {"batch_chunk_size": 2, "acc_policy": "balanced", "acc_dtype": "float32"},
    "2,compact,float32": {"batch_chunk_size": 2, "acc_policy": "compact", "acc_dtype": "float32"},
}


def make(recorder: Recorder, name: str, shapes, dtype: torch.dtype, layout=None) -> Group:
    input, weight, target = shapes
    draws = recorder.draws(name)
    made = {"input": draws.normal(input, dtype), "linear_weight": draws.normal(weight, dtype)}
    logits = (*input[:-1], *weight[:-1])
    return recorder.group(
        name,
        **{key: layout(tensor) if layout else tensor for key, tensor in made.items()},
        target=draws.indices(target, weight[0]),
        probabilities=draws.probabilities(logits, dtype, len(input) - 1),
        linear_bias=draws.normal(weight[:-1], dtype),
        weight=draws.uniform((weight[0],), dtype, 0.2, 2.0),
    )


def grads(kwargs: dict[str, object]) -> tuple[str, ...]:
    return ("input", "linear_weight", *(["linear_bias"] if "linear_bias" in kwargs else []))


def call(group: Group, options=FEW, reductions=REDUCTIONS) -> None:
    for reduction in reductions:
        for name in options:
            kwargs = OPTIONS[name]
            group.case(f"{reduction},{name}", args=ARGS, grad=grads(kwargs), reduction=reduction, **kwargs)


def shapes_and_layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shapes in SHAPES.items():
            group = make(recorder, f"{name}/{dtype_name}", shapes, dtype)
            call(group, OPTIONS if name == "batched" else FEW)
            for reduction in REDUCTIONS:
                grad = (*PROBABILITIES, "linear_bias")
                kwargs = {"args": PROBABILITIES, "reduction": reduction, **BIAS}
                group.case(f"{reduction},probabilities", grad=grad, **kwargs)
                if name == "batched":
                    smooth = {**kwargs, **WEIGHT, "label_smoothing": 0.3}
                    group.case(f"{reduction},probabilities,label_smoothing", grad=(*grad, "weight"), **smooth)
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", ((6, 4), (5, 4), (6,)), dtype, layout), FEW, ("none", "mean"))
    for dtype_name, dtype in HALF.items():
        for name in ("batched", "unbatched", "k1"):
            call(make(recorder, f"{name}/{dtype_name}", SHAPES[name], dtype))
    group = make(recorder, "defaults", SHAPES["batched"], torch.float32)
    group.case("no options", args=ARGS, grad=ARGS[:2])
    for key in ARGS[:2]:
        group.case(f"gradient of {key} alone", args=ARGS, grad=(key,))


def chunks(recorder: Recorder) -> None:
    """The chunked path: other bits than at once. Where it does not apply, a warning says that it was not taken."""
    for dtype_name, dtype in FLOATING.items():
        group = make(recorder, f"chunks/{dtype_name}", ((7, 3), (8, 3), (7,)), dtype)
        methods = CHUNKS if dtype_name in FULL else {**CHUNKS, **HALF_CHUNKS}
        for method, options in methods.items():
            for reduction in REDUCTIONS:
                for name in FEW if method in ("2", "default") else FEW[1:]:
                    kwargs = {**OPTIONS[name], "reduction": reduction, "options": options}
                    group.case(f"{method},{reduction},{name}", args=ARGS, grad=grads(kwargs), **kwargs)
        for reduction in REDUCTIONS:
            for key in ("input", "linear_weight", "linear_bias"):
                kwargs = {**BIAS, "reduction": reduction, "options": CHUNKS["2"]}
                group.case(f"gradient of {key} alone,{reduction}", args=ARGS, grad=(key,), **kwargs)
            group.case(f"no gradient,{reduction}", args=ARGS, grad=(), reduction=reduction, options=CHUNKS["2"])
    for dtype_name, dtype in FULL.items():
        for name in ("unbatched", "one", "wide", "empty"):
            group = make(recorder, f"chunks, {name}/{dtype_name}", SHAPES[name], dtype)
            for reduction in REDUCTIONS:
                kwargs = {**OPTIONS[FEW[1]], "reduction": reduction, "options": CHUNKS["2"]}
                group.case(reduction, args=ARGS, grad=grads(kwargs), **kwargs)
        for name, layout in LAYOUTS.items():
            group = make(recorder, f"chunks, {name}/{dtype_name}", ((6, 4), (5, 4), (6,)), dtype, layout)
            for reduction in ("none", "mean"):
                kwargs = {**BIAS, "reduction": reduction, "options": CHUNKS["2"]}
                group.case(reduction, args=ARGS, grad=grads(kwargs), **kwargs)
    not_taken(recorder)


def not_taken(recorder: Recorder) -> None:
    group = make(recorder, "chunks not taken", SHAPES["batched"], torch.float32)
    options = CHUNKS["2"]
    group.case("probabilities", args=PROBABILITIES, grad=PROBABILITIES, options=options)
    group.case("label_smoothing", args=ARGS, grad=grads(BIAS), **BIAS, label_smoothing=0.25, options=options)
    tensors = {"bytes": group.tensors["target"].to(torch.uint8)}
    group = recorder.group("chunks not taken for bytes", **group.tensors, **tensors)
    group.case("bytes", args=(*ARGS[:2], "bytes"), grad=ARGS[:2], reduction="none", options=options)
    group = make(recorder, "chunks not taken for many dimensions", SHAPES["k1"], torch.float32)
    group.case("k1", args=ARGS, grad=grads(BIAS), **BIAS, options=options)


def edges(recorder: Recorder) -> None:
    """All targets ignored, no targets, weights of zero, special numbers; at once and in chunks."""
    for dtype_name, dtype in FLOATING.items():
        draws = recorder.draws(f"edges/{dtype_name}")
        special = specials(dtype)
        group = recorder.group(
            f"edges/{dtype_name}",
            input=draws.normal((4, 3), dtype),
            specials=special.reshape(4, 3),
            linear_weight=draws.normal((5, 3), dtype),
            target=torch.tensor([0, 2, 4, 2]),
            some=torch.tensor([2, -100, 4, -100]),
            every=torch.tensor([-100] * 4),
            zeros=torch.zeros(5, dtype=dtype),
        )
        for reduction in REDUCTIONS:
            for path, kwargs in {"at once": {}, "chunks": {"options": CHUNKS["2"]}}.items():
                label = f"{reduction},{path}"
                kwargs = {"reduction": reduction, **kwargs}
                for target in ("some", "every"):
                    args = (*ARGS[:2], target)
                    group.case(f"{label},{target}", args=args, grad=ARGS[:2], **kwargs)
                group.case(f"{label},zeros", args=ARGS, grad=ARGS[:2], weight="$zeros", **kwargs)
                args = ("specials", *ARGS[1:])
                group.case(f"{label},specials", args=args, grad=args[:2], **kwargs)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        input=draws.normal((3, 4), torch.float32),
        number=draws.normal((), torch.float32),
        flat=draws.normal((4,), torch.float32),
        cube=draws.normal((2, 3, 4), torch.float32),
        five=draws.normal((3, 5), torch.float32),
        double=draws.normal((3, 4), torch.float64),
        integers=torch.ones((3, 4), dtype=torch.int64),
        linear_weight=draws.normal((5, 4), torch.float32),
        deep=draws.normal((5, 2, 4), torch.float32),
        target=torch.tensor([0, 1, 4]),
        high=torch.tensor([0, 5, 4]),
        low=torch.tensor([0, -1, 4]),
        two=torch.tensor([0, 1]),
        int32=torch.tensor([0, 1, 4], dtype=torch.int32),
        real=torch.tensor([0.0, 1.0, 4.0]),
        grid=torch.zeros((3, 5), dtype=torch.int64),
        probabilities=draws.probabilities((3, 5), torch.float32, 1),
        linear_bias=draws.normal((5,), torch.float32),
        bias4=draws.normal((4,), torch.float32),
        bias2d=draws.normal((5, 2), torch.float32),
        bias64=draws.normal((5,), torch.float64),
        weight=draws.uniform((5,), torch.float32),
        weight4=draws.uniform((4,), torch.float32),
        weight64=draws.uniform((5,), torch.float64),
    )
    for path, kwargs in {"at once": {}, "chunks": {"options": {"batch_chunk_size": 2}}}.items():
        for input in ("number", "cube", "five", "double", "integers"):
            group.case(f"{path},input {input}", args=(input, *ARGS[1:]), grad=(), **kwargs)
        only = {"function_only": True, "grad": (), **kwargs}
        for weight in ("flat", "number"):
            group.case(f"{path},linear_weight {weight}", args=("input", weight, "target"), **only)
        group.case(f"{path},unbatched of many dimensions", args=("flat", "deep", "target"), grad=(), **kwargs)
        for target in ("high", "low", "two", "int32", "real", "grid"):
            group.case(f"{path},target {target}", args=(*ARGS[:2], target), grad=(), **kwargs)
        for bias in ("bias4", "bias2d"):
            group.case(f"{path},linear_bias {bias}", args=ARGS, linear_bias=f"${bias}", **only)
        group.case(f"{path},bias64", args=ARGS, linear_bias="$bias64", **only)
        for weight in ("weight4", "weight64"):
            group.case(f"{path},{weight}", args=ARGS, weight=f"${weight}", **only)
        group.case(f"{path},ignore_index with probabilities", args=PROBABILITIES, ignore_index=-100, **only)
        group.case(f"{path},reduction", args=ARGS, grad=(), reduction="batchmean", **kwargs)
    group.case("weight wants a gradient", args=ARGS, grad=("weight",), weight="$weight")
    group.case("label_smoothing above 1", args=ARGS, grad=(), label_smoothing=1.5)
    refused = [
        {"acc_policy": "fast"},
        {"chunking_method": "rows"},
        {"chunking_method": "aspect_ratio:0"},
        {"chunking_method": "aspect_ratio:x"},
        {"batch_chunk_size": 0},
        {"batch_chunk_size": -1},
        {"batch_chunk_size": 1.5},
        {"acc_dtype": "int64"},
        {"acc_dtype": "float64"},
        {"acc_dtype": "float16"},
        {"batch_chunk_size": 3, "chunking_method": "aspect_ratio"},
    ]
    for options in refused:
        for reduction in ("mean", "none"):
            group.case(f"options {options},{reduction}", args=ARGS, grad=(), options=options, reduction=reduction)


def record(recorder: Recorder) -> None:
    if recorder.module_options is not None:
        # The module owns its layer.
        recorder.module_options.add("linear_bias")
    shapes_and_layouts(recorder)
    chunks(recorder)
    edges(recorder)
    errors(recorder)
    if recorder.live:
        for dtype_name, dtype in FULL.items():
            shapes = ((131, 67), (257, 67), (131,))
            call(make(recorder, f"large/{dtype_name}", shapes, dtype), FEW, ("mean",))
