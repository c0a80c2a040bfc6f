"""ctc_loss: padded and concatenated targets, lengths as tensors and as lists, targets that do not fit."""

import torch

from cases.common import FULL, HALF, INTEGRAL, REDUCTIONS
from record import Group, Ours, Recorder
from tensors import LAYOUTS

CALL = torch.nn.functional.ctc_loss
MODULE = "CTCLoss"

ARGS = ("log_probs", "targets", "input_lengths", "target_lengths")
GRAD = ("log_probs",)
OPTIONS = {
    "plain": {},
    "blank=2,zero_infinity": {"blank": 2, "zero_infinity": True},
    "zero_infinity": {"zero_infinity": True},
    "blank=3": {"blank": 3},
}
FEW = ("plain", "zero_infinity")
UNCHECKED = "PyTorch does not check labels: it reads, and in the backward writes, memory that is not the tensor's"
OFFSETS = "PyTorch's offsets into concatenated targets ignore their stride; this is the loss of a contiguous copy"

# Steps, classes, lengths of the inputs and of the targets.
SHAPES = {
    "batched": (7, 4, [7, 5, 6], [3, 2, 1]),
    "one step": (1, 3, [1, 1], [1, 0]),
    "one sequence": (5, 4, [5], [2]),
    "long": (40, 6, [40, 33], [17, 9]),
    "empty targets": (4, 3, [4, 2], [0, 0]),
    "empty inputs": (4, 3, [0, 4], [0, 1]),
}


def scores(draws, shape, dtype):
    """Numbers below zero; the loss does not ask that they be log-probabilities."""
    return draws.uniform(shape, dtype, -4.0, -0.1)


def labels(draws, shape, classes: int) -> torch.Tensor:
    """Labels other than the default blank."""
    return 1 + draws.indices(shape, classes - 1)


def call(group: Group, options=FEW, reductions=REDUCTIONS, args=ARGS, prefix: str = "") -> None:
    for reduction in reductions:
        for name in options:
            group.case(f"{prefix}{reduction},{name}", args=args, grad=GRAD, reduction=reduction, **OPTIONS[name])


def make(recorder: Recorder, name: str, shape, dtype: torch.dtype, layout=None) -> Group:
    steps, classes, inputs, targets = shape
    draws = recorder.draws(name)
    log_probs = scores(draws, (steps, len(inputs), classes), dtype)
    return recorder.group(
        name,
        log_probs=layout(log_probs) if layout else log_probs,
        targets=labels(draws, (len(inputs), max(*targets, 1)), classes),
        concatenated=labels(draws, (sum(targets),), classes),
        input_lengths=torch.tensor(inputs),
        target_lengths=torch.tensor(targets),
    )


def forms(group: Group, shape, options=FEW) -> None:
    """Both forms of the targets, with both forms of the lengths."""
    lists = (shape[2], shape[3])
    call(group, options, prefix="padded,")
    call(group, options, args=("log_probs", "concatenated", *ARGS[2:]), prefix="concatenated,")
    for targets in ("targets", "concatenated"):
        call(group, ("plain",), ("none", "mean"), ("log_probs", targets, *lists), f"{targets},lists,")


def shapes_and_layouts(recorder: Recorder) -> None:
    for dtype_name, dtype in FULL.items():
        for name, shape in SHAPES.items():
            options = OPTIONS if name == "batched" else FEW
            forms(make(recorder, f"{name}/{dtype_name}", shape, dtype), shape, options)
        for name, layout in LAYOUTS.items():
            call(make(recorder, f"{name}/{dtype_name}", SHAPES["batched"], dtype, layout), ("plain",))
        unbatched(recorder, dtype_name, dtype)
        strided_targets(recorder, dtype_name, dtype)
        normalised(recorder, dtype_name, dtype)
    for dtype_name, dtype in HALF.items():
        call(make(recorder, f"batched/{dtype_name}", SHAPES["batched"], dtype), ("plain",))
    group = make(recorder, "defaults", SHAPES["batched"], torch.float32)
    group.case("no options", args=ARGS, grad=GRAD)


