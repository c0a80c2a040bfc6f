"""Writes examples/expected/*.txt: what the Python twin of each example prints, with pinned kernels.

    python scripts/golden/examples.py

A boolean that is printed by itself is written as JavaScript writes it; tensors print alike in both languages.
"""

import os
import pathlib
import re
import subprocess
import sys

from environment import PINNED

# oneDNN, which computes convolutions, has kernels of its own for each processor; these exist on every x86-64.
KERNELS = PINNED | {"ONEDNN_MAX_CPU_ISA": "SSE41"}

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def main() -> None:
    for twin in sorted((EXAMPLES / "python").glob("*.py")):
        command = [sys.executable, "-W", "ignore", twin]
        run = subprocess.run(command, env=os.environ | KERNELS, stdout=subprocess.PIPE, text=True, check=True)
        text = re.sub(r"(?m)(?:(?<=^)|(?<= ))(True|False)(?= |$)", lambda word: word[0].lower(), run.stdout)
        expected = EXAMPLES / "expected" / f"{twin.stem}.txt"
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(text, encoding="utf-8")
        print(f"{expected.name}: {len(text.splitlines())} lines")


main()
