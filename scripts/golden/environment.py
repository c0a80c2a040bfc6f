"""The kernels that golden files are recorded with, and the facts of the machine that recorded them."""

import os
import platform
import sys

# The bits of a sum or a logarithm depend on the vector width that the kernels were compiled for, on the code paths of
# MKL and oneDNN, and on the number of threads. These kernels and paths exist on every x86-64.
PINNED = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def pin() -> None:
    """Pins the kernels. Works only before torch is imported: its libraries read these variables once."""
    if "torch" in sys.modules:
        raise RuntimeError("the kernels must be pinned before torch is imported")
    os.environ.update(PINNED)


def check_pinned() -> None:
    """Refuses to record with other kernels than the pinned ones."""
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    if capability != "DEFAULT":
        raise RuntimeError(f"expected ATen's DEFAULT kernels, but torch runs {capability}")
    if torch.get_num_threads() != 1:
        raise RuntimeError(f"expected one thread, but torch runs {torch.get_num_threads()}")


def facts(pinned: bool) -> dict[str, object]:
    """What the recorded bits depend on. No time and no path, so that two runs write the same bytes."""
    import torch

    return {
        "torch": torch.__version__,
        "git": torch.version.git_version,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "environment": PINNED if pinned else {},
    }
