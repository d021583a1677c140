"""Which node of one graph is which node of another, where the two graphs are the same."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import networkx as nx
from networkx.algorithms.isomorphism import DiGraphMatcher
from torch_geometric.data import Data

from .graph import edge_triples, node_labels, path_order

Colours = list[int]


def find_isomorphism(first: Data, second: Data) -> list[int] | None:
    """The node of `second` that each node of `first` is, if the graphs are equal but for numbering.

    Node labels, directions and edge labels count; positions do not. Paths are compared as
    texts, other graphs by colour refinement (Weisfeiler and Leman) and, where that leaves
    nodes alike, by the VF2 search of networkx: exponential at worst, in graphs that are
    nearly as regular as a crystal.

    Returns:
        One node of `second` per node of `first`; None if the graphs differ.
    """
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
    colours, others = _refined(first, second)
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


def _refined(first: Data, second: Data) -> tuple[Colours, Colours]:
    """Node colours, equal where label and neighbourhood are, until a round splits no more."""
    n = len(node_labels(first))
    triples = edge_triples(first)
    triples += [(u + n, v + n, name) for u, v, name in edge_triples(second)]
    colours = _numbered(node_labels(first) + node_labels(second))
    while True:
        leaving: list[list[tuple[str, int]]] = [[] for _ in colours]
        entering: list[list[tuple[str, int]]] = [[] for _ in colours]
        for u, v, name in triples:
            leaving[u].append((name, colours[v]))
            entering[v].append((name, colours[u]))
        finer = _numbered(
            [
                (colour, tuple(sorted(out)), tuple(sorted(into)))
                for colour, out, into in zip(colours, leaving, entering, strict=True)
            ]
        )
        if len(set(finer)) == len(set(colours)):
            return colours[:n], colours[n:]
        colours = finer


def _numbered(keys: Sequence[Hashable]) -> Colours:
    number: dict[Hashable, int] = {}
    return [number.setdefault(key, len(number)) for key in keys]


def _coloured(graph: Data, colours: Colours) -> "nx.DiGraph[int]":
    digraph: nx.DiGraph[int] = nx.DiGraph()
    digraph.add_nodes_from((i, {"label": colour}) for i, colour in enumerate(colours))
    digraph.add_edges_from((u, v, {"label": name}) for u, v, name in edge_triples(graph))
    return digraph


def _equal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return bool(first["label"] == second["label"])
