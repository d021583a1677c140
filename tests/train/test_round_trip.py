"""Answers that lead back to their input: the first of the ranking that does."""

import json
import re
from typing import Any

import pytest
from torch_geometric.data import Data

from grapheme_torch import InputError
from grapheme_torch.convert import Format, convert, molecule_to_fingerprint, molecule_to_smiles
from grapheme_torch.data import load_pairs
from grapheme_torch.graphs import edge_triples, make_graph, node_labels
from grapheme_torch.train import (
    evaluate,
    leads_back,
    load_network,
    predict,
    predict_nbest,
    predict_round_trip,
    train,
)

from ..cli.commands import Capture, output, refused
from .test_queries import SMALL

SMILES = ["CO", "CC", "CCO", "COC", "C=O", "CN", "CCN", "CNC", "C#N", "CC=O"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A network that has seen a few molecules for a moment, and their file."""
    folder = tmp_path_factory.mktemp("molecules")
    (folder / "a.smi").write_text("\n".join(SMILES) + "\n", encoding="utf-8")
    data, out = str(folder / "a.jsonl"), str(folder / "run")
    convert("fingerprint", str(folder / "a.smi"), data)
    train(out, data=data, network=SMALL, epochs=15, seed=1)
    return out, data


@pytest.mark.repeats
def test_more_answers_are_right_than_at_first_sight(run: tuple[str, str]) -> None:
    folder, pairs = run[0], load_pairs(run[1])
    network, inputs = load_network(folder), [pair.input for pair in pairs]
    plain = predict(network, inputs)
    found = predict_round_trip(network, inputs, molecule_to_fingerprint)
    right = [
        molecule_to_smiles(one) == pair.extra["smiles"]
        for one, pair in zip(found, pairs, strict=True)
    ]
    back = [
        leads_back(one, graph, molecule_to_fingerprint)
        for one, graph in zip(found, inputs, strict=True)
    ]
    # No two of these molecules share their fingerprint.
    assert right == back
    before = sum(
        leads_back(one, graph, molecule_to_fingerprint)
        for one, graph in zip(plain, inputs, strict=True)
    )
    assert sum(back) > before
    report = evaluate(folder, pairs, round_trip="fingerprint").to_dict()
    assert report["round_trip"] == report["exact_match"] == sum(right) / len(right)


def test_where_none_leads_back_the_answer_is_that_of_predict(run: tuple[str, str]) -> None:
    network = load_network(run[0])
    foreign = [make_graph(["7"]), make_graph(["1057", "1057"])]
    found = predict_round_trip(network, foreign, molecule_to_fingerprint, most=20)
    for one, other in zip(found, predict(network, foreign), strict=True):
        assert (node_labels(one), edge_triples(one)) == (node_labels(other), edge_triples(other))
    assert predict_round_trip(network, [], molecule_to_fingerprint) == []


def test_answers_are_tried_by_rank_and_an_answer_without_input_is_none(
    run: tuple[str, str],
) -> None:
    network = load_network(run[0])
    graph = load_pairs(run[1])[2].input
    (ranking,) = predict_nbest(network, [graph], 6)
    seen: list[Any] = []

    def input_of(answer: Data) -> Data:
        seen.append(node_labels(answer))
        if len(seen) < 4:
            raise InputError("no molecule")
        return graph

    (found,) = predict_round_trip(network, [graph], input_of)
    assert node_labels(found) == node_labels(ranking[3].graph)
    assert seen == [node_labels(one.graph) for one in ranking[:4]]


def test_the_command_says_which_answers_lead_back(run: tuple[str, str], capsys: Capture) -> None:
    words = ["predict", run[0], "--data", run[1], "--round-trip", "fingerprint"]
    lines = [json.loads(line) for line in output(capsys, *words, "--json").splitlines()]
    told = [line["leads_back"] for line in lines]
    report = json.loads(output(capsys, "evaluate", run[0], "--data", run[1], *words[-2:], "--json"))
    assert report["round_trip"] == sum(told) / len(told)
    assert len(output(capsys, *words).splitlines()) == len(SMILES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--round-trip", "smiles"], "the format must have targets that tell their inputs, got 's"),
        (["--round-trip", "nothing"], "the format must be known, got 'nothing'. Choose one of"),
        (
            ["--round-trip", "fingerprint", "--constraint", "learned"],
            "--round-trip must come without learned bounds, got 'learned'. Choose path, tree",
        ),
        (
            ["--round-trip", "fingerprint", "--nbest", "3"],
            "--round-trip must come without --nbest, got 3. Leave --nbest out",
        ),
        (
            ["--round-trip", "fingerprint", "--others", "x"],
            "--round-trip must ask one network, got ['x']. Leave --others out",
        ),
    ],
)
def test_what_does_not_go_together(
    options: list[str], message: str, run: tuple[str, str], capsys: Capture
) -> None:
    assert refused(capsys, "predict", *run[:1], "--data", run[1], *options).startswith(message)


@pytest.mark.repeats
def test_a_format_of_ones_own_tells_the_way_back(run: tuple[str, str]) -> None:
    own = Format(iter, "Nothing.", input_of=lambda _: make_graph(["7"]))
    assert evaluate(run[0], load_pairs(run[1]), round_trip=own).metrics["round_trip"] == 0
    bare = Format(iter, "Nothing.")
    message = "the format must have targets that tell their inputs, got 'iter'"
    with pytest.raises(InputError, match=re.escape(message)):
        evaluate(run[0], load_pairs(run[1]), round_trip=bare)
