"""A file of scores evaluated with NumPy's memory map and PyTorch, in a loop: folder, form, threads, rows at once."""

import json
import math
import os
import sys
import time

import numpy
import torch

folder, form, threads, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
cross_entropy = torch.nn.functional.cross_entropy
BINS = 15


def evaluate(x, y):
    """What `libtorch-losses evaluate` finds, by PyTorch's own functions."""
    rows, classes = x.shape
    total = torch.zeros((), dtype=torch.float64)
    hits = 0
    top5 = 0
    by_class = torch.zeros(3, classes, dtype=torch.float64)
    by_bin = torch.zeros(3, BINS, dtype=torch.float64)
    for start in range(0, rows, batch):
        # Copy on write: a view of the file, which PyTorch takes as it is.
        scores = torch.from_numpy(x[start : start + batch])
        labels = torch.from_numpy(y[start : start + batch])
        losses = cross_entropy(scores, labels, reduction="none").double()
        total += losses.sum()
        if form == "loss":
            continue
        best = scores.topk(5, 1).indices
        right = best[:, 0] == labels
        confidences = scores.softmax(1).amax(1).double()
        hits += right.sum().item()
        top5 += (best == labels[:, None]).any(1).sum().item()
        bins = (confidences * BINS).ceil().long().sub(1).clamp(0, BINS - 1)
        weights = right.double()
        by_class[0] += torch.bincount(labels, minlength=classes)
        by_class[1] += torch.bincount(labels, losses, classes)
        by_class[2] += torch.bincount(labels, weights, classes)
        by_bin[0] += torch.bincount(bins, minlength=BINS)
        by_bin[1] += torch.bincount(bins, confidences, BINS)
        by_bin[2] += torch.bincount(bins, weights, BINS)
    figures = {"loss": total.item() / rows, "count": rows}
    if form == "predictions":
        gap = (by_bin[1] - by_bin[2]).abs().sum().item()
        figures |= {"accuracy": hits / rows, "top5": top5 / rows, "calibrationError": gap / rows}
    return figures


torch.set_num_threads(threads)
x = numpy.load(os.path.join(folder, "logits.npy"), mmap_mode="c")
y = numpy.load(os.path.join(folder, "labels.npy"), mmap_mode="c")
evaluate(torch.randn(batch, x.shape[1]).numpy(), y[:batch])
start = time.perf_counter()
found = evaluate(x, y)
seconds = time.perf_counter() - start
assert all(map(math.isfinite, found.values()))
print(json.dumps({"seconds": seconds, "bytes": x.nbytes + y.nbytes, "figures": found}))
