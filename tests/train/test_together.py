"""Networks that answer together: the answer that all of them find likeliest."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from grapheme_torch import StructuralLoss, make_graph, text_to_graph
from grapheme_torch.cli._main import main
from grapheme_torch.data import Alphabet, Pair
from grapheme_torch.graphs import node_labels
from grapheme_torch.nn import GraphTransformNet
from grapheme_torch.train import evaluate, load_members, predict, predict_together

from .runs import quick, write_pairs

INPUTS = [text_to_graph(text) for text in ("abc", "ca", "b", "aabbcc", "cabcab")]
Member = tuple[GraphTransformNet, StructuralLoss]


def _member(seed: int, labels: str = "abcx") -> Member:
    """An untrained network, sure of what it says: no two answer alike."""
    torch.manual_seed(seed)
    network = GraphTransformNet(list(labels), ["next"], dim=16, num_layers=1).eval()
    with torch.no_grad():
        for head in (network.heads.label, network.heads.existence, network.heads.relation):
            head.weight.mul_(6)
    return network, StructuralLoss(reduction="none")


def _said(graph: Data) -> tuple[list[str], list[list[int]]]:
    return node_labels(graph), graph.edge_index.tolist()


@torch.no_grad()
def _total(members: list[Member], given: Data, answer: Data) -> float:
    """The loss of one answer to one graph, summed over the networks."""
    total = 0.0
    for network, loss in members:
        wanted = Alphabet(network.labels, network.relations).encode(answer)
        total += float(loss(network(given), wanted).total.sum())
    return total


def test_one_network_answers_as_it_does_alone() -> None:
    member = _member(0)
    together, alone = predict_together([member], INPUTS), predict(member[0], INPUTS)
    assert [_said(graph) for graph in together] == [_said(graph) for graph in alone]
    assert predict_together([member], []) == []


def test_the_answer_of_least_loss_in_all_is_chosen() -> None:
    members = [_member(seed) for seed in range(4)]
    answers = [predict(network, INPUTS) for network, _ in members]
    chosen = predict_together(members, INPUTS)
    first = 0
    for k, given in enumerate(INPUTS):
        offered = [each[k] for each in answers]
        told = [_total(members, given, answer) for answer in offered]
        assert _said(chosen[k]) == _said(offered[told.index(min(told))])
        first += _said(chosen[k]) == _said(offered[0])
    assert first < len(INPUTS)  # the choice is no formality


def test_an_answer_that_some_network_cannot_give_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    members = [_member(0), _member(1), _member(2)]
    strange, known = make_graph(["?"]), make_graph(["x"])
    given = {id(members[0][0]): strange, id(members[1][0]): strange, id(members[2][0]): known}
    module = "grapheme_torch.train._together.predict"
    monkeypatch.setattr(module, lambda network, graphs, **_: [given[id(network)]])
    assert _said(predict_together(members, INPUTS[:1])[0]) == _said(known)
    given[id(members[2][0])] = make_graph(["!"])  # all are such: that of most networks
    assert _said(predict_together(members, INPUTS[:1])[0]) == _said(strange)


def test_folders_of_runs_answer_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [{"input": "abc", "target": "ab"}] * 2)
    folders = [tmp_path / name for name in ("one", "two")]
    for seed, folder in enumerate(folders):
        quick(folder, data=data, epochs=1, seed=seed)
    members = load_members(folders)
    assert [loss.reduction for _, loss in members] == ["none", "none"]
    # The shape of all training targets, as the commands take it.
    (answer,) = predict_together(members, [text_to_graph("abc")], constraint="path")
    pair = Pair(text_to_graph("abc"), answer)
    assert evaluate(folders[0], [pair], others=folders[1:]).metrics["exact_match"] == 1.0

    def printed(*words: str) -> Any:
        assert main([*words]) == 0
        return json.loads(capsys.readouterr().out)

    one, two = map(str, folders)
    told = printed("predict", one, "abc", "--others", two, "--json")
    assert [node["label"] for node in told["nodes"]] == node_labels(answer)
    report = printed("evaluate", one, "--data", str(data), "--others", two, "--json")
    assert report["pairs"] == 2
    assert main(["predict", one, "abc", "--others", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err
