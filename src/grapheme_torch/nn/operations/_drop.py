"""What a layer adds, some of it left out at random."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import dropout

from ._operation import Given, Operation, apply

_PARTS = 2**16


def drop(
    before: Float[Tensor, "n d"], after: Float[Tensor, "n d"], share: float
) -> Float[Tensor, "n d"]:
    """`before + dropout(after - before)` [srivastava14].

    The native kernel draws by a hash of one random number, so that it differs from PyTorch's draw.

    Args:
        before: Vectors before the layer.
        after: Vectors behind it.
        share: Of the numbers that are left out; the others are made larger in proportion.
    """
    if not share:
        return after
    threshold = min(round(share * _PARTS), _PARTS - 1)
    given = {"seed": int(torch.randint(2**62, ()).item()), "threshold": threshold}
    return apply(_DROP, given, before, after)


def _formula(given: Given, before: Tensor, after: Tensor) -> Tensor:
    return before + dropout(after - before, given["threshold"] / _PARTS)


def _differentiable(
    given: Given, tensors: tuple[Tensor, ...], grad: Tensor
) -> tuple[Tensor, Tensor]:
    """The derivatives keep the same numbers."""
    after = apply(_DROP, given, torch.zeros_like(grad), grad)
    return grad - after, after


_DROP = Operation(
    formula=_formula,
    record="Drop",
    reads=("seed", "threshold"),
    names=("before", "after"),
    result="result",
    shape=lambda given, before, after: before.shape,
    derivatives=lambda given, before, after: [before.shape, after.shape],
    differentiable=_differentiable,
)
