"""Writes test/golden/print.json: tensors of every kind with the text that PyTorch prints for them.

    python scripts/golden/print.py

Each case holds the dtype, the shape, the elements that the text shows (all of them, unless PyTorch summarizes the
tensor), what else decides the text, and the text. Numbers are the shortest decimals that give back the element; what
JSON has no number for ("nan", "inf", "-inf", integers beyond 2^53) is a string.
"""

import json
import math
import pathlib

import environment

environment.pin()

import numpy  # noqa: E402
import torch  # noqa: E402
from torch import _tensor_str  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "print.json"
SEED = 20
FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
INTEGERS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
SHAPES = [(), (1,), (7,), (40,), (3, 4), (2, 30), (1, 1), (2, 3, 4), (2, 1, 2, 2), (2, 1, 3, 1, 2)]
EMPTY = [(0,), (2, 0), (0, 3), (1, 0, 2), (0, 0, 0, 0)]
LARGE = [(1001,), (10000,), (7, 200), (1000, 2), (2, 501), (6, 167), (7, 3, 50)]
DEEP = [(11, 10, 10), (9, 1, 8, 20), (7, 2, 9, 1, 9)]

cases = []


def element(value, dtype):
    """An element as JSON: shortest decimal of its own precision, or a string."""
    if dtype == torch.bool or (not dtype.is_floating_point and abs(value) < 2**53):
        return value
    if not dtype.is_floating_point:
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if dtype == torch.float64:
        return value
    short = float(str(numpy.float32(value)))
    assert numpy.float32(short) == numpy.float32(value)
    return short


def printed(tensor, options):
    """The elements that the text shows."""
    if tensor.numel() == 0 or tensor.numel() <= options.get("threshold", 1000):
        return tensor
    edge = options.get("edgeitems", 3)
    for dim, size in enumerate(tensor.shape):
        if size > 2 * edge:
            index = [*range(edge), *range(size - edge, size)]
            tensor = tensor.index_select(dim, torch.tensor(index, dtype=torch.int64))
    return tensor


def text_on(device, tensor):
    """The text of a tensor on a device that this machine lacks: a wrapper that has the device and no memory."""
    kind = type("tensor", (torch.Tensor,), {"__torch_dispatch__": classmethod(lambda *_, **__: NotImplemented)})
    wrapper = torch.Tensor._make_wrapper_subclass(
        kind, tensor.shape, dtype=tensor.dtype, device=device, requires_grad=tensor.requires_grad
    )
    contents = _tensor_str._tensor_str(tensor.detach(), len("tensor("))
    return _tensor_str._str(wrapper, tensor_contents=contents)


def add(tensor, device=None, **options):
    with _tensor_str.printoptions(**options):
        text = repr(tensor) if device is None else text_on(device, tensor)
    plain = tensor.detach()
    case = {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "data": [element(value, tensor.dtype) for value in printed(plain, options).reshape(-1).tolist()],
    }
    if device is not None:
        case["device"] = device
    if tensor.grad_fn is not None:
        case["gradFn"] = type(tensor.grad_fn).__name__
    elif tensor.requires_grad:
        case["requiresGrad"] = True
    if options:
        case["printOptions"] = {
            "sciMode" if key == "sci_mode" else key: "Infinity" if value == math.inf else value
            for key, value in options.items()
        }
    case["text"] = text
    cases.append(case)


def floats(values, dtype=torch.float32, **options):
    add(torch.tensor(values, dtype=dtype), **options)


def every_dtype_and_shape():
    for shape in SHAPES + EMPTY:
        for dtype in FLOATS:
            add(torch.randn(shape).to(dtype))
        for dtype in INTEGERS:
            low = 0 if dtype == torch.uint8 else -100
            add(torch.randint(low, 100, shape).to(dtype))
        add(torch.randint(0, 2, shape).bool())


