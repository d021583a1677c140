"""Node-link documents and networkx graphs, to a graph and back."""

import json
import re
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from grapheme_torch import InputError
from grapheme_torch._check import Notice
from grapheme_torch.graphs import (
    edge_triples,
    graph_from_networkx,
    graph_from_node_link,
    graph_to_networkx,
    graph_to_node_link,
    make_graph,
    node_labels,
    text_to_graph,
)

from ..unchecked import unchecked

Form = tuple[list[str], list[tuple[int, int, str]], list[float] | None]
"""Labels, edges and positions: what makes two graphs equal."""

places = st.floats(-1e6, 1e6, width=32)


def form(graph: Data) -> Form:
    position = graph.get("position")
    return node_labels(graph), edge_triples(graph), None if position is None else position.tolist()


@st.composite
def parts(draw: st.DrawFn) -> Form:
    """What `make_graph` takes: cycles, loops, several components, with and without positions."""
    label = draw(st.lists(st.text(max_size=3), max_size=6))
    ends = [(u, v) for u in range(len(label)) for v in range(len(label))]
    chosen = draw(st.lists(st.sampled_from(ends), unique=True)) if ends else []
    edges = [(u, v, draw(st.text(max_size=3))) for u, v in chosen]
    placed = not label or draw(st.booleans())
    return label, edges, [draw(places) for _ in label] if placed else None


# Node-link documents.


@given(parts())
def test_a_graph_comes_back_from_its_document(drawn: Form):
    graph = make_graph(*drawn)
    document = json.loads(json.dumps(graph_to_node_link(graph)))
    back = graph_from_node_link(document)
    assert form(back) == form(graph) == drawn
    assert back.keys() == graph.keys()
    for key in ("x", "edge_index", "edge_attr"):
        assert torch.equal(back[key], graph[key])


@given(parts())
def test_networkx_reads_the_document(drawn: Form):
    graph = make_graph(*drawn)
    digraph = nx.node_link_graph(graph_to_node_link(graph), edges="edges")
    assert isinstance(digraph, nx.DiGraph)
    assert form(graph_from_node_link(nx.node_link_data(digraph, edges="edges")))[0] == graph.label
    assert [data["label"] for _, data in digraph.nodes(data=True)] == graph.label
    assert {(u, v, data["label"]) for u, v, data in digraph.edges(data=True)} == set(
        edge_triples(graph)
    )


def test_the_document_of_a_text():
    assert graph_to_node_link(text_to_graph("ab")) == {
        "directed": True,
        "multigraph": False,
        "graph": {},
        "nodes": [
            {"id": 0, "label": "a", "position": 0.0},
            {"id": 1, "label": "b", "position": 1.0},
        ],
        "edges": [{"source": 0, "target": 1, "label": "next"}],
    }


def test_ids_are_strings_or_integers_and_other_keys_are_ignored():
    document = {
        "nodes": [{"id": "1", "label": "a", "colour": 3}, {"id": 1, "label": "b"}],
        "edges": [{"source": 1, "target": "1", "weight": 0.5}],
        "name": "x",
    }
    assert form(graph_from_node_link(document)) == (["a", "b"], [(1, 0, "next")], None)


def test_edges_may_be_called_links() -> None:
    nodes = [{"id": k, "label": "a"} for k in range(2)]
    links = [{"source": 0, "target": 1, "label": "to"}]
    assert edge_triples(graph_from_node_link({"nodes": nodes, "links": links})) == [(0, 1, "to")]
    both = graph_from_node_link({"nodes": nodes, "edges": [], "links": links})
    assert edge_triples(both) == []
    with pytest.raises(InputError, match=r'^the "links" of a graph must be a list'):
        graph_from_node_link({"nodes": nodes, "links": None})
    drawn = nx.DiGraph([(0, 1)])
    nx.set_node_attributes(drawn, "a", "label")
    document = nx.node_link_data(drawn, edges="links")
    assert len(edge_triples(graph_from_node_link(document))) == 1


