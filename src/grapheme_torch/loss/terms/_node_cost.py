"""How well a predicted node and a target node go together, (E13): labels, features, anything."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from ..._check import Received, refusal, require
from ..engines import _kernel
from ._own_cost import NodeCost as NodeCost
from ._own_cost import Place, own_cost


class Likeness(NamedTuple):
    """What is said of every predicted node `i` beside every target node `j` of its pair.

    Args:
        surprise: Cost of the match in nats, such as `-log p_i(y_j)`; what training minimises.
        agreement: The same in [0, 1], 1 for a perfect match; what the alignment goes by.
    """

    surprise: Float[Tensor, "B N M"]
    agreement: Float[Tensor, "B N M"]


class Compared(NamedTuple):
    """What two nodes cost each other, before it is known at which cost they agree.

    Args:
        surprise: As in `Likeness`.
        misfit: What the agreement is made of: `exp(-misfit / scale)`.
    """

    surprise: Float[Tensor, "B N M"]
    misfit: Float[Tensor, "B N M"]

    def likeness(self, scale: Float[Tensor, "#B 1 1"] | float) -> Likeness:
        """The same with the agreement, given the misfit at which that is 1/e."""
        return Likeness(self.surprise, (-self.misfit / scale).exp())


NodeKind = Literal["labels", "features", "gaussian", "multilabel"]

SCALE_FREE = ("labels", "multilabel")
"""What is told in probabilities, so that it has no scale."""


def compared(
    kind: NodeKind | NodeCost,
    outputs: Float[Tensor, "B N outputs"],
    y: Shaped[Tensor, "B M *y"],
    place: Place = lambda *_: "some match",
) -> Compared:
    """Compares node outputs with targets, all with all of each `B`.

    Args:
        kind: "labels": logits and classes; "features": vectors and vectors, half the squared
            distance; "gaussian": means then log-variances, and vectors; "multilabel": logits
            and zeros or ones, one per label; or a function that gives the cost itself.
        outputs: What the network says of each node.
        y: What each target node is.
        place: Names a match, for messages about an own cost.

    Raises:
        InputError: If an own cost returns what is no cost, see `own_cost`.
    """
    if callable(kind):
        return twice(own_cost(kind, outputs, y, place))
    return _KINDS[kind](outputs, y)


def twice(cost: Float[Tensor, "B N M"]) -> Compared:
    """A cost that is charged and that nodes are aligned by."""
    return Compared(cost, cost)


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
    if _kernel.serves(y) and _kernel.within(y, 0, num_classes):
        return
    if len(y) and not (int(y.min()) >= 0 and int(y.max()) < num_classes):
        values = Received(f"values from {int(y.min())} to {int(y.max())}")
        remedy = "Widen `prediction.label`."
        raise refusal("`target.y`", f"lie in [0, {num_classes})", values, remedy)


def _labels(outputs: Float[Tensor, "B N classes"], y: Int[Tensor, "B M"]) -> Compared:
    return by_classes(log_softmax(outputs, dim=2), y)


def by_classes(log_p: Float[Tensor, "B N classes"], y: Int[Tensor, "B M"]) -> Compared:
    """Compares node outputs with classes, given the log-probability of every class."""
    return twice(-log_p.gather(2, y[:, None, :].expand(-1, log_p.shape[1], -1)))


def _features(outputs: Float[Tensor, "B N d"], y: Float[Tensor, "B M d"]) -> Compared:
    return twice((outputs[:, :, None] - y[:, None].to(outputs.dtype)).square().sum(3) / 2)


def _gaussian(outputs: Float[Tensor, "B N d2"], y: Float[Tensor, "B M d"]) -> Compared:
    mean, log_variance = outputs[:, :, None].chunk(2, dim=3)
    step = mean - y[:, None].to(outputs.dtype)
    half = (step.square() * _precision(log_variance)).sum(3) / 2
    normaliser = (log_variance + math.log(2 * math.pi)).sum(3) / 2
    # The density is no probability: only its shape, 1 at the mean, can be an agreement.
    return Compared(half + normaliser, half)


def _precision(log_variance: Tensor) -> Tensor:
    """`exp(-log_variance)`, continued as a straight line where that would soon overflow.

    Finite with its derivative for every finite log-variance; it still falls everywhere, so that
    a node that is too sure of itself is told so.
    """
    rest = log_variance.clamp(min=_SURE)
    return (-rest).exp() * (1 + (rest - log_variance))


def _multilabel(outputs: Float[Tensor, "B N d"], y: Float[Tensor, "B M d"]) -> Compared:
    shape = (*outputs.shape[:2], *y.shape[1:])
    logit, wanted = outputs[:, :, None].expand(shape), y[:, None].expand(shape)
    each = binary_cross_entropy_with_logits(logit, wanted.to(logit.dtype), reduction="none")
    # Per label, or a node of many labels would agree with none.
    return Compared(each.sum(3), each.sum(3) / max(y.shape[2], 1))


_SURE = -60.0
"""Least log-variance of a Gaussian that is read as it is: a deviation of 1e-13."""

_KINDS: dict[str, Callable[[Tensor, Tensor], Compared]] = {
    "labels": _labels,
    "features": _features,
    "gaussian": _gaussian,
    "multilabel": _multilabel,
}
NODE_KINDS = tuple(_KINDS)
