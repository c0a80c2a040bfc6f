"""Python's PyTorch as the benchmark's participant; ../peers/library.mjs answers the same requests."""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F

LOSSES = {
    "crossEntropy": F.cross_entropy,
    "mseLoss": F.mse_loss,
    "smoothL1Loss": F.smooth_l1_loss,
    "binaryCrossEntropyWithLogits": F.binary_cross_entropy_with_logits,
    "klDiv": F.kl_div,
}


class Call:
    """A loss of inputs that are drawn by the same calls as in the library."""

    def __init__(self, loss, dtype, form, shape, device, isLarge):
        self.function = LOSSES[loss]
        self.options = {"reduction": "batchmean"} if loss == "klDiv" else {}
        self.form = form
        self.device = device
        torch.manual_seed(0)
        own = getattr(torch, dtype)
        x = torch.randn(shape, device=device)
        if loss == "crossEntropy":
            target = torch.randint(0, shape[1], [shape[0]], device=device)
        elif loss == "binaryCrossEntropyWithLogits":
            target = torch.randn(shape, device=device).sigmoid().to(own)
        elif loss == "klDiv":
            target = torch.randn(shape, device=device).softmax(1).to(own)
            x = x.log_softmax(1)
        else:
            target = torch.randn(shape, device=device).to(own)
        self.x = x.to(own)
        self.target = target
        self.leaf = self.x.detach().requires_grad_()

    def results(self):
        if self.form == "tensor":
            return self.function(self.x, self.target, **self.options), None
        value = self.function(self.leaf, self.target, **self.options)
        (grad,) = torch.autograd.grad(value, self.leaf)
        return value, grad

    def synchronize(self):
        if self.device != "cpu":
            torch.cuda.synchronize()

    def check(self):
        value, grad = self.results()
        norm = None
        if grad is not None:
            norm = math.sqrt(sum(piece.double().square().sum().item() for piece in grad.split(512)))
        return {"value": value.item(), "norm": norm, "bytes": self.x.numel() * self.x.element_size()}

    def run(self, count):
        self.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            self.results()
        self.synchronize()
        return {"seconds": time.perf_counter() - start}

    def memory(self):
        """By how much one call raises the peak of the device's memory, and how high that is."""
        self.results()
        self.synchronize()
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        self.results()
        self.synchronize()
        peak = torch.cuda.max_memory_allocated(self.device)
        return {"extra": peak - before, "peak": peak}


def bandwidth(device):
    """From page-locked memory of the host to the device."""
    pinned = torch.zeros(2**26).pin_memory()
    there = pinned.to(device)
    torch.cuda.synchronize()
    start = time.perf_counter()
    count = 20
    for _ in range(count):
        there.copy_(pinned, non_blocking=True)
    torch.cuda.synchronize()
    return {"bytesPerSecond": count * pinned.numel() * 4 / (time.perf_counter() - start)}


def main():
    call = None
    for line in sys.stdin:
        name, *words = line.rstrip("\n").split("\t")
        try:
            if name == "about":
                answer = {"version": torch.__version__}
            elif name == "load":
                call = None
                torch.cuda.empty_cache()
                call = Call(**json.loads(words[0]))
                answer = {}
            elif name == "run":
                answer = call.run(int(words[0]))
            elif name == "bandwidth":
                answer = bandwidth(words[0])
            else:
                answer = getattr(call, name)()
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


main()