def test_labels_of_edges_under_another_name_are_told() -> None:
    nodes = [{"id": k, "label": "a"} for k in range(3)]
    ends = ({"source": 0, "target": 1}, {"source": 1, "target": 2})

    def read(*more: dict[str, Any]) -> list[str]:
        edges = [{**end, **keys} for end, keys in zip(ends, more, strict=True)]
        graph = graph_from_node_link({"nodes": nodes, "edges": edges})
        return [label for _, _, label in edge_triples(graph)]

    with pytest.warns(Notice, match=r'a text "relation" and no "label".*called "next"'):
        assert read({"relation": "x"}, {"relation": "y"}) == ["next", "next"]
    # None of these looks like labels.
    assert read({"type": "x"}, {}) == ["next", "next"]
    assert read({"type": 1}, {"type": 2}) == ["next", "next"]
    assert read({"type": "x", "label": "y"}, {"type": "x", "label": "z"}) == ["y", "z"]


def test_an_undirected_document_keeps_each_edge_once():
    document = {
        "directed": False,
        "nodes": [{"id": 0, "label": "a"}, {"id": 1, "label": "b"}],
        "edges": [{"source": 0, "target": 1, "label": "x"}, {"source": 1, "target": 1}],
    }
    graph = graph_from_node_link(document)
    assert graph.directed is False
    assert edge_triples(graph) == [(0, 1, "x"), (1, 1, "next")]
    back = graph_to_node_link(graph)
    assert back["directed"] is False
    assert back["edges"] == [
        {"source": 0, "target": 1, "label": "x"},
        {"source": 1, "target": 1, "label": "next"},
    ]


def node(**keys: Any) -> dict[str, Any]:
    return {"id": 0, "label": "a", **keys}


def edge(**keys: Any) -> dict[str, Any]:
    return {"source": 0, "target": 0, **keys}


REFUSED: list[tuple[Any, str]] = [
    ([], 'a graph must be an object with "nodes" and "edges", got []. Write {"nodes": ['),
    ({"edges": []}, 'the "nodes" of a graph must be a list, got nothing. Write "nodes": []'),
    ({"nodes": []}, 'the "edges" of a graph must be a list, got nothing. Write "edges": []'),
    ({"nodes": {}, "edges": []}, 'the "nodes" of a graph must be a list, got {}.'),
    ({"nodes": [5], "edges": []}, 'node 0 must be an object with "id" and "label", got 5.'),
    (
        {"nodes": [node(), {"id": 1}], "edges": []},
        'node 1 must be an object with "id" and "label", got {\'id\': 1}. Write {',
    ),
    (
        {"nodes": [node(id=1.0)], "edges": []},
        'the "id" of node 0 must be a string or an integer, got 1.0. Number the nodes 0, 1, 2',
    ),
    ({"nodes": [node(id=True)], "edges": []}, "must be a string or an integer, got True."),
    ({"nodes": [node(id=[0])], "edges": []}, "must be a string or an integer, got [0]."),
    (
        {"nodes": [node(), node()], "edges": []},
        'the "id" of node 1 must be unique, got 0. Number the nodes.',
    ),
    (
        {"nodes": [node(label=5)], "edges": []},
        'the "label" of node 0 must be a string, got 5. Put text in quotes.',
    ),
    (
        {"nodes": [node(label="a\ud800")], "edges": []},
        'the "label" of node 0 must hold no lone surrogate (no encoding can store one), '
        "got U+D800 at index 1.",
    ),
    (
        {"nodes": [node()], "edges": [[0, 0]]},
        'edge 0 must be an object with "source" and "target", got [0, 0]. Write {"source": 0',
    ),
    ({"nodes": [node()], "edges": [{"source": 0}]}, 'edge 0 must be an object with "source" and'),
    (
        {"nodes": [node()], "edges": [edge(target=1)]},
        'the "target" of edge 0 must be the id of a node of the graph, got 1. Add the node, or',
    ),
    ({"nodes": [node()], "edges": [edge(source="0")]}, 'the "source" of edge 0 must be the id of'),
    (
        {"nodes": [node()], "edges": [edge(source=None)]},
        'the "source" of edge 0 must be a string or an integer, got None.',
    ),
    (
        {"nodes": [node()], "edges": [edge(label=None)]},
        'the "label" of edge 0 must be a string, got None. Put text in quotes.',
    ),
    (
        {"nodes": [node(), node(id="b")], "edges": [edge(target="b"), edge(target="b")]},
        "edges must be at most one per ordered pair, got two from 0 to 'b'. Join their labels",
    ),
    (
        {
            "directed": False,
            "nodes": [node(), node(id=1)],
            "edges": [edge(target=1), edge(source=1)],
        },
        "edges must be at most one per undirected pair, got two between 1 and 0. Join their labels",
    ),
    (
        {"directed": "false", "nodes": [], "edges": []},
        "the \"directed\" of a graph must be true or false, got 'false'. Write false if its edges",
    ),
    (
        {"nodes": [node(position=0), node(id=1)], "edges": []},
        'the "position" of node 1 must be given, as other nodes have one, got nothing. Give every',
    ),
    (
        {"nodes": [node(position="first")], "edges": []},
        "the \"position\" of node 0 must be a finite number, got 'first'. Give every node its",
    ),
    ({"nodes": [node(position=None)], "edges": []}, "must be a finite number, got None."),
    ({"nodes": [node(position=True)], "edges": []}, "must be a finite number, got True."),
    ({"nodes": [node(position=float("nan"))], "edges": []}, "must be a finite number, got nan."),
    ({"nodes": [node(position=-1e39)], "edges": []}, "must be a finite number, got -1e+39."),
]


