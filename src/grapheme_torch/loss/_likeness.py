"""How well a predicted node and a target node go together, (E13): labels, features, anything."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from .._check import Received, refusal, require


class Likeness(NamedTuple):
    """What is said of every predicted node `i` beside every target node `j` of its pair.

    Args:
        surprise: Cost of the match in nats, such as `-log p_i(y_j)`; what training minimises.
        agreement: The same in [0, 1], 1 for a perfect match; what the alignment goes by.
    """

    surprise: Float[Tensor, "B N M"]
    agreement: Float[Tensor, "B N M"]


NodeCost = Callable[[Float[Tensor, "B N outputs"], Shaped[Tensor, "B M *y"]], Tensor]
"""A user's own: node outputs and targets in padded form to a cost, not negative, `[B, N, M]`."""

NodeKind = Literal["labels", "features", "gaussian", "multilabel"]


def likeness(
    kind: NodeKind | NodeCost, outputs: Float[Tensor, "B N outputs"], y: Shaped[Tensor, "B M *y"]
) -> Likeness:
    """Compares node outputs with targets, both in padded form.

    Args:
        kind: "labels": logits and classes; "features": vectors and vectors, half the squared
            distance; "gaussian": means then log-variances, and vectors; "multilabel": logits
            and zeros or ones, one per label; or a function that gives the cost itself.
        outputs: What the network says of each node.
        y: What each target node is.
    """
    if callable(kind):
        return _own(kind, outputs, y)
    return _KINDS[kind](outputs, y)


def check_outputs(kind: NodeKind | NodeCost, outputs: Tensor, y: Tensor) -> None:
    """Refuses node outputs (`prediction.label`) and targets (`target.y`) that do not fit."""
    if callable(kind):
        return
    if kind == "labels":
        _check_classes(outputs.shape[1], y)
        return
    size = outputs.shape[1] // 2 if kind == "gaussian" else outputs.shape[1]
    fits = y.is_floating_point() and y.ndim == 2 and y.shape[1] == size
    wanted = f"be floating-point, one row of {size} numbers per node"
    got = Received(f"{y.dtype} of shape {tuple(y.shape)}")
    remedy = 'node_cost="gaussian" reads means and log-variances: twice as many outputs.'
    require(fits, "`target.y`", wanted, got, remedy)


def _check_classes(num_classes: int, y: Tensor) -> None:
    if len(y) and not (int(y.min()) >= 0 and int(y.max()) < num_classes):
        values = Received(f"values from {int(y.min())} to {int(y.max())}")
        remedy = "Widen `prediction.label`."
        raise refusal("`target.y`", f"lie in [0, {num_classes})", values, remedy)


def _labels(outputs: Float[Tensor, "B N classes"], y: Int[Tensor, "B M"]) -> Likeness:
    return by_classes(log_softmax(outputs, dim=2), y)


def by_classes(log_p: Float[Tensor, "B N classes"], y: Int[Tensor, "B M"]) -> Likeness:
    """Compares node outputs with classes, given the log-probability of every class."""
    log_p = log_p.gather(2, y[:, None, :].expand(-1, log_p.shape[1], -1))
    return Likeness(-log_p, log_p.exp())


def _features(outputs: Float[Tensor, "B N d"], y: Float[Tensor, "B M d"]) -> Likeness:
    half = (outputs[:, :, None] - y[:, None].to(outputs.dtype)).square().sum(3) / 2
    return Likeness(half, (-half).exp())


def _gaussian(outputs: Float[Tensor, "B N d2"], y: Float[Tensor, "B M d"]) -> Likeness:
    mean, log_variance = outputs[:, :, None].chunk(2, dim=3)
    half = ((mean - y[:, None].to(outputs.dtype)).square() * (-log_variance).exp()).sum(3) / 2
    normaliser = (log_variance + math.log(2 * math.pi)).sum(3) / 2
    # The density is no probability: only its shape, 1 at the mean, can be an agreement.
    return Likeness(half + normaliser, (-half).exp())


def _multilabel(outputs: Float[Tensor, "B N d"], y: Float[Tensor, "B M d"]) -> Likeness:
    shape = (*outputs.shape[:2], *y.shape[1:])
    logit, wanted = outputs[:, :, None].expand(shape), y[:, None].expand(shape)
    each = binary_cross_entropy_with_logits(logit, wanted.to(logit.dtype), reduction="none")
    # Per label, or a node of many labels would agree with none.
    return Likeness(each.sum(3), (-each.sum(3) / max(y.shape[2], 1)).exp())


def _own(cost: NodeCost, outputs: Tensor, y: Tensor) -> Likeness:
    value = cost(outputs, y)
    shape = (outputs.shape[0], outputs.shape[1], y.shape[1])
    remedy = "Return one cost per pair of a predicted and a target node."
    require(
        value.shape == shape, "`node_cost`", f"return shape {shape}", tuple(value.shape), remedy
    )
    least = float(value.detach().min()) if value.numel() else 0.0
    remedy = "Add a constant: 0 is a perfect match."
    require(least >= 0, "`node_cost`", "return costs that are not negative", least, remedy)
    return Likeness(value, (-value).exp())


_KINDS: dict[str, Callable[[Tensor, Tensor], Likeness]] = {
    "labels": _labels,
    "features": _features,
    "gaussian": _gaussian,
    "multilabel": _multilabel,
}
NODE_KINDS = tuple(_KINDS)
