"""Messages along the edges that output nodes are expected to have, before these are final."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import silu

from ._heads import OutputHeads

Edges: TypeAlias = Callable[[Float[Tensor, "n d"]], Float[Tensor, "b q q c"]]
"""The edges that the nodes of each graph are expected to have, by node, other node and kind."""


class EdgeMessages(nn.Module):
    """What a node hears from those that it is expected to have edges to; pre-norm.

    It is a linear map of `silu(sum_v sum_c p_uvc k_c * (W z_v))`. An edge of kind `c` has the
    probability `p_uvc`, and each kind a learnt vector `k_c`, as in CompGCN [vashishth20].

    Args:
        dim: Size of a node's vector.
        kinds: Kinds of edges; those of two directions are two.
    """

    def __init__(self, dim: int, kinds: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.value = nn.Linear(dim, dim, bias=False)
        self.kind = nn.Parameter(torch.randn(kinds, dim))
        self.merge = nn.Linear(dim, dim)

    def forward(
        self, h: Float[Tensor, "b q d"], edges: Float[Tensor, "b q q c"]
    ) -> Float[Tensor, "b q d"]:
        """What is added to each node."""
        value = self.value(self.norm(h))[:, :, None] * self.kind
        heard: Tensor = self.merge(silu(edges.flatten(2) @ value.flatten(1, 2)))
        return heard


def expected_edges(
    heads: OutputHeads,
    candidates: Int[Tensor, "2 e"],
    batch: Int[Tensor, " n"],
    number: int,
    directed: bool,
) -> Edges:
    """Reads the edges off node vectors as the heads of a network do.

    Args:
        heads: The heads.
        candidates: Candidate edges of all graphs, each of `number` nodes.
        batch: The graph of each node, ascending.
        number: Nodes of each graph.
        directed: Whether an edge has a direction. Then its ends hear it as different kinds.
    """
    source, target = candidates

    def edges(h: Tensor) -> Tensor:
        existence, relation = heads.edges(h, candidates, batch)
        exists = existence.sigmoid()
        both = (exists[source] * exists[target])[:, None]
        chance = relation.softmax(1)[:, 1:] * both
        empty = chance.new_zeros(len(batch) * number, chance.shape[1])
        there = empty.index_put((source * number + target % number,), chance)
        back = empty.index_put((target * number + source % number,), chance)
        kinds = torch.cat([there, back], 1) if directed else there + back
        return kinds.unflatten(0, (-1, number, number))

    return edges
