"""Runs cases in PyTorch and writes down what came out: value and gradient bits, warnings, or the error raised.

A file is JSON lines. A `group` line names tensors; the `case` lines after it call the operator with them. In a case,
`args` are the positional tensors by name, and a keyword whose value is `"$name"` is a tensor too.
"""

import dis
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType

import torch

from encode import encode_input, encode_result, line
from tensors import Draws

Call = Callable[..., "torch.Tensor | bool"]


class Recorder:
    """The cases of one operator."""

    def __init__(self, op: str, call: Call, live: bool = False) -> None:
        self.op = op
        self.call = call
        self.live = live
        self.lines: list[str] = []
        self.count = 0
        self._names: set[str] = set()

    def draws(self, name: str) -> Draws:
        """The generator of random tensors for that name within this operator."""
        return Draws(f"{self.op}/{name}")

    def group(self, name: str, **tensors: torch.Tensor) -> "Group":
        """Tensors that the cases after it share."""
        self.write({"group": name, "tensors": {key: encode_input(tensor) for key, tensor in tensors.items()}})
        return Group(self, name, tensors)

    def write(self, record: dict[str, object]) -> None:
        self.lines.append(line(record))

    def claim(self, name: str) -> None:
        """Counts a case; names must be unique."""
        if name in self._names:
            raise ValueError(f"two cases are named {self.op}/{name}")
        self._names.add(name)
        self.count += 1


class Group:
    """Some tensors and the cases that use them."""

    def __init__(self, recorder: Recorder, name: str, tensors: dict[str, torch.Tensor]) -> None:
        self.recorder = recorder
        self.name = name
        self.tensors = tensors

    def case(
        self,
        name: str,
        *,
        args: Iterable[str] = ("input", "target"),
        grad: Iterable[str] = ("input",),
        **kwargs: object,
    ) -> None:
        """Calls the operator, runs backward from a random upstream gradient if `grad` names tensors, and records it."""
        self.recorder.claim(f"{self.name}/{name}")
        record: dict[str, object] = {"case": name, "args": list(args), "kwargs": kwargs, "grad": list(grad)}
        leaves = {key: tensor.detach() for key, tensor in self.tensors.items()}
        for key in record["grad"]:
            leaves[key].requires_grad_()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._run(record, leaves)
        if caught:
            record["warnings"] = sorted({str(warning.message) for warning in caught})
        self.recorder.write(record)

    def _run(self, record: dict[str, object], leaves: dict[str, torch.Tensor]) -> None:
        args = [leaves[key] for key in record["args"]]
        kwargs = {
            key: leaves[value[1:]] if isinstance(value, str) and value.startswith("$") else value
            for key, value in record["kwargs"].items()
        }
        try:
            value = self.recorder.call(*args, **kwargs)
        except Exception as error:
            record["error"] = describe(error, "forward")
            return
        record["value"] = value if isinstance(value, bool) else encode_result(value)
        if record["grad"]:
            self._backward(record, value, leaves)

    def _backward(self, record: dict[str, object], value: torch.Tensor, leaves: dict[str, torch.Tensor]) -> None:
        draws = self.recorder.draws(f"{self.name}/{record['case']}/upstream")
        upstream = draws.normal(value.shape, value.dtype)
        record["upstream"] = encode_result(upstream)
        try:
            value.backward(upstream)
        except Exception as error:
            record["error"] = describe(error, "backward")
            return
        grads = {key: leaves[key].grad for key in record["grad"]}
        record["grads"] = {key: None if grad is None else encode_result(grad) for key, grad in grads.items()}


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
