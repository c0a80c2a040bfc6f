"""Writes the files of tensors that the tests of lib/io read, and compare their own with.

    python scripts/golden/files.py && npx biome check --write test/data/files

Needs PyTorch, NumPy, safetensors and huggingface_hub; the versions are recorded. The bytes of every tensor are those of
`pattern`, which test/unit/io/support.ts repeats.
"""

import base64
import io
import json
import math
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import huggingface_hub
import safetensors
import torch
from canonical import DTYPES, Canonical, pattern, pt_values
from safetensors.torch import save

folder = Path(__file__).resolve().parent.parent.parent / "test" / "data" / "files"

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
    # Python itself reads such a one only without weights_only.
    cases["a longer integer"] = (2**2040, saved(2**2040))
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
