"""Message passing along labelled, directed edges."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.data import Data

from .operations._hear import hear


def message_edges(
    graph: Data, batch: Int[Tensor, " n"]
) -> tuple[Int[Tensor, "2 e"], Int[Tensor, "e h"]]:
    """The edges messages pass along, and their labels: an undirected one in both directions.

    Graphs of both kinds may stand in one batch, by their `directed`. A graph without it, or one
    that stores both directions already, is taken as it is.
    """
    edge_index, edge_attr, said = graph.edge_index, graph.edge_attr, graph.get("directed")
    assert edge_index is not None
    each = torch.as_tensor(True if said is None else said, device=batch.device).flatten()
    if bool(each.all()):
        return edge_index, edge_attr
    source, sink = edge_index
    turned = ~(each[batch[source]] if len(each) > 1 else each.expand(len(source)))
    n = max(len(batch), 1)
    there = torch.isin(sink * n + source, source * n + sink)  # both directions stored, or a loop
    turned = turned & ~there
    both = torch.cat([edge_index, edge_index[:, turned].flip(0)], 1)
    return both, torch.cat([edge_attr, edge_attr[turned]])


class MessagePassingBlock(nn.Module):
    """One residual step in which every node hears its predecessors and its successors.

    `h_v + W silu(W_0 z_v + mean_{u -> v} W_1 z_u * e_uv + mean_{v -> u} W_2 z_u * e_vu)` with
    `z = LayerNorm(h)` and `e` a vector of the edge's kind. The two directions have weights of
    their own, as in Dir-GNN [rossi23].

    Args:
        dim: Size of a node's vector.
        edge_dim: Size of the vector of a kind of edge.
    """

    def __init__(self, dim: int, edge_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.own = nn.Linear(dim, dim)
        self.from_source = _Way(dim, edge_dim)
        self.from_target = _Way(dim, edge_dim)
        self.out = nn.Sequential(nn.SiLU(), nn.Linear(dim, dim))

    def forward(
        self,
        h: Float[Tensor, "n d"],
        edge_index: Int[Tensor, "2 e"],
        kind: Int[Tensor, " e"],
        kinds: Float[Tensor, "k c"],
    ) -> Float[Tensor, "n d"]:
        """The node vectors after the step; `kinds[kind]` are the vectors of the edges."""
        ways = (self.from_source, self.from_target)
        weight = torch.cat([self.own.weight, *(way.node.weight for way in ways)])
        bias = nn.functional.pad(self.own.bias, (0, len(weight) - len(self.own.bias)))
        said = nn.functional.linear(self.norm(h), weight, bias).unflatten(1, (3, -1))
        gate = torch.stack([way.gate(kinds) for way in ways])
        return h + self.out(hear(said, gate, edge_index, kind))


class _Way(nn.Module):
    """What a node says along the edges of one direction, and how kinds of edges gate it."""

    def __init__(self, dim: int, edge_dim: int) -> None:
        super().__init__()
        self.node = nn.Linear(dim, dim, bias=False)
        self.gate = nn.Linear(edge_dim, dim)
