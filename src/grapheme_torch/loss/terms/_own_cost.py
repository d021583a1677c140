"""A node cost of the user's own, judged by what it returns."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..._check import Received, refusal, require
from ._node_cost import Compared, NodeCost

Place = Callable[[int], str]
"""Names the match at a place of what a node cost returned, counted over all its axes."""


def judged(
    cost: NodeCost,
    outputs: Tensor,
    y: Tensor,
    shape: tuple[int, ...],
    place: Place,
    real: Tensor | None = None,
) -> Compared:
    """What a node cost says, at least in the precision of the outputs.

    Infinity forbids a match. NaN is the pair's own where outputs or targets hold NaN or infinity.

    Args:
        cost: The node cost.
        outputs, y: Of nodes; the leading axes broadcast to `shape`.
        shape: The shape of the costs.
        place: Names a match, for messages.
        real: What is judged. The rest is set to zero.

    Raises:
        InputError: If it returns no real numbers of the right shape and device. If it returns a
            negative cost, an agreement outside of [0, 1], or NaN for numbers that are finite.
    """
    found = cost.compare(outputs, y)
    finite = _finite(outputs, len(shape)) & _finite(y, len(shape))

    def number(value: object) -> Tensor:
        _check_form(value, shape, outputs.device)
        assert isinstance(value, Tensor)
        eps = torch.finfo(value.dtype).eps if value.is_floating_point() else 0.0
        value = value.to(torch.promote_types(value.dtype, outputs.dtype))
        if real is not None:
            value = value.masked_fill(~real, 0)
        _check_numbers(value.detach(), finite, place, 8 * eps)
        return value

    nll = number(found.nll)
    misfit = found.misfit
    if misfit is not None:
        misfit = nll if misfit is found.nll else number(misfit)
    match = None if found.match is None else number(found.match)
    if match is not None and bool((match > 1 + 1e-6).any()):
        k = int((match > 1 + 1e-6).flatten().nonzero()[0])
        wanted = f"return an agreement of at most 1 ({place(k)})"
        raise refusal("`node_cost.match`", wanted, float(match.flatten()[k]), "1 is perfect.")
    return Compared(nll, misfit, match)


def _finite(x: Tensor, axes: int) -> Tensor:
    """Whether the numbers of each node are finite; the first axes number nodes."""
    finite = x.detach().isfinite()
    return finite.flatten(axes).all(-1) if x.ndim > axes else finite


def _check_form(value: object, shape: tuple[int, ...], device: torch.device) -> None:
    remedy = "Return one cost per pair of a predicted and a target node."
    ok = isinstance(value, Tensor) and value.shape == shape
    got: object = value
    if isinstance(value, Tensor):
        ok = ok and not value.is_complex() and value.device == device
        got = Received(f"{value.dtype} of shape {tuple(value.shape)} on {value.device}")
    require(ok, "`node_cost`", f"return shape {shape}, real numbers on {device}", got, remedy)


def _check_numbers(value: Tensor, finite: Tensor, place: Place, eps: float) -> None:
    if not value.numel():
        return
    # One minus a cosine is below zero by rounding.
    least = -eps * max(1.0, float(value.masked_fill(~value.isfinite(), 0).abs().max()))
    negative = value < least
    if bool(negative.any()):
        remedy = "Add a constant: 0 is a perfect match."
        raise _refused("return costs that are not negative", value, negative, place, remedy)
    lost = value.isnan()
    if bool(lost.any()):
        lost = lost & finite
    if bool(lost.any()):
        remedy = "Its arguments are finite there; infinity forbids a match."
        raise _refused("return numbers", value, lost, place, remedy)


def _refused(wanted: str, value: Tensor, bad: Tensor, place: Place, remedy: str) -> Exception:
    k = int(bad.flatten().nonzero()[0])
    return refusal("`node_cost`", f"{wanted} ({place(k)})", float(value.flatten()[k]), remedy)
