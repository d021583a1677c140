"""Where a network is trained, and on how many threads."""

import torch

from .._check import Received, require


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
