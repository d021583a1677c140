"""What a trained network answers, and the numbers that say how good that is."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data
from torchmetrics import Metric

from grapheme_torch import (
    Bounds,
    InputError,
    StructuralLoss,
    edit_report,
    graph_to_text,
    make_graph,
    text_to_graph,
)
from grapheme_torch._versions import current
from grapheme_torch.data import OutputRoom, Pair, load_pairs
from grapheme_torch.edits import EditReport, Places
from grapheme_torch.graphs import edge_triples, node_labels
from grapheme_torch.metrics import GraphMetrics
from grapheme_torch.train import (
    evaluate,
    load_network,
    predict,
    saved_bounds,
    saved_shape,
)
from grapheme_torch.train._evaluation_report import Example
from grapheme_torch.train._exact_match import all_not_exact

from .runs import PAIRS, SMALL, quick, write_pairs

NUMBERS = "hold numbers of input nodes, from 0 below 3, lists of such, or null, got "

TERMS = ["total", "node", "edge", "clique", "converged"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that knows "abc" -> "ab" and four more pairs by heart."""
    folder = tmp_path_factory.mktemp("model")
    data = write_pairs(folder / "data.jsonl", PAIRS)
    summary = quick(folder / "run", data=data, epochs=60, lr=0.02)
    assert summary.exact_match == 1.0
    return folder / "run"


def _pair(given: str, wanted: Data | str) -> Pair:
    target = text_to_graph(wanted) if isinstance(wanted, str) else wanted
    return Pair(text_to_graph(given), target)


def _known() -> list[Pair]:
    return [_pair(str(pair["input"]), str(pair["target"])) for pair in PAIRS]


@pytest.mark.repeats
def test_a_perfect_report(folder: Path) -> None:
    report = evaluate(folder, _known())
    assert (report.pairs, report.covered) == (5, 1.0)
    assert report.metrics["exact_match"] == report.metrics["text_exact"] == 1.0
    assert report.metrics["edit_cost"] == 0.0
    assert report.loss["total"] < 2
    assert report.loss["converged"] == 1.0


@pytest.mark.repeats
def test_exact_forms_are_counted(folder: Path) -> None:
    """A path `ab` is the form `a ( next = b )`."""
    known = [pair for pair in _known() if node_labels(pair.target)]
    told = [
        replace(pair, extra={"alignment": list(range(len(node_labels(pair.target))))})
        for pair in known
    ]
    assert evaluate(folder, told, form="slog").metrics["exact_form"] == 1.0
    wrong = replace(told[0], target=text_to_graph("ba"))
    metrics = evaluate(folder, [*told, wrong], form="slog", batch_size=2).metrics
    assert metrics["exact_form"] == metrics["exact_match"] == pytest.approx(4 / 5)
    assert "exact_form" not in evaluate(folder, told).metrics
    with pytest.raises(InputError, match="the format must have a way back, got 'pairs'"):
        evaluate(folder, told, form="pairs")


def test_the_batch_size_changes_nothing(folder: Path) -> None:
    whole = evaluate(folder, _known())
    for size in (1, 2, 5):
        parts = evaluate(folder, _known(), batch_size=size)
        assert parts.metrics == whole.metrics
        for name in TERMS:
            assert parts.loss[name] == pytest.approx(whole.loss[name], rel=1e-5)


def test_unknown_labels_count_as_wrong_and_leave_the_loss(folder: Path) -> None:
    report = evaluate(folder, [*_known(), _pair("abc", "xy"), _pair("a", "ab")])
    assert report.pairs == 7
    assert report.covered == pytest.approx(5 / 7)
    assert report.metrics["exact_match"] == pytest.approx(5 / 7)
    alone = evaluate(folder, _known())
    assert report.loss["total"] == pytest.approx(alone.loss["total"], rel=1e-5)


def test_a_report_as_json_and_as_a_table(folder: Path) -> None:
    report = evaluate(folder, _known())
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert list(document)[:3] == ["pairs", "covered", "exact_match"]
    assert list(document["loss"]) == TERMS
    lines = str(report).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["pairs", "covered", "exact_match"]
    assert [line.split()[1] for line in lines[-5:]] == TERMS
    nothing = evaluate(folder, [_pair("abc", "xy")])
    assert nothing.covered == 0.0
    assert json.loads(json.dumps(nothing.to_dict(), allow_nan=False))["loss"] is None
    assert "nan" not in str(nothing)
    assert "none: the network can give no target" in str(nothing)


