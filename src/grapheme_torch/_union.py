"""The numbering of a disjoint union of graphs: the graph of each node, the ends of each edge."""

import torch
from jaxtyping import Int
from torch import Tensor

from ._check import Received, require


def check_batch(side: str, batch: Int[Tensor, " n"], num_graphs: int) -> None:
    """Refuses a `batch` that does not ascend within the graphs; `side` is whose it is."""
    inside = not len(batch) or (int(batch[0]) >= 0 and int(batch[-1]) < num_graphs)
    ok = inside and bool((batch.diff() >= 0).all())
    wanted = f"ascend from 0 to at most {num_graphs - 1}"
    require(ok, f"`{side}.batch`", wanted, batch, "Keep the nodes of a graph together.")


def check_edges(
    side: str,
    edge_index: Int[Tensor, "2 e"],
    batch: Int[Tensor, " n"],
    directed: bool,
    relation: Int[Tensor, " e"] | None = None,
) -> None:
    """Refuses edges of missing nodes or between graphs, and an edge that is given twice.

    Edges of different relations are different, if relations are given.
    """
    name, n = f"`{side}.edge_index`", len(batch)
    check_ends(name, edge_index, batch)
    source, sink = edge_index if directed else edge_index.sort(0).values
    key, once = source * n + sink, "at most once"
    if relation is not None and len(relation):
        key, once = key * (int(relation.max()) + 1) + relation, "at most once in each relation"
    require(
        not bool((key.sort().values.diff() == 0).any()),
        name,
        f"hold each {'ordered ' * directed}pair of nodes {once}",
        Received("the same edge twice"),
        "Remove duplicates: torch_geometric.utils.coalesce(edge_index)."
        if directed
        else "Keep one direction of each edge: edge_index[:, edge_index[0] < edge_index[1]].",
    )


def check_ends(name: str, ends: Int[Tensor, "2 e"], batch: Int[Tensor, " n"]) -> None:
    """Refuses pairs of missing nodes, or of nodes of two graphs; `name` is what holds them."""
    n = len(batch)
    inside = not ends.numel() or (int(ends.min()) >= 0 and int(ends.max()) < n)
    remedy = "Number the nodes of the batch from 0, and set `num_nodes` on each graph."
    require(inside, name, f"name nodes in [0, {n})", ends, remedy)
    remedy = "Offset the node numbers of each graph, as PyTorch Geometric's Batch does."
    one, got = (
        bool((batch[ends[0]] == batch[ends[1]]).all()),
        Received("an edge between two graphs of the batch"),
    )
    require(one, name, "join nodes of the same graph", got, remedy)


def runs(first: Int[Tensor, " k"], size: Int[Tensor, " k"]) -> Int[Tensor, " total"]:
    """The numbers `first, first + 1, ...`, `size` of them, of one run after the other."""
    start = size.cumsum(0) - size
    number = torch.arange(int(size.sum()), device=size.device)
    return number + (first - start).repeat_interleave(size)