def unbatched(recorder: Recorder, dtype_name: str, dtype: torch.dtype) -> None:
    draws = recorder.draws(f"unbatched/{dtype_name}")
    group = recorder.group(
        f"unbatched/{dtype_name}",
        log_probs=scores(draws, (6, 4), dtype),
        targets=labels(draws, (3,), 4),
        row=labels(draws, (1, 3), 4),
        input_lengths=torch.tensor(6),
        target_lengths=torch.tensor(3),
        input_one=torch.tensor([5]),
        target_one=torch.tensor([2]),
    )
    call(group)
    for name in ("targets", "row"):
        group.case(f"{name},lists", args=("log_probs", name, [6], [3]), grad=GRAD, reduction="none")
    group.case("padded row,one", args=("log_probs", "row", "input_one", "target_one"), grad=GRAD, reduction="none")


def strided_targets(recorder: Recorder, dtype_name: str, dtype: torch.dtype) -> None:
    draws = recorder.draws(f"strided targets/{dtype_name}")
    sliced, transposed = LAYOUTS["sliced"], LAYOUTS["transposed"]
    group = recorder.group(
        f"strided targets/{dtype_name}",
        log_probs=scores(draws, (7, 3, 5), dtype),
        targets=transposed(labels(draws, (3, 3), 5)),
        every_second=sliced(labels(draws, (3, 3), 5)),
        concatenated=sliced(labels(draws, (6,), 5)),
        input_lengths=sliced(torch.tensor([7, 5, 6])),
        target_lengths=sliced(torch.tensor([3, 2, 1])),
    )
    call(group, ("plain",))
    call(group, ("plain",), args=("log_probs", "every_second", *ARGS[2:]), prefix="every second,")
    contiguous = {"concatenated": group.tensors["concatenated"].contiguous()}
    for reduction in REDUCTIONS:
        for name, lengths in {"tensors": ARGS[2:], "lists": ([7, 5, 6], [3, 2, 1])}.items():
            args = ("log_probs", "concatenated", *lengths)
            ours = Ours(OFFSETS, contiguous)
            group.case(f"concatenated,{name},{reduction}", args=args, grad=GRAD, reduction=reduction, ours=ours)


def normalised(recorder: Recorder, dtype_name: str, dtype: torch.dtype) -> None:
    """Log-probabilities in earnest: the gradient is that of the scores before the softmax."""
    draws = recorder.draws(f"normalised/{dtype_name}")
    group = recorder.group(
        f"normalised/{dtype_name}",
        log_probs=draws.probabilities((8, 3, 5), torch.float64, -1).log().to(dtype),
        targets=labels(draws, (3, 4), 5),
        input_lengths=torch.tensor([8, 7, 8]),
        target_lengths=torch.tensor([4, 3, 0]),
    )
    call(group, OPTIONS)


