"""AdaptiveLogSoftmaxWithLoss: frequent classes in a head, rare ones in clusters. There is only the module; here it
takes its parameters as arguments, and a case names which of its results it wants."""

import torch

from cases.common import FLOATING, FULL, HALF
from record import Group, Recorder
from tensors import LAYOUTS

MODULE = "AdaptiveLogSoftmaxWithLoss"


def adaptive_log_softmax_with_loss(
    input: torch.Tensor,
    target: torch.Tensor,
    head: torch.Tensor,
    *tail: torch.Tensor,
    result: str = "loss",
    head_bias: torch.Tensor | None = None,
    n_classes: int,
    cutoffs: list[int],
    **options: object,
) -> torch.Tensor:
    """`head` is the head's weight, `tail` the two weights of each cluster. `result` is `output` or `loss`, the two that
    a call gives, or the method `log_prob` or `predict`."""
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(
        head.shape[1], n_classes, cutoffs, head_bias=head_bias is not None, dtype=head.dtype, **options
    )
    own(module.head, head, head_bias)
    layers = [layer for cluster in module.tail for layer in cluster]
    for layer, weight in zip(layers, tail, strict=True):
        own(layer, weight)
    if result in ("log_prob", "predict"):
        return getattr(module, result)(input)
    return getattr(module(input, target), result)


