"""What the fields of a prediction must be: kind, shape and place of each tensor."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .._check import Received, refusal
from .._tensors import described, is_dense

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INDICES = (torch.int8, torch.int16, torch.int32, torch.int64)

Shape = tuple[int | str, ...]


def floats(name: str, value: object) -> Tensor:
    """The tensor, if it is one of real numbers."""
    if is_dense(value) and value.dtype in FLOATS:
        return value
    raise refusal(
        name, "be a dense floating-point tensor", described(value), "Convert it: `x.float()`."
    )


def measures(name: str, value: object) -> Tensor:
    """The tensor of places or weights; whole numbers become floating-point ones."""
    if is_dense(value) and value.dtype in INDICES:
        return value.to(torch.get_default_dtype())
    return floats(name, value)


def indices(name: str, value: object) -> Tensor:
    """The tensor as int64, if it is one of integers that may be negative, or is empty.

    `uint8` and `bool` are refused: PyTorch reads them as masks. An empty list becomes a tensor of
    floats, which says nothing wrong.
    """
    if is_dense(value):
        if value.dtype == torch.int64:
            return value
        if value.dtype in INDICES or (value.is_floating_point() and not value.numel()):
            return value.long()
    remedy = "Convert it: `x.long()`; a mask is turned into numbers by `mask.nonzero()[:, 0]`."
    raise refusal(name, "be a tensor of integers", described(value), remedy)


def check_shape(name: str, got: Sequence[int], wanted: Shape, remedy: str) -> None:
    """Refuses a shape; where `wanted` has a word, any length will do.

    The message is made only where it is needed: compilers trace this.
    """
    if len(got) == len(wanted):
        for length, asked in zip(got, wanted, strict=True):
            if not isinstance(asked, str) and length != asked:
                break
        else:
            return
    comma = "," * (len(wanted) == 1)
    shape = f"({', '.join(str(x) for x in wanted)}{comma})"
    raise refusal(name, f"have shape {shape}", Received(str(tuple(got))), remedy)


def check_count(name: str, value: object) -> None:
    """Refuses what is not a number of things; a compiler's symbol is one."""
    whole = isinstance(value, int | torch.SymInt) and not isinstance(value, bool)
    count: Any = value
    if whole and 0 <= count < _MANY:
        return
    wanted = f"be a whole number from 0 on, below {_MANY}"
    raise refusal(name, wanted, value, "Leave it out, or use `int(...)`.")


_MANY = 2**31


def check_device(name: str, value: Tensor, beside: str, device: torch.device) -> None:
    """Refuses a tensor that is not where another one is."""
    if value.device != device:
        wanted = f"be on the device of {beside} ({device})"
        raise refusal(name, wanted, Received(str(value.device)), "Move it: `x.to(device)`.")
