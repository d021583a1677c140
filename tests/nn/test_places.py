"""Where output nodes stand for the alignment: at their input node, or by a count."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch

from grapheme_torch import GraphTransformNet, text_to_graph
from grapheme_torch.nn import grouped

from .inputs import random_graph, union

TEXTS = ["abca", "", "b", "cabbac"]


def _model(**options: Any) -> GraphTransformNet:
    options = {"dim": 8, "num_heads": 2, "num_buckets": 16, **options}
    return GraphTransformNet(["a", "b"], ["next"], **grouped(options)).double()


def _shuffled() -> Batch:
    """Texts whose nodes stand in the batch in another order than they are read in."""
    graphs = [text_to_graph(text) for text in TEXTS]
    for graph in graphs:
        graph.position = torch.randperm(len(graph.label)).float() * 1.5 - 2
    return union(graphs)


@pytest.mark.parametrize("slots", [1, 3])
def test_by_default_a_node_stands_at_its_input_node(slots: int) -> None:
    batch = _shuffled()
    found = _model(slots={"per_node": slots})(batch).position
    wanted = [place + k / slots for place in batch.position.tolist() for k in range(slots)]
    assert found.tolist() == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_count_is_of_the_nodes_expected_before(slots: int, shuffled: bool) -> None:
    batch = _shuffled() if shuffled else union([text_to_graph(text) for text in TEXTS])
    found = _model(slots={"per_node": slots}, places="count")(batch)
    exists, graph = found.existence.sigmoid().tolist(), found.batch.tolist()
    read = [(place, k) for place in batch.position.tolist() for k in range(slots)]
    wanted = [
        sum(p for p, g, place in zip(exists, graph, read, strict=True) if g == own and place < here)
        for own, here in zip(graph, read, strict=True)
    ]
    assert found.position.tolist() == pytest.approx(wanted, abs=1e-12)


def test_a_count_is_differentiable() -> None:
    found = _model(places="count")(text_to_graph("abc"))
    (slope,) = torch.autograd.grad(found.position[2], found.existence)
    exists = found.existence.sigmoid()
    wanted: Tensor = exists * (1 - exists)
    wanted[2] = 0
    torch.testing.assert_close(slope, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("places", ["input", "count"])
def test_without_an_order_nodes_have_no_place(places: str) -> None:
    assert _model(places=places)(random_graph(1, 4)).position is None


def test_a_count_of_nothing() -> None:
    found = _model(places="count", slots={"per_node": 2})(
        union([text_to_graph(""), text_to_graph("")])
    )
    assert found.position.shape == (0,)
