"""Where a network is trained, and on how many threads."""

import os
import platform
from pathlib import Path

import torch

from .._check import Received, require
from .._startup import installed_version

_PROCESSORS = Path("/proc/cpuinfo")


def hardware(accelerator: str) -> str:
    """The accelerator that Lightning is to use: "cpu" or "gpu".

    Lightning's own "auto" would also take Apple's MPS, which has no float64.

    Raises:
        InputError: If it is none of "auto", "cpu" and "gpu", or there is no CUDA device.
    """
    known, cuda = ("auto", "cpu", "gpu"), torch.cuda.is_available()
    remedy = "Leave it out to take what there is."
    require(accelerator in known, "`accelerator`", "be auto, cpu or gpu", accelerator, remedy)
    got = Received("'gpu' without a CUDA device")
    require(cuda or accelerator != "gpu", "`accelerator`", "be one that is there", got, remedy)
    return "gpu" if cuda and accelerator != "cpu" else "cpu"


def set_threads(threads: int) -> None:
    """Sets the number of processor threads of PyTorch.

    Raises:
        InputError: If it is not from 1 to 1024.
    """
    remedy = "One is fastest for small graphs."
    require(1 <= threads <= 1024, "`threads`", "be from 1 to 1024", threads, remedy)
    torch.set_num_threads(threads)


def hardware_record(device: str) -> dict[str, str | int | float]:
    """What a run is trained on, as its folder tells it: nothing that names the machine.

    Args:
        device: "cpu" or "gpu", see `hardware`.
    """
    found: dict[str, str | int | float] = {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "memory_gib": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "grapheme_torch": installed_version(),
    }
    if device == "gpu":
        found["gpu"] = torch.cuda.get_device_name()
    return {name: value for name, value in found.items() if value}


def _processor() -> str:
    """The model of the processor; its family where the system does not say more."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _memory() -> float:
    """GiB of the machine; 0 where the system does not say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return 0.0
