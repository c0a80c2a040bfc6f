"""Writes the golden files: what PyTorch itself answers to every case, to the bit.

    python scripts/golden/generate.py                  records anew into test/golden/vectors and test/contract
    python scripts/golden/generate.py --check          records into a temporary folder and compares
    python scripts/golden/generate.py --live --out DIR answers of this machine at full capability, and larger cases
"""

import argparse
import hashlib
import importlib
import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import environment

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "test" / "golden" / "vectors"
# Each has a file of its own below cases.
LOSSES = (
    "adaptive_log_softmax_with_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "ctc_loss",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "linear_cross_entropy",
    "margin_ranking_loss",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
)
SIGNATURES = ROOT / "test" / "contract" / "python-signatures.json"


def operators() -> dict[str, tuple[Callable, str | None, Callable]]:
    """Operator -> (what to call, its module class, the function that records its cases)."""
    import torch

    from cases import activations, allclose, categorical, random_numbers

    functional = torch.nn.functional
    losses = [importlib.import_module(f"cases.{name}") for name in LOSSES]
    return {
        **{loss.CALL.__name__: (loss.CALL, loss.MODULE, loss.record) for loss in losses},
        "softmax": (functional.softmax, "Softmax", activations.record_softmax),
        "log_softmax": (functional.log_softmax, "LogSoftmax", activations.record_softmax),
        "sigmoid": (torch.sigmoid, "Sigmoid", activations.record_sigmoid),
        "logit": (torch.logit, None, activations.record_logit),
        "categorical_entropy": (categorical.entropy, None, categorical.record_entropy),
        "categorical_log_prob": (categorical.log_prob, None, categorical.record_log_prob),
        "allclose": (allclose.CALL, None, allclose.record),
        "random_numbers": (random_numbers.draw, None, random_numbers.record),
    }


def write(folder: Path, live: bool) -> None:
    """One file an operator, and a manifest of what the bits depend on."""
    from record import Recorder

    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, object] = {}
    for op, (call, module, record) in sorted(operators().items()):
        recorder = Recorder(op, call, live, module)
        record(recorder)
        text = recorder.text()
        (folder / f"{op}.jsonl").write_text(text, encoding="utf-8", newline="\n")
        entry = {"cases": recorder.count, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        files[op] = entry if module is None else {"module": module, **entry}
    write_json(folder / "manifest.json", {**environment.facts(pinned=not live), "files": files})


def write_json(path: Path, value: object) -> None:
    # Exponents as JavaScript's formatters write them: 1e-6, not 1e-06.
    text = re.sub(r"(\d)e-0(\d)", r"\1e-\2", json.dumps(value, indent=2))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def check() -> int:
    """Compares what this machine records with what is committed; names every file that differs."""
    from signatures import signatures

    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        write(fresh, live=False)
        write_json(fresh / SIGNATURES.name, signatures())
        names = sorted({path.name for path in VECTORS.iterdir()} | {path.name for path in fresh.iterdir()})
        stale = []
        for name in names:
            committed = SIGNATURES if name == SIGNATURES.name else VECTORS / name
            pair = [path.read_bytes() if path.exists() else None for path in (committed, fresh / name)]
            if pair[0] != pair[1]:
                stale.append(f"{name}: {differing_lines(pair[0], pair[1])}")
    print("\n".join(stale) if stale else f"{len(names)} files are what PyTorch gives here")
    return 1 if stale else 0


def differing_lines(committed: bytes | None, fresh: bytes | None) -> str:
    if committed is None:
        return "not committed"
    if fresh is None:
        return "no longer recorded"
    old, new = committed.splitlines(), fresh.splitlines()
    count = sum(a != b for a, b in zip(old, new)) + abs(len(old) - len(new))
    return f"{count} of {max(len(old), len(new))} lines differ"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare with the committed files, change nothing")
    mode.add_argument("--live", action="store_true", help="full capability, all threads, larger cases; needs --out")
    parser.add_argument("--out", type=Path, help="folder to write to")
    options = parser.parse_args()
    if options.live:
        if options.out is None:
            parser.error("--live needs --out")
        write(options.out, live=True)
        return 0
    environment.pin()
    environment.check_pinned()
    if options.check:
        return check()
    write(options.out or VECTORS, live=False)
    if options.out is None:
        from signatures import signatures

        write_json(SIGNATURES, signatures())
    return 0


if __name__ == "__main__":
    sys.exit(main())