def test_the_worst_examples(folder: Path) -> None:
    wrong = {"b": 1.0, "abxd": 5.0, "bbb": 5.0}
    pairs = [*_known(), *(_pair("c", text) for text in wrong)]
    report = evaluate(folder, pairs, batch_size=2)
    found = [(example.edits.cost, graph_to_text(example.pair.target)) for example in report.worst]
    assert found == [(7.0, "abxd"), (5.0, "bbb"), (1.0, "b")]
    first = report.to_dict()["worst"][0]
    assert first == {
        "place": "<memory>:1", "edit_cost": 7.0, "input": "c", "target": "abxd", "answer": "",
        "edges": {
            "expected": 3, "predicted": 0,
            "missing": [{"source": k, "target": k + 1, "label": "next"} for k in range(3)],
            "extra": [], "relabelled": [],
        },
    }  # fmt: skip
    table = ["<memory>:1: edit cost 7", "  input   'c'", "  target  'abxd'", "  answer  ''"]
    assert str(report).splitlines()[-12:-8] == table
    assert [e.edits.cost for e in evaluate(folder, pairs, worst=2).worst] == [7.0, 5.0]
    assert evaluate(folder, pairs, worst=0).worst == evaluate(folder, _known()).worst == ()


def test_equally_bad_examples_come_in_their_order(folder: Path) -> None:
    pairs = [_pair("c", text) for text in ("x", "yy", "z", "w", "vv")]
    report = evaluate(folder, pairs, batch_size=2, worst=4)
    assert [graph_to_text(e.pair.target) for e in report.worst] == ["yy", "vv", "x", "z"]


def test_an_example_that_is_no_text(folder: Path) -> None:
    target = make_graph("ab", [(1, 0, "up")])
    (example,) = evaluate(folder, [_pair("c", target)]).worst
    assert example.to_dict()["edges"]["missing"] == [{"source": 1, "target": 0, "label": "up"}]
    assert str(example).splitlines()[-1] == "  missing 1 'b' -> 0 'a' 'up'"
    assert example.to_dict()["target"]["edges"] == [{"source": 1, "target": 0, "label": "up"}]
    assert "  target  'a b' with 1 edge" in str(example).splitlines()


@pytest.mark.parametrize("directed", [True, False])
def test_the_edges_of_an_example(directed: bool) -> None:
    answer = make_graph("abcdef", [(0, 1, "x"), (2, 1, "y"), (4, 5, "z")], directed=directed)
    target = make_graph("abcdef", [(0, 1, "w"), (4, 5, "z"), (5, 3, "v")], directed=directed)
    example = Example(Pair(text_to_graph("c"), target), answer, edit_report(answer, target))
    assert example.to_dict()["edges"] == {
        "expected": 3, "predicted": 3,
        "missing": [{"source": 5, "target": 3, "label": "v"}],
        "extra": [{"source": 2, "target": 1, "label": "y"}],
        "relabelled": [{"source": 0, "target": 1, "label": "x", "expected": "w"}],
    }  # fmt: skip
    arrow = "->" if directed else "--"
    assert str(example).splitlines()[-3:] == [
        f"  missing 5 'f' {arrow} 3 'd' 'v'",
        f"  extra   2 'c' {arrow} 1 'b' 'y'",
        f"  wrong   0 'a' {arrow} 1 'b' 'x', not 'w'",
    ]


def test_many_edges_of_an_example_are_cut_short() -> None:
    target = make_graph("abcdefghi", [(0, k, "x") for k in range(1, 9)])
    answer = make_graph("abcdefghi")
    example = Example(Pair(text_to_graph("c"), target), answer, edit_report(answer, target))
    assert len(example.to_dict()["edges"]["missing"]) == 8
    assert str(example).splitlines()[-1] == "  missing and 3 more"
    assert len(str(example).splitlines()) == 4 + 6


def test_the_residual_is_the_largest(folder: Path) -> None:
    report = evaluate(folder, _known(), batch_size=2)
    each = [evaluate(folder, [pair]).residual for pair in _known()]
    assert report.residual == pytest.approx(max(each), rel=1e-3, abs=1e-12)
    assert report.to_dict()["residual"] == report.residual
    assert evaluate(folder, [_pair("abc", "xy")]).to_dict()["residual"] is None


