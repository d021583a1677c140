"""`Prediction.certain`: the sure answer, and the graphs that have none."""

from typing import Any

import pytest
import torch
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError, Prediction, Sinkhorn, StructuralLoss
from grapheme_torch.decoding._decode import decode
from grapheme_torch.graphs import edge_triples, make_graph, text_to_graph

from ..unchecked import unchecked


def target(texts: list[str], alphabet: str) -> Data:
    """A batch of texts with `y`, as training gives it."""
    graphs = [text_to_graph(text) for text in texts]
    for graph in graphs:
        graph.y = torch.tensor([alphabet.index(name) for name in graph.label], dtype=torch.long)
    return Batch.from_data_list(graphs)


def test_the_sure_prediction_of_a_batch():
    batch = target(["ab", "", "c"], "abc")
    sure = Prediction.certain(batch, num_labels=3, num_relations=1)
    assert sure.num_graphs == 3
    assert torch.equal(sure.batch, batch.batch)
    assert sure.existence.tolist() == [40.0] * 3
    assert sure.label.argmax(1).tolist() == [0, 1, 2]
    assert sure.label.abs().unique().tolist() == [20.0]
    assert sure.edge_index.t().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 2]]
    assert sure.relation.argmax(1).tolist() == [0, 1, 0, 0, 0]
    assert {sure.existence.dtype, sure.label.dtype, sure.relation.dtype} == {torch.float64}


@pytest.mark.parametrize("texts", [["abc", "", "b", "ca"], ["a"], [""], ["", "", "cab"]])
def test_the_sure_prediction_reads_back(texts: list[str]):
    batch = target(texts, "abc")
    sure = Prediction.certain(batch, num_labels=3, num_relations=1)
    graphs = decode(sure, "abc", ["next"])
    assert [graph.label for graph in graphs] == [list(text) for text in texts]
    for graph, text in zip(graphs, texts, strict=True):
        assert edge_triples(graph) == edge_triples(text_to_graph(text))
        assert torch.equal(graph.position, text_to_graph(text).position)


def test_the_sure_prediction_of_several_relations():
    graph = make_graph(["a", "b", "a"], [(2, 0, "up"), (0, 1, "down"), (1, 1, "up")])
    graph.y = torch.tensor([0, 1, 0])
    graph.edge_type = torch.tensor([1, 2, 1])
    sure = Prediction.certain(graph, num_labels=2, num_relations=2)
    (back,) = decode(sure, "ab", ["up", "down"])
    assert back.label == ["a", "b", "a"]
    assert sorted(edge_triples(back)) == sorted(edge_triples(graph))
    assert back.get("position") is None


def graph(**other: Any) -> Data:
    """Three nodes in a path, with weights and relations."""
    given = {
        "y": torch.tensor([0, 1, 1]),
        "edge_index": torch.tensor([[0, 2], [1, 1]]),
        "edge_type": torch.tensor([2, 1]),
        "edge_weight": torch.tensor([0.5, 3.0]),
        "num_nodes": 3,
    }
    return Data(**{**given, **other})


def sure_of(given: Data) -> Prediction:
    found: Prediction = unchecked(Prediction.certain)(given, num_labels=2, num_relations=2)
    return found


def test_weights_stand_at_their_edges():
    sure = sure_of(graph())
    assert sure.weight is not None
    assert sure.directed
    there = sure.relation.argmax(1) > 0
    assert sure.edge_index[:, there].tolist() == [[0, 2], [1, 1]]
    assert sure.weight[there].tolist() == [0.5, 3.0]
    assert not sure.weight[~there].any()


def test_an_undirected_graph_has_one_candidate_per_pair():
    sure = sure_of(graph(directed=False))
    assert not sure.directed
    assert sure.edge_index.T.tolist() == [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]]
    assert sure.relation.argmax(1).tolist() == [0, 2, 0, 0, 1, 0]
    assert sure.weight is not None
    assert sure.weight.tolist() == [0, 0.5, 0, 0, 3, 0]


@pytest.mark.parametrize("directed", [True, False])
def test_it_costs_nothing_to_be_sure(directed: bool):
    batch = Batch.from_data_list([graph(directed=directed)] * 2)
    loss = StructuralLoss(
        directed=directed, alignment=Sinkhorn(temperature=0.02, rounds=5, update="proximal")
    )
    assert loss(sure_of(batch), batch).total.item() < 1e-5


def test_graphs_of_both_kinds_are_refused():
    batch = Batch.from_data_list([graph(directed=False), graph(directed=True)])
    with pytest.raises(InputError, match="must be the same for all graphs"):
        sure_of(batch)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"edge_index": torch.tensor([[0, 0], [1, 1]])}, "hold each ordered pair of nodes at most"),
        ({"edge_index": torch.tensor([[0, 1], [1, 0]]), "directed": False}, "hold each pair of"),
        ({"batch": torch.tensor([0, 0, 1])}, "join nodes of the same graph"),
        ({"batch": torch.tensor([1, 0, 0])}, "`graph.batch` must ascend"),
        ({"edge_index": torch.tensor([[0, 2], [1, 3]])}, r"name nodes in \[0, 3\)"),
        ({"edge_index": torch.tensor([[0, 2], [1, -1]])}, r"name nodes in \[0, 3\)"),
        ({"edge_index": torch.tensor([[0.0, 2], [1, 1]])}, "`graph.edge_index` must be an integer"),
        ({"edge_index": None}, "`graph.edge_index` must be an integer"),
        ({"y": torch.tensor([0, 2, 0])}, r"`graph.y` must lie in \[0, 1\], got values from 0 to 2"),
        ({"y": torch.tensor([0, -1, 0])}, r"`graph.y` must lie in \[0, 1\]"),
        ({"y": torch.tensor([0.0, 1, 0])}, "`graph.y` must be a tensor of integers"),
        ({"y": torch.tensor([0, 1])}, r"`graph.y` must be a tensor of 3 integers, got"),
        ({"y": torch.tensor([0, 1, 1], device="meta")}, "`graph.y` must be on the device of"),
        ({"edge_weight": torch.ones(2, device="meta")}, "`graph.edge_weight` must be on the dev"),
        ({"y": None}, "`graph.y` must be a tensor of 3 integers, got nothing"),
        ({"edge_type": torch.tensor([0, 1])}, r"`graph.edge_type` must lie in \[1, 2\]"),
        ({"edge_type": torch.tensor([1, 3])}, r"`graph.edge_type` must lie in \[1, 2\]"),
        ({"edge_type": torch.tensor([1])}, "`graph.edge_type` must be a tensor of 2 integers"),
        ({"edge_weight": torch.ones(2, 1)}, r"`graph.edge_weight` must have shape \(2,\), got"),
    ],
)  # fmt: skip
def test_a_graph_that_has_no_sure_answer_is_refused(other: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        sure_of(graph(**other))
