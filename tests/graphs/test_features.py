"""Numbers on nodes: read, written, refused, and summed up."""

import json
import re
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch import InputError
from grapheme_torch.graphs import (
    Moments,
    both_ways,
    feature_width,
    features_of,
    graph_from_networkx,
    graph_from_node_link,
    graph_to_networkx,
    graph_to_node_link,
    make_graph,
    node_words,
)

from ..unchecked import unchecked

numbers = st.floats(-1e6, 1e6, width=32)


def document(*rows: Any) -> dict[str, Any]:
    """Nodes with these numbers; None: without."""
    nodes = [{"id": k, "label": "a"} | ({} if x is None else {"x": x}) for k, x in enumerate(rows)]
    return {"nodes": nodes, "edges": []}


@given(st.integers(1, 3).flatmap(lambda k: st.lists(st.lists(numbers, min_size=k, max_size=k))))
def test_numbers_come_back_from_a_document(rows: list[list[float]]):
    graph = graph_from_node_link(document(*rows))
    if not rows:
        assert features_of(graph) is None
        return
    assert graph.features.dtype == torch.float32
    assert graph.features.tolist() == rows
    again = graph_from_node_link(json.loads(json.dumps(graph_to_node_link(graph))))
    assert torch.equal(again.features, graph.features)


def test_numbers_are_written_as_short_as_they_were_given():
    graph = graph_from_node_link(document([0.1, 133.0648]))
    assert graph_to_node_link(graph)["nodes"][0]["x"] == [0.1, 133.0648]


def test_a_node_with_numbers_needs_no_label():
    graph = graph_from_node_link({"nodes": [{"id": 0, "x": [1, 2.5]}], "edges": []})
    assert graph.label == [""]
    assert graph.features.tolist() == [[1.0, 2.5]]
    with pytest.raises(InputError, match='node 0 must be an object with "id" and "label"'):
        graph_from_node_link({"nodes": [{"id": 0}], "edges": []})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1], None], 'the "x" of node 1 must be given, as other nodes have one, got nothing'),
        ([[1], [1, 2]], 'the "x" of node 1 must have as many numbers as that of node 0 (1), got 2'),
        ([3.5], 'the "x" of node 0 must be a list of numbers, got 3.5. Write [12.5], or rename'),
        (["ab"], 'the "x" of node 0 must be a list of numbers'),
        ([[]], 'the "x" of node 0 must hold a number at least'),
        ([[1], ["a"]], 'the "x" of node 1 must hold finite numbers only'),
        ([[True]], 'the "x" of node 0 must hold finite numbers only'),
        ([[1e31]], 'the "x" of node 0 must hold finite numbers only'),
    ],
)
def test_numbers_that_are_refused(rows: list[Any], message: str):
    with pytest.raises(InputError, match=re.escape(message)):
        graph_from_node_link(document(*rows))


def test_a_graph_is_made_with_numbers():
    graph = make_graph(["a", "b"], features=torch.tensor([[1.0], [2.0]]))
    assert (graph.features.tolist(), feature_width(graph)) == ([[1.0], [2.0]], 1)
    assert feature_width(make_graph(["a"])) == 0
    assert node_words(graph) == ["a (1)", "b (2)"]
    assert node_words(make_graph([""], features=[[133.0648, 0.5]])) == ["133.065, 0.5"]
    assert node_words(make_graph(["a"])) == ["a"]
    with pytest.raises(InputError, match=re.escape("have one row per node (1), got 2")):
        make_graph(["a"], features=[[1.0], [2.0]])
    with pytest.raises(InputError, match=re.escape("`features[1]` must have as many numbers")):
        make_graph(["a", "b"], features=[[1.0], [2.0, 3.0]])
    with pytest.raises(InputError, match="`features` must be a list"):
        unchecked(make_graph)(["a"], features=3)


def test_numbers_spoilt_later_are_refused():
    graph = make_graph(["a", "b"])
    graph.features = torch.ones(3, 1)
    with pytest.raises(InputError, match=re.escape("float tensor with a row per node (2)")):
        graph_to_node_link(graph)
    graph.features = torch.tensor([[1.0], [torch.nan]])
    with pytest.raises(InputError, match=r"`graph\.features` must be finite"):
        features_of(graph)


def test_numbers_of_networkx_and_back():
    graph: nx.Graph[Any] = nx.path_graph(2)
    nx.set_node_attributes(graph, {0: [1.0, 2.0], 1: (3.0, 4.0)}, "x")
    ours = graph_from_networkx(graph)
    assert ours.features.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert dict(graph_to_networkx(ours).nodes(data="x")) == {0: [1.0, 2.0], 1: [3.0, 4.0]}


def test_both_ways_keeps_numbers():
    graph = make_graph(["a", "b"], [(0, 1, "r")], directed=False, features=[[1.0], [2.0]])
    assert both_ways(graph).features.tolist() == [[1.0], [2.0]]


def test_moments_are_those_of_all_nodes_at_once():
    """Also where the mean is large beside the deviation."""
    rng = torch.Generator().manual_seed(0)
    rows = torch.rand(40, 2, generator=rng) * torch.tensor([1.0, 0.01]) + torch.tensor([0.0, 1e3])
    moments = Moments()
    for part in rows.split([1, 0, 30, 9]):
        moments.add(make_graph(["a"] * len(part), features=part.tolist()) if len(part) else _bare())
    assert moments.count == 40
    exact = rows.double()
    torch.testing.assert_close(moments.mean, exact.mean(0), rtol=1e-14, atol=0)
    wanted = exact.std(0, correction=0)
    torch.testing.assert_close(moments.deviation, wanted, rtol=1e-9, atol=0)


def test_what_is_the_same_everywhere_is_not_divided_by_zero():
    moments = Moments()
    moments.add(make_graph(["a"] * 3, features=[[0.0, 0.1]] * 3))
    moments.add(make_graph(["a"], features=[[0.0, 0.1]]))
    assert moments.deviation.tolist() == [1.0, 1.0]


def _bare() -> Any:
    return make_graph([])
