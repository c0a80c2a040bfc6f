"""Runs cases in PyTorch and writes down what came out: value and gradient bits, warnings, or the error raised.

A file is JSON lines. A `group` line names tensors; the `case` lines after it call the operator with them. In a case,
`args` are the positional arguments: tensors by name, or a number or a list of numbers itself. A keyword whose value is
`"$name"` is a tensor too; numbers that JSON lacks stand as `"Infinity"`, `"-Infinity"` and `"NaN"`.
"""

import dis
import inspect
import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType

import torch

from encode import encode_input, encode_result, line
from tensors import Draws

Call = Callable[..., "torch.Tensor | bool"]
Argument = str | float | list[int]


@dataclass(frozen=True)
class Ours:
    """Where PyTorch is wrong, unsafe or random: what this library gives in its place, and why.

    Either PyTorch is asked with other `tensors` than the case's, or `value` is the answer and the gradients are zeros,
    or the call is refused.
    """

    because: str
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    value: torch.Tensor | None = None


class Recorder:
    """The cases of one operator."""

    def __init__(self, op: str, call: Call, live: bool = False, module: str | None = None) -> None:
        self.op = op
        self.call = call
        self.live = live
        # What the module can be given; without a module, whatever the function takes.
        self.module_options = set(inspect.signature(getattr(torch.nn, module)).parameters) if module else None
        self.count = 0
        # The cases of a group stand after it, whatever the order in which they are run.
        self._blocks: list[list[str]] = []
        self._names: set[str] = set()

    def draws(self, name: str) -> Draws:
        """The generator of random tensors for that name within this operator."""
        return Draws(f"{self.op}/{name}")

    def group(self, name: str, **tensors: torch.Tensor) -> "Group":
        """Tensors that the cases after it share."""
        record = {"group": name, "tensors": {key: encode_input(tensor) for key, tensor in tensors.items()}}
        return Group(self, name, tensors, self.write(record))

    def text(self) -> str:
        """The file."""
        return "".join(part for block in self._blocks for part in block)

    def module_takes(self, options: Iterable[str]) -> bool:
        """Whether the module has these options; some are the function's alone."""
        return self.module_options is None or self.module_options.issuperset(options)

    def write(self, record: dict[str, object]) -> list[str]:
        """Adds a line, and gives the block of lines that it begins."""
        block = [line(record)]
        self._blocks.append(block)
        return block

    def claim(self, name: str) -> None:
        """Counts a case; names must be unique."""
        if name in self._names:
            raise ValueError(f"two cases are named {self.op}/{name}")
        self._names.add(name)
        self.count += 1


class Group:
    """Some tensors and the cases that use them."""

    def __init__(self, recorder: Recorder, name: str, tensors: dict[str, torch.Tensor], block: list[str]) -> None:
        self.recorder = recorder
        self._block = block
        self.name = name
        self.tensors = tensors

    def case(
        self,
        name: str,
        *,
        args: Iterable[Argument] = ("input", "target"),
        grad: Iterable[str] = ("input",),
        function_only: bool = False,
        ours: Ours | None = None,
        **kwargs: object,
    ) -> None:
        """Calls the operator, runs backward from a random upstream gradient if `grad` names tensors, and records it."""
        self.recorder.claim(f"{self.name}/{name}")
        args, grad = list(args), list(grad)
        options = {key: finite(value) for key, value in kwargs.items()}
        record: dict[str, object] = {"case": name, "args": args, "kwargs": options, "grad": grad}
        if function_only or not self.recorder.module_takes(kwargs):
            record["form"] = "function"
        if ours is not None:
            record["ours"] = ours.because
        tensors = {**self.tensors, **(ours.tensors if ours else {})}
        leaves = {key: tensor.detach().requires_grad_(key in grad) for key, tensor in tensors.items()}
        if ours is None or ours.tensors:
            self._ask(record, kwargs, leaves)
        elif ours.value is None:
            record["error"] = {"stage": "forward", "type": "ValueError", "message": ours.because, "raised_by": "ours"}
        else:
            self._answer(record, ours.value)
        self._block.append(line(record))

    def _ask(self, record: dict[str, object], kwargs: dict[str, object], leaves: dict[str, torch.Tensor]) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._run(record, kwargs, leaves)
        if caught:
            record["warnings"] = sorted({str(warning.message) for warning in caught})

    def _answer(self, record: dict[str, object], value: torch.Tensor) -> None:
        record["value"] = encode_result(value)
        if record["grad"]:
            record["upstream"] = encode_result(self._upstream(record, value))
            record["grads"] = {key: encode_result(torch.zeros_like(self.tensors[key])) for key in record["grad"]}

    def _upstream(self, record: dict[str, object], value: torch.Tensor) -> torch.Tensor:
        return self.recorder.draws(f"{self.name}/{record['case']}/upstream").normal(value.shape, value.dtype)

    def _run(self, record: dict[str, object], kwargs: dict[str, object], leaves: dict[str, torch.Tensor]) -> None:
        args = [leaves[argument] if isinstance(argument, str) else argument for argument in record["args"]]
        options = {
            key: leaves[value[1:]] if isinstance(value, str) and value.startswith("$") else value
            for key, value in kwargs.items()
        }
        try:
            value = self.recorder.call(*args, **options)
        except Exception as error:
            record["error"] = describe(error, "forward")
            return
        record["value"] = value if isinstance(value, bool) else encode_result(value)
        if record["grad"]:
            self._backward(record, value, leaves)

    def _backward(self, record: dict[str, object], value: torch.Tensor, leaves: dict[str, torch.Tensor]) -> None:
        upstream = self._upstream(record, value)
        record["upstream"] = encode_result(upstream)
        try:
            value.backward(upstream)
        except Exception as error:
            record["error"] = describe(error, "backward")
            return
        grads = {key: leaves[key].grad for key in record["grad"]}
        record["grads"] = {key: None if grad is None else encode_result(grad) for key, grad in grads.items()}


def finite(value: object) -> object:
    """A keyword's value as JSON has it."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def describe(error: Exception, stage: str) -> dict[str, object]:
    """An error: its type and message, and whether Python code or libtorch raised it."""
    raised_by = "python" if _raised_in_python(error.__traceback__) else "native"
    return {"stage": stage, "type": type(error).__name__, "message": str(error), "raised_by": raised_by}


def _raised_in_python(traceback: TracebackType | None) -> bool:
    """An error of native code surfaces at a call instruction; Python's own at `raise`."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    steps = dis.get_instructions(traceback.tb_frame.f_code)
    return any(step.offset == traceback.tb_lasti and step.opname == "RAISE_VARARGS" for step in steps)
