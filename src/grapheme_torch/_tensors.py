"""What may be asked of any tensor that a caller gives, and how a message shows it."""

from typing import TypeGuard

import torch
from torch import Tensor

from ._check import Received


def is_dense(value: object) -> TypeGuard[Tensor]:
    """Whether this is a tensor of real numbers or bools, stored one by one, that has data."""
    if not isinstance(value, Tensor):
        return False
    plain = value.layout == torch.strided and not value.is_quantized
    return plain and not value.is_complex()


def has_numbers(value: object) -> TypeGuard[Tensor]:
    """Whether this is a dense tensor whose numbers can be looked at."""
    return is_dense(value) and not value.is_meta


def is_whole(value: Tensor) -> bool:
    """Whether a dense tensor holds integers; bools are none."""
    return not (value.is_floating_point() or value.dtype == torch.bool)


def described(value: object) -> object:
    """A value as a message shows it: of a tensor its form, not its numbers."""
    if value is None:
        return Received("nothing")
    if isinstance(value, Tensor):
        layout = "" if value.layout == torch.strided else f" ({value.layout})"
        return Received(f"{value.dtype} of shape {tuple(value.shape)}{layout}")
    return value
