"""Message passing along labelled, directed edges."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing


class MessagePassingBlock(nn.Module):
    """One residual step in which every node hears its predecessors and its successors.

    `h_v + W silu(W_0 z_v + mean_{u -> v} W_1 z_u * e_uv + mean_{v -> u} W_2 z_u * e_vu)` with
    `z = LayerNorm(h)` and `e` a vector of the edge's label. The two directions have weights of
    their own, as in Dir-GNN [rossi23].

    Args:
        dim: Size of a node's vector.
        edge_dim: Size of an edge's vector.
    """

    def __init__(self, dim: int, edge_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.own = nn.Linear(dim, dim)
        self.from_source = _GatedMean(dim, edge_dim, flow="source_to_target")
        self.from_target = _GatedMean(dim, edge_dim, flow="target_to_source")
        self.out = nn.Sequential(nn.SiLU(), nn.Linear(dim, dim))

    def forward(
        self, h: Float[Tensor, "n d"], edge_index: Int[Tensor, "2 e"], edge: Float[Tensor, "e k"]
    ) -> Float[Tensor, "n d"]:
        """The node vectors after the step."""
        z = self.norm(h)
        heard = self.from_source(z, edge_index, edge) + self.from_target(z, edge_index, edge)
        return h + self.out(self.own(z) + heard)


class _GatedMean(MessagePassing):
    """`mean_u (W z_u) * (V e)` over the edges that end (or start, by `flow`) at a node."""

    def __init__(self, dim: int, edge_dim: int, flow: str) -> None:
        super().__init__(aggr="mean", flow=flow)
        self.node = nn.Linear(dim, dim, bias=False)
        self.gate = nn.Linear(edge_dim, dim)

    def forward(self, z: Tensor, edge_index: Tensor, edge: Tensor) -> Tensor:
        return self.propagate(edge_index, z=self.node(z), gate=self.gate(edge))

    def message(self, z_j: Tensor, gate: Tensor) -> Tensor:
        return z_j * gate
