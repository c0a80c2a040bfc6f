"""Writes the files of tensors that the tests of lib/io read, and compare their own with.

    python scripts/golden/files.py && npx biome check --write test/data/files

Needs PyTorch, NumPy, safetensors and huggingface_hub; the versions are recorded. The bytes of every tensor are those of
`pattern`, which test/unit/io/support.ts repeats.
"""

import base64
import json
import tempfile
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


def write(name: str, cases: dict, **versions: str) -> None:
    text = json.dumps({"versions": {"torch": torch.__version__, **versions}, "cases": cases}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors()
    write_sharded()
