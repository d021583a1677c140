"""The sweeps: what each half does, when they stop, and that pairs do not notice each other."""

import pytest
import torch

from grapheme_torch.ot import transport_plan
from grapheme_torch.ot._sinkhorn import Problem, sweep, sweep_path

from ..problems import costs, ragged, two_points
from ..unrolled import sinkhorn

SIZES = [(4, 4), (5, 2), (2, 6), (1, 1), (1, 3)]


def _problem(temperature: float = 0.2) -> Problem:
    cost, a, b = ragged(3, SIZES)
    return Problem(cost / temperature, a, b)


def test_each_half_sweep_makes_its_margin_exact() -> None:
    problem = _problem()
    g = costs(1, *problem.b.shape)
    f = problem.row_potential(g)
    torch.testing.assert_close(problem.plan(f, g).sum(2), problem.a, rtol=0, atol=1e-14)
    g = problem.column_potential(f)
    torch.testing.assert_close(problem.plan(f, g).sum(1), problem.b, rtol=0, atol=1e-14)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_k_sweeps_are_the_k_sweeps_of_the_plain_program(count: int) -> None:
    problem = _problem()
    g, iterations = sweep(problem, torch.zeros_like(problem.b), -1.0, count)
    assert iterations.tolist() == [count] * len(SIZES)
    path = sweep_path(problem, iterations)
    assert len(path) == count + 1
    assert torch.equal(path[-1], g)
    plan = problem.plan(problem.row_potential(g), g)
    for k in range(len(SIZES)):
        wanted = sinkhorn(0.2 * problem.c[k], problem.a[k], problem.b[k], 0.2, count)
        torch.testing.assert_close(plan[k], wanted, rtol=0, atol=1e-13)


def test_a_pair_stops_at_its_tolerance_and_not_before() -> None:
    problem, tolerance = _problem(), 1e-6
    g, iterations = sweep(problem, torch.zeros_like(problem.b), tolerance, 500)
    assert (iterations > 0).any()
    path = torch.stack(sweep_path(problem, iterations))
    assert torch.equal(path[-1], g)
    for k, stop in enumerate(iterations.tolist()):
        for step, at in enumerate(path[:, k]):
            one = problem[torch.tensor([k])]
            plan = one.plan(one.row_potential(at[None]), at[None])
            missed = (plan.sum(1) - one.b).abs().sum() / one.b.sum()
            assert (missed <= tolerance) == (step >= stop)
        assert (path[stop:, k] == path[stop, k]).all()


@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_two_points_have_their_closed_form(temperature: float) -> None:
    cost = costs(5, 20, 2, 2).requires_grad_()
    unit = torch.ones(20, 2, dtype=torch.float64)
    found = transport_plan(
        cost, unit, unit, temperature=temperature, tolerance=1e-14, gradient="unrolled",
        max_iterations=5000,
    )  # fmt: skip
    wanted = two_points(cost, temperature)
    torch.testing.assert_close(found.plan, wanted, rtol=0, atol=1e-12)
    weight = costs(6, 20, 2, 2)
    slopes = [torch.autograd.grad((weight * plan).sum(), cost)[0] for plan in (found.plan, wanted)]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=0, atol=1e-10)
    assert slopes[1].abs().max() > 1e-3


def test_a_cost_of_rows_plus_columns_moves_mass_in_proportion() -> None:
    a, b = costs(7, 3, 4) + 0.1, costs(8, 3, 5) + 0.1
    b = b * (a.sum(1) / b.sum(1))[:, None]
    cost = costs(9, 3, 4)[:, :, None] + costs(10, 3, 5)[:, None, :]
    found = transport_plan(cost, a, b, temperature=0.1, gradient="unrolled")
    wanted = a[:, :, None] * b[:, None, :] / a.sum(1)[:, None, None]
    torch.testing.assert_close(found.plan, wanted, rtol=0, atol=1e-12)
    assert found.iterations.tolist() == [1, 1, 1]
