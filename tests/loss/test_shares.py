"""What each node and edge adds to the loss: the shares add up to its terms."""

from typing import Any

import pytest
import torch
from torch import Tensor

from grapheme_torch import InputError, Prices, Sinkhorn, StructuralLoss
from grapheme_torch.costs import SeveralRelations
from grapheme_torch.loss import LossShares, loss_shares
from grapheme_torch.loss import StructuralLossResult as Result

from ..problems import SIZES, batch_of_pairs, random_dag, random_prediction, upward

LOSSES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "edits": {"criterion": "edit"},
    "weights": {"alpha": 2.0, "beta": 3.0},
    "prices": {"prices": Prices(2.0, 0.5, 3.0, 0.25)},
    "several relations": {"edge_cost": SeveralRelations()},
    "weighted relations": {"edge_cost": SeveralRelations(torch.tensor([1.0, 2.0, 0.5]).double())},
    "cold": {"alignment": Sinkhorn(temperature=0)},
}


def shares_of(loss: StructuralLoss, n: int, m: int) -> tuple[Result, LossShares]:
    prediction, target = random_prediction(3, n), random_dag(5, m)
    if loss.directed is False:
        prediction = upward(prediction)
    result = loss(prediction, target)
    return result, loss_shares(loss, prediction, target, result.plan[0])


def assert_adds_up(loss: StructuralLoss, result: Result, shares: LossShares) -> None:
    node, edge = shares.predicted.sum() + shares.target.sum(), shares.candidates.sum()
    torch.testing.assert_close(node, loss.alpha * result.node)
    torch.testing.assert_close(edge + shares.edges.sum(), loss.beta * result.edge)


@pytest.mark.parametrize("directed", [None, False])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("settings", LOSSES.values(), ids=LOSSES.keys())
def test_the_shares_add_up_to_the_terms(
    settings: dict[str, Any], size: tuple[int, int], directed: bool | None
) -> None:
    loss = StructuralLoss(**settings, directed=directed)
    result, shares = shares_of(loss, *size)
    assert_adds_up(loss, result, shares)
    assert [len(x) for x in (shares.predicted, shares.target)] == list(size)


def test_edges_and_nodes_that_are_ignored_add_nothing() -> None:
    loss = StructuralLoss()
    prediction, target = random_prediction(3, 5), random_dag(5, 4)
    target.ignore = torch.tensor([True, False, False, False])
    target.ignore_edge_index = torch.tensor([[0, 2], [3, 3]])
    result = loss(prediction, target)
    shares = loss_shares(loss, prediction, target, result.plan[0])
    assert_adds_up(loss, result, shares)
    assert shares.target[0] == 0


def test_large_pairs_are_told_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = shares_of(StructuralLoss(), 5, 5)
    monkeypatch.setattr("grapheme_torch.loss._shares._AT_ONCE", 7)
    _, parts = shares_of(StructuralLoss(), 5, 5)
    each: list[tuple[Tensor, Tensor]] = [
        (whole.candidates, parts.candidates), (whole.edges, parts.edges),
    ]  # fmt: skip
    for one, other in each:
        torch.testing.assert_close(one, other)


def test_several_graphs_are_refused() -> None:
    prediction, target = batch_of_pairs(0)
    loss = StructuralLoss()
    plan = loss(prediction, target).plan[0]
    with pytest.raises(InputError, match=r"^`prediction` must be one graph, got 8\."):
        loss_shares(loss, prediction, target, plan)