@pytest.mark.repeats
def test_the_accuracy_of_the_alignment(folder: Path) -> None:
    known = _known()
    assert "alignment_accuracy" not in evaluate(folder, known).metrics

    def told(pair: Pair, places: Places) -> Pair:
        return Pair(pair.input, pair.target, {"alignment": places})

    # "abcd" -> "ba" among others of which nothing is told; the positions decide where nodes stand.
    for size in (1, 2, 5):
        accuracies = [
            evaluate(folder, [known[0], told(known[3], places), *known], batch_size=size).metrics
            for places in ([0, 1], [1, 0], [None, 1], [[1, 0], [0]])
        ]
        assert [numbers["alignment_accuracy"] for numbers in accuracies] == [1.0, 0.0, 1.0, 0.5]
    nothing = [told(known[3], [None, None]), told(_pair("c", "xx"), [0, 0])]
    assert "alignment_accuracy" not in evaluate(folder, nothing).metrics


@pytest.mark.parametrize(
    ("alignment", "message"),
    [
        ("left", "be a list with one entry per target node (2), got 'left'. Write what"),
        ([0, 3], f"{NUMBERS}3. Write what"),
        ([[0, 1], [2, 3]], f"{NUMBERS}[2, 3]. Write what"),
    ],
)
def test_refused_alignments(folder: Path, alignment: Any, message: str) -> None:
    pair = Pair(text_to_graph("abc"), text_to_graph("ab"), {"alignment": alignment}, 7, "x.jsonl")
    with pytest.raises(InputError, match="^" + re.escape(f'x.jsonl:7: "alignment" must {message}')):
        evaluate(folder, [pair])


