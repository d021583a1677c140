"""The loss in tiles: the dense one, to rounding, whatever the sizes, the costs and the tiles."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch_geometric.data import Data

from grapheme_torch import Hints, InputError, Prediction, Sinkhorn, StructuralLoss, Tiled
from grapheme_torch.loss.engines import _tiled_edge
from grapheme_torch.ot import Status, _tiled
from grapheme_torch.testing import assert_batch_invariant, assert_permutation_invariant

from ...problems import (
    SIZES,
    batch_of_pairs,
    gradients,
    join,
    leaf,
    leaves,
    loss_of,
    random_pairs,
    union,
)


def far(loss: StructuralLoss, prediction: Prediction, target: Data) -> tuple[float, float]:
    """How far value and gradient in tiles are from the dense ones; the latter if beyond one."""
    dense, tiled = loss(prediction, target), loss.replace(matches=Tiled())(prediction, target)
    assert bool(tiled.converged.eq(dense.converged).all())
    weights = torch.arange(1, 1 + len(dense.converged)).double()
    slopes = [gradients((found.total * weights).sum(), prediction) for found in (dense, tiled)]
    each = [(x - y).abs() / x.abs().clamp(min=1) for x, y in zip(*slopes, strict=True)]
    gap = torch.cat([x.flatten() for x in each])
    assert bool(gap.isfinite().all())
    value = (dense.total - tiled.total).detach().abs()
    return float(value.max()), float(torch.cat([gap, gap.new_zeros(1)]).max())


def shrink(monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    """Makes tiles so small that every pair has several."""
    monkeypatch.setattr(_tiled, "ENTRIES", entries)
    monkeypatch.setattr(_tiled_edge, "ENTRIES", entries)


@pytest.mark.repeats
@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=3),
    temperature=st.sampled_from([0.05, 0.1, 1.0]),
    weight=st.sampled_from([0.0, 0.5, 5.0]),
    slack=st.sampled_from([0.0, 0.2, 1.0]),
    rounds=st.integers(0, 2),
    update=st.sampled_from(["linear", "proximal"]),
    criterion=st.sampled_from(["likelihood", "edit"]),
    max_iterations=st.sampled_from([1, 4, 100]),
)
def test_whatever_is_drawn(
    seed: int, sizes: list[tuple[int, int]], temperature: float, weight: float, **options: Any
) -> None:
    loss = loss_of(
        temperature=temperature,
        position=weight,
        reduction="none",
        tolerance=1e-13,
        **options,
    )
    value, slope = far(loss, *batch_of_pairs(seed, sizes))
    assert value < 1e-9
    assert slope < 1e-9


@pytest.mark.repeats
@pytest.mark.parametrize("update", ["linear", "proximal"])
def test_tiles_do_not_matter(update: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prediction, target = batch_of_pairs(1, [(0, 3), (1, 1), (5, 3), (4, 4)])
    loss = StructuralLoss(reduction="none", alignment=Sinkhorn(update=update, tolerance=1e-13))
    shrink(monkeypatch, 7)
    value, slope = far(loss, prediction, target)
    assert value < 1e-11
    assert slope < 1e-9


def long(n: int, m: int) -> tuple[Prediction, Data]:
    """Two paths, the nodes of both in hidden order; candidates also skip one."""
    draw = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    order, wanted = torch.randperm(n, generator=draw), torch.randperm(m, generator=draw)
    steps = torch.cat([torch.stack([order[:-k], order[k:]]) for k in (1, 2)], 1)
    soft = Prediction(
        existence=1 + normal(n), label=normal(n, 3), edge_index=steps,
        relation=normal(steps.shape[1], 2), position=order.argsort() + 0.3 * normal(n),
    )  # fmt: skip
    target = Data(
        y=torch.randint(3, (m,), generator=draw), num_nodes=m,
        edge_index=torch.stack([wanted[:-1], wanted[1:]]), position=wanted.argsort().double(),
    )  # fmt: skip
    return leaf(soft), target


@pytest.mark.repeats
@pytest.mark.parametrize(("rounds", "weighted"), [(0, False), (1, False), (0, True), (1, True)])
def test_far_tiles_are_skipped_and_not_missed(
    rounds: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    prediction, target = long(40, 43)
    if weighted:
        prediction = replace(prediction, weight=prediction.relation.detach()[:, 0])
        target.edge_weight = torch.ones(target.edge_index.shape[1])
    cover, widths = _tiled.TiledProblem.tiles, []

    def tiles(problem: Any, spans: Any) -> Any:
        for at in cover(problem, spans):
            if len(at.rows) > 1:
                widths.append(at.high - at.low)
            yield at

    shrink(monkeypatch, 200)
    monkeypatch.setattr(_tiled.TiledProblem, "tiles", tiles)
    loss = StructuralLoss(
        reduction="none",
        alignment=Sinkhorn(slack=0.2, rounds=rounds, tolerance=1e-13),
        hints=Hints(position=8.0),
    )
    value, slope = far(loss, prediction, target)
    assert value < 1e-9
    assert slope < 1e-9
    assert (max(widths) < 30) == (not (weighted and rounds))


def test_columns_that_no_row_sees_get_their_mass() -> None:
    prediction, target = batch_of_pairs(4, [(6, 6)])
    prediction = leaf(replace(prediction, position=prediction.position.detach() * 0))
    target.position = torch.tensor([0.0, 0, 0, 0, 0, 1])
    loss = StructuralLoss(
        reduction="none",
        alignment=Sinkhorn(rounds=0, max_iterations=40),
        hints=Hints(position=50.0),
    )
    value, slope = far(loss, prediction, target)
    assert value < 1e-9
    assert slope < 1e-9


@pytest.mark.repeats
@pytest.mark.parametrize("max_iterations", [5, 100])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_the_gradient_is_the_derivative(criterion: Any, max_iterations: int) -> None:
    prediction, target = batch_of_pairs(3, [(3, 4)])
    loss = StructuralLoss(
        criterion=criterion,
        alignment=Sinkhorn(rounds=1, tolerance=1e-13, slack=0.2, max_iterations=max_iterations),
        matches=Tiled(),
    )

    def total(existence: Tensor, label: Tensor, relation: Tensor, position: Tensor) -> Tensor:
        soft = replace(
            prediction, existence=existence, label=label, relation=relation, position=position
        )
        return loss(soft, target).total

    assert torch.autograd.gradcheck(total, leaves(prediction), atol=1e-6, fast_mode=True)
    result = loss(prediction, target)
    assert bool(result.converged.all()) == (max_iterations == 100)
    assert vars(result.adjoint) == {"residual": None}
    result.total.backward()
    assert isinstance(result.adjoint.residual, Tensor)
    assert float(result.adjoint.residual.max()) < 1e-13


def test_a_cut_gradient_leaves_the_plan_out() -> None:
    prediction, target = batch_of_pairs(1)
    for rounds in (0, 1):
        loss = StructuralLoss(
            reduction="none", alignment=Sinkhorn(gradient="detach", rounds=rounds)
        )
        assert far(loss, prediction, target)[1] < 1e-9


def test_laws_hold() -> None:
    predictions, targets = random_pairs(5, [(5, 4), (0, 3), (2, 0), (0, 0)])
    each = StructuralLoss(reduction="none", alignment=Sinkhorn(slack=0.5), matches=Tiled())
    assert_batch_invariant(each, join(predictions), targets)
    mean = StructuralLoss(alignment=Sinkhorn(slack=0.5), matches=Tiled())
    assert_permutation_invariant(mean, join(predictions), union(targets))


def test_the_plan_can_be_asked_for() -> None:
    prediction, target = batch_of_pairs(1)
    loss = StructuralLoss(alignment=Sinkhorn(slack=0.3))
    dense, tiled = loss(prediction, target), loss.replace(matches=Tiled())(prediction, target)
    n, m = len(prediction.existence), len(target.y)
    found = tiled.plan.entries(*torch.cartesian_prod(torch.arange(n), torch.arange(m)).T)
    wanted = torch.block_diag(*(plan[:-1, :-1] for plan in dense.plan))
    assert torch.allclose(found.view(n, m), wanted, atol=1e-10)
    best = [plan[:-1].argmax(1) for plan in dense.plan]
    starts = [0, *torch.cumsum(dense.plan.num_target, 0).tolist()]
    ends = [
        torch.where(one == m_k, -1, one + start)
        for one, start, m_k in zip(best, starts, dense.plan.num_target, strict=False)
    ]
    assert torch.equal(tiled.plan.best_match(), torch.cat(ends))
    assert tiled.status == [Status.CONVERGED] * len(SIZES)
    with pytest.raises(InputError, match=rf"`target` must lie in \[0, {m}\)"):
        tiled.plan.entries(torch.tensor([0]), torch.tensor([m]))


def test_temperatures_are_per_pair() -> None:
    prediction, target = batch_of_pairs(1)
    loss = StructuralLoss(reduction="none")
    eps = torch.linspace(0.05, 0.3, len(SIZES)).double()
    dense = loss(prediction, target, temperature=eps).total
    tiled = loss.replace(matches=Tiled())(prediction, target, temperature=eps).total
    assert torch.allclose(dense, tiled, atol=1e-10)


@pytest.mark.repeats
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
    found = StructuralLoss(matches=Tiled())(low, target)
    wanted = StructuralLoss(matches=Tiled())(prediction, target)
    assert found.total.dtype == torch.float32
    assert torch.allclose(found.total.double(), wanted.total, rtol=1e-5)
    found.total.backward()
    assert low.label.grad.dtype == torch.float32


def test_a_logit_that_is_no_number_is_reported_for_its_pair_alone() -> None:
    prediction, target = batch_of_pairs(2, [(3, 3), (4, 4)])
    broken = leaf(replace(prediction, existence=prediction.existence.detach().clone()))
    with torch.no_grad():
        broken.existence[1] = torch.nan
    loss = StructuralLoss(reduction="none", matches=Tiled())
    result = loss(broken, target)
    assert result.status == [Status.NOT_FINITE, Status.CONVERGED]
    assert torch.equal(result.total[1], loss(prediction, target).total[1])
    slope = gradients(result.node.sum(), broken)[1]
    assert bool(slope[:3].isnan().all())
    assert bool(slope[3:].isfinite().all())
    assert bool(result.plan.entries(torch.tensor([0]), torch.tensor([0])).isnan().all())
    assert result.plan.best_match()[:3].tolist() == [-1] * 3


@pytest.mark.repeats
def test_nothing_of_the_size_of_the_plan_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, 1 << 9)
    prediction, target = long(120, 110)
    largest = 0

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            nonlocal largest
            out = func(*args, **(kwargs or {}))
            for x in out if isinstance(out, tuple | list) else [out]:
                if isinstance(x, Tensor):
                    largest = max(largest, x.untyped_storage().size() // x.element_size())
            return out

    with Watch():
        loss = StructuralLoss(
            alignment=Sinkhorn(rounds=1, slack=0.1, max_iterations=1), matches=Tiled()
        )
        loss(prediction, target).total.backward()
    assert 1 << 8 < largest <= 2 * _tiled.ENTRIES < 120 * 110 / 10
