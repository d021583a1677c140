"""From networkx graphs whose nodes carry classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
from torch_geometric.data import Batch

from .._check import Received, refusal, require
from ._from_edges import target_from_edges
from ._join import join_targets


def target_from_networkx(
    graphs: "nx.Graph[Any] | Sequence[nx.Graph[Any]]",
    *,
    node_class: str = "y",
    edge_type: str = "edge_type",
    edge_type_from: int = 0,
    edge_weight: str = "weight",
    position: str = "position",
) -> Batch:
    """The target that networkx graphs with integer classes hold, nodes in their order.

    An `nx.Graph` is undirected, an `nx.DiGraph` directed. Graphs whose nodes carry words are read
    by `graph_from_networkx` and an `Alphabet`.

    Args:
        graphs: One graph, or several in a list.
        node_class: Attribute of every node that holds its class, from 0.
        edge_type: Attribute of edges that holds their relation, of all edges or of none.
        edge_type_from: Number of the first relation, see `target_from_edges`.
        edge_weight, position: Attributes of edges, and of nodes, that are taken if all have them.

    Raises:
        InputError: If there is no graph, or something is a multigraph or no networkx graph. If a
            node has no class. If only some edges have a relation or weight, or only some nodes a
            position.
    """
    several = [graphs] if isinstance(graphs, nx.Graph) else graphs
    fits = isinstance(several, list | tuple) and len(several) > 0
    remedy = "Build it with networkx."
    require(fits, "`graphs`", "be a networkx graph, or a list of them", graphs, remedy)
    for graph in several:
        _check_graph(graph)
    nodes = [data for graph in several for _, data in graph.nodes(data=True)]
    edges = [data for graph in several for _, _, data in graph.edges(data=True)]
    # What one graph has, all have: else they could not stand in one batch.
    placed, typed = _all_have(nodes, position, "node"), _all_have(edges, edge_type, "edge")
    weighted = _all_have(edges, edge_weight, "edge")
    targets = []
    for graph in several:
        index = {node: k for k, node in enumerate(graph)}
        data = [values for _, _, values in graph.edges(data=True)]
        target = target_from_edges(
            [_class(graph.nodes[node], node_class, node) for node in graph],
            [(index[u], index[v]) for u, v in graph.edges()],
            [_relation(values[edge_type], edge_type) for values in data] if typed else None,
            edge_type_from=edge_type_from,
            edge_weight=[values[edge_weight] for values in data] if weighted else None,
            position=[graph.nodes[node][position] for node in graph] if placed else None,
            directed=graph.is_directed(),
        )
        targets.append(target)
    return join_targets(targets)


def _check_graph(graph: Any) -> None:
    fits = isinstance(graph, nx.Graph)
    require(fits, "a graph", "be one of networkx", graph, "Build it with networkx.")
    if graph.is_multigraph():
        kind = "DiGraph" if graph.is_directed() else "Graph"
        got = Received(f"a {type(graph).__name__}")
        remedy = f"Convert it first: `networkx.{kind}(graph)` keeps one edge of each pair."
        raise refusal("a graph", "have at most one edge between two nodes", got, remedy)


_WORDS = (
    "Words are read by `graph_from_networkx`, and numbered by `Alphabet.of(graphs).encode(graph)`."
)


def _class(values: Mapping[str, Any], name: str, node: Any) -> int:
    found: Any = values.get(name)
    if not hasattr(found, "__index__") or isinstance(found, bool):
        raise refusal(f"node {node!r}", f"have a whole number as {name!r}", found, _WORDS)
    return int(found)


def _relation(found: Any, name: str) -> int:
    fits = hasattr(found, "__index__") and not isinstance(found, bool)
    require(fits, f"{name!r} of an edge", "be a whole number", found, _WORDS)
    return int(found)


def _all_have(items: Sequence[Mapping[str, Any]], name: str, each: str) -> bool:
    """Whether all have an attribute; refuses if only some do."""
    number = sum(name in values for values in items)
    if 0 < number < len(items):
        got = Received(f"{number} of {len(items)}")
        remedy = f"Give it to every {each}, or take it from all."
        raise refusal(f"{name!r}", f"be an attribute of all {each}s or of none", got, remedy)
    return number > 0
