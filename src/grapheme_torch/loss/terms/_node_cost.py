"""What a predicted node and a target node cost each other, (E13): classes, vectors, anything.

A cost sees shapes that broadcast, so that one formula serves a matrix of all matches, a list of
some, and a tile.
"""

import math
from collections.abc import Callable
from math import inf
from typing import Any, Literal, NamedTuple, cast

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from ..._check import Received, refusal, require
from ...ot import serves
from .._options import is_number
from ..engines import _kernel
from ._shaping import check_shaping, checked_weight, focused, smoothed, weighed

_UNKNOWN = -100
"""What PyTorch calls a target without a class."""


class Compared(NamedTuple):
    """What two nodes cost each other, before it is known at which cost they agree.

    Args:
        nll: Cost of the match in nats, such as `-log p_i(y_j)`; what a likelihood charges.
        misfit: What the agreement is made of, `exp(-misfit / scale)`; None where `match` is known.
        match: The agreement in [0, 1], 1 for a perfect match; what the alignment goes by.
    """

    nll: Tensor
    misfit: Tensor | None
    match: Tensor | None = None

    def agreement(self, scale: Tensor | float) -> Tensor:
        """The agreement, given the misfit at which it is 1/e."""
        if self.match is not None:
            return self.match
        assert self.misfit is not None  # one of the two is known
        return (-self.misfit / scale).exp()


