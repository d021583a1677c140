"""What is added to a cross-entropy: weights, label smoothing [szegedy16], focal weights [lin17]."""

from math import inf

import torch
from jaxtyping import Float
from torch import Tensor

from ..._check import require
from ..._tensors import described, is_dense
from .._options import is_number, not_negative


def checked_weight(weight: Tensor | None, kind: str) -> Float[Tensor, " kinds"] | None:
    """What each kind counts, as a tensor of its own.

    Raises:
        InputError: If these are no weights; `kind` says of what they should be.
    """
    if weight is None:
        return None
    ok = is_dense(weight) and weight.ndim == 1 and weight.is_floating_point()
    ok = ok and bool((weight.isfinite() & (weight >= 0)).all())
    wanted = f"be finite, not negative, one number per {kind}"
    require(ok, "`weight`", wanted, described(weight), "1 is the usual weight.")
    return weight.detach().clone()


def check_shaping(label_smoothing: float, focal: float) -> None:
    """Refuses a share outside of [0, 1), or a negative exponent."""
    ok = is_number(label_smoothing) and 0 <= label_smoothing < 1
    require(ok, "`label_smoothing`", "lie in [0, 1)", label_smoothing, "Try 0.1.")
    not_negative("focal", focal, "Try 2.")


def smoothed(
    nats: Float[Tensor, "*size kinds"], label_smoothing: float
) -> Float[Tensor, "*size kinds"]:
    """Cost of each kind, mixed with the mean over all that are possible."""
    if not label_smoothing:
        return nats
    possible = nats != inf
    mean = nats.where(possible, 0).sum(-1, keepdim=True) / possible.sum(-1, keepdim=True)
    return (1 - label_smoothing) * nats + label_smoothing * mean


def focused(
    cost: Float[Tensor, "*size kinds"], log_p: Float[Tensor, "*size kinds"], focal: float
) -> Float[Tensor, "*size kinds"]:
    """`(1 - p)^focal` of a cost, where `p` is the probability of what is wanted."""
    return (-torch.expm1(log_p)).clamp(min=0) ** focal * cost if focal else cost


def weighed(
    cost: Float[Tensor, "*size kinds"], weight: Float[Tensor, " kinds"] | None
) -> Float[Tensor, "*size kinds"]:
    """A cost of each kind, as much as the kind counts."""
    return cost if weight is None else cost * weight.to(cost.dtype)
