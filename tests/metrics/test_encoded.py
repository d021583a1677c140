"""Metrics of predictions and encoded targets: the same as of the decoded graphs."""

import math
import warnings
from dataclasses import replace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader

from grapheme_torch import (
    GraphTransformNet,
    InputError,
    Prediction,
    StructuralLoss,
    join_targets,
    make_graph,
    text_to_graph,
)
from grapheme_torch.data import Alphabet
from grapheme_torch.decoding import Bounds, decode
from grapheme_torch.metrics import GraphMetrics

from ..unchecked import unchecked

TEXTS = ["abc", "", "cab", "b"]


def certain(graph: Data, alphabet: Alphabet) -> Prediction:
    sizes = {"num_labels": len(alphabet.labels), "num_relations": len(alphabet.relations)}
    return Prediction.certain(alphabet.encode(graph), **sizes)


def sure(graph: Data) -> Prediction:
    """Of a graph with two classes and one relation."""
    counted = Data(y=graph.y, edge_index=graph.edge_index, num_nodes=len(graph.y))
    return Prediction.certain(counted, num_labels=2, num_relations=1)


@pytest.mark.parametrize("named", [True, False])
def test_they_are_those_of_the_decoded_graphs(named: bool) -> None:
    graphs = [text_to_graph(text) for text in TEXTS]
    alphabet = Alphabet.of(graphs)
    guesses = [graphs[0], graphs[3], graphs[2], graphs[0]]
    said = Prediction.cat([certain(graph, alphabet) for graph in guesses])
    targets = Batch.from_data_list([alphabet.encode(graph) for graph in graphs])
    metrics, plain = GraphMetrics(alphabet=alphabet if named else None), GraphMetrics()
    metrics.update(said, targets)
    plain.update(guesses, graphs)
    found, wanted = ({k: float(v) for k, v in one.compute().items()} for one in (metrics, plain))
    assert found == pytest.approx(wanted)
    assert metrics.compute()["exact_match"] == 0.5


@pytest.mark.parametrize("form", ["batch", "list", "joined"])
def test_targets_come_as_the_loss_takes_them(form: str) -> None:
    path = Data(y=torch.tensor([0, 0, 1]), edge_index=torch.tensor([[0, 1], [1, 2]]))
    star = Data(y=torch.tensor([1, 0]), edge_index=torch.tensor([[0], [1]]))
    dot = Data(y=torch.tensor([1]), edge_index=torch.zeros(2, 0, dtype=torch.long))
    graphs = [path, dot, star]
    counted = [graph.clone().update({"num_nodes": len(graph.y)}) for graph in graphs]
    targets: Any = {
        "batch": Batch.from_data_list(counted),  # which counts nodes by what it can find
        "list": graphs,
        "joined": join_targets(graphs),
    }[form]
    said = Prediction.cat([sure(graph) for graph in graphs])
    metrics = GraphMetrics()
    assert metrics(said, targets)["exact_match"] == 1
    assert metrics.compute()["edge_f1"] == 1


def test_an_undirected_target_counts_each_edge_once() -> None:
    ring = make_graph("abc", [(0, 1, "x"), (1, 2, "x"), (0, 2, "x")], directed=False)
    alphabet = Alphabet.of([ring])
    seen: list[int] = []

    def note(predicted: Data, target: Data, report: Any) -> None:
        seen.append(len(report.edges))

    metrics = GraphMetrics(extra={"note": note})
    metrics.update(certain(ring, alphabet), alphabet.encode(ring))
    assert (metrics.compute()["exact_match"], seen) == (1.0, [3])


