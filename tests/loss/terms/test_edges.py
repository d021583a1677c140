"""The edge term: its value, its slope in the plan, its derivative in the logits."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch_geometric.data import Data

from grapheme_torch import Dense, EdgeCost, Prediction, Prices, StructuralLoss, Tiled, Window
from grapheme_torch.loss.batch._pairs import Pairs
from grapheme_torch.loss.layouts._padded_edges import PaddedEdges
from grapheme_torch.ot import backend, set_backend
from grapheme_torch.ot.kernels import _native_cpu as _cpu

from ... import unrolled
from ...problems import (
    SIZES,
    certain,
    costs,
    join,
    permuted_target,
    random_dag,
    random_pairs,
    random_prediction,
    union,
)
from ..batches import pair_up


def edge_surprise(pairs: Pairs) -> PaddedEdges:
    """The edge term in nats."""
    return PaddedEdges.of(pairs, EdgeCost().surprise(pairs, Prices()))


def edge_edits(pairs: Pairs) -> PaddedEdges:
    """The edge term in edits."""
    return PaddedEdges.of(pairs, EdgeCost().edits(pairs, Prices()))


BOTH = pytest.mark.parametrize("criterion", [edge_surprise, edge_edits])


def _pairs(seed: int = 1) -> tuple[Pairs, list[Prediction], list]:
    predictions, targets = random_pairs(seed, SIZES)
    return pair_up(join(predictions), union(targets)), predictions, targets


def _any_plan(cost: PaddedEdges) -> Tensor:
    """Not a plan at all: the term is a polynomial in any matrix."""
    return costs(7, len(cost.constant), cost.gain.shape[2], cost.target.shape[2])


@BOTH
def test_value_is_the_sum_over_candidates_relations_and_target_edges(criterion) -> None:
    pairs, predictions, targets = _pairs()
    cost = criterion(pairs)
    plan = _any_plan(cost)
    for k, (prediction, target) in enumerate(zip(predictions, targets, strict=True)):
        n, m = len(prediction.existence), int(target.num_nodes or 0)
        own = plan[k, :n, :m]
        candidates = [(u, v) for u, v in prediction.edge_index.T.tolist()]
        edges = list(zip(*target.edge_index.tolist(), target.edge_type.tolist(), strict=True))
        if criterion is edge_edits:
            q = torch.softmax(prediction.relation, dim=1)
            wanted = unrolled.edge_edits(own, q, candidates, edges)
        else:
            wanted = unrolled.edge_surprise(own, prediction, candidates, edges)
        torch.testing.assert_close(cost(plan)[k], wanted, rtol=0, atol=1e-11)


@BOTH
def test_slope_is_the_derivative_in_the_plan(criterion) -> None:
    cost = criterion(_pairs()[0])
    plan = _any_plan(cost).requires_grad_()
    (wanted,) = torch.autograd.grad(cost(plan).sum(), plan)
    torch.testing.assert_close(cost.gradient(plan), wanted, rtol=0, atol=1e-12)
    assert wanted.abs().max() > 1


@BOTH
def test_nothing_aligned_is_the_constant(criterion) -> None:
    cost = criterion(_pairs()[0])
    assert torch.equal(cost(torch.zeros_like(_any_plan(cost))), cost.constant)


@BOTH
def test_derivative_by_finite_differences(criterion) -> None:
    soft = join([random_prediction(1, 3), random_prediction(2, 2)])
    target = union([random_dag(1, 2), random_dag(2, 3)])

    def value(relation: Tensor, plan: Tensor) -> tuple[Tensor, Tensor]:
        prediction = Prediction(
            soft.existence, soft.label, soft.edge_index, relation, soft.batch, soft.num_graphs
        )
        cost = criterion(pair_up(prediction, target))
        return cost(plan), cost.gradient(plan)

    inputs = soft.relation.clone().requires_grad_(), costs(3, 2, 3, 3).requires_grad_()
    assert gradcheck(value, inputs, eps=1e-6, atol=1e-8, rtol=1e-6)


@BOTH
def test_direction_and_relation_count(criterion) -> None:
    """The right answer costs nothing under the right plan; turned round or renamed it does."""
    target = random_dag(2, 5)
    turned, renamed = target.clone(), target.clone()
    turned.edge_index = target.edge_index.flip(0)
    renamed.edge_type = target.edge_type % 3 + 1
    plan, num = torch.eye(5, dtype=torch.float64)[None], target.num_edges
    assert num > 2
    assert float(criterion(pair_up(certain(target), target))(plan)) == pytest.approx(0, abs=1e-9)
    for other, edits in ((turned, 2 * num), (renamed, num)):
        cost = float(criterion(pair_up(certain(target), other))(plan))
        if criterion is edge_edits:
            assert cost == pytest.approx(edits, abs=1e-9)
        else:
            assert cost > 20 * num


def test_an_edge_with_no_candidate_is_left_unmatched() -> None:
    target = random_dag(2, 5)
    none = Prediction(
        torch.zeros(5).double(), torch.zeros(5, 4).double(), torch.zeros(2, 0).long(),
        torch.zeros(0, 4).double(),
    )  # fmt: skip
    plan = torch.eye(5, dtype=torch.float64)[None]
    for criterion in (edge_surprise, edge_edits):
        assert criterion(pair_up(none, target))(plan).tolist() == [target.num_edges]


def test_the_plan_carries_target_nodes_to_predicted_ones() -> None:
    target = random_dag(4, 6)
    order = torch.randperm(6)
    plan = torch.zeros(1, 6, 6, dtype=torch.float64)
    plan[0, order, torch.arange(6)] = 1
    cost = edge_edits(pair_up(certain(target), permuted_target(target, order)))
    assert cost(plan).tolist() == pytest.approx([0], abs=1e-9)
    assert cost(plan.mT).item() > 1


@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize("kind", ["pytorch", "native", "window", "tiled"])
def test_an_undirected_loop_is_laid_once(kind: str, criterion: Any) -> None:
    """A loop at 0, an edge between 0 and 1, and a candidate for a loop at 1."""
    target = Data(
        y=torch.tensor([0, 1]),
        edge_index=torch.tensor([[0, 0], [0, 1]]),
        num_nodes=2,
        position=torch.tensor([0.0, 1.0]),
    )
    sure = torch.tensor([[20.0, -20.0], [-20.0, 20.0]]).double()
    matches = {"window": Window(), "tiled": Tiled()}.get(kind, Dense())
    compared = StructuralLoss(criterion=criterion, gamma=0, matches=matches)
    before = backend()
    if kind == "pytorch" or _cpu.AVAILABLE:
        set_backend("pytorch" if kind == "pytorch" else "native")
    for edges, cost in (([1, 1, 0], 0.0), ([1, 1, 1], 40.0 if criterion == "likelihood" else 1.0)):
        soft = Prediction(
            torch.full((2,), 40.0).double(), sure, torch.tensor([[0, 0, 1], [0, 1, 1]]),
            sure[edges], position=target.position, directed=False,
        )  # fmt: skip
        found = compared(soft, target).edge
        assert float(found) == pytest.approx(cost, abs=3e-3)
    set_backend(before)