def edges(recorder: Recorder) -> None:
    """Repeated labels, which need a blank between them; targets too long for their inputs, whose loss is infinite;
    labels that are the blank; padding that is not a label; probabilities of zero."""
    inf, nan = float("inf"), float("nan")
    targets = {
        "repeated": [[1, 1, 1], [2, 2, 1]],
        "blanks": [[0, 1, 0], [2, 0, 0]],
        "padding": [[1, 2, -1], [3, -1, 1000]],
    }
    for dtype_name, dtype in FULL.items():
        draws = recorder.draws(f"edges/{dtype_name}")
        log_probs = scores(draws, (5, 2, 4), dtype)
        zero, broken = log_probs.clone(), log_probs.clone()
        zero[1:3, 0, :] = torch.tensor([-inf, -inf, 0.0, -inf], dtype=dtype)
        broken[2, 0, 1] = nan
        broken[3, 1, 2] = inf
        group = recorder.group(
            f"edges/{dtype_name}",
            log_probs=log_probs,
            zero=zero,
            never=torch.full((5, 2, 4), -inf, dtype=dtype),
            broken=broken,
            one_class=scores(draws, (5, 2, 1), dtype),
            none=torch.zeros((2, 0), dtype=torch.int64),
            **{name: torch.tensor(value) for name, value in targets.items()},
        )
        for options in FEW:
            for reduction in REDUCTIONS:
                kwargs = {"reduction": reduction, **OPTIONS[options], "grad": GRAD}
                label = f"{reduction},{options}"
                for lengths in ([5, 5], [4, 2], [3, 1]):
                    args = ("log_probs", "repeated", lengths, [3, 2])
                    group.case(f"repeated,inputs {lengths},{label}", args=args, **kwargs)
                group.case(f"blanks,{label}", args=("log_probs", "blanks", [5, 5], [3, 3]), **kwargs)
                group.case(f"padding,{label}", args=("log_probs", "padding", [5, 5], [2, 1]), **kwargs)
                group.case(f"no steps,{label}", args=("log_probs", "repeated", [0, 5], [2, 1]), **kwargs)
                for name in ("zero", "never", "broken"):
                    args = (name, "repeated", [5, 5], [2, 2])
                    group.case(f"{name},{label}", args=args, **{**kwargs, "grad": (name,)})
                args = ("one_class", "none", [5, 4], [0, 0])
                group.case(f"one class,{label}", args=args, **{**kwargs, "grad": ("one_class",)})


def other_types(recorder: Recorder) -> None:
    """Targets of any dtype are converted; lengths are of any integer dtype."""
    draws = recorder.draws("types")
    log_probs = scores(draws, (5, 2, 4), torch.float32)
    for dtype_name, dtype in {**INTEGRAL, **FULL, **HALF}.items():
        group = recorder.group(
            f"types/{dtype_name}",
            log_probs=log_probs,
            targets=torch.tensor([[1, 2], [3, 1]]),
            other=torch.tensor([[1, 1], [1, 1]] if dtype == torch.bool else [[1, 2], [3, 1]]).to(dtype),
            input_lengths=torch.tensor([5, 4]),
            target_lengths=torch.tensor([2, 1]),
            other_inputs=torch.tensor([5, 4]).to(dtype),
            other_targets=torch.tensor([2, 1]).to(dtype),
        )
        group.case("targets", args=("log_probs", "other", *ARGS[2:]), grad=GRAD)
        group.case("targets,lists", args=("log_probs", "other", [5, 4], [2, 1]), grad=GRAD)
        group.case("input lengths", args=("log_probs", "targets", "other_inputs", "target_lengths"), grad=GRAD)
        group.case("target lengths", args=("log_probs", "targets", "input_lengths", "other_targets"), grad=GRAD)
        group.case("both lengths", args=("log_probs", "targets", "other_inputs", "other_targets"), grad=GRAD)


