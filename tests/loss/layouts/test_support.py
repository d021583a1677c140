"""The loss along a sparse support: the dense one where everything is in it, exact where not."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import (
    InputError,
    Prediction,
    Sinkhorn,
    StructuralLoss,
    StructuralLossResult,
    Support,
    Window,
)
from grapheme_torch.graphs import membership
from grapheme_torch.loss.layouts._support_plan import SupportPlan
from grapheme_torch.ot import Status
from grapheme_torch.testing import assert_batch_invariant, assert_permutation_invariant

from ...problems import (
    SIZES,
    batch_of_pairs,
    everything,
    gradients,
    join,
    leaf,
    leaves,
    loss_of,
    random_pairs,
    union,
)
from ...unchecked import unchecked

WEIGHTS = torch.arange(1, 1 + len(SIZES)).double()


def along(result: StructuralLossResult) -> SupportPlan:
    """The plan of a result, along its support."""
    assert isinstance(result.plan, SupportPlan)
    return result.plan


def some(prediction: Prediction, target: Data, seed: int = 0) -> Tensor:
    """A support that masses can be placed on: the k-th with the k-th, and half of the rest."""
    full = everything(prediction, target)
    draw = torch.Generator().manual_seed(seed)
    batch, places = membership(target)[0], []
    for member in (prediction.batch, batch):
        start = torch.searchsorted(member, member)
        places.append(torch.arange(len(member)) - start)
    same = places[0][full[0]] == places[1][full[1]]
    return full[:, same | (torch.rand(full.shape[1], generator=draw) < 0.5)]


def far(loss: StructuralLoss, prediction: Prediction, target: Data) -> tuple[float, float]:
    """How far value and gradient of the sparse loss with full support are from the dense ones."""
    dense = loss(prediction, target)
    sparse = loss.replace(matches=Window())(
        prediction, target, matches=Support(everything(prediction, target))
    )
    assert bool(sparse.converged.eq(dense.converged).all())
    slopes = [gradients((found.total * WEIGHTS).sum(), prediction) for found in (dense, sparse)]
    gap = max(float((x - y).abs().max()) for x, y in zip(*slopes, strict=True))
    return float((dense.total - sparse.total).detach().abs().max()), gap


@pytest.mark.repeats
@pytest.mark.parametrize("max_iterations", [5, 100])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize("slack", [0.1, 0.4])
def test_the_gradient_is_the_derivative(slack: float, criterion: Any, max_iterations: int) -> None:
    prediction, target = batch_of_pairs(3, [(4, 5), (3, 3)])
    support = some(prediction, target)
    loss = StructuralLoss(
        criterion=criterion,
        alignment=Sinkhorn(rounds=2, tolerance=1e-13, slack=slack, max_iterations=max_iterations),
        matches=Window(),
    )

    def total(existence: Tensor, label: Tensor, relation: Tensor, position: Tensor) -> Tensor:
        soft = replace(
            prediction, existence=existence, label=label, relation=relation, position=position
        )
        return loss(soft, target, matches=Support(support)).total

    # Along a random direction of all numbers at once: one by one it takes a hundred times as long.
    at = leaves(prediction)
    assert torch.autograd.gradcheck(total, at, eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=True)
    result = loss(prediction, target, matches=Support(support))
    assert bool(result.converged.all()) == (max_iterations == 100)
    assert vars(result.adjoint) == {"residual": None}
    result.total.backward()
    if max_iterations == 100:
        residual = result.adjoint.residual
        assert isinstance(residual, Tensor)
        assert float(residual.max()) < 1e-13


def test_a_cut_gradient_leaves_the_plan_out() -> None:
    prediction, target = batch_of_pairs(1)
    for rounds in (0, 1):
        dense = StructuralLoss(
            reduction="none", alignment=Sinkhorn(gradient="detach", rounds=rounds)
        )
        assert far(dense, prediction, target)[1] < 1e-9


def test_laws_hold_with_a_window() -> None:
    sizes = [(5, 4), (0, 3), (2, 0), (0, 0), (4, 6)]
    predictions, targets = random_pairs(5, sizes)
    each = StructuralLoss(reduction="none", alignment=Sinkhorn(slack=0.5), matches=Window(2.0))
    assert_batch_invariant(each, join(predictions), targets)
    mean = StructuralLoss(alignment=Sinkhorn(slack=0.5), matches=Window(2.0))
    assert_permutation_invariant(mean, join(predictions), union(targets))


def test_a_window_is_a_distance() -> None:
    prediction, target = batch_of_pairs(1)
    result = StructuralLoss(alignment=Sinkhorn(slack=1.0), matches=Window(1.5))(prediction, target)
    full = everything(prediction, target)
    near = (prediction.position[full[0]] - target.position[full[1]]).abs() <= 1.5
    assert torch.equal(along(result).support, full[:, near])
    assert result.status == [Status.CONVERGED] * len(SIZES)


def test_masses_are_placed_along_the_support() -> None:
    prediction, target = batch_of_pairs(1)
    result = StructuralLoss(alignment=Sinkhorn(slack=0.5), matches=Window())(
        prediction, target, matches=Support(some(prediction, target))
    )
    plan = along(result)
    rows = plan.deleted.index_add(0, plan.support[0], plan.matched)
    columns = plan.inserted.index_add(0, plan.support[1], plan.matched)
    assert torch.allclose(rows, torch.ones_like(rows), atol=1e-11)
    assert torch.allclose(columns, torch.ones_like(columns), atol=1e-11)


def test_an_empty_support_deletes_and_inserts() -> None:
    prediction, target = batch_of_pairs(2, [(3, 4)])
    loss = StructuralLoss(criterion="edit", alignment=Sinkhorn(slack=1.0), matches=Window())
    result = loss(prediction, target, matches=Support(torch.zeros(2, 0, dtype=torch.long)))
    expected = prediction.existence.sigmoid().sum() + 4
    assert torch.allclose(result.node, expected)
    assert torch.allclose(along(result).deleted, torch.ones(3).double())
    result.total.backward()


def test_the_order_of_the_support_does_not_matter() -> None:
    prediction, target = batch_of_pairs(1)
    support, loss = some(prediction, target), StructuralLoss(matches=Window())
    first = loss(prediction, target, matches=Support(support))
    second = loss(prediction, target, matches=Support(support.flip(1)))
    assert torch.equal(first.total, second.total)
    assert torch.equal(along(first).support, along(second).support)


def test_temperatures_are_per_pair() -> None:
    prediction, target = batch_of_pairs(1)
    loss = StructuralLoss(reduction="none")
    eps = torch.linspace(0.05, 0.3, len(SIZES)).double()
    support = everything(prediction, target)
    dense = loss(prediction, target, temperature=eps).total
    sparse = loss.replace(matches=Window())(
        prediction, target, matches=Support(support), temperature=eps
    )
    assert torch.allclose(dense, sparse.total, atol=1e-10)


def test_single_precision_is_kept() -> None:
    prediction, target = batch_of_pairs(1)
    low = leaf(
        replace(
            prediction,
            existence=prediction.existence.float(),
            label=prediction.label.float(),
            relation=prediction.relation.float(),
            position=prediction.position.float(),
        )
    )
    support = everything(prediction, target)
    found = StructuralLoss(matches=Window())(low, target, matches=Support(support))
    wanted = StructuralLoss(matches=Window())(prediction, target, matches=Support(support))
    assert found.total.dtype == torch.float32
    assert math.isclose(found.total.item(), wanted.total.item(), rel_tol=1e-5)
    found.total.backward()
    assert low.label.grad.dtype == torch.float32


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("support", "message"),
    [
        ([[0, 3], [0, 0]], r"`support` must name predicted nodes in \[0, 3\)"),
        ([[0, 1], [0, 4]], r"`support` must name target nodes in \[0, 4\)"),
        ([[0, 0], [1, 1]], "`support` must hold each pair once"),
        ([[0.0], [1.0]], r"`support` must be integers of shape \(2, entries\)"),
        (
            [[0, 1, 2, 2, 2], [0, 0, 1, 2, 3]],
            "`support` must let 3 nodes of pair 0 be matched at once, got at",
        ),
        (
            [[], []],
            "`support` must leave at most 0 predicted nodes of pair 0 without a match, got 3",
        ),
    ],
)
def test_what_cannot_be_a_support_is_refused(support: Any, message: str) -> None:
    prediction, target = batch_of_pairs(2, [(3, 4)])
    entries = torch.tensor(support, dtype=None if any(support) else torch.long)
    with pytest.raises(InputError, match=message):
        unchecked(StructuralLoss(matches=Window()).forward)(
            prediction, target, matches=Support(entries)
        )


def test_a_support_across_pairs_is_refused() -> None:
    prediction, target = batch_of_pairs(2, [(1, 1), (1, 1)])
    with pytest.raises(InputError, match="`support` must join nodes of the same pair"):
        StructuralLoss(matches=Window())(
            prediction, target, matches=Support(torch.tensor([[0, 1], [1, 0]]))
        )


def test_what_cannot_be_restricted_is_refused() -> None:
    with pytest.raises(InputError, match="`gradient` must not be implicit with matches=Window"):
        StructuralLoss(alignment=Sinkhorn(gradient="implicit"), matches=Window())
    with pytest.raises(InputError, match="`temperature` must be positive with matches=Window"):
        StructuralLoss(alignment=Sinkhorn(temperature=0), matches=Window())
    for name in ("neighbours", "noise"):
        with pytest.raises(InputError, match=f"`{name}` must be 0 with matches=Window, got 0.1"):
            loss_of(**{name: 0.1}, matches=Window())
    with pytest.raises(InputError, match="`steps` must be a number that is not negative"):
        StructuralLoss(matches=Window(-1))
    prediction, target = batch_of_pairs(1)
    with pytest.raises(InputError, match="`temperature` must be positive"):
        StructuralLoss(matches=Window())(prediction, target, temperature=0.0)
    with pytest.raises(InputError, match="a window must be one of positions"):
        StructuralLoss(matches=Window())(replace(prediction, position=None), target)


def test_a_second_derivative_is_refused() -> None:
    prediction, target = batch_of_pairs(2, [(3, 3)])
    total = StructuralLoss(matches=Window())(prediction, target).total
    (slope,) = torch.autograd.grad(total, prediction.existence, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiated once"):
        slope.sum().backward()


def test_its_settings_are_shown() -> None:
    assert "matches=Window(steps=3.0)" in repr(StructuralLoss(matches=Window(3.0)))
