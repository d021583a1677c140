"""Our metrics are used as others of torchmetrics are: alone, in collections, trackers and sums."""

import copy
import pickle
from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch_geometric.data import Data
from torchmetrics import Metric, MetricCollection, MetricTracker
from torchmetrics.wrappers import MinMaxMetric, Running

from grapheme_torch import Alphabet, EditReport, Prediction, text_to_graph
from grapheme_torch.metrics import AlignmentAccuracy, GraphMetrics, PairMetric


def texts(*words: str) -> list[Data]:
    return [text_to_graph(word) for word in words]


RIGHT = texts("cat"), texts("cat")
WRONG = texts("kitten", "a"), texts("sitting", "a")
PLAN = torch.eye(3)
ALIGNED = [PLAN], [(0, 1)], texts("ab")
CROSSED = [PLAN[[1, 0, 2]]], [(0, 1)], texts("ab")


class Longer(PairMetric):
    """The share of predictions with more nodes than their targets."""

    sums = ("longer",)
    higher_is_better = False

    def count(self, predicted: Data, target: Data, report: EditReport) -> dict[str, float]:
        return {"longer": report.count("nodes")["deleted"] > 0}

    def score(self, total: Any) -> float:
        return total["longer"] / total["pairs"]


def numbers(found: Any) -> dict[str, float]:
    return {name: value.item() for name, value in found.items()}


def test_every_result_is_a_tensor_of_one_number() -> None:
    metrics = GraphMetrics(extra={"longer": Longer()})
    metrics.update(*WRONG)
    accuracy = AlignmentAccuracy()
    accuracy.update(*ALIGNED)
    for value in [*metrics.compute().values(), accuracy.compute()]:
        assert isinstance(value, Tensor)
        assert value.shape == ()


def test_forward_is_of_the_batch_and_compute_of_all() -> None:
    metrics = GraphMetrics()
    assert [metrics(*batch)["exact_match"] for batch in (RIGHT, WRONG)] == [1.0, 0.5]
    assert metrics.compute()["exact_match"] == pytest.approx(2 / 3)
    accuracy = AlignmentAccuracy()
    assert [accuracy(*batch) for batch in (ALIGNED, CROSSED)] == [1.0, 0.0]
    assert accuracy.compute() == 0.5


def test_reset_forgets() -> None:
    metrics = GraphMetrics()
    metrics.update(*WRONG)
    metrics.reset()
    metrics.update(*RIGHT)
    assert metrics.compute()["exact_match"] == 1.0


def test_a_member_can_be_used_alone() -> None:
    alone = GraphMetrics(node_cost=3.0)["edit_cost"]
    alone.update(*WRONG)
    together = GraphMetrics(node_cost=3.0)
    together.update(*WRONG)
    assert alone.compute() == together.compute()["edit_cost"] == (3 + 3 + 3 + 1) / 2
    longer = Longer()
    longer.update(*WRONG)
    assert longer.compute() == 0.0


def test_a_collection_among_others() -> None:
    metrics = MetricCollection({"graphs": GraphMetrics(), "longer": Longer()}, prefix="val/")
    found = metrics(*WRONG)
    assert found.pop("val/longer") == 0.0
    alone = numbers(GraphMetrics()(*WRONG))
    assert sorted(value.item() for value in found.values()) == sorted(alone.values())
    metrics.reset()
    metrics.update(*RIGHT)
    (exact,) = [name for name in metrics.compute() if "exact_match" in name]
    assert metrics.compute()[exact] == 1.0


@pytest.mark.parametrize("form", [dict, list])
def test_two_collections_in_one(form: type) -> None:
    """Each has a metric with several results of the same names."""
    pair = {"first": GraphMetrics(), "second": GraphMetrics(node_cost=3.0)}
    if form is dict:
        metrics = MetricCollection(cast(Any, pair))
    else:
        metrics = MetricCollection([pair["first"].clone(prefix="a/"), pair["second"].clone("b/")])
    names = ("first_", "second_") if form is dict else ("a/", "b/")
    metrics.update(*WRONG)
    found = numbers(metrics.compute())
    for name, alone in zip(names, pair.values(), strict=True):
        alone.update(*WRONG)
        assert found[f"{name}edit_cost"] == alone.compute()["edit_cost"]
        assert sum(key.startswith(name) for key in found) == len(alone.compute())


