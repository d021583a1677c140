"""Masses of every precision, forbidden entries of a support, tiled problems, given plans."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from grapheme_torch import InputError
from grapheme_torch.ot import (
    Status,
    TiledProblem,
    Transport,
    sparse_plan,
    status,
    tiled_plan,
    transport_plan,
)

from ..problems import costs
from ..unchecked import unchecked
from .plans import all_entries


class _Table:
    """Costs that are all there."""

    def __init__(self, cost: Tensor) -> None:
        self.cost = cost

    def tile(self, at: Any) -> Tensor:
        return torch.stack([at.columns(self.cost[i]) for i in at.rows.tolist()])


@pytest.mark.parametrize(
    "changed",
    [
        {"cost": None},
        {"eps": 0.0},
        {"eps": -1.0},
        {"eps": math.nan},
        {"eps": "0.1"},
        {"a": torch.tensor([1.0, -1.0, 2.0])},
        {"a": torch.tensor([0.0, 1.0, 1.0])},
        {"a": torch.tensor([1.0, 1.0, math.inf])},
        {"a": torch.tensor([1.0, 1.0, math.nan])},
        {"a": torch.tensor([1.0, 1.0, 1.0])},
        {"a": torch.ones(1, 2)},
        {"a": torch.zeros(0)},
        {"a": torch.ones(3) * 1j},
        {"b": [1.0, 1.0]},
        {"b": torch.ones(2, device="meta")},
        {"tolerance": math.nan},
        {"tolerance": None},
        {"max_iterations": 0},
        {"max_iterations": 2.5},
    ],
)
def test_a_tiled_problem_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    problem: dict[str, Any] = {
        "cost": _Table(costs(1, 3, 2)), "eps": 0.2, "a": torch.tensor([1.0, 1.0, 0.0]),
        "b": torch.tensor([1.0, 1.0]),
    }  # fmt: skip
    options: dict[str, Any] = {"tolerance": 1e-12, "max_iterations": 100}
    for name, value in changed.items():
        (options if name in options else problem)[name] = value
    with pytest.raises(InputError, match=r"^`.* must .*, got .*\. "):
        unchecked(tiled_plan)(unchecked(TiledProblem)(**problem), newton=True, **options)


def test_a_tiled_plan_of_masses_in_single_precision() -> None:
    cost = costs(1, 3, 7)
    a, b = torch.tensor([1 / 3] * 3), torch.tensor([1 / 7] * 7)
    found = tiled_plan(
        TiledProblem(_Table(cost), 0.2, a, b), tolerance=1e-12, max_iterations=100, newton=True
    )
    assert found.converged
    wanted = transport_plan(cost[None], a[None], b[None], temperature=0.2).plan[0]
    plan = torch.cat([part for _, part in found.plan.tiles()])
    torch.testing.assert_close(plan, wanted, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 100.0])
def test_histograms_of_any_precision_converge(dtype: torch.dtype, scale: float) -> None:
    cost, x, y = costs(1, 4, 50, 30), costs(2, 4, 50), costs(3, 4, 30)
    wide = x.softmax(1) * scale, y.softmax(1) * scale
    a, b = (mass.to(dtype) for mass in wide)
    if dtype == torch.float16:
        a, b = x.to(dtype).softmax(1), y.to(dtype).softmax(1)
    found = transport_plan(cost, a, b, temperature=0.1)
    assert found.converged.all()
    assert found.residual.max() <= 1e-12
    torch.testing.assert_close(found.plan.sum(2), a.double(), rtol=1e-12, atol=0)
    rough = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(found.plan.sum(1), b.double(), rtol=max(rough, 1e-9), atol=0)


@pytest.mark.parametrize("gradient", ["exact", "implicit", "unrolled"])
def test_the_derivative_in_masses_that_differ_by_rounding(gradient: Any) -> None:
    """Each mass by itself, not on a chart: the scaling of `b` is differentiated too."""
    cost = costs(1, 2, 3, 4)
    a, b = costs(2, 2, 3) + 0.5, costs(3, 2, 4) + 0.5
    b = b * (a.sum(1) / b.sum(1))[:, None]

    def plan(a: Tensor, b: Tensor) -> Tensor:
        options: dict[str, Any] = {"tolerance": 1e-15, "max_iterations": 300, "gradient": gradient}
        return transport_plan(cost, a, b, temperature=0.3, **options).plan

    at = a.requires_grad_(), b.requires_grad_()
    assert gradcheck(plan, at, eps=2e-7, atol=1e-6, rtol=1e-6)


def test_masses_that_require_a_gradient_they_do_not_get_are_refused() -> None:
    cost, mass = costs(1, 8), torch.ones(4, dtype=torch.float64, requires_grad=True)
    with pytest.raises(InputError, match="`a` and `b` must not require a gradient"):
        sparse_plan(all_entries(), cost, mass, mass, temperature=0.2)
    assert sparse_plan(
        all_entries(), cost, mass, mass, temperature=0.2, gradient="detach"
    ).converged.all()


@pytest.mark.parametrize("solve", [transport_plan, sparse_plan])
def test_an_unknown_gradient_is_refused(solve: Any) -> None:
    first = (all_entries(), costs(1, 8)) if solve is sparse_plan else (costs(1, 2, 2, 2),)
    mass = torch.ones(4).double() if solve is sparse_plan else torch.ones(2, 2)
    with pytest.raises(InputError, match=r"^`gradient` must be one of .*, got 'none'"):
        unchecked(solve)(*first, mass, mass, temperature=0.2, gradient="none")


@pytest.mark.parametrize("gradient", ["exact", "unrolled"])
def test_a_sparse_cost_may_forbid(gradient: Any) -> None:
    cost = costs(1, 8)
    cost[torch.tensor([1, 6])] = torch.inf
    a, b = torch.tensor([1.0, 2, 3, 1]).double(), torch.tensor([2.0, 1, 1, 3]).double()
    options: dict[str, Any] = {"temperature": 0.2, "gradient": gradient, "max_iterations": 5000}
    weight = costs(2, 8)
    one, other = cost.clone().requires_grad_(), cost.clone().requires_grad_()
    found = sparse_plan(all_entries(), one, a, b, **options)
    dense = transport_plan(other.view(2, 2, 2), a.view(2, 2), b.view(2, 2), **options).plan.reshape(
        8
    )
    torch.testing.assert_close(found.plan, dense, rtol=0, atol=1e-10)
    assert found.plan[1] == found.plan[6] == 0
    slope, wanted = (
        torch.autograd.grad((weight * plan).sum(), at)[0]
        for plan, at in ((found.plan, one), (dense, other))
    )
    torch.testing.assert_close(slope, wanted, rtol=0, atol=1e-8)
    cost[0] = torch.inf
    with pytest.raises(InputError, match="row 0 of pair 0, which has mass 1 and no entry to"):
        sparse_plan(all_entries(), cost, a, b, **options)


def test_a_given_plan_is_measured() -> None:
    a, b = torch.ones(4, 2), torch.ones(4, 2)
    plan = torch.full((4, 2, 2), 0.5)
    plan[1, 0, 0], plan[2], plan[3] = torch.nan, 10.0, torch.tensor([[1.5, -0.5], [-0.5, 1.5]])
    found = Transport.given(plan, a, b)
    wanted = [Status.CONVERGED, Status.NOT_FINITE, Status.STOPPED, Status.STOPPED]
    assert status(found.residual, found.converged) == wanted
    assert float(found.residual[2]) == pytest.approx(19)
    alone = Transport.given(plan)  # of no masses: only what is no plan at all is seen
    assert alone.converged.tolist() == [True, False, True, False]