def special_numbers():
    inf, nan = math.inf, math.nan
    rows = [
        [0.0], [-0.0], [0.0, -0.0, 1.0], [-0.0, 0.5], [nan], [inf], [-inf], [nan, 1.0], [nan, 0.25, -1.0],
        [inf, -inf, 2.0], [nan, inf, -inf, 0.0, -0.0], [1e5, nan, 0.001], [1e9, -inf, -0.0, nan], [nan] * 30, [0.0] * 100, [-0.0] * 50,
        [1.0, 2.0, 30.0], [-1.0, 200.0], [1e8], [1.00000001e8], [1e-4], [0.99e-4], [1000.0, 1.0], [1001.0, 1.0],
        [1000.0, 0.5], [1.0, 1.0e-3], [1.0, 0.99e-3], [0.1, 100.0], [0.1, 100.1], [123456.0, 123.456], [1e-5, 1.0],
        [-1e-5, 5e-5], [-0.00004, 1.0], [0.00005, 0.01], [99999.5, 100.0], [9999.99999, 500.0], [0.99995, 0.5],
        [1.7e38, 1.0], [1e-38, 1e-45], [2.0**24, 2.0**24 - 1], [-1e10, 3.0], [16777216.0, 0.5], [1e20, 1e21, 1e22],
    ]  # fmt: skip
    for row in rows:
        floats(row)
        floats(row, torch.float64)
    for row in [[65504.0], [6e-8], [1e-4, 1.0], [0.1, 0.2], [2048.0, 2.0], [1.0, -2.0, nan], [0.0, -0.0], [inf, 0.5]]:
        floats(row, torch.float16)
        floats(row, torch.bfloat16)
    for row in [[1.7976931348623157e308, 5e-324], [1e100, 1e-100], [1e300], [2.0**70, 1.0], [1e16, 1e17], [math.pi]]:
        floats(row, torch.float64)
        floats(row, torch.float64, sci_mode=False)


def ties():
    """Numbers that lie exactly between two decimals of four digits, where Python rounds to the even one."""
    halves = [0.03125, 0.09375, 0.15625, 0.21875, 0.28125, 0.34375, 0.40625, 0.46875]
    for dtype in FLOATS:
        floats(halves + [-value for value in halves], dtype)
        floats([1 + value for value in halves], dtype)
    floats([100.03125, 100.09375, -512.15625, 0.53125])
    for precision in [0, 1, 2, 3, 5, 8]:
        floats([0.5, 1.5, 2.5, -0.5, -1.5, 0.25, 0.75, 0.125, 0.375, 0.0625, 0.1], precision=precision)
        floats([0.5, 1.5, 2.5, 9.5, -0.25, 0.35, 1e5, 1e-6], torch.float64, precision=precision, sci_mode=True)
    floats([100005.0, 100015.0, 300025.0, 1000050.0, 1000150.0, 99999500.0, 1.0], torch.float64, sci_mode=True)
    floats([1.00005, 0.5 + 2.0**-17, 3.0517578125e-05, 0.000152587890625], torch.float64, sci_mode=True)
    floats([999995.0, 9999950.0, 99995.0, 9.5, 95.0, 5e22, 15e22], torch.float64, sci_mode=True)
    floats([15e22, 25e22, 5e22, 5.0], torch.float64, precision=0, sci_mode=True)
    floats([-0.0, 0.0, 0.5, math.nan], precision=0)


def integers():
    limits = {dtype: torch.iinfo(dtype) for dtype in INTEGERS}
    for dtype, limit in limits.items():
        add(torch.tensor([limit.min, limit.max, 0, 1], dtype=dtype))
        add(torch.tensor(limit.max, dtype=dtype))
        add(torch.arange(100).to(dtype))
    add(torch.tensor([2**53 - 1, 2**53 + 1, -(2**53) - 1]))
    add(torch.tensor([True]))
    add(torch.tensor(False))
    add(torch.ones(50, dtype=torch.bool))
    add(torch.eye(12, dtype=torch.bool))


def large():
    for shape in LARGE:
        count = math.prod(shape)
        add(torch.arange(count).reshape(shape))
        add(torch.arange(count, dtype=torch.float32).reshape(shape))
        add(torch.randn(shape))
        add(torch.rand(shape, dtype=torch.float64) * 1000)
        add(torch.rand(shape) > 0.5)
    for shape in DEEP:
        add(torch.arange(math.prod(shape)).reshape(shape))
    add(torch.rand(DEEP[0]))
    for shape in [(1000,), (10, 20), (5, 4, 6)]:
        add(torch.randint(0, 1000, shape, dtype=torch.int32))
    hidden = torch.ones(2000)
    hidden[1000] = 1e9
    add(hidden)
    add(torch.zeros(50, 50))
    add(torch.full((40, 40), math.nan, dtype=torch.float64))


