"""What the nodes of a pair cost, once for every layout: (E1), (E2), (E13) and (E14)."""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from .._options import Prices
from ..batch._pairs import Pairs


class NodeTerms(NamedTuple):
    """What is known of every match.

    Args:
        nll: Cost of the match in nats, such as `-log p_i(y_j)`; what training minimises.
        match: Agreement in [0, 1], 1 for a perfect match; what the alignment goes by.
    """

    nll: Tensor
    match: Tensor


@runtime_checkable
class Space(Protocol):
    """Where matches stand: in a padded matrix, along a support, or in a tile of a matrix."""

    @property
    def pairs(self) -> "Nodes":
        """The nodes."""

    def nodes(self, x: Float[Tensor, " n"]) -> Tensor:
        """One number for each predicted node, in the form of this space."""

    def rows(self, nodes: Tensor) -> Tensor:
        """What `nodes` gave, broadcast over the matches of each node."""

    @property
    def ignored(self) -> Tensor | None:
        """Which matches are with a target node that is ignored, or None; it broadcasts."""

    def joined(self, matches: Tensor, deletion: Tensor, insertion: Tensor | float) -> Tensor:
        """Numbers of all entries: of matches, of deletions (as `nodes` gave them), insertions."""


@runtime_checkable
class Nodes(Protocol):
    """Log-probabilities of predicted nodes: `log h` and `log (1 - h)`, `[n]`."""

    @property
    def exists(self) -> Tensor:
        """Of being there."""

    @property
    def absent(self) -> Tensor:
        """Of not being there."""


def expected_edits(
    space: Space, match: Tensor, prices: Prices, insertion: Tensor | float
) -> Tensor:
    """`1 - h_i p_i(y_j)` to match, `h_i` to delete, 1 to insert, (E1) without places and (E14)."""
    exists = space.nodes(space.pairs.exists.exp())
    mismatch = _charged(space, 1 - space.rows(exists) * match)
    return space.joined(mismatch, prices.node_deletion * exists, insertion)


def surprise(space: Space, nll: Tensor, prices: Prices, insertion: Tensor | float) -> Tensor:
    """`-log h_i p_i(y_j)` to match, `-log(1 - h_i)` to delete, 1 to insert, (E13).

    What is impossible has no mass and costs nothing: 0 times infinity is 0.
    """
    cost, deletion = _unlikely(space, nll)
    cost = _charged(space, cost.masked_fill(cost.isposinf(), 0))
    deletion = prices.node_deletion * deletion.masked_fill(deletion.isposinf(), 0)
    return space.joined(cost, deletion, insertion)


@torch.no_grad()
def impossible(space: Space, nll: Tensor) -> Tensor:
    """Which entries have probability zero, not by rounding but by their logits."""
    return space.joined(*_unlikely(space, nll), 0.0).isposinf()


def _charged(space: Space, cost: Tensor) -> Tensor:
    """Costs of matches; nothing with a target node that is ignored."""
    return cost if space.ignored is None else cost.masked_fill(space.ignored, 0)


def _unlikely(space: Space, nll: Tensor) -> tuple[Tensor, Tensor]:
    """Negative log-probability of each match, and of each deletion."""
    exists = space.nodes(space.pairs.exists)
    if space.ignored is not None:  # whatever a node is, it may be matched there
        nll = nll.masked_fill(space.ignored, 0)
    return nll - space.rows(exists), space.nodes(-space.pairs.absent)


def steps(t: Float[Tensor, "*n d"], s: Float[Tensor, "*m d"]) -> Tensor:
    """Steps between the positions of two nodes, over all coordinates; shapes broadcast."""
    return (t - s).abs().sum(-1)


def voids(pairs: Pairs, slack: float) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
    """Mass of the void among the rows and among the columns of each pair, (E2).

    A node has mass one; the void takes what is left over, plus the slack.
    """
    n, m = pairs.layout.count, pairs.target.layout.count
    spare = torch.minimum(n, m).double() * slack  # in float32 the sums would differ by 1e-8
    return (m - n).clamp(min=0) + spare, (n - m).clamp(min=0) + spare