@pytest.mark.parametrize(("document", "message"), REFUSED)
def test_a_refusal_says_what_is_wrong_with_a_document(document: Any, message: str):
    with pytest.raises(InputError, match=re.escape(message)):
        unchecked(graph_from_node_link)(document)


# networkx.


@given(parts())
def test_a_graph_comes_back_from_networkx(drawn: Form):
    graph = make_graph(*drawn)
    label, edges, position = form(graph_from_networkx(graph_to_networkx(graph)))
    assert label == graph.label
    assert sorted(edges) == sorted(edge_triples(graph))
    assert position == form(graph)[2]


def test_a_networkx_node_without_a_label_is_named_by_itself():
    graph = graph_from_networkx(nx.DiGraph([("x", "y"), (("a", 1), "x")]))
    assert form(graph) == (["x", "y", "('a', 1)"], [(0, 1, "next"), (2, 0, "next")], None)


def test_an_undirected_networkx_graph_stays_undirected():
    drawn = nx.Graph([(0, 1), (1, 1)])
    graph = graph_from_networkx(drawn)
    assert edge_triples(graph) == [(0, 1, "next"), (1, 1, "next")]
    back = graph_to_networkx(graph)
    assert type(back) is nx.Graph
    assert set(back.edges) == set(drawn.edges)


@pytest.mark.parametrize("kind", [nx.MultiGraph, nx.MultiDiGraph])
def test_a_multigraph_is_refused(kind: Any):
    message = (
        f"`graph` must have at most one edge between two nodes, got a {kind.__name__}. "
        f"Convert it first: `networkx.{kind.__name__.removeprefix('Multi')}(graph)` keeps one edge"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        graph_from_networkx(kind([(0, 1), (0, 1)]))


@pytest.mark.parametrize("value", [None, 3, [(0, 1)], "graph"])
def test_what_is_no_networkx_graph_is_refused(value: Any):
    with pytest.raises(InputError, match=r"^`graph` must be a networkx graph, got "):
        unchecked(graph_from_networkx)(value)
