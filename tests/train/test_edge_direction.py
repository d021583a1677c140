"""Undirected targets: read off the data, trained, answered, evaluated and compared as they are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grapheme_torch import InputError, StructuralLoss, graph_from_node_link
from grapheme_torch.data import load_pairs
from grapheme_torch.graphs import both_ways, is_directed, make_graph
from grapheme_torch.train import check_saved_model, compare, evaluate, load_network
from grapheme_torch.train._data import load_split

from ..cli.commands import Capture, output
from .runs import SMALL, quick, write_pairs

Edges = list[tuple[int, int]]


def document(labels: str, edges: Edges, **more: Any) -> dict[str, Any]:
    nodes = [{"id": k, "label": label} for k, label in enumerate(labels)]
    return {**more, "nodes": nodes, "edges": [{"source": u, "target": v} for u, v in edges]}


RING: Edges = [(1, 0), (1, 2), (2, 0)]
UNDIRECTED = {"input": "abc", "target": document("abc", RING, directed=False)}
DIRECTED = {"input": "abc", "target": document("abc", RING[1:])}
EMPTY = {"input": "a", "target": "a"}


@pytest.mark.repeats
@pytest.mark.filterwarnings("ignore::grapheme_torch._check.Notice")  # of targets without position
@pytest.mark.parametrize("candidates", ["forward", "all", "auto"])
def test_the_data_say_that_edges_have_no_direction(
    tmp_path: Path, capsys: Capture, candidates: str
) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [EMPTY, UNDIRECTED])
    out = tmp_path / "run"
    options: dict[str, Any] = {
        "network": {**SMALL, "candidates": {"pairs": candidates}},
        "lr": 0.02,
    }
    assert quick(out, data=data, epochs=60, **options).exact_match == 1.0
    assert yaml.safe_load((out / "train.yaml").read_text())["directed"] is False
    assert load_network(out).directed is False
    report = evaluate(out, load_pairs(data))
    assert (report.metrics["exact_match"], report.metrics["edge_f1"]) == (1.0, 1.0)
    assert check_saved_model(str(out), data=data).passed
    capsys.readouterr()
    answer = json.loads(output(capsys, "predict", str(out), "abc", "--json"))
    assert answer["directed"] is False
    assert len(answer["edges"]) == 3


def test_graphs_in_pytorch_geometrics_form_are_undirected_too(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [UNDIRECTED])
    (pair,) = load_pairs(data)
    quick(tmp_path / "run", data=data)
    doubled = both_ways(pair.target)
    del doubled.directed
    object.__setattr__(pair, "target", doubled)
    once = evaluate(tmp_path / "run", load_pairs(data))
    assert evaluate(tmp_path / "run", [pair]).metrics == once.metrics


REFUSED: list[tuple[list[Any], dict[str, Any], str]] = [
    (
        [EMPTY, UNDIRECTED, DIRECTED],
        {},
        ':3: the edges of the "target" must be undirected as those of FILE:2, got directed ones.',
    ),
    (
        [DIRECTED, UNDIRECTED],
        {},
        ':2: the edges of the "target" must be directed as those of FILE:1, got undirected ones.',
    ),
    (
        [UNDIRECTED],
        {"loss": StructuralLoss(directed=True)},
        ':1: the edges of the "target" must have a direction (--directed true), got undirected',
    ),
    (
        [{"input": "ab", "target": {**document("ab", []), "edges": [
            {"source": 0, "target": 1, "label": "x"}, {"source": 1, "target": 0, "label": "y"}]}}],
        {"loss": StructuralLoss(directed=False)},
        ':1: in "target": a graph must have one label per undirected edge, got \'x\' from 0 to 1',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "options", "message"), REFUSED)
def test_contradictions_name_the_lines(
    tmp_path: Path, pairs: list[Any], options: dict[str, Any], message: str
) -> None:
    data = write_pairs(tmp_path / "data.jsonl", pairs)
    with pytest.raises(InputError, match="^" + re.escape(data + message.replace("FILE", data))):
        quick(tmp_path / "run", data=data, **options)
    assert not (tmp_path / "run").exists()


def test_directed_edges_may_be_read_as_undirected(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", [DIRECTED, UNDIRECTED])
    split = load_split(data, None, acyclic=True, directed=False)
    assert not split.directed
    assert [is_directed(pair.target) for pair in split.train] == [False, False]


@pytest.mark.parametrize(
    ("flags", "directed"), [([], True), ([False], False), ([False, True], True)]
)
def test_targets_without_edges_fit_both(tmp_path: Path, flags: list[bool], directed: bool) -> None:
    targets: list[Any] = [document("a", [], directed=flag) for flag in flags] or ["a"]
    pairs = [{"input": "a", "target": target} for target in targets]
    data = write_pairs(tmp_path / "data.jsonl", pairs)
    assert load_split(data, None, acyclic=True).directed is directed


@pytest.mark.filterwarnings("ignore::grapheme_torch._check.Notice")  # of an edge that leads back
def test_a_directed_network_is_measured_on_both_directions(tmp_path: Path) -> None:
    quick(tmp_path / "run", data=write_pairs(tmp_path / "data.jsonl", [DIRECTED]))
    pairs = load_pairs(write_pairs(tmp_path / "other.jsonl", [UNDIRECTED]))
    (example,) = evaluate(tmp_path / "run", pairs).worst
    assert is_directed(example.answer)
    assert len(example.edits.edges) >= 6


@pytest.mark.filterwarnings("ignore::grapheme_torch._check.Notice")  # of an edge that leads back
def test_networks_of_both_kinds_do_not_answer_together(tmp_path: Path) -> None:
    for name, pair in (("one", UNDIRECTED), ("other", DIRECTED)):
        quick(tmp_path / name, data=write_pairs(tmp_path / f"{name}.jsonl", [pair]))
    pairs = load_pairs(str(tmp_path / "one.jsonl"))
    with pytest.raises(InputError, match="must all give directed edges, or none, got networks"):
        evaluate(tmp_path / "one", pairs, others=[tmp_path / "other"])


def test_undirected_graphs_are_compared() -> None:
    ring = graph_from_node_link(document("abc", RING, directed=False))
    other = make_graph("cab", [(0, 1, "next"), (1, 2, "next"), (2, 0, "next")])
    told = compare(ring, other)
    assert (told.edits.cost, told.edits.directed) == (0.0, False)
    assert told.terms["edge"] == pytest.approx(0.0, abs=1e-3)
    path = make_graph("abc", [(0, 1, "next"), (1, 2, "next")], directed=False)
    assert compare(path, ring).edits.cost == 1.0
    assert compare(other, other, StructuralLoss(directed=False)).edits.directed is False
    with pytest.raises(InputError, match=r"^`target` must have directed edges \(directed: true\)"):
        compare(other, ring, StructuralLoss(directed=True))
