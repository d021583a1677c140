"""Graphs of networkx with classes on their nodes."""

import re
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch

from grapheme_torch import InputError, StructuralLoss, target_from_networkx

from ..problems import random_dag, random_prediction
from ..unchecked import unchecked
from .test_from_dense import assert_same


def triangle(**edge: Any) -> "nx.Graph[str]":
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(("abc"[k], {"y": k}) for k in range(3))
    graph.add_edges_from([("a", "b"), ("b", "c"), ("c", "a")], **edge)
    return graph


def test_an_undirected_graph() -> None:
    found = target_from_networkx(triangle())
    assert found.y.tolist() == [0, 1, 2]
    assert found.edge_index.tolist() == [[0, 0, 1], [1, 2, 2]]
    assert found.directed.tolist() == [False]
    assert set(found.keys()) == {"y", "edge_index", "directed", "num_nodes", "batch", "ptr"}


def test_relations_weights_and_places() -> None:
    graph = triangle(bond=1, weight=0.5)
    nx.set_node_attributes(graph, {"a": (0.0, 1.0), "b": (1.0, 1.0), "c": (2.0, 0.0)}, "pos")
    found = target_from_networkx([graph, graph], edge_type="bond", position="pos")
    assert found.edge_type.tolist() == [2] * 6
    assert found.edge_weight.tolist() == [0.5] * 6
    assert found.position.shape == (6, 2)
    again = target_from_networkx(graph, edge_type="bond", edge_type_from=1, edge_weight="none")
    assert again.edge_type.tolist() == [1] * 3
    assert "edge_weight" not in again


def test_a_graph_without_edges_is_like_the_others() -> None:
    single: nx.Graph[int] = nx.Graph()
    single.add_node(5, y=1, position=0)
    graph = triangle(edge_type=0)
    nx.set_node_attributes(graph, 0, "position")
    found = target_from_networkx([single, graph])
    assert found.ptr.tolist() == [0, 1, 4]
    assert found.edge_type.tolist() == [1] * 3


@given(st.integers(0, 1000), st.integers(1, 5))
def test_a_graph_comes_back(seed: int, size: int) -> None:
    target = random_dag(seed, size)
    graph: nx.DiGraph[int] = nx.DiGraph()
    places = zip(target.y.tolist(), target.position.tolist(), strict=True)
    graph.add_nodes_from((k, {"y": y, "position": place}) for k, (y, place) in enumerate(places))
    kinds = target.edge_type.tolist()
    for (u, v), kind in zip(target.edge_index.T.tolist(), kinds, strict=True):
        graph.add_edge(u, v, edge_type=kind - 1)
    found = target_from_networkx(graph)
    target.directed = True
    target.position = target.position.float()
    wanted = Batch.from_data_list([target])
    if not kinds:
        del wanted.edge_type, target.edge_type
        wanted = Batch.from_data_list([target])
    assert_same(found, wanted)
    prediction, loss = random_prediction(seed, size + 1), StructuralLoss()
    left, right = loss(prediction, found), loss(prediction, wanted)
    assert torch.allclose(left.total, right.total, rtol=0, atol=1e-10)


def _with(graph: "nx.Graph[str]", **nodes: Any) -> "nx.Graph[str]":
    for name, value in nodes.items():
        graph.nodes["a"][name] = value
    return graph


def _half_typed() -> "nx.Graph[str]":
    graph = triangle()
    graph.edges["a", "b"]["edge_type"] = 0
    return graph


@pytest.mark.parametrize(
    ("graphs", "message"),
    [
        (3, "`graphs` must be a networkx graph, or a list of them, got 3. Build it with networkx."),
        ([], "`graphs` must be a networkx graph, or a list of them, got []."),
        ([3], "a graph must be one of networkx, got 3."),
        (nx.MultiGraph(), "a graph must have at most one edge between two nodes, got a MultiGraph"),
        (
            _with(triangle(), y="C"),
            "node 'a' must have a whole number as 'y', got 'C'. Words are read by "
            "`graph_from_networkx`, and numbered by `Alphabet.of(graphs).encode(graph)`.",
        ),
        (nx.path_graph(2), "node 0 must have a whole number as 'y', got None."),
        (_with(triangle(), position=1), "'position' must be an attribute of all nodes or of none,"),
        (_half_typed(), "'edge_type' must be an attribute of all edges or of none, got 1 of 3."),
        (triangle(edge_type="x"), "'edge_type' of an edge must be a whole number, got 'x'. Words"),
    ],
)
def test_what_is_refused(graphs: Any, message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(target_from_networkx)(graphs)
