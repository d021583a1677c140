"""Where the nodes and edges of a disjoint union stand in their graphs, checked."""

from torch import Tensor

from .._check import Received, require
from . import _cpu
from ._layout import Layout

Edges = tuple[Tensor, Tensor, Tensor]
"""Graph, source and sink of each edge; the ends are places in the graph."""


def placed_edges(
    side: str, batch: Tensor, edge_index: Tensor, num_graphs: int, directed: bool
) -> tuple[Layout, Edges]:
    """The layout of the nodes of a batch, and its edges in places.

    Args:
        side: "prediction" or "target", for messages.
        batch: The graph of each node, `[n]`, int64.
        edge_index: Source and sink of each edge, `[2, e]`, int64.
        num_graphs: How many graphs there are.
        directed: If not, an edge and its reverse are the same edge.

    Raises:
        InputError: If `batch` does not ascend, or an edge ends at no node, joins two graphs or
            is there twice.
    """
    if _cpu.serves(batch, edge_index):
        found = _cpu.lay_out(batch, edge_index, num_graphs, directed)
        if found is not None:
            count, place, graph, (source, sink) = found
            width = int(count.max()) if num_graphs else 0
            return Layout(batch, place, count, width), (graph, source, sink)
    # Slower, but it can tell what is wrong.
    layout = _layout(side, batch, num_graphs)
    _check_edges(side, edge_index, layout, directed)
    source, sink = edge_index
    return layout, (batch[source], layout.place[source], layout.place[sink])


def _layout(side: str, batch: Tensor, num_graphs: int) -> Layout:
    wanted = f"ascend from 0 to at most {num_graphs - 1}"
    inside = not len(batch) or (int(batch[0]) >= 0 and int(batch[-1]) < num_graphs)
    ok = inside and bool((batch.diff() >= 0).all())
    require(ok, f"`{side}.batch`", wanted, batch, "Keep the nodes of a graph together.")
    return Layout.of(batch, num_graphs)


def _check_edges(side: str, edge_index: Tensor, layout: Layout, directed: bool) -> None:
    n = len(layout.batch)
    inside = not edge_index.numel() or (int(edge_index.min()) >= 0 and int(edge_index.max()) < n)
    remedy = "Number the nodes of the batch from 0, and set `num_nodes` on each graph."
    require(inside, f"`{side}.edge_index`", f"name nodes in [0, {n})", edge_index, remedy)
    source, sink = edge_index if directed else edge_index.sort(0).values
    graph = layout.batch[source]
    require(
        bool((layout.batch[sink] == graph).all()),
        f"`{side}.edge_index`",
        "join nodes of the same graph",
        Received("an edge between two graphs of the batch"),
        "Offset the node numbers of each graph, as PyTorch Geometric's Batch does.",
    )
    key = (graph * layout.width + layout.place[source]) * layout.width + layout.place[sink]
    require(
        not bool((key.sort().values.diff() == 0).any()),
        f"`{side}.edge_index`",
        f"hold each {'ordered ' * directed}pair of nodes at most once",
        Received("the same edge twice"),
        "Remove duplicates: torch_geometric.utils.coalesce(edge_index)."
        if directed
        else "Keep one direction of each edge: edge_index[:, edge_index[0] < edge_index[1]].",
    )
