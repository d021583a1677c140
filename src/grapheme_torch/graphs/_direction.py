"""Edges with and without a direction: read off a graph, each undirected one counted once."""

import copy
from collections.abc import Hashable, Sequence
from typing import Any

import networkx as nx
import torch
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, refusal
from ._form import (
    check_data,
    check_flag,
    edge_ends,
    edge_names,
    make_graph,
    node_labels,
    positions_of,
)
from ._node_numbers import features_of

Triple = tuple[int, int, str]
"""An edge: source, target, label."""


def is_directed(graph: Data) -> bool:
    """Whether the edges of a graph have a direction.

    Its attribute `directed` says so. A graph without it is undirected if it stores every edge in
    both directions, with the same label, type and weight, as PyTorch Geometric does. Loops count
    as both directions. A graph whose only edges are loops is directed.

    Raises:
        InputError: If `graph` is no graph, a batch of both kinds, or `directed` is neither True
            nor False.
    """
    check_data(graph)
    said = graph.get("directed")
    if said is None:
        return not _stores_both_ways(graph)
    if isinstance(said, Tensor) and said.dtype == torch.bool and said.numel():
        # PyTorch Geometric makes a tensor of the attribute: one entry per graph of a batch.
        several = bool(said.any()) != bool(said.all())
        if several:
            remedy = "Take the graphs one by one: `batch.to_data_list()`."
            found = Received("a batch of both kinds")
            raise refusal("`graph.directed`", "be the same for all graphs", found, remedy)
        return bool(said.any())
    check_flag("`graph.directed`", said)
    return bool(said)


def edge_triples(graph: Data) -> list[Triple]:
    """Every edge as `(source, target, label)`, an undirected one once, as it is stored first.

    The label is "next" where the graph names none.

    Raises:
        InputError: If an edge ends at no node, or an undirected edge has two labels.
    """
    triples = _stored(graph)
    return triples if is_directed(graph) else [triples[k] for k in _once(triples)]


def sorted_edges(graph: Data) -> list[Triple]:
    """The edges in an order that does not depend on how they are stored.

    An undirected edge leads from the node of lower number.
    """
    triples = edge_triples(graph)
    if not is_directed(graph):
        triples = [(min(u, v), max(u, v), name) for u, v, name in triples]
    return sorted(triples)


def graph_key(graph: Data) -> Hashable:
    """Labels and edges: equal keys are of equal graphs whose nodes stand in one order."""
    return tuple(node_labels(graph)), tuple(sorted_edges(graph))


def arcs(graph: Data) -> list[Triple]:
    """Every edge in each direction that it has: one if directed, or a loop; else two."""
    triples = edge_triples(graph)
    if is_directed(graph):
        return triples
    return triples + [(v, u, name) for u, v, name in triples if u != v]


def undirected(graph: Data) -> Data:
    """The graph with the directions of its edges left out, each edge stored once.

    Raises:
        InputError: If two nodes are joined by edges of two labels, one in each direction.
    """
    triples = _stored(graph)
    kept = _once(triples)
    if len(kept) == len(triples) and graph.get("directed") is not None and not is_directed(graph):
        return graph
    bare = copy.copy(graph)
    bare.directed = False
    if len(kept) < len(triples):
        for name in _edge_attributes(graph):
            setattr(bare, name, _selected(graph[name], kept))
        bare.edge_index = graph.edge_index[:, kept] if graph.edge_index is not None else None
    return bare


def both_ways(graph: Data) -> Data:
    """The directed graph with an edge in each direction for every edge that has none."""
    if is_directed(graph):
        return graph
    numbers = features_of(graph)
    return make_graph(node_labels(graph), arcs(graph), positions_of(graph), features=numbers)


def alike(first: Data, second: Data) -> tuple[Data, Data]:
    """Two graphs to be compared: if the edges of one have no direction, those of neither do.

    Raises:
        InputError: If a graph is none, or its edges cannot be read without direction.
    """
    if is_directed(first) and is_directed(second):
        return first, second
    return undirected(first), undirected(second)


def is_acyclic(graph: Data) -> bool:
    """Whether the edges form no cycle; undirected, whether they form a forest."""
    triples = edge_triples(graph)
    ends = [(source, target) for source, target, _ in triples]
    if is_directed(graph):
        if all(source < target for source, target in ends):  # as those of a text
            return True
        digraph: nx.DiGraph[int] = nx.DiGraph(ends)
        return nx.is_directed_acyclic_graph(digraph)
    whole: nx.Graph[int] = nx.Graph(ends)
    return not ends or nx.is_forest(whole)


def _stored(graph: Data) -> list[Triple]:
    """Every edge as it is stored."""
    ends = edge_ends(graph)
    names = edge_names(graph, len(ends))
    return [(source, target, name) for (source, target), name in zip(ends, names, strict=True)]


def _once(triples: Sequence[Triple]) -> list[int]:
    """The edges to keep so that none is there in both directions."""
    first: dict[tuple[int, int], str] = {}
    kept = []
    for k, (source, target, name) in enumerate(triples):
        other = first.get((target, source)) if source != target else None
        if other is None:
            first[source, target] = name
            kept.append(k)
        elif other != name:
            found = Received(f"{other!r} from {target} to {source} and {name!r} back")
            remedy = "Give both the same label, or say that the graph is directed."
            wanted = "have one label per undirected edge"
            raise refusal("a graph", wanted, found, remedy)
    return kept


def _stores_both_ways(graph: Data) -> bool:
    """Whether every edge, and at least one that is no loop, is stored in both directions."""
    ends = edge_ends(graph)
    columns = [_column(graph[name]) for name in _edge_attributes(graph)]
    said = {pair: [column[k] for column in columns] for k, pair in enumerate(ends)}
    matched = all(said.get((v, u)) == told for (u, v), told in said.items())
    return matched and len(said) == len(ends) and any(u != v for u, v in ends)


def _edge_attributes(graph: Data) -> list[str]:
    """The names of what a graph stores per edge, beside the ends: "edge_...", one row each."""
    named = [name for name in graph.to_dict() if name.startswith("edge_") and name != "edge_index"]
    # `Data.is_edge_attr` takes a list of node labels for one of edges where there are as many.
    return [name for name in named if _rows(graph[name]) == graph.num_edges]


def _rows(value: Any) -> int | None:
    if isinstance(value, Tensor):
        return len(value) if value.ndim else None
    return len(value) if isinstance(value, list | tuple) else None


def _column(value: Any) -> list[Any]:
    return value.tolist() if isinstance(value, Tensor) else list(value)


def _selected(value: Any, kept: list[int]) -> Any:
    return value[kept] if isinstance(value, Tensor) else [value[k] for k in kept]
