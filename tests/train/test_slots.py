"""Targets larger than their inputs, and characters that no target of the training data holds."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import (
    GraphTransformNet,
    InputError,
    StructuralLoss,
    graph_to_text,
    text_to_graph,
)
from grapheme_torch.data import OutputRoom, Pair
from grapheme_torch.nn import CandidateEdges, OutputSlots, candidate_edges, num_candidates
from grapheme_torch.train import check_saved_model, evaluate, load_network, predict
from grapheme_torch.train._data import load_split
from grapheme_torch.train._untrained import share_of_edges, share_of_nodes

from .runs import SMALL, quick, write_pairs

TEXTS = ["a", "b", "cd", "dc", "efg", "gab", "hij", "jih", "bdfh", "aceg", "jab", "iie", "fhc"]
DOUBLED: list[dict[str, Any]] = [
    {"input": text, "target": "".join(c + c for c in text)} for text in TEXTS
]
WIDE = {**SMALL, "copy": True, "dim": 32, "places": "count"} | {
    "slots": {"per_node": 2},
    "dropout": {"labels": 0.2},
}


@pytest.fixture(scope="module")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that writes every letter twice."""
    folder = tmp_path_factory.mktemp("doubling")
    data = write_pairs(folder / "data.jsonl", DOUBLED)
    summary = quick(folder / "run", data=data, epochs=80, lr=0.01, network=WIDE)
    assert summary.exact_match == 1.0
    return folder / "run"


def test_what_many_inputs_have_and_no_target_is_not_copied(tmp_path: Path) -> None:
    """Seen five times it tells something, seen four times it may be chance."""
    texts = ["#a~", "#b~", "#a~", "#b~", "#a"]
    pairs = [{"input": text, "target": text.strip("#~")} for text in texts]
    data = write_pairs(tmp_path / "data.jsonl", pairs)
    quick(tmp_path / "run", data=data, epochs=1, network={**SMALL, "copy": True})
    network = load_network(tmp_path / "run")
    assert network.config["uncopied"] == ["#"]
    (answer,) = predict(network, [text_to_graph("##~?")])
    assert "#" not in answer.label
    options = {"network": {**SMALL, "copy": True}, "init": tmp_path / "run"}
    quick(tmp_path / "on", data=data, epochs=1, **options)
    assert load_network(tmp_path / "on").config["uncopied"] == ["#"]


@pytest.mark.repeats
def test_answers_larger_than_their_questions(doubling: Path) -> None:
    network = load_network(doubling)
    (answer,) = predict(network, [text_to_graph("abba")], constraint="path")
    assert graph_to_text(answer) == "aabbbbaa"


@pytest.mark.repeats
def test_unknown_characters_are_copied(doubling: Path) -> None:
    """The network has never seen them; it need only know that it copies."""
    network = load_network(doubling)
    (answer,) = predict(network, [text_to_graph("\u00e9\U0001f1e9\U0001f1ea")])
    assert answer.label == ["\u00e9", "\u00e9", "\U0001f1e9\U0001f1ea", "\U0001f1e9\U0001f1ea"]