def test_both_directions_are_one_edge_where_candidates_have_one() -> None:
    """As PyTorch Geometric stores undirected edges, and as the loss reads them."""
    both = Data(y=torch.tensor([0, 1, 1]), edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
    one = Data(y=both.y, edge_index=both.edge_index[:, [0, 2]], num_nodes=3, directed=False)
    said = Prediction.certain(one, num_labels=2, num_relations=1)
    for directed in (True, False):
        found = GraphMetrics()(replace(said, directed=directed), both)
        assert (found["exact_match"], found["edge_recall"]) == (1, 1)
    assert GraphMetrics()(sure(both), both)["exact_match"] == 1


@pytest.mark.parametrize("named", [True, False])
def test_a_label_that_is_copied_and_has_no_class_is_wrong(named: bool) -> None:
    """Likelier than any class; of the classes the right one is the likeliest."""
    target = Data(y=torch.tensor([1, 0]), edge_index=torch.tensor([[0], [1]]))
    label = torch.tensor([[0.0, 4.0, 9.0], [4.0, 0.0, -9.0]])  # the last column is the own label
    said = replace(sure(target), label=label)
    metrics = GraphMetrics(alphabet=Alphabet(("?", "a"), ("next",)) if named else None)
    found = metrics(said, target)
    assert (found["exact_match"], found["node_recall"], found["edge_recall"]) == (0, 0.5, 1)


def test_a_network_that_copies_is_measured_as_its_answers_are() -> None:
    graphs = [text_to_graph(text) for text in ("abc", "cab", "bad")]
    alphabet = Alphabet.of([text_to_graph("abd")])  # the network cannot write a c but by copying
    torch.manual_seed(0)
    network = GraphTransformNet(
        dim=16, num_layers=1, num_buckets=64, labels=alphabet.labels, relations=alphabet.relations
    ).eval()
    with torch.no_grad():
        said = network(Batch.from_data_list([graph.clone() for graph in graphs]))
    own = [name for graph in graphs for name in graph.label]
    answers = decode(said, alphabet.labels, alphabet.relations, own=own)
    targets = [text_to_graph(text) for text in ("ab", "ab", "bad")]
    encoded, plain = GraphMetrics(alphabet=alphabet), GraphMetrics()
    encoded.update(said, [alphabet.encode(graph) for graph in targets])
    plain.update(answers, targets)
    found, wanted = ({k: float(v) for k, v in one.compute().items()} for one in (encoded, plain))
    assert found == pytest.approx(wanted)


def test_a_constraint_is_kept() -> None:
    draw = torch.Generator().manual_seed(0)
    ends = torch.tensor([[0, 0, 1], [1, 2, 2]])
    said = Prediction(
        torch.tensor([3.0, 3.0, 3.0]),
        torch.randn(3, 2, generator=draw),
        ends,
        torch.tensor([[0.0, 2.0], [0.0, 1.0], [0.0, 2.0]]),
    )
    (wanted,) = decode(said, "01", "1", "path")
    kinds = [int(name) for name in wanted.label]
    target = Data(y=torch.tensor(kinds), edge_index=wanted.edge_index)
    bounds = Bounds.of([wanted])
    found = [GraphMetrics(constraint=shape)(said, target) for shape in (None, "path", bounds)]
    assert [one["exact_match"] for one in found] == [0, 1, 1]


def test_one_line_of_a_validation_step() -> None:
    """In a module of the user's, with torchmetrics as it is meant to be used."""

    class Mine(pl.LightningModule):
        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network, self.loss, self.metrics = network, StructuralLoss(), GraphMetrics()

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.metrics.update(self.network(batch[0]), batch[1])

        def on_validation_epoch_end(self) -> None:
            self.log_dict(self.metrics.compute())
            self.metrics.reset()

    graphs = [text_to_graph(text) for text in ("abc", "cab")]
    alphabet = Alphabet.of(graphs)
    torch.manual_seed(0)
    network = GraphTransformNet(
        dim=16, num_layers=1, num_buckets=64, labels=alphabet.labels, relations=alphabet.relations
    )
    pairs = [(graph, alphabet.encode(graph)) for graph in graphs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu"
        )
        (found,) = trainer.validate(Mine(network), DataLoader(pairs, 2), verbose=False)
    assert {"exact_match", "node_f1", "edit_cost"} <= set(found)
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": torch.tensor([0, 5, 1])}, r"`target.y` must lie in 0 to 1, got 5\."),
        ({"y": torch.rand(3, 2)}, r"`target.y` must hold one class per row"),
        ({"y": None}, r"`target.y` must hold one class per row, int64"),
        ({"edge_type": torch.tensor([1, 2])}, r"`target.edge_type` must lie in 1 to 1, got 2\."),
        ({"edge_type": torch.tensor([1])}, r"`target` must have classes for \(3, 2\) nodes"),
    ],
)
def test_a_target_that_cannot_be_named_is_refused(change: dict[str, Any], match: str) -> None:
    target = Data(y=torch.tensor([0, 0, 1]), edge_index=torch.tensor([[0, 1], [1, 2]]))
    said = sure(target)
    with pytest.raises(InputError, match=match):
        unchecked(GraphMetrics.update)(GraphMetrics(), said, target.clone().update(change))


def test_a_batch_beside_a_list_is_refused() -> None:
    graph = text_to_graph("a")
    with pytest.raises(InputError, match=r"`target` must be a list of graphs with labels"):
        GraphMetrics().update([graph], graph)
