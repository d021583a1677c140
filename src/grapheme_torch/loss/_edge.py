"""The edge term: what the soft alignment makes of the edges, (E15)-(E19) of docs/math.md.

Both criteria are, with `W_uv(r) = sum over target edges (i, j, r) of P_ui P_vj`,

    constant + sum_uv sum_r W_uv(r) K_uv(r),

the pairwise-product form of Gromov and Wasserstein: directed, labelled, bilinear in the plan.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ._pairs import Pairs
from ._prices import UNIT, Prices


@dataclass(frozen=True)
class EdgeCost:
    """The edge term as a function of the plan.

    Args:
        constant: Its value when nothing is aligned: every candidate is judged as absent, every
            target edge is inserted; one number a pair.
        gain: `K`, what aligning a target edge of relation `r` with candidate `(u, v)` adds.
        target: One where the target has an edge of that relation, else zero.
    """

    constant: Float[Tensor, " B"]
    gain: Float[Tensor, "B R N N"]
    target: Float[Tensor, "B R M M"]

    def __call__(self, plan: Float[Tensor, "B N M"]) -> Float[Tensor, " B"]:
        """The expected cost of the edges under the plan (real nodes only), (E16)."""
        forward = (self.gain @ plan[:, None] @ self.target.mT).sum(1)
        return self.constant + (plan * forward).sum((1, 2))

    def slope(self, plan: Float[Tensor, "B N M"]) -> Float[Tensor, "B N M"]:
        """`dE/dP`: both ends of an edge answer, so both sums appear, (E19)."""
        forward = self.gain @ plan[:, None] @ self.target.mT
        backward = self.gain.mT @ plan[:, None] @ self.target
        return (forward + backward).sum(1)


def edge_surprise(pairs: Pairs, prices: Prices = UNIT) -> EdgeCost:
    """`-log q` of the aligned relation, one for each edge left unmatched, (E17)."""
    unaligned = -prices.edge_deletion * pairs.relation[:, 0]
    return _edge_cost(pairs, unaligned, -pairs.relation[:, 1:], prices.edge_insertion)


def edge_edits(pairs: Pairs, prices: Prices = UNIT) -> EdgeCost:
    """Expected insertions, deletions and changes of relation, (E18)."""
    absent, present = pairs.relation[:, :1].exp(), pairs.relation[:, 1:].exp()
    aligned = prices.edge_insertion * absent + (1 - absent - present)
    unaligned = prices.edge_deletion * (1 - absent[:, 0])
    return _edge_cost(pairs, unaligned, aligned, prices.edge_insertion)


def _edge_cost(pairs: Pairs, unaligned: Tensor, aligned: Tensor, unmatched: float) -> EdgeCost:
    """The edge term from what a candidate costs, and a target edge that none takes."""
    gain = aligned - unaligned[:, None] - unmatched
    size, n, m = len(pairs.layout.count), pairs.layout.width, pairs.target.layout.width
    constant = unaligned.new_zeros(size).index_add(0, pairs.graph, unaligned)
    place = (pairs.graph, pairs.source, pairs.sink)
    dense = gain.new_zeros(size, n, n, gain.shape[1]).index_put(place, gain)
    t = pairs.target
    target = gain.new_zeros(size, gain.shape[1], m, m)
    target[t.graph, t.relation - 1, t.source, t.sink] = 1
    if not pairs.directed:
        target[t.graph, t.relation - 1, t.sink, t.source] = 1
    return EdgeCost(constant + unmatched * t.num_edges, dense.permute(0, 3, 1, 2), target)
