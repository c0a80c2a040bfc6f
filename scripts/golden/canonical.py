"""Values for files of tensors, and what tests compare of them: scripts/golden/files.py and test/live/files.py use both.

Needs PyTorch alone.
"""

import math
import struct
from collections import Counter, OrderedDict

import torch

DTYPES = [
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64",
]  # fmt: skip


def pattern(dtype: str, shape: list[int], seed: int = 0) -> torch.Tensor:
    """Byte k of the elements is (37 k + 11 + seed) modulo 251; booleans say whether that is odd."""
    dtype = getattr(torch, dtype)
    count = torch.Size(shape).numel() * dtype.itemsize
    data = ((torch.arange(count) * 37 + 11 + seed) % 251).to(torch.uint8)
    if dtype == torch.bool:
        data = data % 2
    return data.view(dtype).reshape(shape)


class Canonical:
    """Values as JSON that says all of them, as test/unit/io/canonical.ts has it. Numbers are what JavaScript makes of them."""

    def __init__(self) -> None:
        self.storages: list[int] = []

    def of(self, value: object) -> object:
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return {"number": str(value)}
        if isinstance(value, float):
            whole = math.isfinite(value) and value == int(value) and abs(value) < 2**53 and str(value) != "-0.0"
            return {"number": str(int(value))} if whole else {"float": struct.pack(">d", value).hex()}
        if isinstance(value, complex):
            return {"complex": [self.of(value.real), self.of(value.imag)]}
        if isinstance(value, (bytes, bytearray)):
            return {"bytes": value.hex()}
        if isinstance(value, list):
            return {"list": [self.of(item) for item in value]}
        if isinstance(value, tuple):
            return {"tuple": [self.of(item) for item in value]}
        if isinstance(value, set):
            return {"set": [self.of(item) for item in sorted(value)]}
        if isinstance(value, dict):
            found = {"dict": [[self.of(key), self.of(item)] for key, item in value.items()]}
            return found | ({"_metadata": self.of(value._metadata)} if hasattr(value, "_metadata") else {})
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        return str(value).removeprefix("torch.")

    def tensor(self, value: torch.Tensor) -> object:
        kind = "parameter" if isinstance(value, torch.nn.Parameter) else "tensor"
        facts = [str(value.dtype).removeprefix("torch."), list(value.shape), value.requires_grad]
        if value.layout != torch.strided:
            parts = [self.of(value._indices()), self.of(value._values()), value.is_coalesced()]
            return {"sparse": facts + parts}
        if value.device.type == "meta":
            return {"meta": facts + [list(value.stride())]}
        storage = value.untyped_storage()
        if storage.nbytes() > 0 and storage.data_ptr() not in self.storages:
            self.storages.append(storage.data_ptr())
        number = self.storages.index(storage.data_ptr()) if storage.nbytes() > 0 else -1
        plain = value.detach().resolve_conj().resolve_neg().contiguous().view(-1)
        elements = bytes(plain.view(torch.uint8).tolist()).hex() if plain.numel() > 0 else ""
        return {kind: facts + [list(value.stride()), value.storage_offset(), number, storage.nbytes(), elements]}


def checkpoint() -> dict:
    """A model with tied weights and buffers, and an optimizer after two steps."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3, bias=False))
    model.add_module("tied", torch.nn.Linear(4, 3))
    model.tied.weight = model[2].weight
    optimizer = torch.optim.AdamW([{"params": model[0].parameters(), "lr": 0.5}, {"params": model[2].parameters()}])
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 1, 3])
    for _ in range(2):
        model[2](model[1](model[0](torch.randn(5, 3)))).sum().backward()
        optimizer.step()
        scheduler.step()
    return {
        "epoch": 3,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.arange(16, dtype=torch.uint8),
    }


def pt_values() -> dict[str, object]:
    base = pattern("float32", [4, 6])
    buffer = torch.nn.Buffer(pattern("float32", [2]))
    shared = ["a", "list"]
    return {
        "a tensor": pattern("float32", [2, 3]),
        "every dtype": {dtype: pattern(dtype, [3, 2], seed) for seed, dtype in enumerate([*DTYPES, "complex128"])},
        "numbers": [0, 1, 255, 256, 65535, 65536, -1, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, 2**53 + 1, -(2**70), 2**2039 - 1],
        "floats": [0.1, -0.0, 1.0, 1e300, math.inf, -math.inf, math.nan, 5e-324],
        "texts": ["", "a", "\u00e9\U0001f600\n\0", "x" * 300, b"", b"\x00\xff", bytearray(b"\x01"), "a"],
        "containers": {
            "list": [[], [1], [1, 2]], "tuple": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "set": {1, 2}, "no set": set(),
            "dict": {1: "int", "1": "str", None: "none", (1, "a"): "tuple", 2.5: "float"}, "empty": {},
            "ordered": OrderedDict([("b", 1), ("a", 2)]), "counter": Counter([3, 1, 3]), "shared": [shared, shared],
            "none": None, "true": True, "false": False, "complex": 1 - 2.5j,
        },
        "names": [torch.float16, torch.bool, torch.device("cpu"), torch.device("cuda", 1), torch.Size([2, 3]), torch.strided],
        "many items": [list(range(1001)), {i: i for i in range(1001)}],
        "shared storages": {"base": base, "row": base[1], "column": base[:, 2], "t": base.t(), "again": base, "flat": base.view(-1)},
        "strides": [base[::2, ::3], base.flip(0)[1:], torch.ones(1).expand(3, 4), torch.zeros(0, 3), base[4:], torch.tensor(7)],
        "parameters": [torch.nn.Parameter(pattern("float32", [2])), torch.nn.Parameter(pattern("int64", [2]), requires_grad=False)],
        "gradients": [torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True) * 2],
        "buffer": buffer,
        "views": [pattern("complex64", [3]).conj(), pattern("complex64", [3]).conj().imag],
        "meta": torch.empty_strided((2, 3), (1, 2), device="meta"),
        "sparse": [torch.eye(3).to_sparse(), torch.sparse_coo_tensor([[1, 1]], [2.0, 3.0], (4,))],
        "nested": {"a": [{"b": (OrderedDict(c=[torch.ones(1)]),)}]},
        "checkpoint": checkpoint(),
    }
