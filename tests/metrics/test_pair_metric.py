"""Metrics of one's own, none of them known to the package, beside the others."""

import pickle
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data
from torchmetrics import MaxMetric, Metric

from grapheme_torch import EditReport, InputError, make_graph, text_to_graph
from grapheme_torch.graphs import count_nodes
from grapheme_torch.metrics import GraphMetrics, PairMetric

from ..unchecked import unchecked

PREDICTED = [text_to_graph("cat"), text_to_graph("kitten"), make_graph("a", [(0, 0, "x")])]
TARGET = [text_to_graph("cat"), text_to_graph("sitting"), make_graph("a", [(0, 0, "y")])]


def size_error(predicted: Data, target: Data, report: EditReport) -> float:
    return abs(count_nodes(predicted) - count_nodes(target))


def loop_kept(predicted: Data, target: Data, report: EditReport) -> float | None:
    kinds = [edit.kind for edit in report.edges if edit.target and len(set(edit.target)) == 1]
    return kinds.count("kept") / len(kinds) if kinds else None


class VowelRecall(PairMetric):
    """Of the vowels in all targets, the share that is kept; and how many a target has."""

    sums: ClassVar[tuple[str, ...]] = ("kept", "wanted")

    def count(self, predicted: Data, target: Data, report: EditReport) -> dict[str, float]:
        vowels = [edit for edit in report.nodes if edit.target_label in tuple("aeiou")]
        return {"kept": sum(edit.kind == "kept" for edit in vowels), "wanted": len(vowels)}

    def score(self, total: Mapping[str, float]) -> dict[str, float]:
        return {
            "vowel_recall": total["kept"] / total["wanted"],
            "vowels": total["wanted"] / total["pairs"],
        }


class WorstCost(Metric):
    """Any metric of torchmetrics, whose state is no sum."""

    full_state_update = False
    cost: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("cost", torch.zeros(()), dist_reduce_fx="max")

    def update(
        self, predicted: Sequence[Data], target: Sequence[Data], reports: Sequence[EditReport]
    ) -> None:
        for report in reports:
            self.cost = self.cost.clamp(min=report.cost)

    def compute(self) -> float:
        return self.cost.item()


OWN = {"size_error": 1 / 3, "loop_kept": 0.0, "vowel_recall": 3 / 4, "vowels": 4 / 3, "worst": 4.0}


def with_own(**options: Any) -> GraphMetrics:
    extra = {
        "size_error": size_error,
        "loop_kept": loop_kept,
        "vowel": VowelRecall(),
        "worst": WorstCost(),
    }
    return GraphMetrics(extra=extra, **options)


def test_metrics_of_ones_own_stand_after_the_others() -> None:
    metrics, plain = with_own(), GraphMetrics()
    for collection in (metrics, plain):
        collection.update(PREDICTED, TARGET)
    found = metrics.compute()
    assert found == {**plain.compute(), **OWN}
    assert list(found)[-5:] == list(OWN)


def test_they_add_up_over_batches_and_processes() -> None:
    metrics, other = with_own(), with_own()
    whole = with_own()
    whole.update(PREDICTED, TARGET)
    metrics.update(PREDICTED[:1], TARGET[:1])
    other.update(PREDICTED[1:], TARGET[1:])
    metrics.merge_state(other)
    assert metrics.compute() == whole.compute()
    assert pickle.loads(pickle.dumps(whole)).compute() == whole.compute()
    metrics.reset()
    assert metrics(PREDICTED, TARGET) == metrics.compute() == whole.compute()


def test_they_see_the_costs_that_were_asked_for() -> None:
    metrics = with_own(node_cost=2.0)
    metrics.update(PREDICTED, TARGET)
    assert metrics.compute()["worst"] == 7.0


def test_the_two_graphs_are_compared_without_direction_if_one_has_none() -> None:
    seen = []

    def remember(predicted: Data, target: Data, report: EditReport) -> None:
        seen.append((predicted.directed, target.directed, report.directed))

    metrics = GraphMetrics(extra={"remember": remember})
    metrics.update([text_to_graph("ab")], [make_graph("ab", [(0, 1, "next")], directed=False)])
    assert seen == [(False, False, False)]
    assert "remember" not in metrics.compute()


def test_a_prefix_reaches_every_name() -> None:
    metrics = with_own().clone(prefix="test/")
    metrics.update(PREDICTED, TARGET)
    assert {name[:5] for name in metrics.compute()} == {"test/"}


@pytest.mark.parametrize(
    ("name", "measure", "message"),
    [
        ("edit_cost", size_error, "a name in `extra` must not be taken, got 'edit_cost'. Choose"),
        ("update", size_error, "a name in `extra` must not be taken, got 'update'. Choose another"),
        ("a.b", size_error, "a name in `extra` must be a word of letters, digits and _, got 'a.b'"),
        ("own", 3, "`extra['own']` must be a `Metric`, or a function of predicted graph, target"),
    ],
)
def test_what_cannot_be_added_is_refused(name: str, measure: Any, message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(GraphMetrics)(extra={name: measure})


def test_two_results_of_one_name_are_refused() -> None:
    class Taken(VowelRecall):
        def score(self, total: Mapping[str, float]) -> dict[str, float]:
            return {"node_f1": 1.0}

    metrics = GraphMetrics(extra={"taken": Taken()})
    metrics.update(PREDICTED, TARGET)
    message = r"^the metric 'taken' must have results of its own, got \['node_f1'\]\. Return it"
    with pytest.raises(InputError, match=message):
        metrics.compute()


def test_numbers_without_a_name_are_refused() -> None:
    class Nameless(VowelRecall):
        sums: ClassVar[tuple[str, ...]] = ("kept",)

    metrics = GraphMetrics(extra={"nameless": Nameless()})
    message = r"^`Nameless.count` must return kept, got \{'kept': 1, 'wanted': 1\}\. Name them in"
    with pytest.raises(InputError, match=message):
        metrics.update(PREDICTED[:1], TARGET[:1])


def test_a_metric_that_takes_something_else_is_not_hidden() -> None:
    metrics = GraphMetrics(extra={"other": MaxMetric()})
    with pytest.raises(TypeError):
        metrics.update(PREDICTED, TARGET)
