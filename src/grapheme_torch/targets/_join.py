"""Several targets in one batch."""

import copy
from collections.abc import Sequence

from torch import Tensor
from torch_geometric.data import Batch, Data

from .._check import Received, refusal, require


def join_targets(graphs: Sequence[Data]) -> Batch:
    """The disjoint union of target graphs; those of a `Batch` count one by one.

    Args:
        graphs: At least one, all with the same attributes. One without "num_nodes" and "x" has as
            many nodes as classes `y`.

    Raises:
        InputError: If there is none, something is no graph, or a graph lacks what another has.
    """
    remedy = "Give one target for each graph of the prediction."
    require(len(graphs) > 0, "`graphs`", "hold at least one graph", Received("none"), remedy)
    for graph in graphs:
        remedy = "Build it with PyTorch Geometric, or see `target_from_edges`."
        require(isinstance(graph, Data), "a target", "be a `Data` or `Batch`", graph, remedy)
    single: list[Data] = []
    for graph in graphs:
        single += graph.to_data_list() if isinstance(graph, Batch) else [graph]
    names = [set(graph.keys()) - {"num_nodes"} for graph in single]
    for k, own in enumerate(names):
        missing = sorted(set.union(*names) - own)
        if missing:
            wanted = f"have {', '.join(missing)}, as other targets do"
            got = Received(f"{', '.join(sorted(own))} in target {k}")
            raise refusal("every target", wanted, got, "Give an attribute to all, or to none.")
    return Batch.from_data_list([_counted(graph) for graph in single])


def _counted(graph: Data) -> Data:
    """The graph with its number of nodes, which PyTorch Geometric would guess from the edges."""
    y = graph.get("y")
    if "num_nodes" in graph or "x" in graph or not (isinstance(y, Tensor) and y.ndim):
        return graph
    graph = copy.copy(graph)
    graph.num_nodes = len(y)
    return graph