def test_a_collection_among_others_takes_predictions() -> None:
    (graph,) = texts("cab")
    alphabet = Alphabet.of([graph])
    target = alphabet.encode(graph)
    prediction = Prediction.certain(
        target, num_labels=len(alphabet.labels), num_relations=len(alphabet.relations)
    )
    alone = GraphMetrics(alphabet=alphabet)(prediction, target)
    found = MetricCollection([GraphMetrics(alphabet=alphabet)])(prediction, target)
    assert alone["text_exact"] == 1.0
    assert numbers(found) == numbers(alone)


def test_sums_and_differences() -> None:
    metrics = GraphMetrics()
    error = 1 - metrics["exact_match"]
    both = metrics["exact_match"] + metrics["size_accuracy"]
    metrics.update(*WRONG)
    assert (error.compute(), both.compute()) == (0.5, 1.0)
    accuracy = AlignmentAccuracy()
    doubled = 2 * accuracy
    doubled.update(*ALIGNED)
    assert doubled.compute() == 2.0


def test_a_tracker_finds_the_best_epoch() -> None:
    tracker = MetricTracker(GraphMetrics(), maximize=True)
    for batch in (WRONG, RIGHT, WRONG):
        tracker.increment()
        tracker.update(*batch)
    assert tracker.compute_all()["exact_match"].tolist() == [0.5, 1.0, 0.5]
    best, epoch = cast(Any, tracker.best_metric(return_step=True))
    assert (best["exact_match"], epoch["exact_match"]) == (1.0, 1)


@pytest.mark.parametrize(("name", "best"), [("exact_match", 1.0), ("edit_cost", 0.0)])
def test_a_tracker_knows_which_way_is_better(name: str, best: float) -> None:
    tracker = MetricTracker(GraphMetrics()[name], maximize=None)
    for batch in (WRONG, RIGHT):
        tracker.increment()
        tracker.update(*batch)
    assert tracker.best_metric(return_step=True) == (best, 1)


@pytest.mark.parametrize("wrapper", [MinMaxMetric, Running, MetricTracker])
def test_wrappers_take_them(wrapper: Any) -> None:
    metric = wrapper(AlignmentAccuracy())
    if wrapper is MetricTracker:
        metric.increment()
    metric.update(*ALIGNED)
    found = metric.compute()
    assert (found["raw"] if wrapper is MinMaxMetric else found) == 1.0


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_go_on(again: Any) -> None:
    metrics = GraphMetrics()
    metrics.update(*WRONG)
    other = again(metrics)
    assert numbers(other.compute()) == numbers(metrics.compute())
    other.update(*RIGHT)
    assert (other.compute()["exact_match"], metrics.compute()["exact_match"]) == (2 / 3, 0.5)


def test_a_state_that_was_saved_goes_on() -> None:
    metrics, other = GraphMetrics(), GraphMetrics()
    for collection in (metrics, other):
        collection.persistent(True)
    metrics.update(*WRONG)
    other.load_state_dict(metrics.state_dict())
    other.update(*RIGHT)
    assert other.compute()["exact_match"] == pytest.approx(2 / 3)


@pytest.fixture
def process_group() -> Iterator[None]:
    dist.init_process_group(
        "gloo", store=torch._C._distributed_c10d.HashStore(), rank=0, world_size=1
    )
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("process_group")
@pytest.mark.parametrize(("metric", "batch"), [(Longer, WRONG), (AlignmentAccuracy, CROSSED)])
def test_processes_are_added_up(metric: type[Metric], batch: Any) -> None:
    """As of two processes, the other of which has counted one more of everything."""
    synced = metric(distributed_available_fn=lambda: True)
    synced.update(*batch)
    alone = metric()
    alone.update(*batch)
    (name,) = alone._defaults
    state = getattr(alone, name)

    def gathered(own: Tensor, group: Any) -> list[Tensor]:
        return [own, own + 1]

    with synced.sync_context(dist_sync_fn=gathered):
        assert torch.equal(getattr(synced, name), 2 * state + 1)
    assert torch.equal(getattr(synced, name), state)
