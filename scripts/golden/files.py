"""Writes the files of tensors that the tests of lib/io read, and compare their own with.

    python scripts/golden/files.py && npx biome check --write test/data/files

Needs PyTorch, NumPy, safetensors and huggingface_hub; the versions are recorded. The bytes of every tensor are those of
`pattern`, which test/unit/io/support.ts repeats.
"""

import base64
import io
import json
import math
import struct
import tempfile
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import huggingface_hub
import safetensors
import torch
from safetensors.torch import save

folder = Path(__file__).resolve().parent.parent.parent / "test" / "data" / "files"

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


SAFETENSORS = {
    "every dtype": ([[f"{i}.{dtype}", dtype, [2, 3]] for i, dtype in enumerate(DTYPES)], None),
    "every dtype, of odd sizes": ([[f"{dtype}", dtype, [i % 4 + 1]] for i, dtype in enumerate(DTYPES)], {"format": "pt"}),
    "nothing": ([], None),
    "nothing but metadata": ([], {"a": "b"}),
    "empty metadata": ([["x", "float32", [1]]], {}),
    "no elements, no dimensions": ([["none", "float32", [0, 3]], ["one", "int64", []], ["two", "bool", []]], None),
    "order of names": (
        [[name, "float32", [1]] for name in ["b", "a", "B", "10", "9", "", "é", "\U0001f600", "\uffff", "a.b", "a_b"]],
        None,
    ),
    "escapes": ([['"\\\n\t\u0001\u007f\u2028/', "uint8", [3]]], {'k"': "\u0000\u001f\b\f\r\u00e9\U0001f600</"}),
    "padded by 7": ([["seven", "uint8", [5]], ["1", "int16", [1]]], None),
}


def write_safetensors() -> None:
    cases = {}
    for name, (tensors, metadata) in SAFETENSORS.items():
        made = {key: pattern(dtype, shape, seed) for seed, (key, dtype, shape) in enumerate(tensors)}
        data = save(made, metadata)
        cases[name] = {"tensors": tensors, "metadata": metadata, "bytes": base64.b64encode(data).decode()}
    write("safetensors", cases, safetensors=safetensors.__version__)


def write_sharded() -> None:
    """What Hugging Face's library writes of tensors, in files of at most so many bytes."""
    names = [["a.weight", "float32", [8, 4]], ["a.bias", "float32", [8]], ["big", "float64", [40]], ["é", "int64", [5]]]
    cases = {}
    for name, most, metadata, tied in [
        ("two files and a larger one", 200, {}, False),
        ("metadata", 170, {"note": "é\U0001f600"}, False),
        ("shared memory", 200, {}, True),
        ("one file", 10_000, {}, False),
        ("units", "0.2KB", {}, False),
    ]:
        tensors = {key: pattern(dtype, shape, seed) for seed, (key, dtype, shape) in enumerate(names)}
        if tied:
            tensors["tied"] = tensors["a.weight"]
        with tempfile.TemporaryDirectory() as into:
            huggingface_hub.save_torch_state_dict(tensors, into, max_shard_size=most, metadata=dict(metadata))
            files = {path.name: base64.b64encode(path.read_bytes()).decode() for path in sorted(Path(into).iterdir())}
        cases[name] = {"tensors": names, "tied": tied, "most": most, "metadata": metadata, "files": files}
    write("sharded", cases, huggingface_hub=huggingface_hub.__version__)


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
        "numbers": [0, 1, 255, 256, 65535, 65536, -1, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, 2**53 + 1, -(2**70), 2**2040],
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


def saved(value: object, **options: object) -> bytes:
    into = io.BytesIO()
    torch.save(value, into, **options)
    return into.getvalue()


def rewritten(data: bytes, change, compression: int = zipfile.ZIP_STORED) -> bytes:
    """The same archive with changed records, as Python's zipfile writes it."""
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(into, "w", compression) as other:
        for name in archive.namelist():
            record = change(name, archive.read(name))
            if record is not None:
                other.writestr(zipfile.ZipInfo(name), record, compression)
    return into.getvalue()


def big_endian(name: str, record: bytes) -> bytes:
    """The record of a file of float32, complex64 and uint8 tensors on a machine with the other order of bytes."""
    if name.endswith("byteorder"):
        return b"big"
    if "/data/" not in name or name.endswith("/2"):
        return record
    return b"".join(record[at : at + 4][::-1] for at in range(0, len(record), 4))


def pt_files() -> dict[str, tuple[object, bytes]]:
    cases = {name: (value, saved(value)) for name, value in pt_values().items()}
    value = {"x": pattern("float32", [3]), "c": pattern("complex64", [2]), "u": pattern("uint8", [3])}
    for protocol in (3, 4, 5):
        mixed = {**value, "bytes": b"\x00\xff", "array": bytearray(b"x"), "set": {1}, "big": 2**40, "text": "x" * 300}
        cases[f"protocol {protocol}"] = (mixed, saved(mixed, pickle_protocol=protocol))
    data = saved(value)
    cases["deflated"] = (value, rewritten(data, lambda _, record: record, zipfile.ZIP_DEFLATED))
    cases["without a mark of the byte order"] = (
        value,
        rewritten(data, lambda name, record: None if "byteorder" in name or "/." in name else record),
    )
    cases["big-endian"] = (value, rewritten(data, big_endian))
    torch.serialization.set_crc32_options(False)
    cases["without checksums"] = (value, saved(value))
    torch.serialization.set_crc32_options(True)
    return cases


def write_pt() -> None:
    cases = {}
    for name, (value, data) in pt_files().items():
        text = json.dumps(Canonical().of(value), separators=(",", ":"))
        cases[name] = {"value": text, "bytes": base64.b64encode(data).decode()}
    write("pt", cases)
    refused = {
        "a module": saved(torch.nn.Linear(2, 2)),
        "a function": saved({"f": math.sqrt, "x": torch.ones(1)}),
        "a class of one's own": saved([Canonical()]),
        "quantized": saved(torch._empty_affine_quantized([2], scale=1.0, zero_point=0, dtype=torch.quint8)),
        "uint16": saved(torch.ones(2).to(torch.uint16)),
        "a storage": saved(torch.ones(2).untyped_storage()),
        "a class": saved(OrderedDict),
        "an attribute": saved(with_attribute()),
        "before 1.6": saved(torch.ones(2), _use_new_zipfile_serialization=False),
        "TorchScript": script(),
        "frozenset": saved(frozenset([1])),
    }
    write("pt-refused", {name: {"bytes": base64.b64encode(data).decode()} for name, data in refused.items()})


def with_attribute() -> torch.Tensor:
    tensor = torch.ones(2)
    tensor.note = "x"
    return tensor


def script() -> bytes:
    into = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), into)
    return into.getvalue()


def write(name: str, cases: dict, **versions: str) -> None:
    text = json.dumps({"versions": {"torch": torch.__version__, **versions}, "cases": cases}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors()
    write_sharded()
    write_pt()
