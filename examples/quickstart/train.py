"""The quickstart in PyTorch: the same network, data, seed, order of batches and arithmetic as quickstart.ts.

    python train.py                                       trains and prints the held-out figures, at full speed
    python train.py --json -                              the same run as JSON: every loss as the bits of its float32
    python train.py --golden test/golden/quickstart.json  pins the CPU kernels, trains twice, writes JSON if both runs are
                                                          equal

Needs PyTorch and nothing else.
"""

import argparse
import gzip
import hashlib
import json
import os
import struct
import sys
import time
from pathlib import Path

# Which kernels ATen and MKL pick decides the last places of every result, so a recording pins them to those that run on
# any x86-64. Both libraries read these variables while they load: they must be set before the import.
PINNED = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
if any(argument.startswith("--golden") for argument in sys.argv[1:]):
    os.environ.update(PINNED)

import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

DATA = Path(__file__).parent / "data" / "digits.csv.gz"
HELD_OUT = 360
HIDDEN = 32
CLASSES = 10
BATCH = 32
LEARNING_RATE = 0.05
MOMENTUM = 0.9


def read_digits():
    """Pixels in [0, 1] as float32 [1797, 64], classes as int64 [1797]."""
    with gzip.open(DATA, "rt", encoding="ascii") as lines:
        rows = [[int(field) for field in line.split(",")] for line in lines]
    table = torch.tensor(rows, dtype=torch.int64)
    return table[:, :64].to(torch.float32) / 16, table[:, 64].contiguous()


def build_model():
    return torch.nn.Sequential(torch.nn.Linear(64, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES))


@torch.no_grad()
def held_out_figures(model, pixels, classes):
    logits = model(pixels)
    return {
        "loss": bits(F.cross_entropy(logits, classes)),
        "correct": int((logits.argmax(1) == classes).sum()),
        "count": len(classes),
    }


@torch.no_grad()
def figures_by_class(model, pixels, classes):
    """The same figures over the held-out images of each class."""
    members = ((classes == digit).nonzero().flatten() for digit in range(CLASSES))
    logits = model(pixels)
    figures = []
    for rows in members:
        own, target = logits.index_select(0, rows), classes.index_select(0, rows)
        figures.append(
            {
                "loss": bits(F.cross_entropy(own, target)),
                "correct": int((own.argmax(1) == target).sum()),
                "count": len(rows),
            }
        )
    return figures


def train(seed, epochs):
    """Everything that must be equal in both languages, in the order in which it happens."""
    torch.manual_seed(seed)
    pixels, classes = read_digits()
    order = torch.randperm(len(pixels))
    held_out = order[:HELD_OUT]
    training = order[HELD_OUT:]
    x, y = pixels.index_select(0, training), classes.index_select(0, training)
    held_x, held_y = pixels.index_select(0, held_out), classes.index_select(0, held_out)

    model = build_model()
    initial = digest(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    losses, by_epoch = [], []
    for _ in range(epochs):
        order = torch.randperm(len(x))
        steps = []
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
            loss.backward()
            optimizer.step()
            steps.append(bits(loss))
        losses.append(steps)
        by_epoch.append(held_out_figures(model, held_x, held_y))
    return {
        "settings": {
            "seed": seed,
            "epochs": epochs,
            "batch": BATCH,
            "learningRate": LEARNING_RATE,
            "momentum": MOMENTUM,
            "training": len(x),
            "heldOut": len(held_x),
        },
        "weights": {"initial": initial, "final": digest(model)},
        "losses": losses,
        "heldOut": by_epoch,
        "byClass": figures_by_class(model, held_x, held_y),
    }


def bits(loss):
    """The float32 as eight hexadecimal digits: no rounding on the way through text."""
    return struct.pack(">f", loss.item()).hex()


def number(text):
    return struct.unpack(">f", bytes.fromhex(text))[0]


def digest(model):
    """SHA-256 over the little-endian float32 of all parameters, in order."""
    sha = hashlib.sha256()
    for parameter in model.parameters():
        values = parameter.detach().flatten().tolist()
        sha.update(struct.pack(f"<{len(values)}f", *values))
    return sha.hexdigest()


def versions():
    return {
        "torch": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "mklCbwr": os.environ.get("MKL_CBWR", ""),
        "threads": torch.get_num_threads(),
    }


def record(seed, epochs):
    """The run for the golden file: equal over runs."""
    recorded = versions()
    if recorded["capability"] != "DEFAULT":
        sys.exit(f"train.py: expected the CPU capability to be DEFAULT, but received {recorded['capability']}")
    run = train(seed, epochs)
    if train(seed, epochs) != run:
        sys.exit("train.py: a second run gave another result; nothing was written")
    return {"recorded": recorded, **run}


def to_json(run):
    """One line an epoch, so that a changed recording can be read in a diff."""
    text = json.dumps({**run, "losses": [], "heldOut": [], "byClass": []}, indent=2)
    for name in ("losses", "heldOut", "byClass"):
        lines = ",\n".join(f"    {json.dumps(row)}" for row in run[name])
        text = text.replace(f'"{name}": []', f'"{name}": [\n{lines}\n  ]')
    return text + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", metavar="FILE", help="write the run as JSON, '-' for standard output")
    output.add_argument("--golden", metavar="FILE", help="record the run that the test compares with")
    options = parser.parse_args()

    # As quickstart.ts does; the number of threads decides bits too.
    torch.set_num_threads(1)
    if options.golden:
        Path(options.golden).write_text(to_json(record(options.seed, options.epochs)), encoding="ascii")
        return
    started = time.perf_counter()
    run = {"recorded": versions(), **train(options.seed, options.epochs)}
    seconds = time.perf_counter() - started
    if options.json == "-":
        sys.stdout.write(to_json(run))
    elif options.json:
        Path(options.json).write_text(to_json(run), encoding="ascii")
    else:
        last = run["heldOut"][-1]
        print(f"held-out loss {number(last['loss']):.4f} after {options.epochs} epochs in {seconds:.2f} s")
        for digit, figures in enumerate(run["byClass"]):
            print(f"  {digit}  loss {number(figures['loss']):.4f}  {figures['correct']} of {figures['count']}")
        print(f"accuracy {100 * last['correct'] / last['count']:.1f} %")


if __name__ == "__main__":
    main()
