"""Where the nodes and edges of a disjoint union stand in their graphs, checked."""

from torch import Tensor

from ..._union import check_batch, check_edges
from ...ot import serves
from ..engines import _kernel
from ._layout import Layout

Edges = tuple[Tensor, Tensor, Tensor]
"""Graph, source and sink of each edge; the ends are places in the graph."""


def placed_edges(
    side: str,
    batch: Tensor,
    edge_index: Tensor,
    num_graphs: int,
    directed: bool,
    relation: Tensor | None = None,
) -> tuple[Layout, Edges]:
    """The layout of the nodes of a batch, and its edges in places.

    Args:
        side: "prediction" or "target", for messages.
        batch: The graph of each node, `[n]`, int64.
        edge_index: Source and sink of each edge, `[2, e]`, int64.
        num_graphs: How many graphs there are.
        directed: If not, an edge and its reverse are the same edge.
        relation: If given, edges of different relations may join the same nodes.

    Raises:
        InputError: If `batch` does not ascend, or an edge ends at no node, joins two graphs or
            is there twice.
    """
    if relation is None and serves(batch, edge_index):
        found = _kernel.lay_out(batch, edge_index, num_graphs, directed)
        if found is not None:
            layout = Layout(batch, found.place, found.nodes, found.width)
            return layout, (found.graph, found.source, found.sink)
    # Slower, but it can tell what is wrong.
    check_batch(side, batch, num_graphs)
    check_edges(side, edge_index, batch, directed, relation)
    layout, (source, sink) = Layout.of(batch, num_graphs), edge_index
    return layout, (batch[source], layout.place[source], layout.place[sink])
