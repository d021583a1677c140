"""What is told of a prediction is what the network said."""

from pathlib import Path

import pytest
import torch

from grapheme_torch import InputError, text_to_graph
from grapheme_torch.decoding import decode, decode_parts
from grapheme_torch.graphs import make_graph
from grapheme_torch.nn import GraphTransformNet
from grapheme_torch.train import explain, load_network, predict, saved_loss, train

from ..problems import random_prediction
from .runs import PAIRS, SMALL, write_pairs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that copies, and two output nodes stand at each input node."""
    folder = tmp_path_factory.mktemp("explain")
    data = write_pairs(folder / "data.jsonl", PAIRS)
    network = {**SMALL, "copy": True, "slots": {"per_node": 2, "num_layers": 1}}
    train(folder / "run", data=data, epochs=8, lr=0.02, network=network)
    return folder / "run"


def test_the_answer_is_that_of_predict(run: Path) -> None:
    network, graph = load_network(run), text_to_graph("abc")
    found = explain(network, graph, text_to_graph("ab"), loss=saved_loss(run))
    (answer,) = predict(network, [graph])
    assert found.predicted.label == answer.label
    assert found.predicted.edge_index.tolist() == answer.edge_index.tolist()
    kept = [one for one in found.nodes if one.node is not None]
    assert [one.label for one in kept] == answer.label
    assert len(found.nodes) == 6
    assert all((one.node is None) == (one.existence <= 0.5) for one in found.nodes)


def test_output_nodes_stand_at_input_nodes(run: Path) -> None:
    found = explain(load_network(run), text_to_graph("abc"))
    assert [one.input for one in found.nodes] == [0, 0, 1, 1, 2, 2]
    assert found.loss is None
    assert found.edits is None


def test_a_label_that_only_the_input_has_was_copied(run: Path) -> None:
    found = explain(load_network(run), text_to_graph("zzz"))
    known = load_network(run).labels
    for one in found.nodes:
        assert one.origin == ("copied" if one.label == "z" else "generated")
        assert one.label == "z" or one.label in known
    assert "copied" in {one.origin for one in found.nodes}


def test_the_loss_is_that_of_the_pair(run: Path) -> None:
    network, loss = load_network(run), saved_loss(run)
    found = explain(network, text_to_graph("abc"), text_to_graph("ab"), loss=loss)
    assert found.loss is not None
    assert found.loss.plan.shape == (7, 3)
    assert [len(part) for part in (found.loss.target_nodes, found.loss.target_edges)] == [2, 1]
    heaviest = found.loss.plan[0, :-1].max()
    assert not found.nodes[0].matches or found.nodes[0].matches[0][1] == heaviest


def test_a_target_with_an_unknown_label_has_edits_and_no_loss(run: Path) -> None:
    found = explain(load_network(run), text_to_graph("abc"), text_to_graph("ax"))
    assert found.loss is None
    assert found.unknown == ("x",)
    assert found.edits is not None
    assert "the network has no class for: \u2068x\u2069" in found.to_html()


def test_an_undirected_target_can_be_compared(run: Path) -> None:
    target = make_graph("ab", [(1, 0, "next")], directed=False)
    found = explain(load_network(run), text_to_graph("abc"), target)
    assert found.edits is not None
    assert not found.edits.directed
    found.to_html()


def test_the_network_stays_as_it_was(run: Path) -> None:
    network = load_network(run)
    copy = network.heads.copy
    assert copy is not None
    explain(network, text_to_graph("abc"))
    assert not copy._forward_hooks


def test_a_network_without_copying_generates() -> None:
    torch.manual_seed(0)
    network = GraphTransformNet(["a", "b"], ["next"], **{**SMALL, "copy": False}).eval()
    found = explain(network, text_to_graph("ab"), text_to_graph("ba"))
    assert {one.origin for one in found.nodes} == {"generated"}
    assert [one.input for one in found.nodes] == [0, 1]


def test_a_network_that_names_nothing_is_refused() -> None:
    message = r"^`network` must have `labels` and `relations`"
    with pytest.raises(InputError, match=message):
        explain(torch.nn.Identity(), text_to_graph("ab"))


@pytest.mark.parametrize("constraint", [None, "path", "tree", "acyclic"])
def test_decoded_parts_name_what_they_are_made_of(constraint: str | None) -> None:
    prediction = random_prediction(7, 6)
    names = list("abcd"), list("xyz")
    (part,) = decode_parts(prediction, *names, constraint)
    (graph,) = decode(prediction, *names, constraint)
    assert part.graph.label == graph.label
    best = prediction.label.argmax(1)
    assert part.graph.label == [names[0][best[k]] for k in part.nodes]
    ends = prediction.edge_index[:, part.edges].T.tolist()
    place = {node: k for k, node in enumerate(part.nodes)}
    assert graph.edge_index.T.tolist() == [[place[u], place[v]] for u, v in ends]
