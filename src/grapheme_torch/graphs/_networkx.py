"""Graphs to and from networkx."""

from collections.abc import Mapping
from typing import Any

import networkx as nx
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ._form import NEXT
from ._node_link import graph_from_node_link, graph_to_node_link


def graph_from_networkx(graph: "nx.Graph[Any]") -> Data:
    """The graph of a networkx graph whose nodes carry a "label" (default: the node, as text).

    An `nx.Graph` is undirected, an `nx.DiGraph` directed. Nodes may carry a "position", and a list
    of numbers "x"; all of them or none.

    Raises:
        InputError: If it is no networkx graph, or a multigraph, or a label is no string.
    """
    remedy = "Build it with networkx."
    require(isinstance(graph, nx.Graph), "`graph`", "be a networkx graph", graph, remedy)
    if graph.is_multigraph():
        kind = "DiGraph" if graph.is_directed() else "Graph"
        raise refusal(
            "`graph`",
            "have at most one edge between two nodes",
            Received(f"a {type(graph).__name__}"),
            f"Convert it first: `networkx.{kind}(graph)` keeps one edge of each pair.",
        )
    index = {node: k for k, node in enumerate(graph)}
    nodes = [
        {"id": k, "label": graph.nodes[node].get("label", str(node)), **_kept(graph.nodes[node])}
        for node, k in index.items()
    ]
    edges = [
        {"source": index[u], "target": index[v], "label": data.get("label", NEXT)}
        for u, v, data in graph.edges(data=True)
    ]
    return graph_from_node_link({"directed": graph.is_directed(), "nodes": nodes, "edges": edges})


def graph_to_networkx(graph: Data) -> "nx.Graph[int]":
    """The graph as an `nx.DiGraph`, or `nx.Graph` if it is undirected.

    It has "label" on nodes and edges, and "position" and "x" on nodes that have them.

    Raises:
        InputError: If the graph has no labels, or an edge ends at no node.
    """
    return nx.node_link_graph(graph_to_node_link(graph), edges="edges")


def _kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: attributes[name] for name in ("position", "x") if name in attributes}
