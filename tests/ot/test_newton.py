"""Newton: it arrives where sweeps would need thousands, and it arrives at the same place."""

import itertools

import pytest
import torch

from grapheme_torch.ot import _solver, transport_plan
from grapheme_torch.ot._newton import newton, schur
from grapheme_torch.ot._sinkhorn import Problem, sweep

from ..problems import costs, ragged

SIZES = [(n, m) for n in (1, 2, 5, 9, 12) for m in (1, 3, 5, 8, 12)]


@pytest.mark.parametrize("temperature", [0.1, 0.05, 0.02, 0.01, 0.005])
@pytest.mark.parametrize("seed", range(6))
def test_every_pair_converges_with_the_default_effort(temperature: float, seed: int) -> None:
    cost, a, b = ragged(seed, SIZES)
    found = transport_plan(cost, a, b, temperature=temperature)
    assert found.converged.all()
    assert found.residual.max() <= 1e-12
    assert found.iterations.max() <= 100
    missed = torch.maximum(
        (found.plan.sum(1) - b).abs().sum(1), (found.plan.sum(2) - a).abs().sum(1)
    ) / b.sum(1)
    torch.testing.assert_close(missed, found.residual, rtol=0, atol=1e-15)


@pytest.mark.repeats
def test_it_takes_few_steps_where_sweeps_take_thousands() -> None:
    cost, a, b = ragged(1, SIZES)
    fast = transport_plan(cost, a, b, temperature=0.02)
    slow = transport_plan(cost, a, b, temperature=0.02, gradient="unrolled", max_iterations=8000)
    assert slow.iterations.max() > 1000
    assert fast.iterations.max() < _solver.WARM_UP + 20
    both = fast.converged & slow.converged
    assert both.sum() > 15
    torch.testing.assert_close(fast.plan[both], slow.plan[both], rtol=0, atol=1e-6)


def test_near_the_solution_it_is_quadratic() -> None:
    cost, a, b = ragged(2, [(6, 6), (7, 4), (3, 8)])
    problem = Problem(cost / 0.1, a, b)
    g, _ = sweep(problem, torch.zeros_like(b), 1e-3, 1000)
    residuals = []
    for steps in range(4):
        at, _ = newton(problem, g, 0.0, steps)
        residuals.append(problem.residual(problem.plan(problem.row_potential(at), at).sum(1)))
    for before, after in itertools.pairwise(residuals):
        assert (after <= 100 * before**2 + 1e-14).all()


def test_a_pair_takes_the_steps_it_takes_alone() -> None:
    cost, a, b = ragged(4, SIZES)
    problem = Problem(cost / 0.02, a, b)
    start, _ = sweep(problem, torch.zeros_like(b), 1e-10, 20)
    g, steps = newton(problem, start, 1e-10, 50)
    assert len(set(steps.tolist())) > 3
    for k in range(len(SIZES)):
        one = torch.tensor([k])
        alone, count = newton(problem[one], start[one], 1e-10, 50)
        assert count == steps[one]
        torch.testing.assert_close(alone, g[one], rtol=0, atol=1e-9)


def test_the_matrix_is_minus_the_hessian_of_the_semi_dual() -> None:
    cost, a, b = ragged(5, [(3, 3), (4, 2), (2, 5)])
    problem = Problem(cost / 0.3, a, b)
    for k in range(len(a)):
        one, g = problem[torch.tensor([k])], costs(k, 1, b.shape[1])

        def value(g: torch.Tensor, one: Problem = one) -> torch.Tensor:
            mass = torch.where(one.a > 0, one.a * one.row_potential(g), 0)
            return (one.b * g).sum() + mass.sum()

        hessian = torch.autograd.functional.hessian(value, g)[0, :, 0]
        slope = torch.autograd.functional.jacobian(value, g)[0]
        plan = one.plan(one.row_potential(g), g)
        torch.testing.assert_close(slope, (one.b - plan.sum(1))[0], rtol=0, atol=1e-12)
        direction = slope - torch.where(one.b[0] > 0, slope[one.b[0] > 0].mean(), 0)
        direction = torch.where(one.b[0] > 0, direction, 0)
        torch.testing.assert_close(
            (schur(plan, one.a)[0] + hessian) @ direction,
            plan.sum(1)[0] * (plan.sum(1)[0] @ direction) / plan.sum(),
            rtol=0, atol=1e-12,
        )  # fmt: skip


def test_no_mass_and_no_pairs_are_no_trouble() -> None:
    nothing = torch.zeros(2, 3, dtype=torch.float64)
    g, steps = newton(Problem(costs(1, 2, 3, 3), nothing, nothing), nothing, 1e-10, 5)
    assert steps.tolist() == [0, 0]
    assert g.isfinite().all()
    none = torch.zeros(0, 3, dtype=torch.float64)
    _, steps = newton(Problem(costs(1, 0, 3, 3), none, none), none, 1e-10, 5)
    assert steps.shape == (0,)
