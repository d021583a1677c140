"""Node-link documents, and where in the input text a node of the target stands."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import regex
from torch_geometric.data import Data

from ..graphs import NEXT, edge_triples, graph_from_node_link, node_labels

Triple = tuple[int, int, str]
"""An edge: source, target, label."""

_CLUSTER = regex.compile(r"\X")


def node_link(labels: Iterable[str], edges: Iterable[Triple]) -> dict[str, Any]:
    """The directed graph with these node labels and edges, nodes numbered in this order."""
    return {
        "nodes": [{"id": k, "label": label} for k, label in enumerate(labels)],
        "edges": [{"source": s, "target": t, "label": label} for s, t, label in edges],
    }


def symbols_document(symbols: Sequence[str]) -> str | dict[str, Any]:
    """The path of some symbols, a node each: as text if its grapheme clusters are the symbols."""
    text = "".join(symbols)
    if clusters(text) == list(symbols):
        return text
    document = node_link(symbols, [(k, k + 1, NEXT) for k in range(len(symbols) - 1)])
    for k, node in enumerate(document["nodes"]):
        node["position"] = k
    return document


def read_graph(graph: Data | Mapping[str, Any]) -> tuple[list[str], list[Triple]]:
    """Labels and edges of a graph, given as such or as its node-link document.

    Raises:
        InputError: If the document is none of a graph.
    """
    data = graph if isinstance(graph, Data) else graph_from_node_link(graph)
    return node_labels(data), edge_triples(data)


def num_nodes(side: str | Mapping[str, Any]) -> int:
    """How many nodes the graph of one side of a record has."""
    return num_clusters(side) if isinstance(side, str) else len(side["nodes"])


def clusters(text: str) -> list[str]:
    """The grapheme clusters of a text, each a node of `text_to_graph(text)`."""
    return _CLUSTER.findall(text)


def num_clusters(text: str) -> int:
    """How many grapheme clusters a text has."""
    return len(text) if _simple(text) else len(clusters(text))


def clusters_at(text: str, offsets: Iterable[int | None]) -> list[int | None]:
    """The grapheme cluster, counted from 0, in which each character stands; None stays None.

    It is the node of `text_to_graph(text)` that shows the character.
    """
    if _simple(text):
        return list(offsets)
    starts = [found.start() for found in _CLUSTER.finditer(text)]
    return [None if at is None else bisect_right(starts, at) - 1 for at in offsets]


def _simple(text: str) -> bool:
    return text.isascii() and "\r" not in text
