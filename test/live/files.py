"""Reads the files that test/live/files.test.ts wrote, and writes others, with the functions of Python's users.

    python files.py FOLDER

Prints, as JSON, what is in each .pt file of FOLDER/node, in the form of scripts/golden/files.py; writes FOLDER/python.
"""

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts" / "golden"))
from canonical import Canonical, pattern, pt_values

folder = Path(sys.argv[1])
found = {}
for path in sorted((folder / "node").glob("*.pt")):
    value = torch.load(path, weights_only=True, map_location="cpu")
    found[path.stem] = json.dumps(Canonical().of(value))
    mapped = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
    assert json.dumps(Canonical().of(mapped)) == found[path.stem], f"{path.stem} is another one when it is mapped"

# A model and its optimizer go on where Node stopped.
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Sigmoid(), torch.nn.Linear(4, 2))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
checkpoint = torch.load(folder / "node" / "training.pt", weights_only=True)
model.load_state_dict(checkpoint["model"])
optimizer.load_state_dict(checkpoint["optimizer"])
model(pattern("int8", [5, 3]).float() / 64).sum().backward()
optimizer.step()
state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
found["continued"] = json.dumps(Canonical().of(torch.load(folder / "node" / "continued.pt", weights_only=True)))
found["here"] = json.dumps(Canonical().of(state))

(folder / "python").mkdir()
for number, value in enumerate(pt_values().values()):
    torch.save(value, folder / "python" / f"{number}.pt")
    (folder / "python" / f"{number}.json").write_text(json.dumps(Canonical().of(value)))
print(json.dumps(found))
