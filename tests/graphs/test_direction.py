"""Direction is a property of a graph: read off it, kept in batches, each edge counted once."""

import re
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError, graph_from_networkx, graph_to_networkx
from grapheme_torch.graphs import (
    alike,
    arcs,
    both_ways,
    edge_triples,
    is_acyclic,
    is_directed,
    make_graph,
    node_labels,
    path_order,
    sorted_edges,
    undirected,
)

from ..random_graphs import graphs, undirected_graphs
from ..unchecked import unchecked


def stored(*ends: tuple[int, int], nodes: int = 3, **more: Any) -> Data:
    """A graph as PyTorch Geometric has it, which does not say whether it is directed."""
    edge_index = torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T
    return Data(edge_index=edge_index, num_nodes=nodes, label=list("abc"[:nodes]), **more)


BOTH = ((0, 1), (1, 0), (1, 2), (2, 1), (2, 2))


@pytest.mark.parametrize(
    ("graph", "directed"),
    [
        (make_graph("ab", [(0, 1, "x"), (1, 0, "x")]), True),
        (make_graph("ab", [(0, 1, "x")], directed=False), False),
        (make_graph("ab", directed=False), False),
        (stored(*BOTH), False),
        (stored(*BOTH, edge_label=list("xxyyz")), False),
        (stored(*BOTH, edge_label=list("xyyyz")), True),
        (stored(*BOTH, edge_type=torch.tensor([1, 1, 2, 2, 1])), False),
        (stored(*BOTH, edge_weight=torch.tensor([1.0, 2.0, 3.0, 3.0, 1.0])), True),
        (stored((0, 1), (1, 0), (1, 2)), True),
        (stored((0, 0)), True),
        (stored(), True),
        (stored((0, 1), (1, 0), directed=True), True),
        (stored((0, 1), directed=False), False),
    ],
)
def test_direction_is_read_off_the_graph(graph: Data, directed: bool) -> None:
    assert is_directed(graph) is directed
    (alone,) = Batch.from_data_list([graph]).to_data_list()
    assert is_directed(alone) is directed


def test_graphs_of_a_batch_keep_their_direction() -> None:
    pair = [make_graph("ab", [(0, 1, "x")], directed=way) for way in (True, False)]
    batch = Batch.from_data_list(pair)
    assert [is_directed(graph) for graph in batch.to_data_list()] == [True, False]
    with pytest.raises(InputError, match=r"^`graph.directed` must be the same for all graphs"):
        is_directed(batch)
    assert is_directed(Batch.from_data_list([pair[1], pair[1]])) is False


def test_both_stored_directions_are_one_edge() -> None:
    weight = torch.tensor([1.0, 1.0, 2.0, 2.0, 3.0])
    graph = stored(*BOTH, edge_label=list("xxyyz"), edge_weight=weight)
    assert edge_triples(graph) == [(0, 1, "x"), (1, 2, "y"), (2, 2, "z")]
    once = undirected(graph)
    assert once.edge_index.tolist() == [[0, 1, 2], [1, 2, 2]]
    assert once.edge_weight.tolist() == [1.0, 2.0, 3.0]
    assert once.directed is False
    assert graph.num_edges == 5


@given(undirected_graphs())
def test_networkx_agrees(graph: Data) -> None:
    drawn = graph_to_networkx(graph)
    assert type(drawn) is nx.Graph
    assert drawn.number_of_edges() == len(edge_triples(graph))
    assert sorted_edges(graph_from_networkx(drawn)) == sorted_edges(graph)
    assert is_acyclic(graph) == (not len(drawn) or nx.is_forest(drawn))
    assert len(arcs(graph)) == drawn.to_directed().number_of_edges()
    both = both_ways(graph)
    assert sorted_edges(undirected(both)) == sorted_edges(graph)
    assert set(graph_to_networkx(both).edges) == set(drawn.to_directed().edges)
    assert (path_order(graph) is None) == (len(drawn) > 1 or drawn.number_of_edges() > 0)


@given(graphs(), undirected_graphs())
def test_graphs_are_compared_without_direction_if_one_has_none(first: Data, second: Data) -> None:
    names = {(u, v): name for u, v, name in edge_triples(first)}
    if any(names.get((v, u), name) != name for (u, v), name in names.items()):
        with pytest.raises(InputError, match=r"^a graph must have one label per undirected edge"):
            alike(first, second)
        return
    for graph in alike(first, second):
        assert not is_directed(graph)
    assert alike(first, first) == (first, first)


REFUSED: list[tuple[Any, str]] = [
    (stored(directed="no"), "`graph.directed` must be True or False, got 'no'."),
    (stored(directed=0), "`graph.directed` must be True or False, got 0."),
    (stored((0, 3)), "`graph.edge_index` must name nodes in [0, 3), got 3."),
    (stored((-1, 0)), "`graph.edge_index` must name nodes in [0, 3), got -1."),
    (
        Data(num_nodes=1),
        "`graph.edge_index` must be an integer tensor of shape [2, e], got nothing.",
    ),
    (
        Data(num_nodes=1, edge_index=torch.tensor([])),
        "`graph.edge_index` must be an integer tensor of shape [2, e], "
        "got torch.float32 of shape (0,). Without edges it is torch.empty(2, 0, dtype=torch.long)",
    ),
    (stored((0, 1), edge_label="x"), "`graph.edge_label` must be a list with one string per edge"),
    (stored((0, 1), edge_label=[1]), "`graph.edge_label` must be a list with one string per edge"),
    (
        stored((0, 1), (1, 0), edge_label=list("xy"), directed=False),
        "a graph must have one label per undirected edge, got 'x' from 0 to 1 and 'y' back.",
    ),
]


@pytest.mark.parametrize(("graph", "message"), REFUSED)
@pytest.mark.parametrize("read", [edge_triples, sorted_edges, undirected, is_acyclic])
def test_what_is_no_graph_is_refused(graph: Any, message: str, read: Any) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(read)(graph)


MISMADE: list[tuple[dict[str, Any], str]] = [
    ({"label": 3}, "`label` must be a list, got 3."),
    ({"label": [1]}, "`label[0]` must be a string, got 1."),
    ({"label": ["\ud800"]}, "`label[0]` must hold no lone surrogate"),
    ({"edges": None}, "`edges` must be a list, got None."),
    ({"edges": [(0, 1)]}, "`edges[0]` must be (source, target, label), got (0, 1)."),
    ({"edges": [(0, 1.0, "x")]}, "`edges[0]` must be (source, target, label), got (0, 1.0, 'x')."),
    ({"edges": [(0, 2, "x")]}, "an edge must join two of the nodes 0 to 1, got (0, 2)."),
    ({"edges": [(0, 1, None)]}, "the label of `edges[0]` must be a string, got None."),
    ({"position": [0]}, "`position` must have one number per node (2), got 1."),
    ({"position": 5}, "`position` must be a list, got 5."),
    ({"position": [0, float("nan")]}, "`position[1]` must be a finite number, got nan."),
    ({"directed": None}, "`directed` must be True or False, got None."),
]


@pytest.mark.parametrize(("change", "message"), MISMADE)
def test_a_graph_is_not_made_of_what_does_not_fit(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(make_graph)(**{"label": ["a", "b"], **change})


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.integers()), st.booleans()))
def test_nothing_but_a_graph_is_read(value: Any) -> None:
    for read in (node_labels, is_directed):
        with pytest.raises(InputError, match=r"^a graph must be a PyTorch Geometric `Data`, got "):
            unchecked(read)(value)