def magnitudes():
    for exponent in range(-10, 12, 2):
        scale = 10.0**exponent
        add(torch.randn(9) * scale)
        add(torch.randn(3, 3, dtype=torch.float64) * scale)
        add((torch.rand(6) * scale).round())
    for spread in [1, 2, 3, 4, 6]:
        add(torch.randn(12) * torch.logspace(-spread, spread, 12))
        add(torch.randn(4, 5, dtype=torch.float64) * torch.logspace(0, spread, 5, dtype=torch.float64))


def autograd():
    leaf = torch.randn(3, 4, requires_grad=True)
    target = torch.tensor([1, 3, 0])
    f = torch.nn.functional
    add(leaf)
    add(torch.ones((), dtype=torch.float64, requires_grad=True))
    add(torch.randn(2, 3, 4, requires_grad=True))
    add(torch.randn(0, 3, requires_grad=True))
    add(torch.randn(30, dtype=torch.float64, requires_grad=True))
    add(torch.randn(5, 8, dtype=torch.bfloat16, requires_grad=True))
    for columns in range(3, 11):
        add(torch.rand(2, columns, dtype=torch.float64, requires_grad=True))
        add(torch.rand(columns, requires_grad=True) * 10)
    results = [
        f.cross_entropy(leaf, target), f.cross_entropy(leaf, target, reduction="none"), f.log_softmax(leaf, 1),
        f.softmax(leaf, 1), leaf.sigmoid(), leaf.sum(0), leaf.mean(), leaf.t(), leaf[1], leaf.reshape(2, 6), leaf * 2,
        leaf + 1, -leaf, leaf.exp(), leaf.double(), leaf.half(), leaf.max(), leaf @ leaf.t(), leaf.expand(2, 3, 4),
        f.kl_div(f.log_softmax(leaf, 1), torch.full((3, 4), 0.25), reduction="batchmean"),
        f.binary_cross_entropy_with_logits(leaf, torch.ones(3, 4)), leaf.repeat(1, 10), leaf.repeat(100, 40),
    ]  # fmt: skip
    for result in results:
        add(result)


def devices():
    for device in ["cuda:0", "cuda:1", "mps:0"]:
        add(torch.tensor(0.7837), device)
        add(torch.randn(3, 3), device)
        add(torch.arange(40), device)
        add(torch.zeros(0, 3), device)
        add(torch.randn(2, 7, dtype=torch.float16, requires_grad=True), device)
        add(torch.randn(3, 6, dtype=torch.bfloat16), device)


def print_options():
    matrix, vector = torch.randn(6, 9), torch.arange(60)
    for precision in [0, 1, 2, 7, 12]:
        add(matrix, precision=precision)
        add(matrix.double() * 1e6, precision=precision)
    for linewidth in [0, 1, 20, 40, 120, 200]:
        add(matrix, linewidth=linewidth)
        add(vector, linewidth=linewidth)
        add(matrix.double(), linewidth=linewidth)
    for edgeitems in [0, 1, 2, 5]:
        add(matrix, threshold=10, edgeitems=edgeitems)
        add(vector, threshold=10, edgeitems=edgeitems)
        add(vector.reshape(3, 4, 5), threshold=10, edgeitems=edgeitems)
    add(torch.tensor(2.5), edgeitems=0)
    add(torch.randn(0, 3), edgeitems=0)
    add(vector, threshold=59)
    add(vector, threshold=60)
    add(torch.arange(1001), threshold=math.inf, linewidth=400)
    for row in [[1.0, 2.0], [0.5, 1e-7], [0.0, math.nan], [1e12, 1.0], [123.456]]:
        floats(row, sci_mode=True)
        floats(row, sci_mode=False)


torch.manual_seed(SEED)
for section in [
    every_dtype_and_shape, special_numbers, ties, integers, large, magnitudes, autograd, devices, print_options,
]:  # fmt: skip
    section()

environment.check_pinned()
made = environment.facts(pinned=True) | {"numpy": numpy.__version__, "seed": SEED}
lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases)
OUTPUT.write_text(f'{{"made":{json.dumps(made)},\n"cases":[\n{lines}\n]}}\n', encoding="utf-8")
print(f"{len(cases)} cases, {OUTPUT.stat().st_size} bytes")
