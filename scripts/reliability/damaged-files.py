"""Records what NumPy and safetensors make of damaged files, for test/unit/evaluate/files-damaged.test.ts.

    python scripts/reliability/damaged-files.py [--seed 1] [--random 1000]

Writes test/data/damaged.json. A case is a file of test/data/arrays with splices, `[at, removed, inserted as hex]`, and
for each array in it what the reference said: null if it refused, else the SHA-256 of its elements as float64, in C order,
with every NaN the same, and its shape. Needs NumPy and safetensors; the versions are recorded.
"""

import argparse
import hashlib
import io
import json
import platform
import random
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import safetensors

root = Path(__file__).resolve().parent.parent.parent
arrays = root / "test" / "data" / "arrays"

Splice = tuple[int, int, bytes]

BASES = [
    "c-little-f4.npy", "fortran-big-i4.npy", "c-little-u2.npy", "version-2.npy", "version-3.npy", "vector.npy",
    "c-little-b1.npy", "none.npy", "stored.npz", "deflated.npz", "single.npz", "all.safetensors",
]  # fmt: skip

HEADERS = [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': [5, 3]}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3.0)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (05, 3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5L, 3L)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3), 'x': 1}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (5, 3)}",
    "{'descr': '<f4', 'fortran_order': None, 'shape': (5, 3)}",
    "{'descr': '<f4', 'shape': (5, 3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': 15}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (15)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (15,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-5, -3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3, -1)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 4)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 15)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': ('5', 3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)} # a remark",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}; 1",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)},",
    "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (5, 3)}",
    "({'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)})",
    "  {'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}",
    "\n{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}",
    "\n {'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<f4',\n'fortran_order': False,\n 'shape': (5, 3)}",
    "{'descr': '<f4',, 'fortran_order': False, 'shape': (5, 3)}",
    "{,'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<f4' 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '|f4', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<f04', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': ' <f4', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<f4 ', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '(3,)<f4', 'fortran_order': False, 'shape': (5,)}",
    "{'descr': '<f4,<f4,<f4', 'fortran_order': False, 'shape': (5,)}",
    "{'descr': 'float32', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<g4', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<f3', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<b4', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<u4', 'fortran_order': True, 'shape': (5, 3)}",
    "{'descr': '>f4', 'fortran_order': True, 'shape': (3, 5)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}\x00",
    "{'descr': '<f4\x00', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5,\xa03)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5,, 3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}" + " " * 9900,
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3)}" + " " * 10100,
    "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (5, 3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, --3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, +3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 0x3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1_5,)}",
    "{'descr': b'<f4', 'fortran_order': False, 'shape': (5, 3)}",
]

X = '"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
JSONS = [
    (f"{{{X}}}", 8),
    (f" {{{X}}}", 8),
    (f"{{{X}}}   ", 8),
    (f"{{{X}}}\x00", 8),
    (f"{{{X},{X}}}", 8),
    ('{"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[-0,2],"data_offsets":[0,0]}}', 0),
    ('{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":{"0":2},"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0.0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}', 12),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 9),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 7),
    ('{"x":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F33","shape":[],"data_offsets":[8,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F4","shape":[4],"data_offsets":[8,10]}}', 10),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F4","shape":[3],"data_offsets":[8,10]}}', 10),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"C64","shape":[1],"data_offsets":[8,16]}}', 16),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[8,9]}}', 9),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}', 12),
    ('{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}', 0),
    ('{"x":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]}}', 0),
    ('{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}', 0),
    ('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1.5}}', 8),
    (f'{{"__metadata__":{{"a":"b"}},{X}}}', 8),
    (f'{{"__metadata__":{{"a":1}},{X}}}', 8),
    (f'{{"__metadata__":null,{X}}}', 8),
    (f'{{"__metadata__":[],{X}}}', 8),
    (f'{{"__metadata__":{{}},"__metadata__":{{}},{X}}}', 8),
    (f'{{"__metadata__":{{"a":"b","a":"c"}},{X}}}', 8),
    (X.replace('"x"', '{"\\ud800"') + "}", 8),
    (f"{{{X},}}", 8),
    (f"{{{X}}}{{}}", 8),
    (f"[{{{X}}}]", 8),
    ("{}", 0),
    ("{}", 8),
    ("", 0),
    ("null", 0),
    (f"\ufeff{{{X}}}", 8),
    (f"/**/{{{X}}}", 8),
    (X.replace('"x":', "{x:") + "}", 8),
    (X.replace("[2]", "[02]").replace('"x"', '{"x"') + "}", 8),
]  # fmt: skip


def whole(base: str, content: bytes) -> list[Splice]:
    return [(0, (arrays / base).stat().st_size, content)]


def made_cases() -> list[tuple[str, list[Splice]]]:
    data = (np.arange(15, dtype="<f4") / 4).tobytes()
    cases = []
    for text in HEADERS:
        for version in (1, 2, 3):
            encoded = text.encode("latin1" if version < 3 else "utf8") + b"\n"
            size = struct.pack("<H" if version == 1 else "<I", len(encoded))
            start = b"\x93NUMPY" + bytes([version, 0]) + size
            cases.append(("vector.npy", whole("vector.npy", start + encoded + data)))
    for text, size in JSONS:
        encoded = text.encode("utf8", "surrogatepass")
        content = struct.pack("<Q", len(encoded)) + encoded + bytes(range(size))
        cases.append(("all.safetensors", whole("all.safetensors", content)))
    return cases + zip_cases()


