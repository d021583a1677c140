"""The plan and its derivative: margins, oracles, finite differences, batches."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import ot
from grapheme_torch.ot import (
    GradientMode,
    Transport,
    _adjoint,
    _solver,
    exact_plan,
    transport_plan,
)

from ..problems import costs, ragged, two_points
from ..unrolled import sinkhorn
from .plans import MODE, MODES, SIZES, slope_of

FEW = [(3, 3), (3, 2), (1, 3), (1, 1)]


@pytest.mark.parametrize("gradient", ["exact", "unrolled", "detach"])
@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.5])
def test_margins(gradient: GradientMode, temperature: float) -> None:
    cost, a, b = ragged(1, SIZES)
    found = transport_plan(
        cost, a, b, temperature=temperature, tolerance=1e-10, gradient=gradient, max_iterations=5000
    )
    assert found.converged.all()
    assert (found.plan >= 0).all()
    torch.testing.assert_close(found.plan.sum(2), a, rtol=0, atol=1e-13)
    torch.testing.assert_close(found.plan.sum(1), b, rtol=0, atol=1e-9)
    missed = torch.maximum(
        (found.plan.sum(1) - b).abs().sum(1), (found.plan.sum(2) - a).abs().sum(1)
    ) / b.sum(1)
    torch.testing.assert_close(found.residual, missed, rtol=0, atol=1e-15)


@pytest.mark.parametrize("temperature", [0.02, 0.1, 1.0])
def test_two_points_have_their_closed_form(temperature: float) -> None:
    cost = costs(1, 30, 2, 2).requires_grad_()
    unit = torch.ones(30, 2, dtype=torch.float64)
    found = transport_plan(cost, unit, unit, temperature=temperature, tolerance=1e-13)
    wanted = two_points(cost, temperature)
    torch.testing.assert_close(found.plan, wanted, rtol=0, atol=1e-12)
    by_hand = slope_of(wanted, cost)
    torch.testing.assert_close(slope_of(found.plan, cost), by_hand, rtol=0, atol=1e-10)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.3])
def test_plan_of_python_optimal_transport(temperature: float) -> None:
    cost, a, b = ragged(2, SIZES)
    found = transport_plan(cost, a, b, temperature=temperature, tolerance=1e-12)
    for k in range(len(SIZES)):
        rows, columns = a[k] > 0, b[k] > 0
        wanted = ot.sinkhorn(
            a[k, rows], b[k, columns], cost[k][rows][:, columns], temperature,
            method="sinkhorn_log", numItermax=50_000, stopThr=1e-12, warn=False,
        )  # fmt: skip
        torch.testing.assert_close(found.plan[k][rows][:, columns], wanted, rtol=0, atol=1e-8)
        assert found.plan[k].sum() == pytest.approx(float(a[k].sum()), abs=1e-12)


def test_cold_plans_are_the_exact_ones() -> None:
    cost, a, b = ragged(9, [(5, 5), (6, 3), (2, 7)])
    cold = transport_plan(cost, a, b, temperature=1e-3)
    assert cold.converged.all()
    torch.testing.assert_close(cold.plan, exact_plan(cost, a, b), rtol=0, atol=1e-4)


@pytest.mark.repeats
@MODE
def test_derivative_by_finite_differences(mode: str) -> None:
    options, converges = MODES[mode]
    cost, a, b = ragged(4, FEW)
    found = transport_plan(cost, a, b, temperature=0.2, **options)
    assert found.converged.tolist() == [converges] * len(FEW)

    def plan(cost: Tensor) -> Tensor:
        return transport_plan(cost, a, b, temperature=0.2, **options).plan

    assert gradcheck(plan, cost.requires_grad_(), eps=1e-5, atol=1e-7, rtol=1e-6)


@pytest.mark.repeats
@MODE
def test_derivative_in_the_masses_by_finite_differences(mode: str) -> None:
    """On a chart of what masses may be: shares of one and a half."""
    cost, at = costs(1, 2, 3, 4), (costs(2, 2, 3), costs(3, 2, 4))

    def plan(x: Tensor, y: Tensor) -> Tensor:
        a, b = 1.5 * x.softmax(1), 1.5 * y.softmax(1)
        return transport_plan(cost, a, b, temperature=0.2, **MODES[mode][0]).plan

    assert gradcheck(plan, tuple(x.requires_grad_() for x in at), eps=1e-5, atol=1e-7, rtol=1e-6)


@pytest.mark.repeats
def test_second_derivatives_by_finite_differences() -> None:
    cost, a, b = ragged(4, FEW)

    def plan(cost: Tensor, a: Tensor, b: Tensor) -> Tensor:
        options = {"gradient": "implicit", "tolerance": 1e-14, "max_iterations": 200}
        return transport_plan(cost, a, b, temperature=0.2, **options).plan

    def of_cost(cost: Tensor) -> Tensor:
        return plan(cost, a, b)

    assert gradgradcheck(of_cost, cost.requires_grad_(), eps=1e-5, atol=1e-6, rtol=1e-5)

    def of_shares(x: Tensor, y: Tensor) -> Tensor:
        return plan(costs(1, 2, 3, 4), x.softmax(1), y.softmax(1))

    at = costs(2, 2, 3).requires_grad_(), costs(3, 2, 4).requires_grad_()
    assert gradgradcheck(of_shares, at, eps=1e-5, atol=1e-6, rtol=1e-5)


@MODE
def test_derivative_of_the_plain_program(mode: str) -> None:
    options, converges = MODES[mode]
    cost, a, b = ragged(5, SIZES)
    cost.requires_grad_()
    found = transport_plan(cost, a, b, temperature=0.2, **options)
    sweeps = None if converges else options["max_iterations"]
    plain = torch.stack([sinkhorn(cost[k], a[k], b[k], 0.2, sweeps) for k in range(len(SIZES))])
    torch.testing.assert_close(found.plan, plain, rtol=0, atol=1e-11)
    wanted = slope_of(plain, cost)
    torch.testing.assert_close(slope_of(found.plan, cost), wanted, rtol=0, atol=1e-9)
    assert wanted.abs().max() > 0.1


def test_a_batch_of_pairs_that_converged_and_pairs_that_did_not() -> None:
    cost, a, b = ragged(6, SIZES)
    cost[0] = cost[0, :, :1] + cost[0, :1, :]  # one sweep solves this one
    options = {"temperature": 0.05, "tolerance": 1e-12, "max_iterations": 3}
    found = transport_plan(cost.requires_grad_(), a, b, **options)
    assert found.converged.any()
    assert not found.converged.all()
    plain = torch.stack(
        [
            sinkhorn(cost[k], a[k], b[k], 0.05, None if found.converged[k] else 3)
            for k in range(len(SIZES))
        ]
    )
    wanted = slope_of(plain, cost)
    torch.testing.assert_close(slope_of(found.plan, cost), wanted, rtol=0, atol=1e-9)


def test_pairs_that_newton_leaves_open_fall_back_to_sweeps() -> None:
    cost, a, b = ragged(7, [(12, 12), (3, 3), (11, 12), (2, 2)])
    options = {"temperature": 0.02, "tolerance": 1e-10, "max_iterations": _solver.WARM_UP + 2}
    found = transport_plan(cost.requires_grad_(), a, b, **options)
    assert found.converged.any()
    assert not found.converged.all()
    slope = slope_of(found.plan, cost)
    for k in (~found.converged).nonzero()[:, 0].tolist():
        assert found.iterations[k] == _solver.WARM_UP + 2
        plain = sinkhorn(cost[k], a[k], b[k], 0.02, _solver.WARM_UP + 2)
        torch.testing.assert_close(found.plan[k], plain, rtol=0, atol=1e-11)
        wanted = slope_of(plain[None], cost)[k]
        torch.testing.assert_close(slope[k], wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("gradient", ["exact", "implicit", "unrolled"])
def test_what_is_kept_for_backward_does_not_grow_with_the_iterations(
    gradient: GradientMode,
) -> None:
    cost, a, b = ragged(8, SIZES)

    def kept(**options: Any) -> int:
        sizes: dict[int, int] = {}

        def note(x: Tensor) -> Tensor:
            sizes[x.data_ptr()] = x.numel() * x.element_size()
            return x

        with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
            transport_plan(
                cost.requires_grad_(), a, b, temperature=0.05, gradient=gradient, **options
            )
        return sum(sizes.values())

    few, many = (kept(tolerance=-1.0, max_iterations=count) for count in (3, 300))
    assert few == many
    entries = cost.numel() + a.numel() + b.numel() + 3 * len(SIZES)
    parts = a.numel() + b.numel()  # a small number of each row and column, see `_forbidden`
    assert many <= 8 * (entries + cost.numel()) + 4 * parts


@pytest.mark.usefixtures("in_pytorch")
def test_a_converged_plan_is_differentiated_by_one_solve(monkeypatch) -> None:
    cost, a, b = ragged(8, SIZES)
    found = transport_plan(cost.requires_grad_(), a, b, temperature=0.1)

    def wasteful(*_: object) -> None:
        raise AssertionError("went back through the sweeps although the pair converged")

    monkeypatch.setattr(_adjoint, "sweep_path", wasteful)
    assert slope_of(found.plan, cost).isfinite().all()
    open_ = transport_plan(cost, a, b, temperature=0.1, gradient="unrolled")
    with pytest.raises(AssertionError, match="went back"):
        slope_of(open_.plan, cost)


@pytest.mark.parametrize("temperature", [0.1, 0.02, 0.005])
def test_cold_derivatives_are_finite_and_conserve_mass(temperature: float) -> None:
    cost, a, b = ragged(9, [(12, 12), (12, 7), (5, 12), (1, 1)])
    found = transport_plan(cost.requires_grad_(), a, b, temperature=temperature)
    slope = slope_of(found.plan, cost)
    assert slope.isfinite().all()
    # Raising a whole row or column of costs moves nothing.
    torch.testing.assert_close(slope.sum(1), torch.zeros_like(b), rtol=0, atol=1e-7)
    torch.testing.assert_close(slope.sum(2), torch.zeros_like(a), rtol=0, atol=1e-7)


def test_a_cut_plan_has_no_gradient_but_the_same_value() -> None:
    cost, a, b = ragged(10, SIZES)
    cut = transport_plan(cost.requires_grad_(), a, b, temperature=0.1, gradient="detach")
    whole = transport_plan(cost, a, b, temperature=0.1)
    assert not cut.plan.requires_grad
    assert whole.plan.requires_grad
    assert torch.equal(cut.plan, whole.plan)


@pytest.mark.parametrize("gradient", ["exact", "unrolled"])
def test_a_second_derivative_is_refused(gradient: GradientMode) -> None:
    cost, a, b = ragged(11, SIZES)
    found = transport_plan(cost.requires_grad_(), a, b, temperature=0.1, gradient=gradient)
    (slope,) = torch.autograd.grad(found.plan.square().sum(), cost, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiated once"):
        slope.sum().backward()


def test_evidence_carries_no_gradient() -> None:
    cost, a, b = ragged(12, SIZES)
    found = transport_plan(cost.requires_grad_(), a, b, temperature=0.1)
    assert not found.residual.requires_grad
    assert found.iterations.dtype == torch.long
    assert found.converged.dtype == torch.bool


def test_the_incoming_gradient_is_left_alone() -> None:
    cost, a, b = ragged(13, SIZES)
    for options, _ in MODES.values():
        found = transport_plan(cost.requires_grad_(), a, b, temperature=0.2, **options)
        incoming = costs(1, *cost.shape)
        kept = incoming.clone()
        first = torch.autograd.grad(found.plan, cost, incoming, retain_graph=True)[0]
        assert torch.equal(incoming, kept)
        assert torch.equal(first, torch.autograd.grad(found.plan, cost, incoming)[0])


@MODE
def test_a_pair_is_the_same_alone_in_a_batch_and_padded(mode: str) -> None:
    options, _ = MODES[mode]
    cost, a, b = ragged(14, SIZES)
    wide = ragged(14, SIZES, width=(9, 11))

    def answer(cost: Tensor, a: Tensor, b: Tensor) -> tuple[Transport, Tensor]:
        cost = cost.clone().requires_grad_()
        found = transport_plan(cost, a, b, temperature=0.1, **options)
        weight = torch.where(found.plan.detach() > 0, found.plan.detach().log(), 0)
        return found, torch.autograd.grad((weight * found.plan).sum(), cost)[0]

    batch, batch_slope = answer(cost, a, b)
    padded, padded_slope = answer(*wide)
    assert torch.equal(padded.iterations, batch.iterations)
    for k, (n, m) in enumerate(SIZES):
        rows, columns = [*range(n), -1], [*range(m), -1]
        alone, slope = answer(
            cost[k : k + 1, rows][:, :, columns], a[k : k + 1, rows], b[k : k + 1, columns]
        )
        assert alone.iterations[0] == batch.iterations[k]
        assert alone.converged[0] == batch.converged[k]
        for found, found_slope in ((batch, batch_slope), (padded, padded_slope)):
            for value, wanted in ((found.plan, alone.plan), (found_slope, slope)):
                torch.testing.assert_close(
                    value[k, rows][:, columns], wanted[0], rtol=1e-12, atol=1e-12
                )
                everywhere = float(value[k].detach().abs().sum())
                assert everywhere == pytest.approx(float(wanted.detach().abs().sum()), abs=1e-11)