def errors(recorder: Recorder) -> None:
    draws = recorder.draws("errors")
    group = recorder.group(
        "errors",
        log_probs=scores(draws, (5, 2, 4), torch.float32),
        flat=scores(draws, (4,), torch.float32),
        four=scores(draws, (1, 5, 2, 4), torch.float32),
        no_sequences=torch.zeros((5, 0, 4)),
        no_classes=torch.zeros((5, 2, 0)),
        no_steps=torch.zeros((0, 2, 4)),
        integers=torch.zeros((5, 2, 4), dtype=torch.int64),
        targets=torch.tensor([[1, 2], [3, 1]]),
        concatenated=torch.tensor([1, 2, 3]),
        number=torch.tensor(1),
        cube=torch.ones((2, 1, 2), dtype=torch.int64),
        rows=torch.tensor([[1, 2], [3, 1], [1, 1]]),
        none=torch.zeros((0, 2), dtype=torch.int64),
        input_lengths=torch.tensor([5, 4]),
        target_lengths=torch.tensor([2, 1]),
        long_inputs=torch.tensor([5, 6]),
        negative=torch.tensor([2, -1]),
        long_targets=torch.tensor([2, 3]),
        three=torch.tensor([2, 1, 1]),
        column=torch.tensor([[2], [1]]),
        no_lengths=torch.zeros(0, dtype=torch.int64),
    )
    for log_probs in ("flat", "four", "no_classes", "no_steps", "integers"):
        group.case(f"log_probs {log_probs}", args=(log_probs, *ARGS[1:]), grad=())
    group.case("no sequences", args=("no_sequences", "none", "no_lengths", "no_lengths"), grad=())
    for targets in ("number", "cube", "rows", "none", "concatenated"):
        group.case(f"targets {targets}", args=("log_probs", targets, "input_lengths", "input_lengths"), grad=())
    wrong = {
        "long inputs": ("long_inputs", "target_lengths", [5, 6], [2, 1]),
        "negative inputs": ("negative", "target_lengths", [2, -1], [2, 1]),
        "three inputs": ("three", "target_lengths", [2, 1, 1], [2, 1]),
        "long targets": ("input_lengths", "long_targets", [5, 4], [2, 3]),
        "negative targets": ("input_lengths", "negative", [5, 4], [2, -1]),
        "three targets": ("input_lengths", "three", [5, 4], [2, 1, 1]),
    }
    for name, (inputs, targets, *lists) in wrong.items():
        for kind in ("targets", "concatenated"):
            group.case(f"{name},{kind}", args=("log_probs", kind, inputs, targets), grad=())
            group.case(f"{name},{kind},lists", args=("log_probs", kind, *lists), grad=())
    group.case("lengths in columns", args=("log_probs", "targets", "column", "column"), grad=())
    group.case("a tensor and a list", args=("log_probs", "targets", "input_lengths", [2, 1]), grad=())
    group.case("a list and a tensor", args=("log_probs", "targets", [5, 4], "target_lengths"), grad=())
    group.case("a number", args=("log_probs", "targets", 5, 2), grad=())
    for blank in (-1, 4, 1000):
        group.case(f"blank={blank}", args=ARGS, grad=(), blank=blank)
    group.case("reduction", args=ARGS, grad=(), reduction="batchmean")


def labels_out_of_range(recorder: Recorder) -> None:
    draws = recorder.draws("labels out of range")
    far = {"one too high": 4, "negative": -1, "far": 1000, "very far": 2**40, "far below": -(2**40)}
    group = recorder.group(
        "labels out of range",
        log_probs=scores(draws, (5, 2, 4), torch.float32),
        input_lengths=torch.tensor([5, 4]),
        target_lengths=torch.tensor([2, 1]),
        **{f"{name} padded": torch.tensor([[1, 2], [label, 1]]) for name, label in far.items()},
        **{f"{name} concatenated": torch.tensor([1, label, 3]) for name, label in far.items()},
    )
    for name in far:
        for kind in ("padded", "concatenated"):
            for lengths, form in ((ARGS[2:], "tensors"), (([5, 4], [2, 1]), "lists")):
                args = ("log_probs", f"{name} {kind}", *lengths)
                group.case(f"{name},{kind},{form}", args=args, grad=(), ours=Ours(UNCHECKED))


def record(recorder: Recorder) -> None:
    shapes_and_layouts(recorder)
    edges(recorder)
    other_types(recorder)
    errors(recorder)
    labels_out_of_range(recorder)
    if recorder.live:
        for dtype_name, dtype in FULL.items():
            shape = (150, 29, [150, 120, 90, 150], [40, 33, 1, 60])
            forms(make(recorder, f"large/{dtype_name}", shape, dtype), shape)
