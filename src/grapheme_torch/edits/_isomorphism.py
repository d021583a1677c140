"""Which node of one graph is which node of another, where the two graphs are the same."""

from collections import Counter
from typing import Any

import networkx as nx
from networkx.algorithms.isomorphism import DiGraphMatcher
from torch_geometric.data import Data

from ..graphs import alike, arcs, edge_triples, node_labels, path_order
from ._colours import Colours, stable_colours


def find_isomorphism(first: Data, second: Data) -> list[int] | None:
    """The node of `second` that each node of `first` is, if the graphs are equal but for numbering.

    Node labels and edge labels count, and directions if both graphs are directed; positions do
    not. Directed paths are compared as texts, other graphs by colour refinement (Weisfeiler and
    Leman). Where that leaves nodes alike, the VF2 search of networkx follows: exponential at worst,
    in graphs that are nearly as regular as a crystal.

    Returns:
        One node of `second` per node of `first`; None if the graphs differ.
    """
    first, second = alike(first, second)
    if _counts(first) != _counts(second):
        return None
    order, other = path_order(first), path_order(second)
    if order is None and other is None:
        return _search(first, second)
    if order is None or other is None or _spelled(first, order) != _spelled(second, other):
        return None
    return [j for _, j in sorted(zip(order, other, strict=True))]


def _counts(graph: Data) -> tuple[Counter[str], Counter[str]]:
    return Counter(node_labels(graph)), Counter(name for _, _, name in edge_triples(graph))


def _spelled(graph: Data, order: list[int]) -> tuple[list[str], list[str]]:
    """The node labels of a path, and the edge labels, in reading order."""
    label = node_labels(graph)
    leaving = {source: name for source, _, name in edge_triples(graph)}
    return [label[i] for i in order], [leaving[i] for i in order[:-1]]


def _search(first: Data, second: Data) -> list[int] | None:
    colours, others = stable_colours([first, second])
    if Counter(colours) != Counter(others):
        return None
    if len(set(colours)) == len(colours):
        node = {colour: j for j, colour in enumerate(others)}
        return [node[colour] for colour in colours]
    matcher = DiGraphMatcher(
        _coloured(first, colours), _coloured(second, others), node_match=_equal, edge_match=_equal
    )
    if not matcher.is_isomorphic():
        return None
    return [matcher.mapping[i] for i in range(len(colours))]


def _coloured(graph: Data, colours: Colours) -> "nx.DiGraph[int]":
    digraph: nx.DiGraph[int] = nx.DiGraph()
    digraph.add_nodes_from((i, {"label": colour}) for i, colour in enumerate(colours))
    digraph.add_edges_from((u, v, {"label": name}) for u, v, name in arcs(graph))
    return digraph


def _equal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return bool(first["label"] == second["label"])
