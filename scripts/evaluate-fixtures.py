"""Writes test/data/arrays: small files as NumPy writes them, for the tests of what reads them.

    python scripts/evaluate-fixtures.py

Needs NumPy alone. Every array holds the numbers of `pattern`, which test/unit/evaluate/files-numpy.test.ts repeats, so
that the files need no second copy of their content.
"""

import json
import struct
from pathlib import Path

import numpy as np

directory = Path(__file__).resolve().parent.parent / "test" / "data" / "arrays"

DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]
SAFETENSORS = {
    "f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64",
    "u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64", "b1": "BOOL",
}  # fmt: skip


def pattern(dtype: str, rows: int, columns: int) -> np.ndarray:
    """The element at row i, column j is (7 i + 3 j) modulo 11; booleans say whether that is odd."""
    i, j = np.indices((rows, columns))
    numbers = (7 * i + 3 * j) % 11
    return (numbers % 2 == 1) if dtype == "b1" else numbers.astype(dtype)


def write_npy() -> None:
    for dtype in DTYPES:
        array = pattern(dtype, 5, 3)
        np.save(directory / f"c-little-{dtype}.npy", array)
        np.save(directory / f"fortran-little-{dtype}.npy", np.asfortranarray(array))
        if array.dtype.itemsize > 1:
            big = array.astype(array.dtype.newbyteorder(">"))
            np.save(directory / f"c-big-{dtype}.npy", big)
            np.save(directory / f"fortran-big-{dtype}.npy", np.asfortranarray(big))
    for version in [(1, 0), (2, 0), (3, 0)]:
        with open(directory / f"version-{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, pattern("f4", 5, 3), version=version)
    np.save(directory / "vector.npy", pattern("i8", 6, 1)[:, 0])
    np.save(directory / "none.npy", pattern("f4", 0, 3))


def write_refused() -> None:
    np.save(directory / "refused-scalar.npy", np.float32(1))
    np.save(directory / "refused-object.npy", np.array([None, 1], dtype=object), allow_pickle=True)
    np.save(directory / "refused-string.npy", np.array(["a", "bc"]))
    np.save(directory / "refused-complex.npy", np.array([1j, 2]))
    np.save(directory / "refused-date.npy", np.array(["2020-01-01"], dtype="M8[D]"))
    np.save(directory / "refused-structured.npy", np.zeros(2, dtype=[("x", "<f4"), ("y", "<i8", (2,))]))
    np.save(directory / "refused-longdouble.npy", np.zeros(2, dtype=np.longdouble))


def write_npz() -> None:
    members = {"logits": pattern("f4", 5, 3), "labels": pattern("i8", 5, 1)[:, 0]}
    members["transposed"] = np.asfortranarray(pattern("f8", 5, 3))
    np.savez(directory / "stored.npz", **members)
    np.savez_compressed(directory / "deflated.npz", **members)
    np.savez(directory / "single.npz", pattern("f4", 5, 3))


def write_safetensors() -> None:
    """The format by its description: the header's length, the header in JSON, the elements."""
    header: dict[str, object] = {"__metadata__": {"format": "np"}}
    data = b""
    tensors = [(SAFETENSORS[dtype], pattern(dtype, 5, 3).tobytes()) for dtype in DTYPES]
    # bfloat16 is the upper half of float32; the numbers of the pattern have no more bits.
    words = pattern("f4", 5, 3).view("u4")
    tensors.append(("BF16", (words >> 16).astype("<u2").tobytes()))
    for dtype, content in tensors:
        header[dtype] = {"dtype": dtype, "shape": [5, 3], "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (directory / "all.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    directory.mkdir(parents=True, exist_ok=True)
    write_npy()
    write_refused()
    write_npz()
    write_safetensors()
    print(f"NumPy {np.__version__} -> {directory.name}")
