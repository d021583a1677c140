"""Output nodes that stand at no input node: learnt queries that look at the whole input."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch_geometric.utils import to_dense_batch

from ._attention import feed_forward
from ._edge_messages import EdgeMessages, Edges
from ._slots import Wired


class QueryDecoder(nn.Module):
    """Gives each graph the same number of output nodes, whatever its size, as in DETR [carion20].

    An output node begins as a learnt vector. In each layer it attends to the output nodes of its
    graph, then to the input nodes, and is transformed by itself. All three are pre-norm. From the
    second layer on it first hears from other output nodes, along the edges that it is expected to
    have to them (`EdgeMessages`). So an edge is decided with the others in view. Beside the input
    nodes there is one learnt vector to look at, so that an input without nodes has output nodes,
    too.

    Args:
        dim: Size of a node's vector; a multiple of `num_heads`.
        number: Output nodes of a graph.
        num_layers: Layers.
        num_heads: Attention heads.
        dropout: Share of what a layer adds that is left out in training.
        kinds: Kinds of edges that nodes hear from each other along; 0: they do not.
    """

    def __init__(
        self,
        dim: int,
        number: int,
        *,
        num_layers: int,
        num_heads: int,
        dropout: float,
        kinds: int = 0,
    ) -> None:
        super().__init__()
        self.number = number
        # They have to differ from the start: equal queries would stay equal for ever.
        self.query = nn.Parameter(torch.randn(number, dim))
        self.nothing = nn.Parameter(torch.randn(1, dim))
        self.norm = nn.LayerNorm(dim)
        self.layers = nn.ModuleList(
            _DecoderLayer(dim, num_heads, dropout, kinds if k else 0) for k in range(num_layers)
        )

    def forward(self, graph: Wired, num_graphs: int, edges: Edges | None = None) -> Wired:
        """The output nodes of all graphs, graph by graph; no edges, and no places.

        Args:
            graph: The input nodes.
            num_graphs: Graphs.
            edges: What the vectors so far tell of the edges, see `expected_edges`; needed if there
                are `kinds` and several layers.
        """
        padded, mask = to_dense_batch(
            graph.h, graph.batch, batch_size=num_graphs,
            max_num_nodes=None if len(graph.h) else 0,
        )  # fmt: skip
        nothing = self.nothing.expand(num_graphs, 1, -1)
        memory = self.norm(torch.cat([nothing, padded], 1))
        visible = nn.functional.pad(mask, (1, 0), value=True)[:, None, None, :]
        h = self.query.expand(num_graphs, -1, -1)
        for layer in self.layers:
            h = layer(h, memory, visible, edges)
        each = torch.arange(num_graphs, device=h.device)
        return graph._replace(
            h=h.flatten(0, 1), edge_index=graph.edge_index[:, :0], kind=graph.kind[:0],
            batch=each.repeat_interleave(self.number), position=None,
        )  # fmt: skip


class _DecoderLayer(nn.Module):
    """Messages, attention among queries and to the memory, and a transformation of each."""

    def __init__(self, dim: int, num_heads: int, dropout: float, kinds: int) -> None:
        super().__init__()
        self.messages = EdgeMessages(dim, kinds) if kinds else None
        self.dropout = nn.Dropout(dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.among = _Attention(dim, num_heads)
        self.across = _Attention(dim, num_heads)
        self.feed_forward = feed_forward(dim)

    def forward(
        self,
        h: Float[Tensor, "b q d"],
        memory: Float[Tensor, "b m d"],
        visible: Bool[Tensor, "b 1 1 m"],
        edges: Edges | None,
    ) -> Float[Tensor, "b q d"]:
        if self.messages is not None and edges is not None:
            h = h + self.dropout(self.messages(h, edges(h.flatten(0, 1))))
        z = self.norms[0](h)
        h = h + self.dropout(self.among(z, z))
        h = h + self.dropout(self.across(self.norms[1](h), memory, visible))
        return h + self.dropout(self.feed_forward(h))


class _Attention(nn.Module):
    """Attention of some vectors to others, in padded form."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        # No bias on the keys: it would shift all scores of a query alike and change nothing.
        self.query = nn.Linear(dim, dim, bias=False)
        self.key_value = nn.Linear(dim, 2 * dim, bias=False)
        self.merge = nn.Linear(dim, dim)

    def forward(
        self,
        z: Float[Tensor, "b q d"],
        memory: Float[Tensor, "b m d"],
        visible: Bool[Tensor, "b 1 1 m"] | None = None,
    ) -> Float[Tensor, "b q d"]:
        query = self.query(z).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
        key, value = (
            self.key_value(memory).unflatten(2, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        )
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=visible)
        merged: Tensor = self.merge(mixed.transpose(1, 2).flatten(2))
        return merged