def own(layer: torch.nn.Linear, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
    """Gives the layer tensors as its parameters, so that gradients reach them."""
    layer._parameters.update(weight=weight, bias=bias)


CALL = adaptive_log_softmax_with_loss

# Features, classes, cutoffs and div_value.
SIZES = {
    "two clusters": (8, 10, [3, 6], 2.0),
    "one cluster": (6, 7, [4], 4.0),
    "three clusters": (9, 13, [2, 5, 9], 1.5),
    "small head": (4, 5, [1, 2], 1.0),
}


class Sized:
    """A group of a module's parameters, and what its calls need."""

    def __init__(self, recorder: Recorder, name: str, size, dtype: torch.dtype, **tensors: torch.Tensor) -> None:
        features, classes, cutoffs, div_value = size
        draws = recorder.draws(name)
        head = cutoffs[0] + len(cutoffs)
        parameters = {"head": draws.normal((head, features), dtype, 0.5)}
        for i, (low, high) in enumerate(zip(cutoffs, [*cutoffs[1:], classes])):
            hidden = int(features // div_value ** (i + 1))
            parameters[f"in{i}"] = draws.normal((hidden, features), dtype, 0.5)
            parameters[f"out{i}"] = draws.normal((high - low, hidden), dtype, 0.5)
        self.parameters = tuple(parameters)
        bias = draws.normal((head,), dtype)
        self.group: Group = recorder.group(name, **tensors, **parameters, head_bias=bias)
        self.options = {"n_classes": classes, "cutoffs": cutoffs, "div_value": div_value}

    def case(self, name: str, input: str = "input", target: str = "target", grad: bool = True, **kwargs) -> None:
        parameters = (*self.parameters, *(["head_bias"] if "head_bias" in kwargs else []))
        options = {**self.options, **kwargs}
        args = (input, target, *self.parameters)
        self.group.case(name, args=args, grad=(input, *parameters) if grad else (), **options)

    def cases(self, prefix: str = "", input: str = "input", target: str = "target") -> None:
        for result in ("output", "loss"):
            self.case(f"{prefix}{result}", input, target, result=result)
            self.case(f"{prefix}{result},head_bias", input, target, result=result, head_bias="$head_bias")


def sizes(recorder: Recorder) -> None:
    for dtype_name, dtype in FLOATING.items():
        for name, size in SIZES.items() if dtype_name in FULL else [("two clusters", SIZES["two clusters"])]:
            draws = recorder.draws(f"{name}/{dtype_name}/input")
            input, target = draws.normal((6, size[0]), dtype), draws.indices((6,), size[1])
            tensors = {"input": input, "target": target, "row": input[0], "number": target[0]}
            sized = Sized(recorder, f"{name}/{dtype_name}", size, dtype, **tensors)
            sized.cases()
            sized.cases("unbatched,", "row", "number")
            sized.case("log_prob", result="log_prob", head_bias="$head_bias")
            sized.case("predict", grad=False, result="predict", head_bias="$head_bias")
            sized.case("predict, no bias", grad=False, result="predict")


def targets(recorder: Recorder) -> None:
    """Targets of one cluster only: the others get no gradient. One row, no row; the bounds of each cluster."""
    size = SIZES["two clusters"]
    for dtype_name, dtype in {**FULL, **HALF}.items():
        draws = recorder.draws(f"targets/{dtype_name}/input")
        input = draws.normal((4, 8), dtype)
        sized = Sized(
            recorder,
            f"targets/{dtype_name}",
            size,
            dtype,
            input=input,
            one=draws.normal((1, 8), dtype),
            no=torch.zeros((0, 8), dtype=dtype),
            head_only=torch.tensor([0, 2, 1, 1]),
            first=torch.tensor([3, 5, 4, 3]),
            last=torch.tensor([6, 9, 9, 7]),
            bounds=torch.tensor([2, 3, 6, 9]),
            one_target=torch.tensor([7]),
            no_target=torch.zeros(0, dtype=torch.int64),
        )
        for target in ("head_only", "first", "last", "bounds"):
            sized.cases(f"{target},", "input", target)
        sized.cases("one row,", "one", "one_target")
        sized.cases("no row,", "no", "no_target")
        sized.case("no row,log_prob", "no", "no_target", result="log_prob")
        sized.case("no row,predict", "no", "no_target", grad=False, result="predict")
        # Scores of the head that leave all rows to it, and none.
        for name, row in {"head": 0, "clusters": 3}.items():
            bias = torch.zeros(5, dtype=dtype).index_fill(0, torch.tensor([row]), 50.0)
            tensors = {"input": input, "target": torch.tensor([0, 1, 2, 3]), "chosen": bias}
            other = Sized(recorder, f"predict in {name}/{dtype_name}", size, dtype, **tensors)
            other.case("predict", grad=False, result="predict", head_bias="$chosen")
    for name, layout in LAYOUTS.items():
        draws = recorder.draws(f"{name}/input")
        input = layout(draws.normal((5, 8), torch.float32))
        sized = Sized(recorder, name, size, torch.float32, input=input, target=draws.indices((5,), 10))
        sized.cases()
    tensors = {"input": torch.ones((2, 16)), "target": torch.tensor([1, 7])}
    sized = Sized(recorder, "defaults", (16, 9, [3, 6], 4.0), torch.float32, **tensors)
    del sized.options["div_value"]
    sized.case("div_value")


def errors(recorder: Recorder) -> None:
    size = SIZES["two clusters"]
    draws = recorder.draws("errors/input")
    sized = Sized(
        recorder,
        "errors",
        size,
        torch.float32,
        input=draws.normal((3, 8), torch.float32),
        row=draws.normal((8,), torch.float32),
        cube=draws.normal((3, 2, 8), torch.float32),
        narrow=draws.normal((3, 7), torch.float32),
        double=draws.normal((3, 8), torch.float64),
        eight=torch.zeros(8, dtype=torch.int64),
        target=torch.tensor([0, 4, 9]),
        two=torch.tensor([0, 4]),
        number=torch.tensor(4),
        grid=torch.tensor([[0], [4], [9]]),
        high=torch.tensor([0, 10, 9]),
        low=torch.tensor([0, -1, 9]),
        int32=torch.tensor([0, 4, 9], dtype=torch.int32),
    )
    calls = [
        ("input", "two"),
        ("input", "number"),
        ("input", "grid"),
        ("input", "high"),
        ("input", "low"),
        ("input", "int32"),
        ("row", "eight"),
        ("row", "target"),
        ("cube", "target"),
        ("narrow", "target"),
        ("double", "target"),
    ]
    for input, target in calls:
        sized.case(f"input {input},target {target}", input, target, grad=False)
    wrong = [[], [0, 3], [3, 3], [6, 3], [-1, 3], [3, 10], [11], [2.5, 6]]
    for cutoffs in wrong:
        sized.case(f"cutoffs {cutoffs}", grad=False, cutoffs=cutoffs)


def record(recorder: Recorder) -> None:
    # Parameters and the choice of a result are not options of the module; the tests know what to make of them.
    recorder.module_options = None
    sizes(recorder)
    targets(recorder)
    errors(recorder)
    if recorder.live:
        for dtype_name, dtype in FULL.items():
            size = (64, 1000, [50, 200], 4.0)
            draws = recorder.draws(f"large/{dtype_name}/input")
            tensors = {"input": draws.normal((131, 64), dtype), "target": draws.indices((131,), 1000)}
            Sized(recorder, f"large/{dtype_name}", size, dtype, **tensors).cases()
