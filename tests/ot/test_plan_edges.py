"""The plan at its edges: nothing to move, no choice, infinite costs, low precision, refusals."""

import itertools
import re
from typing import Any

import pytest
import torch

from grapheme_torch import InputError
from grapheme_torch.ot import GradientMode, Status, status, transport_plan

from ..problems import costs, ragged
from ..unchecked import unchecked
from ..unrolled import sinkhorn
from .plans import MODE, MODES, SIZES, slope_of


def test_a_batch_of_none() -> None:
    for gradient, sides in itertools.product(("exact", "unrolled", "detach"), [(3, 4), (1, 1)]):
        n, m = sides
        cost = torch.zeros(0, n, m, dtype=torch.float64, requires_grad=True)
        found = transport_plan(
            cost, torch.zeros(0, n), torch.zeros(0, m), temperature=0.1, gradient=gradient
        )
        assert found.plan.shape == (0, n, m)
        assert found.iterations.shape == found.residual.shape == found.converged.shape == (0,)
        if gradient != "detach":
            assert torch.autograd.grad(found.plan.sum(), cost)[0].shape == (0, n, m)


@MODE
def test_no_mass_moves_nothing(mode: str) -> None:
    cost = costs(1, 2, 3, 4).requires_grad_()
    a, b = torch.zeros(2, 3), torch.zeros(2, 4)
    a[1, 0] = b[1, 2] = 1
    found = transport_plan(cost, a, b, temperature=0.1, **MODES[mode][0])
    slope, plan = slope_of(found.plan, cost), found.plan.detach()
    assert not plan[0].any()
    assert found.residual[0] == 0
    assert float(plan[1, 0, 2]) == pytest.approx(1, abs=1e-12)
    assert float(plan.sum()) == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-12)


def test_a_cost_that_is_not_finite_spoils_its_pair_only() -> None:
    cost, a, b = ragged(3, SIZES)
    good = transport_plan(cost, a, b, temperature=0.1)
    cost[1, 0, 1], cost[2, 1, 0], cost[3, 4, 4] = (
        torch.nan,
        -torch.inf,
        torch.nan,
    )  # the last: unused
    found = transport_plan(cost.requires_grad_(), a, b, temperature=0.1)
    slope = slope_of(found.plan, cost)
    for k in range(len(SIZES)):
        if k in (1, 2):
            assert found.plan[k].isnan().all()
            assert found.iterations[k] == 0
            assert not found.converged[k]
            assert slope[k].isnan().any()
        else:
            torch.testing.assert_close(found.plan[k], good.plan[k])
            assert slope[k].isfinite().all()
    stati = status(found.residual, found.converged)
    assert stati[1] is stati[2] is Status.NOT_FINITE


def test_one_node_has_no_choice() -> None:
    cost, one = costs(1, 3, 1, 1).requires_grad_(), torch.ones(3, 1)
    found = transport_plan(cost, one, one, temperature=0.01)
    torch.testing.assert_close(found.plan, torch.ones_like(cost), rtol=0, atol=1e-14)
    torch.testing.assert_close(
        slope_of(found.plan, cost), torch.zeros_like(cost), rtol=0, atol=1e-12
    )
    assert found.converged.all()


def test_equal_rows_share_alike() -> None:
    cost = costs(2, 1, 1, 4).expand(1, 3, 4).clone().requires_grad_()
    a, b = torch.full((1, 3), 4.0), torch.full((1, 4), 3.0)
    found = transport_plan(cost, a, b, temperature=0.05, tolerance=1e-13)
    torch.testing.assert_close(found.plan, torch.ones_like(cost), rtol=0, atol=1e-12)
    plain = sinkhorn(cost[0], a[0].double(), b[0].double(), 0.05)
    wanted = slope_of(plain[None], cost)
    torch.testing.assert_close(slope_of(found.plan, cost), wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("gradient", ["exact", "unrolled"])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2)])
def test_low_precision_in_low_precision_out(
    gradient: GradientMode, dtype: torch.dtype, bound: float
) -> None:
    cost, a, b = ragged(15, SIZES)
    rounded = cost.to(dtype)
    low, high = rounded.clone().requires_grad_(), rounded.double().requires_grad_()
    options = {"temperature": 0.1, "gradient": gradient, "max_iterations": 1000}
    found = transport_plan(low, a.to(dtype), b.to(dtype), **options)
    wanted = transport_plan(high, a, b, **options)
    assert found.plan.dtype == dtype
    assert torch.equal(found.iterations, wanted.iterations)
    torch.testing.assert_close(found.plan.double(), wanted.plan, rtol=bound, atol=bound)
    slope = torch.autograd.grad(found.plan[:, 0].sum() + found.plan[:, :, 1].sum(), low)[0]
    other = torch.autograd.grad(wanted.plan[:, 0].sum() + wanted.plan[:, :, 1].sum(), high)[0]
    assert slope.dtype == dtype
    torch.testing.assert_close(slope.double(), other, rtol=bound, atol=bound)


def test_strides_do_not_matter() -> None:
    cost, a, b = ragged(16, SIZES)
    turned = cost.mT.contiguous().mT
    assert not turned.is_contiguous()
    first = transport_plan(cost.requires_grad_(), a, b, temperature=0.1)
    second = transport_plan(turned.requires_grad_(), a, b, temperature=0.1)
    torch.testing.assert_close(first.plan, second.plan, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        slope_of(first.plan, cost), slope_of(second.plan, turned), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0.0}, "`temperature` must be positive, got 0.0. Try 0.1."),
        (
            {"temperature": torch.ones(2)},
            "`temperature` must be one number, or one per pair (1), got 2. Try 0.1.",
        ),
        ({"tolerance": float("nan")}, "`tolerance` must be a number, got nan. Try 1e-12."),
        ({"temperature": -1.0}, "`temperature` must be positive, got -1.0. Try 0.1."),
        ({"temperature": float("nan")}, "`temperature` must be positive, got nan. Try 0.1."),
        ({"max_iterations": 0}, "`max_iterations` must be at least 1, got 0. Try 100."),
        (
            {"b": torch.tensor([[2.5, -0.5]])},
            "`b` must be finite and not negative, got -0.5 for column 1 of pair 0. "
            "Zero switches a column off.",
        ),
        (
            {"a": torch.tensor([[1.0, 1.5]])},
            "`a` and `b` must have equal sums, got 2.5 and 2 in pair 0. Add a void row or column.",
        ),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    call: dict[str, Any] = {
        "cost": costs(1, 1, 2, 2), "a": torch.ones(1, 2), "b": torch.ones(1, 2), "temperature": 0.1,
    }  # fmt: skip
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        unchecked(transport_plan)(**call | change)