def test_refused_evaluations(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^`pairs` must hold at least one pair, got \[\]\. Read"):
        evaluate(folder, [])
    for size in (0, -3):
        message = f"^`batch_size` must be at least 1, got {size}. Try 32."
        with pytest.raises(InputError, match=message):
            evaluate(folder, _known(), batch_size=size)
    with pytest.raises(InputError, match=r"^`worst` must not be negative, got -1\. 0 keeps none"):
        evaluate(folder, _known(), worst=-1)
    message = f"{tmp_path / 'config.json'} must be a readable file, got No such file or directory"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        evaluate(tmp_path, _known())


def test_answers(folder: Path) -> None:
    network = load_network(folder)
    assert not network.training
    inputs = [pair.input for pair in _known()]
    answers = predict(network, inputs)
    assert [graph_to_text(answer) for answer in answers] == [pair["target"] for pair in PAIRS]
    assert predict(network, []) == []
    for given, together in zip(inputs, answers, strict=True):
        (alone,) = predict(network, [given])
        assert node_labels(alone) == node_labels(together)
        assert edge_triples(alone) == edge_triples(together)
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("text", ["", "x", "🇩🇪é\n\0", "a" * 60])
def test_any_text_has_an_answer(folder: Path, text: str) -> None:
    (answer,) = predict(load_network(folder), [text_to_graph(text)])
    assert len(node_labels(answer)) <= len(node_labels(text_to_graph(text)))


def test_inputs_without_positions_have_answers(folder: Path) -> None:
    graph = make_graph(["a", "b"], [(0, 1, "next"), (1, 0, "back")], None)
    (answer,) = predict(load_network(folder), [graph])
    assert len(node_labels(answer)) <= 2


def test_the_mode_of_a_network_stays(folder: Path) -> None:
    network = load_network(folder).train()
    assert all_not_exact(network, _known(), 2) == []
    assert network.training


def test_which_pairs_fit() -> None:
    assert OutputRoom(1).fits(_pair("ab", "ab"))
    assert OutputRoom(1).fits(_pair("ab", ""))
    assert OutputRoom(3).fits(_pair("", ""))
    assert not OutputRoom(1).fits(_pair("a", "ab"))


def test_a_model_saved_by_hand_is_evaluated_with_the_default_loss(tmp_path: Path) -> None:
    from grapheme_torch import GraphTransformNet

    torch.manual_seed(0)
    GraphTransformNet(["a", "b", "d"], ["next"], **SMALL).save_pretrained(tmp_path)
    report = evaluate(tmp_path, load_pairs("kindergarten"))
    assert (report.pairs, report.covered) == (10, 0.0)


@pytest.mark.repeats
def test_edges_without_a_direction_are_equal_either_way(tmp_path: Path) -> None:
    """Written from the other end the target is the same, in every measure."""
    chain = make_graph(["a", "b", "a"], [(0, 1, "-"), (1, 2, "=")])
    turned = make_graph(["a", "b", "a"], [(1, 0, "-"), (2, 1, "=")])
    nodes = [{"id": k, "label": label} for k, label in enumerate("aba")]
    edges = [{"source": 0, "target": 1, "label": "-"}, {"source": 1, "target": 2, "label": "="}]
    line = {"input": "aba", "target": {"nodes": nodes, "edges": edges}}
    data = write_pairs(tmp_path / "data.jsonl", [line])
    loss = StructuralLoss(directed=False)
    network = {**SMALL, "copy": False}
    assert quick(tmp_path / "run", data=data, epochs=80, loss=loss, network=network, lr=0.02)
    straight, other = (
        evaluate(tmp_path / "run", [Pair(text_to_graph("aba"), target, {"alignment": [0, 1, 2]})])
        for target in (chain, turned)
    )
    assert straight.metrics == other.metrics
    assert straight.metrics["exact_match"] == 1.0
    assert straight.metrics["alignment_accuracy"] == 1.0
    network_, pairs = load_network(tmp_path / "run"), [Pair(text_to_graph("aba"), turned)]
    assert all_not_exact(network_, pairs, 1) == []


def test_metrics_of_ones_own_are_reported(folder: Path) -> None:
    def size(predicted: Data, target: Data, report: EditReport) -> float:
        return float(len(node_labels(predicted)))

    class Seen(Metric):
        full_state_update = False
        seen: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.add_state("seen", torch.tensor(0), dist_reduce_fx="sum")

        def update(self, predicted: Any, target: Any, reports: Any) -> None:
            self.seen += len(reports)

        def compute(self) -> torch.Tensor:
            return self.seen

    metrics = GraphMetrics(node_cost=2.0, extra={"answer_size": size, "seen": Seen()})
    metrics.update([text_to_graph("ab")], [text_to_graph("b")])
    before = metrics.compute()
    pairs = _known()
    plain, report = evaluate(folder, pairs), evaluate(folder, pairs, metrics=metrics)
    answers = predict(load_network(folder), [pair.input for pair in pairs])
    mean = sum(len(node_labels(answer)) for answer in answers) / len(pairs)
    assert report.metrics.pop("answer_size") == mean
    assert json.loads(json.dumps(report.to_dict()))["seen"] == len(pairs)
    assert report.metrics.pop("seen") == len(pairs)
    assert {name for name in plain.metrics} == set(report.metrics)
    assert report.metrics["edit_cost"] >= plain.metrics["edit_cost"]
    assert metrics.compute() == before


def test_a_run_learns_the_bounds_of_its_targets(folder: Path) -> None:
    bounds = saved_bounds(folder)
    assert bounds == Bounds.of([pair.target for pair in _known()])
    texts = ["zzz", "abdc" * 3, "ccc", "xaxbxcxdx"]
    inputs = [text_to_graph(text) for text in texts]
    network = load_network(folder)
    assert not all(map(bounds.allow, predict(network, inputs)))
    assert all(map(bounds.allow, predict(network, inputs, constraint=bounds)))
    pairs = [_pair(text, text) for text in texts]
    kinds = (None, "learned", "path")
    plain, learned, drawn = (evaluate(folder, pairs, constraint=kind) for kind in kinds)
    assert plain.metrics != learned.metrics
    assert saved_shape(folder) == "path"
    assert evaluate(folder, pairs).metrics == drawn.metrics != plain.metrics
    assert learned.metrics == evaluate(folder, pairs, constraint=bounds).metrics


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            None,
            " must hold the bounds of its training targets, got no bounds.json. Train again, or",
        ),
        ("{", "/bounds.json must hold bounds, got Expecting property name "),
        ("{}", "/bounds.json: the bounds must hold directed, leaving, "),
    ],
)
def test_bounds_that_are_not_there_are_refused(
    folder: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    shutil.copytree(current(folder), tmp_path / "old")
    (tmp_path / "old" / "bounds.json").unlink()
    if content is not None:
        (tmp_path / "old" / "bounds.json").write_text(content)
    with pytest.raises(InputError, match="^" + re.escape(f"{tmp_path / 'old'}{message}")):
        evaluate(tmp_path / "old", _known(), constraint="learned")
    if content is None:
        assert saved_shape(tmp_path / "old") is None
        return
    with pytest.raises(InputError, match="bounds"):
        evaluate(tmp_path / "old", _known())
