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
