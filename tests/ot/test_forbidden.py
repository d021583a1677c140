"""Costs of plus infinity: the plan among those without such entries, its derivative, refusals."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import vmap

from grapheme_torch import InputError
from grapheme_torch.ot import Status, exact_plan, status, transport_cost, transport_plan

from ..problems import costs, ragged
from ..unrolled import sinkhorn
from .plans import MODE, MODES, slope_of

SIZES = [(4, 4), (5, 2), (3, 5)]


def _masked(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Ragged problems in which a third of the entries between nodes is forbidden, and which.

    The void stays open, and holds all mass if it must.
    """
    cost, a, b = ragged(seed, SIZES)
    a[:, -1], b[:, -1] = a[:, -1] + 4, b[:, -1] + 4
    shut = costs(seed + 50, *cost.shape) < 0.33
    shut[:, -1] = shut[:, :, -1] = False
    return cost, a, b, shut


@MODE
def test_plan_and_derivative_of_the_plain_program(mode: str) -> None:
    options, converges = MODES[mode]
    cost, a, b, shut = _masked(1)
    cost.requires_grad_()
    masked = cost.masked_fill(shut, torch.inf)
    found = transport_plan(masked, a, b, temperature=0.2, **options)
    assert not found.plan[shut].any()
    sweeps = None if converges else options["max_iterations"]
    high = cost.masked_fill(shut, 1e4)  # 50,000 temperatures
    plain = torch.stack([sinkhorn(high[k], a[k], b[k], 0.2, sweeps) for k in range(len(SIZES))])
    torch.testing.assert_close(found.plan, plain, rtol=0, atol=1e-11)
    slope = slope_of(found.plan, cost)
    torch.testing.assert_close(slope, slope_of(plain, cost), rtol=0, atol=1e-9)
    assert not slope[shut].any()
    assert slope.abs().max() > 0.1


@pytest.mark.repeats
@MODE
def test_derivative_by_finite_differences(mode: str) -> None:
    cost, a, b, shut = _masked(2)

    def plan(cost: Tensor, x: Tensor, y: Tensor) -> Tensor:
        masked = cost.masked_fill(shut, torch.inf)
        return transport_plan(masked, a * x, b * y, temperature=0.2, **MODES[mode][0]).plan

    one = (a.sum(1) / (a * costs(3, *a.shape).exp()).sum(1))[:, None] * costs(3, *a.shape).exp()
    at = cost.requires_grad_(), one.requires_grad_(), torch.ones_like(b)
    assert gradcheck(plan, at, eps=1e-7, atol=1e-6, rtol=1e-6, fast_mode=True)


@pytest.mark.repeats
def test_second_derivatives_by_finite_differences() -> None:
    cost, a, b, shut = _masked(3)

    def plan(cost: Tensor) -> Tensor:
        masked = cost.masked_fill(shut, torch.inf)
        return transport_plan(
            masked, a, b, temperature=0.3, gradient="implicit", tolerance=1e-14, max_iterations=200
        ).plan

    assert gradgradcheck(plan, cost.requires_grad_(), eps=1e-5, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.1, 0.02])
def test_the_cost_is_finite_and_its_gradient_the_plan(temperature: float) -> None:
    cost, a, b, shut = _masked(4)
    masked = cost.masked_fill(shut, torch.inf).requires_grad_()
    value = transport_cost(masked, a, b, temperature=temperature)
    plan = transport_plan(masked.detach(), a, b, temperature=temperature).plan
    share = torch.where(plan > 0, plan / (a[:, :, None] * b[:, None, :]), 1).log()
    primal = (plan * cost).sum((1, 2)) + temperature * (plan * share).sum((1, 2))
    torch.testing.assert_close(value, primal, rtol=1e-10, atol=1e-10)
    (slope,) = torch.autograd.grad(value.sum(), masked)
    torch.testing.assert_close(slope, plan, rtol=0, atol=1e-13)


@MODE
def test_an_infinite_derivative_at_a_forbidden_entry_does_no_harm(mode: str) -> None:
    """As of `where(plan > 0, plan * cost, 0)`."""
    cost, a, b, shut = _masked(5)
    masked = cost.masked_fill(shut, torch.inf).requires_grad_()
    found = transport_plan(masked, a, b, temperature=0.2, **MODES[mode][0])
    (slope,) = torch.autograd.grad(found.plan, masked, masked.detach())
    again = transport_plan(masked, a, b, temperature=0.2, **MODES[mode][0])
    (wanted,) = torch.autograd.grad(again.plan, masked, cost.masked_fill(shut, 0))
    torch.testing.assert_close(slope, wanted, rtol=0, atol=1e-12)
    assert not slope[shut].any()


