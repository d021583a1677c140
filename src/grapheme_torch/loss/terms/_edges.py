"""The edge term: what the soft alignment makes of the edges, (E15)-(E19) of docs/math.md.

Both criteria are, with `W_uv(r) = sum over target edges (i, j, r) of P_ui P_vj`,

    constant + sum_uv sum_r W_uv(r) K_uv(r),

the pairwise-product form of Gromov and Wasserstein: directed, labelled, bilinear in the plan.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .._prices import UNIT, Prices
from ..batch._layout import Layout
from ..batch._pairs import Pairs


@dataclass(frozen=True)
class EdgeCost:
    """The edge term as a function of the plan.

    Args:
        constant: Its value when nothing is aligned: every candidate is judged as absent, every
            target edge is inserted; one number a pair.
        gain: `K`, what aligning a target edge of channel `r` with candidate `(u, v)` adds.
        target: Value of each target edge in that channel: one in that of its relation, then, if
            edges have weights, `1, w, w^2`.
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


@dataclass(frozen=True)
class Charges:
    """What edges cost, before anything is aligned, (E17)-(E18).

    Args:
        unaligned: Cost of each candidate that nothing is aligned with.
        aligned: Cost of each candidate aligned with relation `r`, from 1.
        unmatched: Cost of a target edge that no candidate takes.
        certainty: Share of the squared error of its weight that a candidate answers for, (E26).
    """

    unaligned: Float[Tensor, " e"]
    aligned: Float[Tensor, "e relations"]
    unmatched: float
    certainty: Float[Tensor, " e"]

    @property
    def gain(self) -> Float[Tensor, "e relations"]:
        """`K`, what aligning a target edge of relation `r` with a candidate adds."""
        return self.aligned - self.unaligned[:, None] - self.unmatched

    def constant(self, pairs: Pairs) -> Float[Tensor, " B"]:
        """The edge term of each pair when nothing is aligned."""
        sums = self.unaligned.new_zeros(len(pairs.target.layout.count))
        sums = sums.index_add(0, pairs.graph, self.unaligned)
        # A price times whole numbers would be single precision.
        return sums + self.unmatched * pairs.target.num_edges.to(sums.dtype)


def surprise_charges(pairs: Pairs, prices: Prices = UNIT) -> Charges:
    """`-log q` of the aligned relation, one for each edge left unmatched, (E17).

    What is impossible has no surprise, and is charged as an edit: a candidate takes no target edge
    of an impossible relation, which then counts as unmatched; one that cannot be absent is deleted.
    """
    nats = -pairs.relation
    impossible = nats.isposinf()
    unaligned = prices.edge_deletion * nats[:, 0].masked_fill(impossible[:, 0], 1)
    unmatched = (unaligned + prices.edge_insertion)[:, None]
    aligned = torch.where(impossible[:, 1:], unmatched, nats[:, 1:])
    certainty = 1 - impossible[:, 1:].all(1).to(nats.dtype)
    return Charges(unaligned, aligned, prices.edge_insertion, certainty)


def edit_charges(pairs: Pairs, prices: Prices = UNIT) -> Charges:
    """Expected insertions, deletions and changes of relation, (E18)."""
    absent, present = pairs.relation[:, :1].exp(), pairs.relation[:, 1:].exp()
    aligned = prices.edge_insertion * absent + (1 - absent - present)
    there = 1 - absent[:, 0]
    return Charges(prices.edge_deletion * there, aligned, prices.edge_insertion, there)


def edge_surprise(pairs: Pairs, prices: Prices = UNIT) -> EdgeCost:
    """The edge term in nats, (E17)."""
    return _edge_cost(pairs, surprise_charges(pairs, prices))


def edge_edits(pairs: Pairs, prices: Prices = UNIT) -> EdgeCost:
    """The edge term in edits, (E18)."""
    return _edge_cost(pairs, edit_charges(pairs, prices))


def edge_channels(
    pairs: Pairs, charges: Charges
) -> tuple[Float[Tensor, "e channels"], Float[Tensor, "t channels"]]:
    """Gain of each candidate and value of each target edge in each channel, as in `EdgeCost`."""
    t, gain = pairs.target, charges.gain
    relations = torch.arange(1, 1 + gain.shape[1], device=gain.device)
    target = (t.relation[:, None] == relations).to(gain.dtype)
    if pairs.weight is not None and t.weight is not None:
        v, w = pairs.weight, t.weight.to(gain.dtype)
        # (v - w)^2 / 2 as a sum of products of v with w, so that the term stays bilinear, (E26).
        error = torch.stack([v.square() / 2, -v, torch.full_like(v, 0.5)], dim=1)
        gain = torch.cat([gain, charges.certainty[:, None] * error], 1)
        target = torch.cat([target, torch.stack([torch.ones_like(w), w, w.square()], 1)], 1)
    return gain, target


def _edge_cost(pairs: Pairs, charges: Charges) -> EdgeCost:
    """The edge term as matrices."""
    t, (gain, target) = pairs.target, edge_channels(pairs, charges)
    ends = [(t.source, t.sink)] if pairs.directed else [(t.source, t.sink), (t.sink, t.source)]
    return EdgeCost(
        charges.constant(pairs),
        dense(gain, pairs.graph, [(pairs.source, pairs.sink)], pairs.layout),
        dense(target, t.graph, ends, t.layout),
    )


def dense(
    values: Float[Tensor, "e channels"],
    graph: Int[Tensor, " e"],
    ends: list[tuple[Tensor, Tensor]],
    layout: Layout,
) -> Float[Tensor, "B channels N N"]:
    """The values of edges as matrices, zero where there is none."""
    out = values.new_zeros(len(layout.count), layout.width, layout.width, values.shape[1])
    for source, sink in ends:
        out = out.index_put((graph, source, sink), values)
    return out.permute(0, 3, 1, 2)
