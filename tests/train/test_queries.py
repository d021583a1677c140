"""Runs on sets and on numbers: what is chosen for them, what is refused, and that it learns."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import GraphTransformNet, InputError
from grapheme_torch.cli._main import main
from grapheme_torch.data import OutputRoom, load_pairs
from grapheme_torch.nn import OutputQueries
from grapheme_torch.train import (
    chosen_options,
    evaluate,
    explain,
    load_network,
    predict,
    room_of,
    train,
)
from grapheme_torch.train._data import load_split
from grapheme_torch.train._untrained import share_of_edges, share_of_nodes

from .runs import write_pairs
from .test_choice import MANY, values


def path(*labels: str, directed: bool = False) -> dict[str, Any]:
    nodes = [{"id": k, "label": name} for k, name in enumerate(labels)]
    edges = [{"source": k, "target": k + 1, "label": "r"} for k in range(len(labels) - 1)]
    return {"directed": directed, "nodes": nodes, "edges": edges}


def bag(*labels: str) -> dict[str, Any]:
    return {"nodes": [{"id": k, "label": name} for k, name in enumerate(labels)], "edges": []}


def peaks(*rows: list[float]) -> dict[str, Any]:
    return {"nodes": [{"id": k, "x": row} for k, row in enumerate(rows)], "edges": []}


LONG = path(*"abcdefghij")
SETS = [
    {"input": bag("red", "big"), "target": path("a", "b", "c")},
    {"input": bag("big", "red", "new"), "target": path("c", "a")},
    {"input": bag("red"), "target": path("a")},
    {"input": bag(), "target": path()},
    {"input": bag("new"), "target": LONG},
]
SPECTRA = [
    {"input": peaks([100.0, 0.5], [200.0, 1.0]), "target": path("a", "b", "c")},
    {"input": peaks([100.02, 0.5], [200.0, 1.0]), "target": path("b", "a")},
    {"input": peaks([300.0, 1.0]), "target": path("c")},
    {"input": peaks([301.0, 1.0], [10.0, 0.1], [11.0, 0.2]), "target": path("c", "c")},
]
SMALL: dict[str, Any] = {"dim": 32, "num_layers": 1, "num_heads": 2, "num_buckets": 64}


@pytest.fixture
def sets(tmp_path: Path) -> str:
    return write_pairs(tmp_path / "sets.jsonl", SETS)


@pytest.fixture
def spectra(tmp_path: Path) -> str:
    return write_pairs(tmp_path / "spectra.jsonl", SPECTRA)


def test_sets_get_as_many_queries_as_the_largest_target_has_nodes(sets: str) -> None:
    """Also where that is more than outputs at an input node would ever be chosen."""
    chosen = chosen_options(data=sets)
    facts = chosen.facts
    assert (facts.sets, facts.largest, facts.features, facts.slots) == (True, 10, 0, 10)
    network = chosen.options["network"]
    assert network["queries"] == {"number": 10, "num_layers": 3}
    assert network["slots"]["per_node"] == 1
    assert (network["copy"], network["candidates"]["pairs"]) == (False, "forward")
    assert chosen.options["hints"]["position"] == 0
    assert "inputs are sets, and the largest target has 10 nodes" in str(chosen)


def test_numbers_are_counted_and_measured(spectra: str) -> None:
    split = load_split(spectra, None, acyclic=False, room=None)
    assert (split.facts.features, split.facts.sets) == (2, True)
    rows = torch.tensor([row["x"] for one in SPECTRA for row in one["input"]["nodes"]])
    torch.testing.assert_close(split.moments.mean, rows.double().mean(0), rtol=1e-6, atol=0)
    wanted = rows.double().std(0, correction=0)
    torch.testing.assert_close(split.moments.deviation, wanted, rtol=1e-6, atol=0)


def test_places_of_peaks_do_not_tie_outputs_to_them(tmp_path: Path) -> None:
    placed = [json.loads(json.dumps(one)) for one in SPECTRA]
    for one in placed:
        for k, node in enumerate(one["input"]["nodes"]):
            node["position"] = k
    assert chosen_options(data=write_pairs(tmp_path / "placed.jsonl", placed)).facts.sets


def test_structure_ties_outputs_to_inputs(tmp_path: Path, sets: str) -> None:
    bonded = {"input": path("a", "b"), "target": path("a")}
    joined = write_pairs(tmp_path / "joined.jsonl", [bonded])
    chosen = chosen_options(data=joined)
    assert not chosen.facts.sets
    assert chosen.options["network"]["queries"]["number"] == 0
    texts = write_pairs(tmp_path / "texts.jsonl", [{"input": "a", "target": "b"}])
    assert not chosen_options(data=texts).facts.sets
    tied = chosen_options(data=sets, network={"slots": {"per_node": 10}}, skip_larger=True)
    assert tied.options["network"]["queries"]["number"] == 0
    mixed = write_pairs(tmp_path / "mixed.jsonl", [*SETS, bonded])
    network = chosen_options(data=mixed).options["network"]
    assert (network["queries"]["number"], network["slots"]["per_node"]) == (0, 10)
    mixed = write_pairs(tmp_path / "many.jsonl", [*SETS, *[bonded] * 200])
    message = 'many.jsonl:5: the "target" must have at most 8 times as many nodes as the "input"'
    with pytest.raises(InputError, match=re.escape(message)):
        chosen_options(data=mixed)
    assert chosen_options(data=mixed, skip_larger=True).options["network"]["queries"]["number"] == 0


def test_what_is_chosen_for_sets() -> None:
    facts = replace(MANY, sets=True, largest=9, placed_inputs=False, placed_targets=False)
    chosen = values(facts)
    assert (chosen["network.queries.number"], chosen["hints.position"]) == (9, 0.0)
    assert (chosen["network.candidates.pairs"], chosen["skip_larger"]) == ("all", False)
    assert values(replace(facts, directed=False))["network.candidates.pairs"] == "forward"
    for name in ("network.slots.per_node", "network.candidates.window", "network.ngrams",
                 "network.candidates.locality", "network.places"):  # fmt: skip
        assert name not in chosen
    assert "network.queries.number" not in values(facts, **{"network.slots.per_node": 2})
    tied = values(facts, **{"network.queries.number": 0})
    assert tied["network.slots.per_node"] == 2
    assert (chosen["prices.unmatched_edges"], tied.get("prices.unmatched_edges")) == (0.0, None)


def test_an_untrained_network_expects_the_share_of_its_queries(sets: str) -> None:
    split = load_split(sets, None, acyclic=False, room=OutputRoom(queries=10))
    network = GraphTransformNet(["a"], ["r"], queries=OutputQueries(number=10), directed=False)
    assert share_of_nodes(split, room_of(network)) == pytest.approx((3 + 2 + 1 + 10) / (5 * 10))
    edges = 2 + 1 + 9
    assert share_of_edges(split, network) == pytest.approx(edges / (5 * 10 * 9 / 2))


def test_targets_larger_than_the_queries(sets: str, tmp_path: Path) -> None:
    message = (
        'sets.jsonl:5: the "target" must have at most 3 nodes, the output nodes of every input'
    )
    with pytest.raises(InputError, match=re.escape(message)):
        train(tmp_path / "run", data=sets, network={"queries": {"number": 3}})
    options: dict[str, Any] = {"network": {**SMALL, "queries": {"number": 3}}, "epochs": 1}
    summary = train(tmp_path / "run", data=sets, val=sets, skip_larger=True, **options)
    assert (summary.left_out, summary.val_too_large) == (1, 1)
    report = evaluate(tmp_path / "run", load_pairs(sets))
    assert report.covered == 0.8
    too_few = [cause for cause in report.causes if cause.kind == "slots"]
    assert str(too_few[0]).endswith("gives 3. Try --network.queries.number 10.")


def test_numbers_are_refused_where_they_do_not_fit(spectra: str, tmp_path: Path) -> None:
    wide = [*SPECTRA, {"input": peaks([1.0]), "target": path("a")}]
    with pytest.raises(InputError, match=re.escape('wide.jsonl:5: the nodes of the "input" must')):
        train(tmp_path / "run", data=write_pairs(tmp_path / "wide.jsonl", wide))
    answers = [*SPECTRA, {"input": SPECTRA[0]["input"], "target": peaks([1.0])}]
    with pytest.raises(InputError, match=re.escape('answers.jsonl:5: the nodes of the "target"')):
        train(tmp_path / "run", data=write_pairs(tmp_path / "answers.jsonl", answers))


def test_a_given_network_is_standardised_unless_it_is_already(spectra: str, tmp_path: Path) -> None:
    network = GraphTransformNet(
        ["a", "b", "c"], ["r"], dim=8, num_heads=2, features=2, directed=False,
        queries=OutputQueries(number=3),
    )  # fmt: skip
    assert network.features is not None
    train(tmp_path / "run", data=spectra, network=network, epochs=0)
    mean = load_network(tmp_path / "run").features.mean
    assert mean[0] == pytest.approx((100 + 200 + 100.02 + 200 + 300 + 301 + 10 + 11) / 8)
    network.features.mean.fill_(1.0)
    train(tmp_path / "again", data=spectra, network=network, epochs=0)
    assert load_network(tmp_path / "again").features.mean.tolist() == [1.0, 1.0]


def test_a_network_to_start_from_keeps_its_queries_and_its_scale(
    spectra: str, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"network": {**SMALL, "queries": {"number": 4}}, "epochs": 0}
    train(tmp_path / "first", data=spectra, **options)
    few = write_pairs(tmp_path / "few.jsonl", SPECTRA[:1])
    train(tmp_path / "second", data=few, init=tmp_path / "first", epochs=0)
    first, second = (load_network(tmp_path / name) for name in ("first", "second"))
    assert second.num_queries == 4
    assert torch.equal(first.features.mean, second.features.mean)


@pytest.mark.repeats
@pytest.mark.parametrize("records", [SETS, SPECTRA], ids=["sets", "spectra"])
def test_small_data_are_learned_without_an_option(
    tmp_path: Path, records: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = write_pairs(tmp_path / "data.jsonl", records), str(tmp_path / "run")
    assert train(run, data=data).exact_match == 1.0
    assert evaluate(run, load_pairs(data)).metrics["exact_match"] == 1.0
    for words in (
        ["predict", run, "--data", data], ["predict", run, "--data", data, "--nbest", "2"],
        ["evaluate", run, "--data", data], ["report", run],
    ):  # fmt: skip
        assert main(words) == 0, words
    capsys.readouterr()
    pair = load_pairs(data)[0]
    told = explain(load_network(run), pair.input, pair.target)
    assert [one.input for one in told.nodes] == [None] * len(told.nodes)
    assert "<svg" in told.to_html()
    assert told.edits is not None
    assert told.edits.is_exact


@pytest.mark.repeats
def test_a_run_on_numbers_goes_on_as_if_it_had_not_been_stopped(
    spectra: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"data": spectra, "network": SMALL, "epochs": 4}
    options |= {"optimization": {"schedule": "constant"}}
    train(tmp_path / "whole", **options)
    train(tmp_path / "parts", **options | {"epochs": 2})
    train(tmp_path / "parts", resume=True, **options)
    capsys.readouterr()
    whole, parts = (load_network(tmp_path / name) for name in ("whole", "parts"))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name


def test_the_command_names_file_and_line_of_an_input_that_does_not_fit(
    spectra: str, sets: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(tmp_path / "run")
    train(run, data=spectra, network=SMALL, epochs=0)
    capsys.readouterr()
    for words in (["predict", run, "--data", sets], ["evaluate", run, "--data", sets]):
        assert main(words) == 2
        assert f'{sets}:1: the "input" must have 2 numbers a node' in capsys.readouterr().err
    file = tmp_path / "set.json"
    file.write_text(json.dumps(bag("a")), encoding="utf-8")
    assert main(["explain", run, str(file)]) == 2
    assert f"{file}: the graph must have 2 numbers a node" in capsys.readouterr().err


def test_answers_to_graphs_with_and_without_nodes(spectra: str, tmp_path: Path) -> None:
    train(tmp_path / "run", data=spectra, network=SMALL, epochs=0)
    network = load_network(tmp_path / "run")
    graphs = [one.input for one in load_pairs(spectra)]
    empty = load_pairs(write_pairs(tmp_path / "empty.jsonl", [{"input": bag(), "target": "a"}]))
    assert len(predict(network, [*graphs, empty[0].input])) == 5
    bare = load_pairs(write_pairs(tmp_path / "bare.jsonl", SETS))[0].input
    with pytest.raises(InputError, match=re.escape("`graphs[1]` must have 2 numbers a node")):
        predict(network, [graphs[0], bare])