def _program(cost: Tensor, a: Tensor, b: Tensor) -> float | None:
    """The least cost of a linear program, none if there is no plan."""
    n, m = cost.shape
    margins = np.vstack([np.repeat(np.eye(n), m, 1), np.tile(np.eye(m), n)])
    open_ = cost.flatten().numpy() < np.inf
    if not open_.any():
        return None
    found = linprog(
        cost.flatten().numpy()[open_], A_eq=margins[:, open_], b_eq=torch.cat([a, b]).numpy()
    )
    return float(found.fun) if found.success else None


@pytest.mark.repeats
@pytest.mark.parametrize("whole", [True, False])
def test_random_masks_have_the_plan_of_a_linear_program_or_are_refused(*, whole: bool) -> None:
    """Few entries are open: some pairs have no plan, some have plans that leave entries empty."""
    counts = [0, 0]
    for seed in range(60):
        n, m = 2 + seed % 4, 2 + seed // 4 % 4
        cost = costs(seed, n, m).masked_fill(costs(seed + 100, n, m) < 0.35, torch.inf)
        a, b = torch.full((n,), float(m)), torch.full((m,), float(n))
        if not whole:
            a = a * costs(seed + 200, n) + 0.1
            b = b * costs(seed + 300, m) + 0.1
            b = b * (a.sum() / b.sum())
        a, b = a.double(), b.double()
        least = _program(cost, a, b)
        counts[least is None] += 1
        if least is None:
            for solve in (exact_plan, lambda *x: transport_plan(*x, temperature=0.1)):
                with pytest.raises(InputError, match=r"^`cost` must allow a plan .* pair 0"):
                    solve(cost[None], a[None], b[None])
            continue
        shut = cost == torch.inf
        exact = exact_plan(cost[None], a[None], b[None])[0]
        assert not exact[shut].any()
        torch.testing.assert_close(exact.sum(1), a, rtol=0, atol=1e-13)
        torch.testing.assert_close(exact.sum(0), b, rtol=0, atol=1e-13)
        assert float((exact * cost.masked_fill(shut, 0)).sum()) == pytest.approx(least, abs=1e-9)
        for gradient in ("exact", "implicit", "unrolled"):
            found = transport_plan(
                cost[None], a[None], b[None], temperature=0.3, gradient=gradient,
                max_iterations=5000,
            )  # fmt: skip
            assert found.converged.all()
            assert not found.plan[0][shut].any()
            torch.testing.assert_close(found.plan[0].sum(0), b, rtol=0, atol=1e-10)
    assert min(counts) > 10


@pytest.mark.repeats
@MODE
@pytest.mark.parametrize("n", [2, 5, 12])
def test_entries_that_no_plan_can_use(mode: str, n: int) -> None:
    """Of a triangle only the diagonal can hold unit masses; sweeps alone creep towards that."""
    cost = costs(n, 2, n, n).masked_fill(torch.ones(n, n).tril(-1) > 0, torch.inf)
    cost[1] = costs(n, n, n)
    cost.requires_grad_()
    one = torch.ones(2, n)
    options, converges = MODES[mode]
    found = transport_plan(cost, one, one, temperature=0.3, **options)
    torch.testing.assert_close(found.plan[0], torch.eye(n).double(), rtol=0, atol=1e-11)
    assert bool(found.residual[0] <= 1e-12)
    assert found.converged.tolist() == [converges] * 2
    slope = slope_of(found.plan, cost)
    torch.testing.assert_close(slope[0], torch.zeros_like(slope[0]), rtol=0, atol=1e-10)
    alone = transport_plan(cost[1:].detach().requires_grad_(), one[1:], one[1:], temperature=0.3,
                           **options)  # fmt: skip
    torch.testing.assert_close(found.plan[1], alone.plan[0], rtol=0, atol=1e-13)


