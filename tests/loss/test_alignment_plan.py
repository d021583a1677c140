"""Every layout's plan is read in one way, and says the same."""

from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from grapheme_torch import Dense, InputError, Prediction, StructuralLoss, Support, Tiled, Window
from grapheme_torch.loss.layouts._padded_plan import PaddedPlan
from grapheme_torch.loss.layouts._support_plan import SupportPlan

from ..problems import SIZES, batch_of_pairs, everything, loss_of

LAYOUTS = ["Dense", "Support", "Tiled"]


def matches(name: str, prediction: Prediction, target: Data) -> Any:
    """Every match, in the layout of this name."""
    full = Support(everything(prediction, target))
    return {"Dense": Dense(), "Support": full, "Tiled": Tiled()}[name]


@pytest.mark.parametrize("name", LAYOUTS[1:])
def test_layouts_agree(name: str) -> None:
    prediction, target = batch_of_pairs(1)
    loss = loss_of(slack=0.3, tolerance=1e-13)
    wanted = loss(prediction, target).plan
    found = loss(prediction, target, matches=matches(name, prediction, target)).plan
    assert len(found) == len(wanted) == len(SIZES)
    for one, other in zip(found, wanted, strict=True):
        inner = torch.ones_like(one, dtype=torch.bool)
        inner[-1, -1] = False  # what the void sends itself is stored in a matrix alone
        torch.testing.assert_close(one[inner], other[inner], rtol=0, atol=1e-10)
    assert torch.equal(found.best_match(), wanted.best_match())
    assert torch.equal(found.num_predicted, wanted.num_predicted)
    assert torch.equal(found.num_target, wanted.num_target)


@pytest.mark.parametrize("name", LAYOUTS)
def test_entries_are_those_of_the_matrices(name: str) -> None:
    """Also of nodes of different pairs, which exchange nothing."""
    prediction, target = batch_of_pairs(1)
    found = StructuralLoss(matches=matches(name, prediction, target))(prediction, target).plan
    n, m = len(prediction.existence), len(target.y)
    every = torch.cartesian_prod(torch.arange(n), torch.arange(m)).T
    wanted = torch.block_diag(*(plan[:-1, :-1].detach() for plan in found))
    entries = found.entries(*every)
    torch.testing.assert_close(entries.view(n, m), wanted, rtol=0, atol=1e-14)
    assert not entries.requires_grad
    for side, index in (("predicted", (n, 0)), ("target", (0, m)), ("target", (0, -1))):
        with pytest.raises(InputError, match=f"`{side}` must lie in"):
            found.entries(*(torch.tensor([x]) for x in index))


@pytest.mark.parametrize("name", LAYOUTS)
def test_pairs_are_counted_from_both_ends(name: str) -> None:
    prediction, target = batch_of_pairs(1)
    plan = StructuralLoss(matches=matches(name, prediction, target))(prediction, target).plan
    for k, (n, m) in enumerate(SIZES):
        assert plan[k].shape == (n + 1, m + 1)
        assert torch.equal(plan[k], plan[k - len(SIZES)])
    for k in (len(SIZES), -len(SIZES) - 1):
        with pytest.raises(IndexError, match=f"pair {k} of a plan of {len(SIZES)} pairs"):
            plan[k]


@pytest.mark.parametrize("name", LAYOUTS[:2])
def test_matrices_carry_a_gradient(name: str) -> None:
    prediction, target = batch_of_pairs(1)
    plan = StructuralLoss(matches=matches(name, prediction, target))(prediction, target).plan
    (slope,) = torch.autograd.grad(plan[5][0, 0], prediction.label)
    assert slope.any()


@pytest.mark.parametrize("layout", [Window(100.0), Tiled()])
def test_a_padded_matrix_is_dense(layout: Any) -> None:
    plan = StructuralLoss(matches=layout)(*batch_of_pairs(1)).plan
    with pytest.raises(InputError, match=r"the plan must be dense.*matches=Dense\(\)"):
        _ = plan.padded


def both(matrix: list[list[float]]) -> tuple[PaddedPlan, SupportPlan]:
    """One pair's plan as a matrix, and along a full support."""
    plan = torch.tensor(matrix, dtype=torch.float64)
    n, m = plan.shape[0] - 1, plan.shape[1] - 1
    count = torch.tensor([n]), torch.tensor([m])
    support = torch.cartesian_prod(torch.arange(n), torch.arange(m)).T
    along = SupportPlan(support, plan[:-1, :-1].flatten(), plan[:-1, -1], plan[-1, :-1], *count)
    return PaddedPlan(plan[None], *count), along


def test_of_equals_the_first_is_the_best() -> None:
    """A match before the deletion, as a match that mass goes to is no deletion."""
    for plan in both([[0.5, 0.0, 0.5], [0.5, 0.5, 0.0], [0.2, 0.2, 0.6], [0, 0, 0]]):
        assert plan.best_match().tolist() == [0, 0, -1]


def test_a_plan_of_no_numbers_matches_nothing() -> None:
    nan = float("nan")
    for plan in both([[nan, nan, nan], [0.0, 1.0, 0.0], [0, 0, 0]]):
        assert plan.best_match().tolist() == [-1, 1]
