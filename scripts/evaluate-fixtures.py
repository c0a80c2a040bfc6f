"""Writes the files that the tests of evaluations read.

    python scripts/evaluate-fixtures.py           test/data/arrays: small files as NumPy writes them; needs NumPy alone
    python scripts/evaluate-fixtures.py --digits  test/data/digits: a classifier's outputs, and what PyTorch says of them

Every array of the first kind holds the numbers of `pattern`, which test/unit/evaluate/files-numpy.test.ts repeats, so
that the files need no second copy of their content.
"""

import argparse
import gzip
import json
import struct
from pathlib import Path

import numpy as np

root = Path(__file__).resolve().parent.parent
directory = root / "test" / "data" / "arrays"
digits = root / "test" / "data" / "digits"

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


def save_safetensors(path: Path, tensors: dict[str, tuple[str, list[int], bytes]]) -> None:
    """The format by its description: the header's length, the header in JSON, the elements."""
    header: dict[str, object] = {"__metadata__": {"format": "np"}}
    data = b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_safetensors() -> None:
    tensors = {SAFETENSORS[dtype]: (SAFETENSORS[dtype], [5, 3], pattern(dtype, 5, 3).tobytes()) for dtype in DTYPES}
    # bfloat16 is the upper half of float32; the numbers of the pattern have no more bits.
    words = pattern("f4", 5, 3).view("u4")
    tensors["BF16"] = ("BF16", [5, 3], (words >> 16).astype("<u2").tobytes())
    save_safetensors(directory / "all.safetensors", tensors)


def classify_digits() -> tuple[np.ndarray, np.ndarray]:
    """Logits float32 [360, 10] and labels int64 [360] of the digits that a linear classifier did not see."""
    with gzip.open(root / "examples" / "quickstart" / "data" / "digits.csv.gz", "rt", encoding="ascii") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.int64)
    pixels, labels = (table[:, :64] / 16).astype(np.float32), table[:, 64]
    weight, bias = np.zeros((64, 10), dtype=np.float32), np.zeros(10, dtype=np.float32)
    seen = len(labels) - 360
    wanted = np.eye(10, dtype=np.float32)[labels[:seen]]
    for _ in range(200):
        logits = pixels[:seen] @ weight + bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = (powers / powers.sum(axis=1, keepdims=True) - wanted) / np.float32(seen)
        weight -= 2 * (pixels[:seen].T @ error)
        bias -= 2 * error.sum(axis=0)
    return pixels[seen:] @ weight + bias, labels[seen:]


def calibration_error(confidences: np.ndarray, hits: np.ndarray) -> float:
    """The expected calibration error over 15 bins (low, high]."""
    edges = np.linspace(0, 1, 16)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        own = (confidences > low) & (confidences <= high)
        if own.any():
            error += own.mean() * abs(confidences[own].mean() - hits[own].mean())
    return float(error)


def write_digits() -> None:
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(1)
    logits, labels = classify_digits()
    weight = np.linspace(0.5, 2, 10, dtype=np.float32)
    groups = np.arange(len(labels), dtype=np.int32) % 3
    arrays = {"logits": logits, "labels": labels, "weight": weight, "groups": groups}
    for name, array in arrays.items():
        np.save(digits / f"{name}.npy", array)
    np.savez_compressed(digits / "digits.npz", logits=np.asfortranarray(logits), labels=labels.astype("i1"))
    half = torch.from_numpy(logits).to(torch.bfloat16)
    save_safetensors(
        digits / "digits.safetensors",
        {
            "logits": ("F32", list(logits.shape), logits.tobytes()),
            "logits_bf16": ("BF16", list(logits.shape), half.view(torch.int16).numpy().tobytes()),
            "labels": ("I64", list(labels.shape), labels.tobytes()),
        },
    )

    x, target, w = torch.from_numpy(logits), torch.from_numpy(labels), torch.from_numpy(weight)
    leaf = x.clone().requires_grad_()
    F.cross_entropy(leaf, target, weight=w, label_smoothing=0.1).backward()
    exact = x.double()
    each = F.cross_entropy(exact, target, reduction="none")
    probabilities = exact.softmax(1)
    confidences, predicted = probabilities.max(1)
    hits = (predicted == target).numpy()
    ranks = (x > x.gather(1, target[:, None])).sum(1)
    chosen = [[0, 0], [17, 3], [200, 9], [359, 5]]
    expected = {
        "recorded": {"torch": torch.__version__, "numpy": np.__version__},
        "rows": len(labels),
        "loss": each.mean().item(),
        "sum": each.sum().item(),
        "weighted": F.cross_entropy(exact, target, weight=w.double()).item(),
        "denominator": w.double()[target].sum().item(),
        "smoothed": F.cross_entropy(exact, target, label_smoothing=0.1).item(),
        "ignoring3": F.cross_entropy(exact, target, ignore_index=3).item(),
        "bfloat16": F.cross_entropy(half.double(), target).item(),
        "accuracy": float(hits.mean()),
        "top5": (ranks < 5).double().mean().item(),
        "perplexity": each.mean().exp().item(),
        "calibrationError": calibration_error(confidences.numpy(), hits),
        "classes": [each[target == label].mean().item() for label in range(10)],
        "groups": [each[torch.from_numpy(groups) == group].mean().item() for group in range(3)],
        "worst": each.argsort(descending=True)[:5].tolist(),
        "losses": F.cross_entropy(x, target, reduction="none").tolist(),
        "gradient": {
            "sum of squares": leaf.grad.double().square().sum().item(),
            "elements": [[row, column, leaf.grad[row, column].item()] for row, column in chosen],
        },
    }
    (digits / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
    print(f"PyTorch {torch.__version__} -> {digits.name}: {hits.mean():.3f} of {len(labels)} right")


def write_arrays() -> None:
    write_npy()
    write_refused()
    write_npz()
    write_safetensors()
    print(f"NumPy {np.__version__} -> {directory.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--digits", action="store_true")
    chosen_digits = parser.parse_args().digits
    (digits if chosen_digits else directory).mkdir(parents=True, exist_ok=True)
    write_digits() if chosen_digits else write_arrays()
