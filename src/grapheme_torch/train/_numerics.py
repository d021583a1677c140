"""In which precision a run computes, and whether twice the same run is the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from .._check import require

Precision = Literal["32-true", "bf16-mixed", "64-true"]


@dataclass(frozen=True, kw_only=True)
class Numerics:
    """In which precision a run computes, and whether it does so in the same way each time.

    Args:
        precision: "32-true": single precision; "bf16-mixed": products of matrices of the network
            in bfloat16, weights, alignment and loss in single precision; "64-true": double.
        deterministic: Whether only operations are used that give the same bits each time; what
            has no such operation is refused. It can be slower on a GPU.

    Raises:
        InputError: If the precision is unknown.
    """

    precision: Precision = "32-true"
    deterministic: bool = False

    def __post_init__(self) -> None:
        """Refuses what is not known."""
        known = get_args(Precision)
        remedy = "32-true is single precision."
        wanted = f"be one of {', '.join(known)}"
        require(self.precision in known, "`precision`", wanted, self.precision, remedy)


@contextmanager
def restored() -> Iterator[None]:
    """Within it Lightning may ask for deterministic operations; after it all is as before."""
    asked = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(asked, warn_only=warns)
