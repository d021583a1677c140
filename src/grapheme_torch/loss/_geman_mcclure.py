"""A loss that is bounded: what is far from right counts no more than what is further."""

from math import inf

import torch
from jaxtyping import Float
from torch import Tensor

from .._check import require


def geman_mcclure(loss: Float[Tensor, "*b"], bound: float) -> Float[Tensor, "*b"]:
    """The losses of pairs, each bounded, (E53) [geman87]: `loss / (1 + loss / bound)`.

    Where an input has several likely targets, the mean of the losses is least for a graph between
    them, which is none of them. That of bounded losses is least near the likeliest target. Near 0
    nothing changes; negative losses, which some densities have, stay as they are. Differentiates as
    it is written: a pair counts by `(1 + loss / bound) ** -2`.

    Example:
        >>> loss = gt.StructuralLoss(reduction="none")
        >>> gt.geman_mcclure(loss(model(inputs), targets).total, bound=4.0).mean().backward()

    Args:
        loss: Of each pair, as `StructuralLoss(reduction="none")` gives it, not their mean.
        bound: What a pair counts at most, in the unit of the loss.

    Raises:
        InputError: If the bound is not positive and finite.
    """
    remedy = "Try what a nearly right answer costs, such as 4."
    require(0 < bound < inf, "`bound`", "be positive and finite", bound, remedy)
    # Not loss / (...) alone: where it is not taken, `where` would make 0 * inf of its slope.
    return torch.where(loss > 0, loss / (1 + loss.clamp(min=0) / bound), loss)
