"""A node cost of one's own: called on nodes, never on padding, and judged by what it returns."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from ..._check import Received, refusal, require
from ..batch._layout import Layout

NodeCost = Callable[[Float[Tensor, "B N outputs"], Shaped[Tensor, "B M *y"]], Tensor]
"""A user's own: node outputs and targets to a cost, not negative, `[B, N, M]`."""

Place = Callable[[int, int, int], str]
"""Names the match at an index of what a node cost returned."""


def padded_cost(
    cost: NodeCost,
    layout: Layout,
    outputs: Float[Tensor, "n outputs"],
    target: Layout,
    y: Shaped[Tensor, "m *y"],
) -> Float[Tensor, "B N M"]:
    """The cost of every match in padded form; zero in the padding.

    The function sees the pairs that have nodes on both sides. Padding repeats the last node of
    the side, so that whatever is fine for all nodes is fine there.
    """
    some = ((layout.count > 0) & (target.count > 0)).nonzero()[:, 0]
    out = outputs.new_zeros(len(layout.count), layout.width, target.width)
    if not len(some):
        return out
    left, right = _repeated(layout, outputs, some), _repeated(target, y, some)
    real = layout.mask[some][:, :, None] & target.mask[some][:, None]
    value = own_cost(
        cost, left, right, lambda b, i, j: f"pair {int(some[b])}, {_nodes(i, j)}", real
    )
    return out.to(value.dtype).index_put((some,), value)


def own_cost(
    cost: NodeCost,
    outputs: Float[Tensor, "B N outputs"],
    y: Shaped[Tensor, "B M *y"],
    place: Place,
    real: Tensor | None = None,
) -> Float[Tensor, "B N M"]:
    """What the function says, at least in the precision of the outputs.

    Infinity forbids a match. NaN is the pair's own where outputs or targets hold NaN or infinity.

    Args:
        cost: The function.
        outputs, y: Of nodes; or repeated ones, where `real` is false.
        place: Names a match, for messages.
        real: What is judged. The rest is set to zero.

    Raises:
        InputError: If it returns no real numbers of the right shape and device, a negative cost,
            or NaN for numbers that are finite.
    """
    value = cost(outputs, y)
    shape = (outputs.shape[0], outputs.shape[1], y.shape[1])
    _check_form(value, shape, outputs.device)
    eps = torch.finfo(value.dtype).eps if value.is_floating_point() else 0.0
    value = value.to(torch.promote_types(value.dtype, outputs.dtype))
    if real is not None:
        value = value.masked_fill(~real, 0)
    _check_numbers(value.detach(), outputs, y, place, 8 * eps)
    return value


def _check_form(value: object, shape: tuple[int, int, int], device: torch.device) -> None:
    remedy = "Return one cost per pair of a predicted and a target node."
    ok = isinstance(value, Tensor) and value.shape == shape
    got: object = value
    if isinstance(value, Tensor):
        ok = ok and not value.is_complex() and value.device == device
        got = Received(f"{value.dtype} of shape {tuple(value.shape)} on {value.device}")
    require(ok, "`node_cost`", f"return shape {shape}, real numbers on {device}", got, remedy)


def _check_numbers(value: Tensor, outputs: Tensor, y: Tensor, place: Place, eps: float) -> None:
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
        left, right = (x.detach().isfinite().flatten(2).all(2) for x in (outputs, y[..., None]))
        lost = lost & left[:, :, None] & right[:, None]
    if bool(lost.any()):
        remedy = "Its arguments are finite there; infinity forbids a match."
        raise _refused("return numbers", value, lost, place, remedy)


def _refused(wanted: str, value: Tensor, bad: Tensor, place: Place, remedy: str) -> Exception:
    b, i, j = bad.nonzero()[0].tolist()
    return refusal("`node_cost`", f"{wanted} ({place(b, i, j)})", float(value[b, i, j]), remedy)


def _nodes(i: int, j: int) -> str:
    return f"predicted node {i}, target node {j}"


def _repeated(layout: Layout, values: Tensor, pairs: Tensor) -> Tensor:
    """The values of the nodes of some pairs in padded form, the last repeated."""
    count = layout.count[pairs]
    first = (layout.count.cumsum(0) - layout.count)[pairs]
    place = torch.arange(layout.width, device=count.device)
    return values[first[:, None] + torch.minimum(place, count[:, None] - 1)]