@pytest.mark.repeats
def test_every_gradient_of_a_network_with_slots(doubling: Path, tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", DOUBLED)
    report = check_saved_model(str(doubling), data=data, pairs=3)
    assert report.passed
    assert report.max_relative_error < 1e-6


def test_evaluation_counts_a_target_that_is_too_large_as_wrong(doubling: Path) -> None:
    pairs = [_pair("ab", "aabb"), _pair("b", "bbb")]
    report = evaluate(doubling, pairs)
    assert report.covered == 0.5
    assert report.metrics["exact_match"] <= 0.5
    assert [OutputRoom(2).fits(pair) for pair in pairs] == [True, False]


def test_training_refuses_what_validation_counts_as_wrong(tmp_path: Path) -> None:
    wide = write_pairs(tmp_path / "wide.jsonl", [{"input": "a", "target": "aaa"}])
    good = write_pairs(tmp_path / "good.jsonl", DOUBLED)
    message = 'have at most 2 times as many nodes as the "input", got 3 nodes for 1. Give more '
    with pytest.raises(InputError, match=message + r"output .* \(--network\.slots\.per-node 3\)"):
        load_split(wide, None, acyclic=True, room=OutputRoom(2))
    split = load_split(good, wide, acyclic=True, room=OutputRoom(2))
    assert (len(split.train), len(split.val)) == (len(TEXTS), 1)
    assert share_of_nodes(split, OutputRoom(2)) == 1.0
    assert share_of_nodes(split, OutputRoom(4)) == 0.5


@pytest.mark.parametrize("share", [1e-4, 0.2, 0.4, 0.7, 1.0])
@pytest.mark.parametrize("num_slots", [1, 2, 3])
@pytest.mark.parametrize("in_turn", [False, True])
def test_the_untrained_network_expects_a_share_of_its_nodes(
    share: float, num_slots: int, in_turn: bool
) -> None:
    slots = OutputSlots(per_node=num_slots, in_turn=in_turn)
    network = GraphTransformNet(["a"], [], slots=slots)
    torch.nn.init.zeros_(network.heads.existence.weight)
    network.expect(share)
    each = network(text_to_graph("abcd")).existence.sigmoid().view(4, num_slots)
    torch.testing.assert_close(each, each[:1].expand_as(each))
    assert each.mean().item() == pytest.approx(share, abs=0.051)
    assert (each.diff(dim=1) <= 1e-6).all()
    if not in_turn:
        torch.testing.assert_close(each, each[:, :1].expand_as(each))
    elif share * num_slots == 0.8:
        torch.testing.assert_close(each[0], torch.tensor([0.72, 0.08]))


def test_a_share_that_is_none_is_refused() -> None:
    network = GraphTransformNet(["a"], [], slots=OutputSlots(per_node=3))
    with pytest.raises(InputError, match=r"^`nodes` must lie in \(0, 1\], got 0"):
        network.expect(0.0)
    with pytest.raises(InputError, match=r"^`edges` must lie in \(0, 1\], got 2"):
        network.expect(0.5, 2.0)


def test_the_untrained_network_expects_a_share_of_its_edges() -> None:
    network = GraphTransformNet(["a"], ["r", "s", "t"], dim=16)
    torch.nn.init.zeros_(network.heads.relation.weight)
    torch.nn.init.zeros_(network.heads.relation.bias)
    network.expect(0.5, 0.01)
    absent = network(text_to_graph("abc")).relation.softmax(1)[:, 0]
    torch.testing.assert_close(absent, torch.full_like(absent, 0.99))


@pytest.mark.parametrize("kind", ["forward", "all"])
@pytest.mark.parametrize("window", [None, 1, 3])
@pytest.mark.parametrize("loops", [False, True])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_candidates_are_counted(kind: Any, window: int | None, size: int, loops: bool) -> None:
    offered: dict[str, Any] = {"kind": kind, "window": window, "loops": loops}
    found = candidate_edges(torch.zeros(size, dtype=torch.long), **offered)
    assert num_candidates(size, **offered) == found.shape[1]


def test_a_network_on_all_pairs_starts_out_with_the_edges_of_the_data(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [{"input": text, "target": text} for text in TEXTS])
    split = load_split(data, None, acyclic=True)
    pairs = sum(len(text) * (len(text) - 1) for text in TEXTS)
    wanted = sum(len(text) - 1 for text in TEXTS) / pairs
    network = GraphTransformNet(["a"], ["next"], dim=16, candidates=CandidateEdges(pairs="all"))
    assert share_of_edges(split, network) == pytest.approx(wanted)
    quick(tmp_path / "run", data=data, epochs=0, network={**SMALL, "candidates": {"pairs": "all"}})
    bias = load_network(tmp_path / "run").heads.relation.bias[0].item()
    assert bias == pytest.approx(math.log((1 - wanted) / wanted), rel=1e-5)
    near = {**SMALL, "candidates": {"pairs": "all", "locality": 2.0}}
    quick(tmp_path / "near", data=data, epochs=0, network=near)
    assert load_network(tmp_path / "near").heads.relation.bias[0] == 0  # one relation: even odds


def _pair(given: str, wanted: str) -> Pair:
    return Pair(text_to_graph(given), text_to_graph(wanted))


def test_an_undirected_ring_is_no_cycle(tmp_path: Path) -> None:
    nodes = [{"id": k, "label": label} for k, label in enumerate("abc")]
    edges = [{"source": s, "target": t} for s, t in ((0, 1), (1, 2), (2, 0))]
    ring = [{"input": "abc", "target": {"nodes": nodes, "edges": edges}}]
    data = write_pairs(tmp_path / "data.jsonl", ring)
    with pytest.raises(InputError, match="must have no directed cycle"):
        quick(tmp_path / "directed", data=data)
    assert quick(tmp_path / "run", data=data, loss=StructuralLoss(directed=False)).epochs == 2
