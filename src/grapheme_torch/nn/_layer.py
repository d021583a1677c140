"""A layer of the network: messages along edges, then attention within each graph."""

from torch import nn

from ._attention import GraphAttention
from ._message import MessagePassingBlock
from ._slots import Wired
from .operations._drop import drop


class Layer(nn.Module):
    """Every node hears its neighbours, then attends to the nodes of its graph."""

    def __init__(self, dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.message_passing = MessagePassingBlock(dim, dim)
        self.attention = GraphAttention(dim, num_heads=num_heads)

    def forward(self, graph: Wired, num_graphs: int) -> Wired:
        """The nodes after the layer, everything else as it was."""
        share = self.dropout if self.training else 0.0
        heard = self.message_passing(graph.h, graph.edge_index, graph.kind, graph.kinds)
        h = drop(graph.h, heard, share)
        attended = self.attention(h, graph.batch, num_graphs, graph.position)
        return graph._replace(h=drop(h, attended, share))
