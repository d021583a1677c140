"""A layer of the network: messages along edges, then attention within each graph."""

from torch import nn

from ._attention import GraphAttention
from ._message import MessagePassingBlock
from ._slots import Wired


class Layer(nn.Module):
    """Every node hears its neighbours, then attends to the nodes of its graph."""

    def __init__(self, dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.message_passing = MessagePassingBlock(dim, dim)
        self.attention = GraphAttention(dim, num_heads=num_heads)

    def forward(self, graph: Wired, num_graphs: int) -> Wired:
        """The nodes after the layer, everything else as it was."""
        heard = self.message_passing(graph.h, graph.edge_index, graph.kind, graph.kinds)
        h = graph.h + self.dropout(heard - graph.h)
        attended = self.attention(h, graph.batch, num_graphs, graph.position)
        return graph._replace(h=h + self.dropout(attended - h))
