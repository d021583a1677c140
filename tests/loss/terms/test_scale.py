"""The scale of node costs, (E46): found from the costs, the same in any unit, constant."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import (
    InputError,
    Prediction,
    Prices,
    Sinkhorn,
    StructuralLoss,
    Support,
    Tiled,
    Window,
    costs,
)
from grapheme_torch.loss.terms._scale import entry_scale, found_scale
from grapheme_torch.ot import Status, set_backend

from ...problems import distance_between, everything, loss_of

NONE = torch.zeros(2, 0, dtype=torch.long)


def points(*y: Tensor) -> Batch:
    return Batch.from_data_list([Data(y=x, edge_index=NONE, num_nodes=len(x)) for x in y])


def said(*outputs: Tensor, existence: float = 8.0) -> Prediction:
    """Slots with these outputs, one tensor per pair, without edges."""
    x, batch = torch.cat(outputs), torch.arange(len(outputs))
    batch = batch.repeat_interleave(torch.tensor([len(one) for one in outputs]))
    sure = x.new_full((len(x),), existence)
    return Prediction(sure, x, NONE, x.new_zeros(0, 2), batch=batch, num_graphs=len(outputs))


def plain_scale(cost: list[list[float]]) -> float:
    """(E46) by loops, of one pair; infinity forbids."""
    sides = [
        [sorted(x for x in row if x < math.inf) for row in way]
        for way in (cost, [*zip(*cost, strict=True)])
    ]
    n, m = (len(side) for side in sides)
    every = [x for row in cost for x in row if x < math.inf]
    best, rival = 0.0, 0.0
    for side, other in zip(sides, (m, n), strict=True):
        least, second = ([row[k] for row in side if len(row) > k] for k in (0, 1))
        if least and len(side) <= other:
            best = max(best, sum(least) / len(least))
        if second:
            rival = max(rival, sum(second) / len(second))
    if not any(len(row) > 1 for side in sides for row in side) or max(every, default=0) == 0:
        return 1.0
    mean = sum(every) / len(every)
    scale = max(min(8 * best, mean), rival / 8, mean / 4096)
    return float(2 ** (round(4 * math.log2(scale)) / 4))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=3), st.data())
def test_it_is_found_as_by_loops(sizes: list[tuple[int, int]], data: st.DataObject) -> None:
    number = st.one_of(st.just(math.inf), st.just(0.0), st.floats(1e-6, 1e6))
    wide = max(n for n, _ in sizes), max(m for _, m in sizes)
    misfit = torch.full((len(sizes), *wide), math.nan, dtype=torch.float64)  # garbage in padding
    real, wanted = torch.zeros(misfit.shape, dtype=torch.bool), []
    for k, (n, m) in enumerate(sizes):
        cost = [[data.draw(number) for _ in range(m)] for _ in range(n)]
        misfit[k, :n, :m] = torch.tensor(cost, dtype=torch.float64).reshape(n, m)
        real[k, :n, :m] = True
        wanted.append(plain_scale(cost) if n and m else 1.0)
    found = found_scale(misfit, real)
    assert found.tolist() == pytest.approx(wanted, rel=1e-12)
    k, i, j = real.nonzero().T
    first = [torch.tensor([0, *(x[side] for x in sizes)]).cumsum(0) for side in (0, 1)]
    sides = [torch.arange(len(sizes)).repeat_interleave(x.diff()) for x in first]
    ends = first[0][k] + i, first[1][k] + j
    along = entry_scale(misfit[real], ends, (sides[0], sides[1]), len(sizes))
    assert along.tolist() == pytest.approx(wanted, rel=1e-12)


KINDS = ["features", "gaussian", distance_between]


def scaled(kind: Any, scale: float | None) -> costs.NodeCost:
    """The node cost with this scale."""
    named = {"features": costs.Vectors, "gaussian": costs.Gaussian}
    return named[kind](scale) if kind in named else costs.Function(kind, scale)


def drawn(seed: int, kind: Any, sizes: list[tuple[int, int]], unit: float) -> tuple[Any, Batch]:
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    outputs = []
    for n, _ in sizes:
        x = normal(n, 2) * unit
        # A deviation in the unit of the data, or what a network says that does not know it.
        outputs.append(torch.cat([x, normal(n, 2)], 1) if kind == "gaussian" else x)
    return said(*outputs), points(*(normal(m, 2) * unit for _, m in sizes))


@pytest.mark.parametrize("unit", [1024.0, 2.0**-20])
@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_knows_no_unit(kind: Any, unit: float) -> None:
    """To the bit for powers of two; others move the scale within an eighth of an octave."""
    sizes = [(3, 3), (2, 5), (4, 1)]
    loss = StructuralLoss(node_cost=kind, reduction="none")
    one, other = (loss(*drawn(0, kind, sizes, u)) for u in (1.0, unit))
    assert torch.equal(one.plan.padded, other.plan.padded)
    assert not torch.equal(one.total, other.total)  # a likelihood is charged in its unit


def test_a_match_at_the_scale_agrees_to_one_in_e() -> None:
    """The expected edits of one node: 1 - h exp(-cost / scale)."""
    x, y = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    h = 1 / (1 + math.exp(-8))
    for kind, cost in (("features", 12.5), (distance_between, 7.0)):
        for scale in (0.5, 12.5, 700.0):
            loss = StructuralLoss(criterion="edit", node_cost=scaled(kind, scale), gamma=0)
            total = loss(said(x), points(y)).total.item()
            assert total == pytest.approx(1 - h * math.exp(-cost / scale), abs=1e-6)


@pytest.mark.repeats
@pytest.mark.parametrize("backend", ["native", "pytorch"])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_the_derivative(kind: Any, scale: float | None, backend: Any) -> None:
    prediction, target = drawn(1, kind, [(3, 4), (2, 2)], 3.0)
    settings: Any = {"node_cost": scaled(kind, scale), "criterion": "edit"}
    loss = loss_of(**settings, tolerance=1e-13, reduction="none")
    label = prediction.label.requires_grad_()

    def total(label: Tensor) -> Tensor:
        return loss(said(label[:3], label[3:], existence=1.0), target).total

    set_backend(backend)
    try:
        assert torch.autograd.gradcheck(total, label, eps=1e-6, atol=1e-6, rtol=1e-6)
    finally:
        set_backend("native")


@pytest.mark.repeats
@pytest.mark.parametrize("scale", [None, 40.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_large_programs_find_the_same(kind: Any, scale: float | None) -> None:
    prediction, target = drawn(2, kind, [(4, 4), (3, 5), (0, 2), (5, 2)], 300.0)
    loss = StructuralLoss(
        node_cost=scaled(kind, scale),
        reduction="none",
        alignment=Sinkhorn(tolerance=1e-13),
    )
    dense = loss(prediction, target).total
    along = loss.replace(matches=Window())(
        prediction, target, matches=Support(everything(prediction, target))
    ).total
    torch.testing.assert_close(along, dense, rtol=1e-11, atol=0)
    tiled = loss.replace(matches=Tiled())(prediction, target).total
    torch.testing.assert_close(tiled, dense, rtol=1e-11, atol=0)


def train(kind: Any, start: Tensor, y: Tensor, unit: float, steps: int) -> Tensor:
    """Learns the outputs of slots, in units of one; where they end."""
    free = start.clone()
    if kind == "gaussian":
        free = torch.cat([start, torch.full_like(start, -2.0)], 1)
    free.requires_grad_()
    loss = StructuralLoss(gamma=0, node_cost=kind, alignment=Sinkhorn(rounds=0, tolerance=1e-6))
    adam = torch.optim.Adam([free], lr=0.04)
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, steps)
    target = points(y * unit)
    d = y.shape[1]
    for _ in range(steps):
        place, rest = free[:, :d] * unit, free[:, d:] + 2 * math.log(unit)
        total = loss(said(torch.cat([place, rest], 1)), target).total
        adam.zero_grad()
        (total / (unit if kind is distance_between else unit**2)).backward()
        adam.step()
        schedule.step()
    return free.detach()[:, :d]


def on_its_own(x: Tensor, y: Tensor) -> float:
    """How many targets have one slot, and no other, within a quarter of the way to the next."""
    way = torch.cdist(y, y).fill_diagonal_(math.inf).amin(1)
    return float(((torch.cdist(y, x) < way[:, None] / 4).sum(1) == 1).float().mean())


@pytest.mark.repeats
@pytest.mark.parametrize("start", ["among", "far"])
@pytest.mark.parametrize("unit", [640.0, 1.0, 1e-3])
@pytest.mark.parametrize("kind", KINDS)
def test_training_ends_on_the_targets_in_any_unit(kind: Any, unit: float, start: str) -> None:
    """Case 8: in pixels every slot ended in the middle of all targets."""
    y = torch.tensor([[0.2, 0.2], [0.2, 0.8], [0.8, 0.2], [0.8, 0.8], [0.5, 0.4]])
    rng = torch.Generator().manual_seed(3)
    x = torch.rand(5, 2, generator=rng)
    if start == "far":
        x = 2 + x / 10
    assert on_its_own(train(kind, x, y, unit, 300), y) == 1


@pytest.mark.repeats
def test_training_tells_many_points_apart() -> None:
    """50 points in the unit square: by the mean cost alone, 4 of them are found."""
    rng = torch.Generator().manual_seed(0)
    x, y = torch.rand(50, 2, generator=rng), torch.rand(50, 2, generator=rng)
    assert on_its_own(train("features", x, y, 640.0, 300), y) >= 0.9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("y", [torch.zeros(3, 2), torch.tensor([[1.0, 2]] * 2 + [[5.0, 0]] * 2)])
def test_twins_and_right_answers_have_a_scale(kind: Any, y: Tensor) -> None:
    for unit in (1000.0, 1e-3):
        outputs = y * unit
        if kind == "gaussian":
            outputs = torch.cat([outputs, torch.zeros_like(y)], 1)
        result = StructuralLoss(node_cost=kind)(said(outputs), points(y * unit))
        assert bool(result.converged.all() & result.total.isfinite())
        if len(y) == 4:  # mass stays between twins
            assert float(result.plan[0][:2, 2:4].max()) < 0.01


def test_a_plan_without_information_says_so() -> None:
    y = torch.tensor([[100.0, 100], [100, 500], [500, 100]])
    loss = StructuralLoss(
        node_cost=costs.Vectors(scale=1.0), reduction="none", alignment=Sinkhorn(rounds=0)
    )
    lost = said(y + 30, y[:1] + 30, y + 30)
    target = points(y, y[:1], y)
    assert loss(lost, target).status == [Status.UNIFORM, Status.CONVERGED, Status.UNIFORM]
    assert loss.replace(matches=Tiled())(lost, target).status == loss(lost, target).status
    assert "give the node cost its `scale`" in Status.UNIFORM.value
    found = StructuralLoss(node_cost="features", alignment=Sinkhorn(rounds=0))
    assert found(lost, target).status == [Status.CONVERGED] * 3
    assert found.replace(matches=Tiled())(lost, target).status == [Status.CONVERGED] * 3
    # One match, all else deleted and inserted: of rank one, and certain.
    far = torch.tensor([[0.0, 0], [9, 9]]), torch.tensor([[0.0, 0], [-9, 9]])
    free = StructuralLoss(
        node_cost=costs.Vectors(scale=1.0),
        alignment=Sinkhorn(slack=1.0),
        prices=Prices(node_deletion=0.1),
    )
    assert free(said(far[0]), points(far[1])).status == [Status.CONVERGED]


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, True])
def test_a_refused_scale(scale: float) -> None:
    with pytest.raises(InputError, match="`scale` must be positive and finite"):
        StructuralLoss(node_cost=costs.Vectors(scale=scale))


@pytest.mark.parametrize("kind", [costs.Classes, costs.MultiLabel])
def test_probabilities_have_no_scale(kind: Any) -> None:
    with pytest.raises(TypeError, match="scale"):
        kind(scale=1.0)
    assert StructuralLoss(node_cost=kind()).node_cost.scale is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("s", [-1000.0, -100.0, -90.0, -80.0, -20.0, 0.0, 80.0, 1000.0])
def test_a_gaussian_is_finite_at_any_log_variance(s: float, dtype: torch.dtype) -> None:
    """Case 18: in float32 all was NaN below -80."""
    y = torch.tensor([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]], dtype=dtype)
    for step in (0.0, 1e-3):
        outputs = torch.cat([y.flip(0) + step, torch.full_like(y, s)], 1).requires_grad_()
        result = StructuralLoss(node_cost="gaussian", alignment=Sinkhorn(rounds=0))(
            said(outputs), points(y)
        )
        (slope,) = torch.autograd.grad(result.total, outputs)
        assert bool(result.total.isfinite() & slope.isfinite().all())
        # A deviation of e^500: all targets are as near.
        assert result.status == [Status.CONVERGED if s < 100 else Status.UNIFORM]
        if s < 0 and step:  # surer than right: less sure is better
            assert bool((slope[:, 2:] < 0).all())


def test_a_gaussian_is_continued_where_it_would_overflow() -> None:
    """The density itself to a log-variance of -60; below, the precision is a straight line."""
    x, y = torch.tensor([[1e-12]], dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    loss = StructuralLoss(node_cost="gaussian", gamma=0)
    for s in (-20.0, -59.0, -61.0, -75.0):
        precision = math.exp(-s) if s > -60 else math.exp(60) * (1 - 60 - s)
        slope = -math.exp(max(-s, 0) if s > -60 else 60)
        outputs = torch.cat([x, torch.full_like(x, s)], 1).requires_grad_()
        node = loss(said(outputs, existence=40.0), points(y)).node
        wanted = 0.5 * (1e-24 * precision + s + math.log(2 * math.pi))
        assert node.item() == pytest.approx(wanted, rel=1e-9)
        (found,) = torch.autograd.grad(node, outputs)
        assert found.flatten().tolist() == pytest.approx(
            [1e-12 * precision, 0.5 * (1 + 1e-24 * slope)], rel=1e-9
        )
