"""Why a pair is not reproduced, and what is to be tried."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import (
    Alphabet,
    GraphMatcher,
    Learned,
    Sinkhorn,
    StructuralLoss,
    text_to_graph,
)
from grapheme_torch._check import Notice
from grapheme_torch.cli._main import main
from grapheme_torch.data import Pair
from grapheme_torch.graphs import graph_from_node_link
from grapheme_torch.nn import CandidateEdges, GraphTransformNet
from grapheme_torch.train import Cause, causes_in_words, evaluate
from grapheme_torch.train._contradictions import contradictions
from grapheme_torch.train._history import still_falls
from grapheme_torch.train._wrong_answers import MOST_TOLD, causes

from .runs import SMALL, quick, write_pairs
from .small_data import AUTOMATA, ONE_TREE, PLURALS, SUMS

LOSS = StructuralLoss()


def network(**options: Any) -> GraphTransformNet:
    torch.manual_seed(0)
    return GraphTransformNet(["a", "b"], ["next"], **{**SMALL, **options}).eval()


def cause(given: str, wanted: str, loss: StructuralLoss = LOSS, **options: Any) -> Cause:
    sides = text_to_graph(given), text_to_graph(wanted)
    if options.pop("loose", False):
        for side in sides:
            del side.position
    pair = Pair(*sides, source="x.jsonl")
    falling = options.pop("falling", False)
    found = causes(
        network(**options), loss, [pair], Alphabet(("a", "b"), ("next",)), falling=falling
    )
    return found[0]


def test_a_target_that_is_too_large() -> None:
    found = cause("ab", "abaab")
    assert (found.place, found.kind) == ("x.jsonl:1", "slots")
    assert str(found) == (
        "x.jsonl:1: the target has 5 nodes, the network gives 2. Try --network.slots.per-node 3."
    )


def test_a_label_that_the_network_has_no_class_for() -> None:
    found = cause("ab", "ac")
    assert (found.kind, found.found) == ("labels", "the network has no class for the label 'c'")
    found = cause("ac", "ac")
    assert found.found == "the network has no class for a label that it could only copy"


def test_an_alignment_that_is_not_settled() -> None:
    found = cause("aaa", "aaa", loose=True)
    assert found.kind == "alignment"
    assert "matched with several output nodes" in found.found
    assert "--hints.neighbours 0.5" in found.remedy
    hinted = LOSS.replace(hints=replace(LOSS.hints, neighbours=0.5))
    assert "--hints" not in cause("aaa", "aaa", hinted, loose=True).remedy
    # Hints and rounds are another way than learnt scores: these can begin the rounds.
    for use, told in (("plan", True), ("start", False)):
        scored = Learned(GraphMatcher(2, 1, embedding=8, dim=8), Sinkhorn(), use=use)
        remedy = cause("aaa", "aaa", LOSS.replace(alignment=scored), loose=True, dim=8).remedy
        assert ("--matcher.use start" in remedy, "--hints" in remedy) == (told, False)
    hurried = LOSS.replace(alignment=Sinkhorn(temperature=1e-3, max_iterations=1))
    assert "--alignment.max-iterations" in cause("abab", "bab", hurried).remedy


def _pairs(*sides: tuple[str, str], **numbers: list[list[float]]) -> list[Pair]:
    made = []
    for line, (given, wanted) in enumerate(sides, start=1):
        graph = text_to_graph(given)
        if given in numbers:
            graph.features = torch.tensor(numbers[given])
        made.append(Pair(graph, text_to_graph(wanted), source="x.jsonl", line=line))
    return made


def test_an_input_that_has_another_target() -> None:
    pairs = _pairs(("ab", "a"), ("ba", "a"), ("ab", "b"), ("ab", "a"))
    told = causes(network(), LOSS, pairs, Alphabet(("a", "b"), ("next",)), known=pairs)
    assert [cause.kind == "input" for cause in told] == [True, False, True, True]
    assert str(told[0]) == (
        "x.jsonl:1: x.jsonl:3 has the same input and another target. "
        "Keep one of the two, or tell them apart in the input."
    )
    assert told[2].found.startswith("x.jsonl:1 has")


def test_inputs_are_the_same_if_a_network_reads_the_same() -> None:
    one = _pairs(("ab", "a"), ab=[[1.0], [2.0]])
    for other, same in (([[1.0], [2.0]], True), ([[1.0], [3.0]], False)):
        known = _pairs(("ba", "a"), ("ab", "b"), ab=other)
        assert contradictions(one, known) == ({0: "x.jsonl:2"} if same else {})
    bare = _pairs(("ab", "b"))
    del bare[0].input.position
    assert contradictions(_pairs(("ab", "a")), bare) == {}
    # The same target, its nodes in another order, is no other.
    turned = graph_from_node_link({
        "nodes": [{"id": "x", "label": "b"}, {"id": "y", "label": "a"}],
        "edges": [{"source": "y", "target": "x", "label": "next"}],
    })  # fmt: skip
    assert contradictions(_pairs(("a", "ab")), [Pair(text_to_graph("a"), turned)]) == {}


def test_what_is_in_nobodys_way() -> None:
    exact = LOSS.replace(alignment=Sinkhorn(temperature=0.0))
    assert cause("ab", "ab", exact).kind == "network"
    assert cause("ab", "ab", exact, falling=True).kind == "falling"
    forward = cause("ba", "ab", exact.replace(hints=replace(LOSS.hints, position=0.0)))
    assert forward.kind in ("network", "candidates")


@pytest.mark.repeats
def test_an_edge_that_is_no_candidate(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", SUMS)
    options = {"candidates": CandidateEdges(pairs="forward"), "copy": True}
    with pytest.warns(Notice, match="forward only"):
        summary = quick(
            tmp_path / "run", data=data, network={**SMALL, **options}, epochs=60, lr=0.02
        )
    assert summary.exact_match == 0.0
    assert summary.wrong_answers["counts"] == {"candidates": 10}
    first = summary.wrong_answers["pairs"][0]
    assert first["place"] == f"{data}:1"
    assert first["found"] == "the edge '+' -> '2' is no candidate"
    assert "--network.candidates.pairs all" in first["remedy"]


@pytest.mark.repeats
def test_an_edge_to_itself_that_is_no_candidate(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", AUTOMATA[:2])
    network = {**SMALL, "candidates": {"pairs": "all", "loops": False}}
    summary = quick(tmp_path / "run", data=data, network=network, epochs=40, lr=0.02)
    assert summary.wrong_answers["counts"] == {"candidates": 2}
    first = summary.wrong_answers["pairs"][0]
    assert first["found"] == "the edge 'end' -> 'end' is no candidate"
    assert first["remedy"] == "Try --network.candidates.loops true."


def test_the_command_and_the_report_tell_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = write_pairs(tmp_path / "data.jsonl", ONE_TREE), str(tmp_path / "run")
    words = ["train", "--data", data, "--out", out, "--epochs", "1", "--network.dim", "16"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "\nwhy not exact: 10 " in text
    assert f"\n  {data}:1: " in text
    assert "\n  and 7 more\n" in text
    assert main(["evaluate", out, "--data", data, "--worst", "0"]) == 0
    assert "\nwhy not exact: 10 " in capsys.readouterr().out
    assert main(["evaluate", out, "--data", data, "--worst", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["wrong_answers"]
    assert sum(told["counts"].values()) == len(told["pairs"]) == 10


@pytest.mark.repeats
def test_a_network_that_knows_all_has_none(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [{"input": "ab", "target": "ab"}])
    summary = quick(tmp_path / "run", data=data, epochs=60, lr=0.02)
    assert summary.wrong_answers == {"counts": {}, "pairs": []}
    pairs = [Pair(text_to_graph("ab"), text_to_graph("ab"))]
    assert evaluate(tmp_path / "run", pairs).causes == ()
    assert causes_in_words(()) == []


def test_at_most_a_hundred_are_looked_at() -> None:
    pair = Pair(text_to_graph("a"), text_to_graph("ab"))
    alphabet = Alphabet(("a", "b"), ("next",))
    assert len(causes(network(), LOSS, [pair] * (MOST_TOLD + 1), alphabet)) == MOST_TOLD


def test_a_loss_that_still_falls(tmp_path: Path) -> None:
    assert not still_falls([{"epoch": 0, "total": 1.0}])
    assert still_falls([{"epoch": 0, "total": 1.0}, {"epoch": 1, "total": 0.5}])
    assert not still_falls([{"epoch": k, "total": 1 / (1 + k)} for k in range(30)][-2:])
    assert still_falls([{"epoch": k, "total": 0.9**k} for k in range(30)])
    data = write_pairs(tmp_path / "data.jsonl", PLURALS)
    summary = quick(tmp_path / "run", data=data, network={"dim": 16}, epochs=5, lr=0.02)
    assert summary.still_falls