class NodeCost(nn.Module):
    """Base class of node costs; a user's own defines `nll`, and may define `match`.

    It may have parameters: they are the loss's, and learn with it.

    Args:
        scale: The cost at which two nodes agree to 1/e. It steers the alignment; a likelihood
            charges the cost itself. Default: found for each pair from its costs, (E46), and
            constant in the derivative. Give it for an "edit" comparable between predictions.

    Raises:
        InputError: If the scale is not positive and finite.
    """

    by_class = False
    """Whether `target.y` holds classes, and the cost is one of a class: see `Classes`."""

    native: Literal["labels", "features"] | None = None
    """How the kernel compares nodes itself; None: it is given the costs of all matches."""

    finds_scale = True
    """Whether nodes agree by a scale of costs; probabilities have none."""

    trusted = False
    """Whether padding is fine for it and its numbers need no look: a cost of the library."""

    def __init__(self, scale: float | None = None) -> None:
        super().__init__()
        if type(self).__module__ != __name__:  # a user's own, though it inherit from one of ours
            self.trusted, self.native = False, None
        if scale is not None:
            ok = is_number(scale) and 0 < scale < inf
            remedy = "It is a cost, such as half a squared distance; None finds it for each pair."
            require(ok, "`scale`", "be positive and finite", scale, remedy)
        self.scale = scale

    def nll(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Cost of a match, not negative; infinity forbids it.

        Args:
            outputs: What the network says of predicted nodes, `[*, outputs]`.
            y: Target nodes, `[*, ...]`: the axes of a row of `target.y` are last.

        Returns:
            The cost in nats, `[*]`: the leading axes of both, broadcast.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `nll(outputs, y)`.")

    def match(self, outputs: Tensor, y: Tensor) -> Tensor | None:
        """Agreement in [0, 1], `[*]`. Default: None, for `exp(-nll / scale)`."""
        del outputs, y
        return None

    def compare(self, outputs: Tensor, y: Tensor) -> Compared:
        """Cost and agreement of matches."""
        nll, match = self.nll(outputs, y), self.match(outputs, y)
        return Compared(nll, nll if match is None else None, match)

    def check(self, outputs: Float[Tensor, "n outputs"], y: Shaped[Tensor, "m *y"]) -> None:
        """Refuses node outputs (`prediction.label`) and targets (`target.y`) that do not fit."""

    def weight(self, y: Shaped[Tensor, "m *y"]) -> Float[Tensor, " m"] | None:
        """What inserting each target node costs, as a factor of the price; None: one."""
        del y
        return None

    def extra_repr(self) -> str:
        """The scale, if it is given."""
        return "" if self.scale is None else f"scale={self.scale!r}"


class Classes(NodeCost):
    """Class logits and classes: the cross-entropy.

    Args:
        weight: What a node of each class counts, `[classes]`: a factor of what its match and its
            insertion cost, as in `torch.nn.CrossEntropyLoss`.
        label_smoothing: Share of the cost that is the mean over all classes [szegedy16].
        focal: Exponent of the focal loss [lin17]: the cost is multiplied by `(1 - p)^focal`.
        ignore_index: A target of this value has no known class: any class fits, at no cost. As in
            `torch.nn.CrossEntropyLoss` it may be the number of a class.

    Raises:
        InputError: If a value is out of range.

    The alignment goes by the probability of the class alone. Differentiable in the logits; `weight`
    is constant.
    """

    by_class = True
    finds_scale = False
    trusted = True
    weights: Tensor | None

    def __init__(
        self,
        weight: Float[Tensor, " classes"] | None = None,
        *,
        label_smoothing: float = 0.0,
        focal: float = 0.0,
        ignore_index: int = _UNKNOWN,
    ) -> None:
        super().__init__()
        self.register_buffer("weights", checked_weight(weight, "class"))
        check_shaping(label_smoothing, focal)
        self.label_smoothing, self.focal, self.ignore_index = label_smoothing, focal, ignore_index
        plain = type(self) is Classes and weight is None and not label_smoothing and not focal
        self.native = "labels" if plain else None

    def marked(self, y: Int[Tensor, " m"]) -> Int[Tensor, " m"]:
        """Classes, below zero where none is known, whatever `ignore_index` is."""
        return y if self.ignore_index < 0 else y.masked_fill(y == self.ignore_index, _UNKNOWN)

    @property
    def tabled(self) -> bool:
        """Whether costs of matches are those of their classes, looked up in `table`."""
        kind = type(self)
        return kind.nll is Classes.nll and kind.match is NodeCost.match

    def table(self, outputs: Float[Tensor, "*size classes"]) -> Compared:
        """Cost and agreement of nodes with every class, `[*, classes]`."""
        return self.table_of(log_softmax(outputs, dim=-1))

    def table_of(self, log_p: Float[Tensor, "*size classes"]) -> Compared:
        """The same, given the log-probability of every class."""
        misfit = -log_p
        nll = focused(smoothed(misfit, self.label_smoothing), log_p, self.focal)
        return Compared(weighed(nll, self.weights), misfit)

    def look_up(
        self, table: Float[Tensor, "*B k classes"], y: Int[Tensor, "*B w"], unknown: float
    ) -> Float[Tensor, "*B k w"]:
        """Numbers of every class as numbers of matches; `unknown` where no class is known."""
        lost = y < 0 if y.numel() and int(y.min()) < 0 else None
        index = (y if lost is None else y.clamp(min=0))[..., None, :]
        out = table.gather(-1, index.expand(*table.shape[:-1], -1))
        return out if lost is None else out.masked_fill(lost[..., None, :], unknown)

    def nll(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Cost of the class, `[*]`."""
        table = self.table(outputs).nll
        shape = torch.broadcast_shapes(table.shape[:-1], y.shape)
        index = y.clamp(min=0).expand(shape)[..., None]
        return table.expand(*shape, -1).gather(-1, index)[..., 0].masked_fill(y < 0, 0)

    def weight(self, y: Int[Tensor, " m"]) -> Float[Tensor, " m"] | None:
        """The weight of the class of each target node."""
        if self.weights is None:
            return None
        return torch.where(y < 0, 1.0, self.weights[y.clamp(min=0)])

    def check(self, outputs: Tensor, y: Tensor) -> None:
        """Refuses a class that there is not."""
        classes = outputs.shape[1]
        if self.weights is not None and len(self.weights) != classes:
            remedy = "Give one weight per column of `prediction.label`."
            raise refusal("`weight`", f"hold {classes} numbers", len(self.weights), remedy)
        if serves(y) and _kernel.within(y, 0, classes):
            return
        unknown = self.ignore_index if self.ignore_index < 0 else _UNKNOWN
        known = y[y != unknown] if len(y) and int(y.min()) < 0 else y
        if len(known) and not (int(known.min()) >= 0 and int(known.max()) < classes):
            values = Received(f"values from {int(y.min())} to {int(y.max())}")
            remedy = "Widen `prediction.label`."
            raise refusal("`target.y`", f"lie in [0, {classes})", values, remedy)

    def extra_repr(self) -> str:
        """The settings that are not the default."""
        shown = {"label_smoothing": self.label_smoothing, "focal": self.focal}
        given = [f"{name}={value!r}" for name, value in shown.items() if value]
        if self.ignore_index != _UNKNOWN:
            given.append(f"ignore_index={self.ignore_index!r}")
        return ", ".join(["weight=..."] * (self.weights is not None) + given)


class Vectors(NodeCost):
    """Vectors and vectors: half their squared distance.

    Args:
        scale: See `NodeCost`.
    """

    native = "features"
    trusted = True

    def nll(self, outputs: Float[Tensor, "*n d"], y: Float[Tensor, "*m d"]) -> Tensor:
        """Half the squared distance, `[*]`."""
        return (outputs - y.to(outputs.dtype)).square().sum(-1) / 2

    def check(self, outputs: Tensor, y: Tensor) -> None:
        """Refuses targets that are no such vectors."""
        _check_rows(outputs.shape[1], y)


class Gaussian(NodeCost):
    """Means then log-variances, and vectors: the negative log-density of a Gaussian.

    Args:
        scale: See `NodeCost`.

    The agreement is the shape of the density, 1 at the mean: the density is no probability.
    """

    trusted = True

    def compare(self, outputs: Float[Tensor, "*n d2"], y: Float[Tensor, "*m d"]) -> Compared:
        """Negative log-density, and half the squared distance in standard deviations, `[*]`."""
        mean, log_variance = outputs.chunk(2, dim=-1)
        step = mean - y.to(outputs.dtype)
        half = (step.square() * _precision(log_variance)).sum(-1) / 2
        normaliser = (log_variance + math.log(2 * math.pi)).sum(-1) / 2
        return Compared(half + normaliser, half)

    def check(self, outputs: Tensor, y: Tensor) -> None:
        """Refuses targets that are no such vectors."""
        _check_rows(outputs.shape[1] // 2, y)


class MultiLabel(NodeCost):
    """Logits and zeros or ones, one per label: the binary cross-entropy.

    Args:
        weight: What each label counts, `[labels]`: a factor of its cost.
        label_smoothing: Targets become `y (1 - s) + s / 2`.
        focal: Exponent of the focal loss [lin17] of each label.

    Raises:
        InputError: If a value is out of range.

    The agreement is `exp` of minus the mean cost of a label, or a node of many labels would agree
    with none.
    """

    finds_scale = False
    trusted = True
    weights: Tensor | None

    def __init__(
        self,
        weight: Float[Tensor, " labels"] | None = None,
        *,
        label_smoothing: float = 0.0,
        focal: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weights", checked_weight(weight, "label"))
        check_shaping(label_smoothing, focal)
        self.label_smoothing, self.focal = label_smoothing, focal

    def compare(self, outputs: Float[Tensor, "*n d"], y: Float[Tensor, "*m d"]) -> Compared:
        """Cost of all labels, and the mean of their cross-entropies, `[*]`."""
        shape = torch.broadcast_shapes(outputs.shape, y.shape)
        logit, wanted = outputs.expand(shape), y.expand(shape).to(outputs.dtype)
        each = binary_cross_entropy_with_logits(logit, wanted, reduction="none")
        misfit = each.sum(-1) / max(shape[-1], 1)
        if self.label_smoothing or self.focal or self.weights is not None:
            return Compared(self._charged(logit, wanted, each).sum(-1), misfit)
        return Compared(each.sum(-1), misfit)

    def _charged(self, logit: Tensor, wanted: Tensor, each: Tensor) -> Tensor:
        cost = each
        if self.label_smoothing:
            share = self.label_smoothing
            smooth = wanted * (1 - share) + share / 2
            cost = binary_cross_entropy_with_logits(logit, smooth, reduction="none")
        return weighed(focused(cost, -each, self.focal), self.weights)

    def check(self, outputs: Tensor, y: Tensor) -> None:
        """Refuses targets that are no such rows."""
        _check_rows(outputs.shape[1], y)


class Function(NodeCost):
    """A node cost that is a function of node outputs and targets, see `NodeCost.nll`.

    Args:
        function: The function. If it is a module its parameters are the loss's.
        scale: See `NodeCost`.
    """

    def __init__(
        self, function: Callable[[Tensor, Tensor], Tensor], scale: float | None = None
    ) -> None:
        super().__init__(scale)
        self.function = function

    def nll(self, outputs: Tensor, y: Tensor) -> Tensor:
        """What the function says."""
        return self.function(outputs, y)

    def extra_repr(self) -> str:
        """The function."""
        return "" if isinstance(self.function, nn.Module) else f"{self.function!r}"


NODE_COSTS: dict[str, Callable[[], NodeCost]] = {
    "labels": Classes,
    "features": Vectors,
    "gaussian": Gaussian,
    "multilabel": MultiLabel,
}
"""Names of the node costs that need no more than a name."""

NodeKind = Literal["labels", "features", "gaussian", "multilabel"]


def as_node_cost(value: Any) -> NodeCost:
    """A node cost from its name, a function, or itself.

    Raises:
        InputError: If it is none of them.
    """
    if isinstance(value, NodeCost):
        return value
    if isinstance(value, str) and value in NODE_COSTS:
        return NODE_COSTS[value]()
    if callable(value) and not isinstance(value, type):
        return Function(cast(Callable[[Tensor, Tensor], Tensor], value))
    wanted = f"be one of {', '.join(NODE_COSTS)}, a function, or a `NodeCost`"
    raise refusal("`node_cost`", wanted, value, "Choose one.")


def _check_rows(size: int, y: Tensor) -> None:
    fits = y.is_floating_point() and y.ndim == 2 and y.shape[1] == size
    wanted = f"be floating-point, one row of {size} numbers per node"
    got = Received(f"{y.dtype} of shape {tuple(y.shape)}")
    remedy = "A Gaussian reads means and log-variances: twice as many outputs."
    require(fits, "`target.y`", wanted, got, remedy)


def _precision(log_variance: Tensor) -> Tensor:
    """`exp(-log_variance)`, continued as a straight line where that would soon overflow.

    Finite with its derivative for every finite log-variance; it still falls everywhere, so that
    a node that is too sure of itself is told so.
    """
    rest = log_variance.clamp(min=_SURE)
    return (-rest).exp() * (1 + (rest - log_variance))


_SURE = -60.0
"""Least log-variance of a Gaussian that is read as it is: a deviation of 1e-13."""