def zip_cases() -> list[tuple[str, list[Splice]]]:
    """Each field of the local and central headers and of the end of an archive, replaced."""
    cases = []
    for base in ("single.npz", "deflated.npz"):
        bytes_ = (arrays / base).read_bytes()
        central = bytes_.index(b"PK\x01\x02")
        end = bytes_.rindex(b"PK\x05\x06")
        for start, size in ((0, 30), (central, 46), (end, 22)):
            for at in range(start, start + size, 2):
                for value in (b"\x00\x00", b"\xff\xff", b"\x01\x00"):
                    if bytes_[at : at + 2] != value:
                        cases.append((base, [(at, 2, value)]))
        cases.append((base, [(30, 1, b"y")]))
        cases.append((base, [(central + 46, 1, b"y")]))
    return cases


def random_case(rng: random.Random) -> tuple[str, list[Splice]]:
    base = rng.choice(BASES)
    size = (arrays / base).stat().st_size
    splices = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        near = rng.choice([size, min(size, 128), 64])
        at = size - 1 - rng.randrange(min(size, 128)) if rng.random() < 0.2 else rng.randrange(near)
        kind = rng.randrange(5)
        value = bytes([rng.choice([0, 1, 0x7F, 0x80, 0xFF, 0x28, 0x2D, 0x39, 0x7B, 0x22, 0x20, 0x2C, rng.randrange(256)])])
        splices.append([(at, 1, value), (at, 0, value), (at, 1, b""), (at, rng.randrange(9), b""), (at, size, b"")][kind])
    return base, splices


def spliced(base: str, splices: list[Splice]) -> bytes:
    content = (arrays / base).read_bytes()
    for at, removed, inserted in splices:
        content = content[:at] + inserted + content[at + removed :]
    return content


def digest(array: np.ndarray) -> dict:
    numbers = array.view("u1") != 0 if array.dtype == bool else array
    values = np.array(numbers, dtype="<f8", order="C")
    values[np.isnan(values)] = np.nan
    return {"shape": list(array.shape), "sha256": hashlib.sha256(values.tobytes()).hexdigest()[:16]}


def from_safetensors(tensor: dict) -> np.ndarray:
    data = bytes(tensor["data"])
    if tensor["dtype"] == "BF16":
        array = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    else:
        kinds = {"F": "f", "I": "i", "U": "u", "B": "b"}
        size = 1 if tensor["dtype"] == "BOOL" else int(tensor["dtype"][1:]) // 8
        array = np.frombuffer(data, f"<{kinds[tensor['dtype'][0]]}{size}")
    return array.reshape(tensor["shape"])


def verdicts(base: str, content: bytes) -> dict:
    """By the name of the array; the name of the only one of a .npy file is empty."""
    found: dict = {}
    if base.endswith(".npy"):
        found[""] = attempt(lambda: np.load(io.BytesIO(content), allow_pickle=False), np.ndarray)
    elif base.endswith(".npz"):
        with zipfile.ZipFile(arrays / base) as original:
            names = [name.removesuffix(".npy") for name in original.namelist()]
        for name in names:
            found[name] = attempt(lambda name=name: member(content, name), np.ndarray)
    else:
        names = [name for name, _ in safetensors.deserialize((arrays / base).read_bytes())] + ["x"]
        try:
            tensors = dict(safetensors.deserialize(content))
        except Exception:
            tensors = {}
        for name in names:
            known = name in tensors and tensors[name]["dtype"] in ("BOOL", "BF16", "F16", "F32", "F64", "I8", "I16", "I32",
                "I64", "U8", "U16", "U32", "U64")  # fmt: skip
            found[name] = attempt(lambda name=name: from_safetensors(tensors[name]), np.ndarray) if known else None
    return found


def member(content: bytes, name: str) -> np.ndarray:
    loaded = np.load(io.BytesIO(content), allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise ValueError("no archive")
    return loaded[name]


def attempt(load, kind) -> dict | None:
    try:
        array = load()
        return digest(array) if isinstance(array, kind) and array.dtype.kind in "fiub" else None
    except Exception:
        return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", type=int, default=1000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = random.Random(options.seed)
    cases = made_cases() + [random_case(rng) for _ in range(options.random)]
    lines = []
    for base, splices in cases:
        written = [[at, removed, inserted.hex()] for at, removed, inserted in splices]
        lines.append(json.dumps([base, written, verdicts(base, spliced(base, splices))], separators=(",", ":")))
    versions = {"numpy": np.__version__, "safetensors": safetensors.__version__, "python": platform.python_version()}
    head = json.dumps({"versions": versions, "seed": options.seed})
    text = head[:-1] + ',"cases":[\n' + ",\n".join(lines) + "\n]}\n"
    (root / "test" / "data" / "damaged.json").write_text(text)
    accepted = sum(any(verdict is not None for verdict in verdicts(*case_of(line)).values()) for line in lines)
    print(f"{len(cases)} cases, {accepted} with an array that the reference reads")


def case_of(line: str) -> tuple[str, bytes]:
    base, splices, _ = json.loads(line)
    return base, spliced(base, [(at, removed, bytes.fromhex(inserted)) for at, removed, inserted in splices])


if __name__ == "__main__":
    main()