def test_blocks_are_problems_of_their_own() -> None:
    cost, one = costs(1, 1, 6, 6), torch.ones(1, 6)
    parts = [cost[:, :2, :2], cost[:, 2:, 2:]]
    masked = torch.full_like(cost, torch.inf)
    masked[:, :2, :2], masked[:, 2:, 2:] = parts
    for gradient in ("exact", "implicit", "unrolled"):
        masked.requires_grad_()
        options: dict[str, Any] = {"temperature": 0.2, "gradient": gradient, "max_iterations": 3000}
        plan = transport_plan(masked, one, one, **options).plan
        weight = costs(2, 1, 6, 6)
        (slope,) = torch.autograd.grad((weight * plan).sum(), masked)
        for part, at in zip(parts, (slice(0, 2), slice(2, 6)), strict=True):
            part = part.clone().requires_grad_()
            alone = transport_plan(part, one[:, at], one[:, at], **options).plan
            torch.testing.assert_close(plan[:, at, at], alone, rtol=0, atol=1e-11)
            (wanted,) = torch.autograd.grad((weight[:, at, at] * alone).sum(), part)
            torch.testing.assert_close(slope[:, at, at], wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("shut", "message"),
    [
        ([(0, 0), (0, 1), (0, 2)], "row 0 of pair 1, which has mass 2 and no allowed column"),
        ([(0, 1), (1, 1), (2, 1)], "column 1 of pair 1, which has mass 3 and no allowed row"),
        (
            [(0, 1), (0, 2), (1, 1), (1, 2)],
            "rows 0, 1 of pair 1, which have 3 more mass than all the columns allowed to them",
        ),
    ],
)
def test_what_no_plan_can_do_is_refused(shut: list[tuple[int, int]], message: str) -> None:
    cost = costs(1, 2, 3, 3)
    a, b = torch.tensor([[2.0, 2, 2]]).repeat(2, 1), torch.tensor([[1.0, 3, 2]]).repeat(2, 1)
    for at in shut:
        cost[(1, *at)] = torch.inf
    whole = (
        f"`cost` must allow a plan (plus infinity forbids an entry), got {message}. "
        "Allow more entries, or set masses that fit."
    )
    for solve in (
        exact_plan,
        lambda *x: transport_plan(*x, temperature=0.1),
        lambda *x: transport_plan(*x, temperature=0.1, max_iterations=1, gradient="unrolled"),
        lambda *x: transport_cost(*x, temperature=1.0),
    ):
        with pytest.raises(InputError, match="^" + re.escape(whole) + "$"):
            solve(cost, a, b)


def test_the_last_way_of_a_row_may_be_a_column_without_mass() -> None:
    cost, a, b = costs(1, 1, 2, 2), torch.tensor([[1.0, 1]]), torch.tensor([[2.0, 0]])
    cost[0, 1, 0] = torch.inf
    with pytest.raises(InputError, match="row 1 of pair 0, which has mass 1 and no allowed"):
        transport_plan(cost, a, b, temperature=0.1)
    cost[0, 1, 0], cost[0, 0, 1] = 0.5, torch.inf  # looked at by nobody
    found = transport_plan(cost, a, b, temperature=0.1)
    wanted = torch.tensor([[[1.0, 0], [1, 0]]]).double()
    torch.testing.assert_close(found.plan, wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize("spoil", [torch.nan, -torch.inf])
def test_a_spoilt_pair_is_not_a_number_and_the_others_are_right(spoil: float) -> None:
    cost, a, b, shut = _masked(6)
    masked = cost.masked_fill(shut, torch.inf)
    good, best = transport_plan(masked, a, b, temperature=0.1), exact_plan(masked, a, b)
    masked[1, 0, 0], masked[1, 1] = spoil, torch.inf
    found = transport_plan(masked.requires_grad_(), a, b, temperature=0.1)
    exact = exact_plan(masked, a, b)
    assert status(found.residual, found.converged)[1] is Status.NOT_FINITE
    slope = slope_of(found.plan, masked)
    for k in (0, 2):
        assert torch.equal(found.plan[k], good.plan[k])
        assert torch.equal(exact[k], best[k])
        assert slope[k].isfinite().all()
    assert found.plan[1].isnan().all()
    assert exact[1].isnan().all()


def test_mapped_is_one_by_one() -> None:
    many = [_masked(seed) for seed in range(3)]
    cost, a, b = (torch.stack(x) for x in list(zip(*many, strict=True))[:3])
    cost = cost.masked_fill(torch.stack([x[3] for x in many]), torch.inf)
    found = vmap(lambda *x: transport_plan(*x, temperature=0.2).plan)(cost, a, b)
    for k in range(3):
        wanted = transport_plan(cost[k], a[k], b[k], temperature=0.2).plan
        torch.testing.assert_close(found[k], wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("scale", "temperature"), list(itertools.product([1e-6, 1, 1e6], [0.05])))
def test_the_scale_of_cost_and_temperature_does_not_matter(
    scale: float, temperature: float
) -> None:
    cost, a, b, shut = _masked(7)
    masked = cost.masked_fill(shut, torch.inf)
    wanted = transport_plan(masked, a, b, temperature=temperature).plan
    found = transport_plan(scale * masked, a, b, temperature=scale * temperature).plan
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
