"""Where the nodes of a disjoint union stand in a padded batch."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """The places of `n` nodes of `num_graphs` graphs in an array of `num_graphs` x `width`.

    Args:
        batch: The graph of each node, ascending.
        place: The place of each node within its graph.
        count: Number of nodes of each graph.
        width: The largest of the counts.
    """

    batch: Int[Tensor, " n"]
    place: Int[Tensor, " n"]
    count: Int[Tensor, " B"]
    width: int

    @classmethod
    def of(cls, batch: Int[Tensor, " n"], num_graphs: int) -> "Layout":
        count = torch.bincount(batch, minlength=num_graphs)
        place = torch.arange(len(batch), device=batch.device) - (count.cumsum(0) - count)[batch]
        return cls(batch, place, count, int(count.max()) if num_graphs else 0)

    def node(self, graph: Int[Tensor, " k"], place: Int[Tensor, " k"]) -> Int[Tensor, " k"]:
        """The number in the union of the node at a place of a graph."""
        return (self.count.cumsum(0) - self.count)[graph] + place

    def pad(self, values: Shaped[Tensor, "n *rest"]) -> Shaped[Tensor, "B width *rest"]:
        """The values of the nodes in their places, zeros elsewhere."""
        out = values.new_zeros(len(self.count), self.width, *values.shape[1:])
        return out.index_put((self.batch, self.place), values)

    @property
    def mask(self) -> Bool[Tensor, "B width"]:
        """Which places hold a node."""
        return torch.arange(self.width, device=self.count.device) < self.count[:, None]

    def total(self, values: Float[Tensor, " n"]) -> Float[Tensor, " B"]:
        """The sum of the values over the nodes of each graph."""
        return values.new_zeros(len(self.count)).index_add(0, self.batch, values)


def dense(
    values: Float[Tensor, "e channels"],
    graph: Int[Tensor, " e"],
    ends: list[tuple[Tensor, Tensor]],
    layout: Layout,
    *,
    several: bool = False,
) -> Float[Tensor, "B channels N N"]:
    """The values of edges as matrices, zero where there is none.

    Args:
        values: Of each edge.
        graph: The graph of each edge.
        ends: Places of the source and sink of each edge, once or in both directions.
        layout: The places.
        several: Whether edges may join the same nodes: their values are added up.
    """
    out = values.new_zeros(len(layout.count), layout.width, layout.width, values.shape[1])
    for k, (source, sink) in enumerate(ends):
        if several and k:  # a loop is the same in both directions
            other = (source != sink).nonzero()[:, 0]
            at = graph[other], source[other], sink[other]
            out = out.index_put(at, values[other], accumulate=True)
        else:
            out = out.index_put((graph, source, sink), values, accumulate=several)
    return out.permute(0, 3, 1, 2)
