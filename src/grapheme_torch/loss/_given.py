"""Matrices that a caller gives besides a batch: plans, and what a match costs besides."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .._check import Received, refusal, require
from .._tensors import described, is_dense
from ..ot import Transport
from .batch._pairs import Pairs
from .layouts._padded import impossible, masses


class Given(NamedTuple):
    """The matrices of `StructuralLoss.forward`, in the form of `padded_plan`."""

    start: Float[Tensor, "B N1 M1"] | None = None
    alignment: Float[Tensor, "B N1 M1"] | None = None
    match_cost: Float[Tensor, "B N1 M1"] | None = None

    @property
    def nothing(self) -> bool:
        """Whether there is none."""
        return all(matrix is None for matrix in self)

    @property
    def to_align(self) -> bool:
        """Whether the first alignment is still to be found."""
        return self.start is None and self.alignment is None

    def checked(self, pairs: Pairs) -> "Given":
        """The same in the dtype of the pairs; refuses what does not fit them."""
        if self.nothing:
            return self
        return Given(*(_padded(name, x, pairs) for name, x in self._asdict().items()))


NOTHING = Given()


def taken(pairs: Pairs, plan: Float[Tensor, "B N1 M1"], slack: float) -> Transport:
    """A plan that nobody computed, with the residual that it has.

    Raises:
        InputError: If it has mass where a match is impossible.
    """
    nowhere = (plan > 0) & impossible(pairs)
    if bool(nowhere.any()):
        k, i, j = nowhere.nonzero()[0].tolist()
        wanted = f"have no mass where a match is impossible (pair {k}, row {i}, column {j})"
        remedy = "A logit of minus infinity makes it impossible."
        raise refusal("a given plan", wanted, float(plan[k, i, j]), remedy)
    return Transport.given(plan, *masses(pairs, slack))


def _padded(name: str, matrix: Tensor | None, pairs: Pairs) -> Tensor | None:
    if matrix is None:
        return None
    device = pairs.exists.device
    shape = (len(pairs.layout.count), pairs.layout.width + 1, pairs.target.layout.width + 1)
    ok = is_dense(matrix) and matrix.is_floating_point() and matrix.shape == shape
    remedy = "Give it in the form of `StructuralLossResult.padded_plan`."
    wanted = f"be floating-point of shape {shape}"
    require(ok, f"`{name}`", wanted, described(matrix), remedy)
    if matrix.device != device:
        raise refusal(f"`{name}`", f"be on {device}", Received(str(matrix.device)), "Move it.")
    if name == "match_cost":
        valid = not bool((matrix.isnan() | matrix.isneginf()).any())
        received = Received("NaN or minus infinity")
        require(valid, "`match_cost`", "hold numbers, or inf to forbid", received, "Use 0 or inf.")
    return matrix.to(torch.promote_types(matrix.dtype, pairs.exists.dtype))
