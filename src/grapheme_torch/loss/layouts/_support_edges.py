"""The edge term on a sparse support, (E30) of docs/math: a join of edges with entries."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from ..batch._csr import Csr
from ..batch._pairs import Pairs
from ..terms._edge_cost import EdgeCosts, channel_of, gains
from ._entries import Entries

_CHUNK = 1 << 22
"""Places tried at once; bounds the memory of the join, not its result."""


@dataclass(frozen=True)
class EdgePairs:
    """Every way to lay a candidate `(u, v)` on a target edge `(i, j)` along the support.

    Args:
        first, second: The matches `(u, i)` and `(v, j)`, as numbers of entries.
        candidate, edge: The two edges.
    """

    first: Int[Tensor, " k"]
    second: Int[Tensor, " k"]
    candidate: Int[Tensor, " k"]
    edge: Int[Tensor, " k"]


def edge_pairs(pairs: Pairs, entries: Entries) -> EdgePairs:
    """Joins candidates with target edges over the support.

    Time and memory are of the order of candidates times entries in a row times edges of a node.
    """
    t = pairs.target
    graph, start, end = t.laid
    source, sink = t.layout.node(graph, start), t.layout.node(graph, end)
    number = torch.arange(len(source), device=source.device)
    if not pairs.directed:
        other = (source != sink).nonzero()[:, 0]  # a loop is the same in both directions
        number = torch.cat([number, other])
        source, sink = torch.cat([source, sink[other]]), torch.cat([sink, source[other]])
    u = pairs.layout.node(pairs.graph, pairs.source)
    v = pairs.layout.node(pairs.graph, pairs.sink)
    order = source.argsort(stable=True)
    outgoing = Csr.of(source[order], len(t.layout.batch))
    rows = Csr.of(entries.predicted, len(pairs.layout.batch))
    m = len(t.layout.batch)
    key = entries.predicted * m + entries.target
    parts = []
    for part in _parts(rows.count[u]):
        candidate, first = rows.spread(u[part])
        candidate = part[candidate]
        way, place = outgoing.spread(entries.target[first])
        candidate, first, edge = candidate[way], first[way], order[place]
        wanted = v[candidate] * m + sink[edge]
        second = torch.searchsorted(key, wanted).clamp(max=max(len(key) - 1, 0))
        hit = (key[second] == wanted).nonzero()[:, 0] if len(key) else second
        parts.append(torch.stack([first[hit], second[hit], candidate[hit], number[edge[hit]]]))
    joined = torch.cat(parts, 1) if parts else u.new_zeros(4, 0)
    return EdgePairs(*joined)


@dataclass(frozen=True)
class SupportEdges:
    """The edge term as a function of the plan on the matches of a support.

    Args:
        constant: Its value when nothing is aligned, of each pair.
        ends: Which matches carry each pair of edges.
        gain: What each pair of edges adds per mass of both its matches.
        pair: The pair of graphs of each.
    """

    constant: Float[Tensor, " B"]
    ends: EdgePairs
    gain: Float[Tensor, " k"]
    pair: Int[Tensor, " k"]

    @classmethod
    def of(cls, pairs: Pairs, costs: EdgeCosts, ends: EdgePairs) -> "SupportEdges":
        """The edge term with these costs."""
        t, table = pairs.target, gains(pairs, costs)
        at = ends.candidate * table.shape[1] + channel_of(pairs, costs)[ends.edge]
        gain = table.flatten().index_select(0, at)
        if pairs.weight is not None and t.weight is not None:
            v = pairs.weight.index_select(0, ends.candidate)
            w = _of_edges(t.weight.to(gain.dtype), ends.edge)
            share = costs.certainty.index_select(0, ends.candidate)
            error = share * (v - w).square() / 2
            gain = gain + error.where(ends.edge < len(t.weight), 0)
        if costs.products is not None:
            left = costs.products.candidate.index_select(0, ends.candidate)
            right = _of_edges(costs.products.target.to(left.dtype), ends.edge)
            gain = gain + (left * right).sum(1)
        pair = pairs.graph.index_select(0, ends.candidate)
        return cls(costs.constant(pairs), ends, gain, pair)

    def __call__(self, plan: Float[Tensor, " s"]) -> Float[Tensor, " B"]:
        """The expected cost of the edges under the plan, (E16) over the support."""
        both = plan.index_select(0, self.ends.first) * plan.index_select(0, self.ends.second)
        both = self.gain * both  # positions may have raised the precision of the plan alone
        return self.constant.to(both.dtype).index_add(0, self.pair, both)

    def gradient(self, plan: Float[Tensor, " s"]) -> Float[Tensor, " s"]:
        """`dE/dP` at each match, (E19) over the support."""
        to_first = self.gain * plan.index_select(0, self.ends.second)
        to_second = self.gain * plan.index_select(0, self.ends.first)
        gradient = torch.zeros_like(plan, dtype=to_first.dtype).index_add(
            0, self.ends.first, to_first
        )
        return gradient.index_add(0, self.ends.second, to_second)


def _of_edges(values: Shaped[Tensor, "t *d"], edge: Int[Tensor, " k"]) -> Shaped[Tensor, "k *d"]:
    """Values of target edges; zero of what is ignored, which has a higher number."""
    if not len(values):
        return values.new_zeros(len(edge), *values.shape[1:])
    real = (edge < len(values)).reshape(-1, *[1] * (values.ndim - 1))
    return values.index_select(0, edge.clamp(max=len(values) - 1)).where(real, 0)


def _parts(weight: Int[Tensor, " e"]) -> list[Int[Tensor, " k"]]:
    """The numbers of `weight` in runs of at most about `_CHUNK` in sum."""
    if not len(weight):
        return []
    run = weight.cumsum(0) // _CHUNK
    cuts = run.diff().nonzero()[:, 0] + 1
    return list(torch.arange(len(weight), device=weight.device).tensor_split(cuts.cpu()))
