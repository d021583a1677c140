"""Metrics of graphs: known values, nothing to get wrong, sums over batches and processes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError, text_to_graph
from grapheme_torch.graphs import make_graph
from grapheme_torch.metrics import GraphMetrics

from ..random_graphs import graphs, renumbered, shuffled


def measured(predicted: list[Data], target: list[Data]) -> dict[str, Tensor]:
    metrics = GraphMetrics()
    metrics.update(predicted, target)
    return metrics.compute()


def texts(*words: str) -> list[Data]:
    return [text_to_graph(word) for word in words]


def test_known_values() -> None:
    found = measured(texts("cat", "kitten"), texts("cat", "sitting"))
    assert found == pytest.approx(
        {
            "exact_match": 1 / 2,
            "size_accuracy": 1 / 2,
            "edit_cost": 2.0,
            "wl_similarity": (1 + 8 / (26 * 32) ** 0.5) / 2,
            "node_precision": 7 / 9,
            "node_recall": 7 / 10,
            "node_f1": 14 / 19,
            "edge_precision": 1.0,
            "edge_recall": 7 / 8,
            "edge_f1": 14 / 15,
            "text_exact": 1 / 2,
            "char_error_rate": 3 / 10,
            "word_error_rate": 1 / 2,
            "uas": 9 / 10,
            "las": 9 / 10,
        }
    )
    numbers = {name: value.item() for name, value in found.items()}
    assert json.loads(json.dumps(numbers)) == numbers


def test_a_relation_counts() -> None:
    found = measured([make_graph("ab", [(0, 1, "x")])], [make_graph("ab", [(0, 1, "y")])])
    assert (found["exact_match"], found["node_f1"], found["edge_f1"]) == (0.0, 1.0, 0.0)
    assert (found["edit_cost"], found["text_exact"]) == (1.0, 1.0)


def test_a_direction_counts() -> None:
    found = measured([make_graph("ab", [(0, 1, "x")])], [make_graph("ab", [(1, 0, "x")])])
    assert (found["exact_match"], found["edit_cost"], found["text_exact"]) == (0.0, 2.0, 0.0)


def test_texts_are_compared_as_spelled() -> None:
    found = measured([make_graph(["ab", "c"], [(0, 1, "next")])], texts("abc"))
    assert (found["exact_match"], found["text_exact"]) == (0.0, 1.0)


def test_a_prediction_that_is_no_text_spells_none() -> None:
    target = texts("ab", "a")
    assert measured([make_graph("ab"), *texts("a")], target)["text_exact"] == 0.5


def test_without_a_text_among_the_targets_there_is_no_text_metric() -> None:
    found = measured(texts("ab"), [make_graph("ab")])
    assert not {"text_exact", "char_error_rate", "word_error_rate"} & set(found)


def test_two_empty_graphs_are_an_exact_match() -> None:
    found = measured(texts(""), texts(""))
    costs = ("edit_cost", "char_error_rate", "word_error_rate")
    assert [found.pop(name) for name in costs] == [0.0] * 3
    assert [value.item() for value in found.values()] == [1.0] * 10


def test_an_empty_prediction_is_precise_and_recalls_nothing() -> None:
    found = measured(texts(""), texts("ab"))
    assert (found["node_precision"], found["node_recall"], found["node_f1"]) == (1.0, 0.0, 0.0)
    assert (found["edge_precision"], found["edge_recall"], found["edge_f1"]) == (1.0, 0.0, 0.0)
    assert (found["edit_cost"], found["text_exact"], found["size_accuracy"]) == (3.0, 0.0, 0.0)


def test_an_empty_target_is_recalled_by_anything() -> None:
    found = measured(texts("ab"), texts(""))
    assert (found["node_precision"], found["node_recall"], found["edge_recall"]) == (0.0, 1.0, 1.0)


@given(st.data())
def test_exact_match_does_not_depend_on_the_numbering(data: st.DataObject) -> None:
    target = data.draw(graphs())
    other = data.draw(graphs())
    assert measured([data.draw(shuffled(target))], [target])["exact_match"] == 1.0
    first = measured([other], [target])["exact_match"]
    assert measured([data.draw(shuffled(other))], [target])["exact_match"] == first


@given(graphs(), graphs())
def test_precision_is_recall_the_other_way_round(first: Data, second: Data) -> None:
    there, back = measured([first], [second]), measured([second], [first])
    for part in ("node", "edge"):
        assert there[f"{part}_precision"] == back[f"{part}_recall"]
        assert there[f"{part}_f1"] == back[f"{part}_f1"]
        assert 0 <= there[f"{part}_f1"] <= 1


def test_batches_and_processes_add_up() -> None:
    predicted = texts("cat", "kitten", "", "same")
    target = [*texts("cat", "sitting", "a"), renumbered(predicted[3], [2, 0, 3, 1])]
    whole = measured(predicted, target)
    batches, other = GraphMetrics(), GraphMetrics()
    batches.update(predicted[:1], target[:1])
    batches.update(predicted[1:3], target[1:3])
    other.update(predicted[3:], target[3:])
    batches.merge_state(other)
    assert batches.compute() == whole
    batches.reset()
    batches.update([], [])
    batches.update(predicted, target)
    assert batches.compute() == whole


def test_prices_reach_the_edit_cost() -> None:
    metrics = GraphMetrics(node_cost=2.0, edge_cost=0.5)
    metrics.update(texts("kitten"), texts("sitting"))
    assert metrics.compute()["edit_cost"] == 6.5


def test_no_pair_is_refused() -> None:
    metrics = GraphMetrics()
    metrics.update([], [])
    with pytest.raises(InputError, match=r"^`GraphMetrics` must have seen at least one pair"):
        metrics.compute()
