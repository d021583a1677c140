"""The regularised cost: its value by two ways, its gradient by finite differences, its bounds."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import grad, vmap

import ot
from grapheme_torch import InputError
from grapheme_torch.ot import _plan, transport_cost, transport_plan

from ..problems import costs, ragged

SIZES = [(4, 4), (5, 2), (1, 3), (1, 1)]


@pytest.mark.parametrize("temperature", [0.05, 0.3])
def test_value_of_the_primal_problem_and_of_python_optimal_transport(temperature: float) -> None:
    cost, a, b = ragged(1, SIZES)
    found = transport_cost(cost, a, b, temperature=temperature)
    plan = transport_plan(cost, a, b, temperature=temperature).plan
    product = a[:, :, None].double() * b[:, None, :]
    share = torch.where(product > 0, plan / torch.where(product > 0, product, 1), 1)
    primal = (plan * cost).sum((1, 2)) + temperature * (plan * share.log()).sum((1, 2))
    torch.testing.assert_close(found, primal, rtol=0, atol=1e-10)
    for k in range(len(SIZES)):
        rows, columns = a[k] > 0, b[k] > 0
        theirs = ot.solve(
            cost[k][rows][:, columns], a[k, rows].double(), b[k, columns].double(),
            reg=temperature, reg_type="KL", max_iter=50_000, tol=1e-10,
        )  # fmt: skip
        torch.testing.assert_close(found[k], theirs.value, rtol=0, atol=1e-8)


@pytest.mark.repeats
def test_derivatives_by_finite_differences() -> None:
    cost, a, b = ragged(2, SIZES)

    def value(cost: Tensor) -> Tensor:
        return transport_cost(cost, a, b, temperature=0.2, tolerance=1e-14, max_iterations=200)

    assert gradcheck(value, cost.requires_grad_(), eps=1e-5, atol=1e-8, rtol=1e-6)
    assert gradgradcheck(value, cost, eps=1e-5, atol=1e-6, rtol=1e-5)


def test_the_gradient_is_the_plan() -> None:
    cost, a, b = ragged(3, SIZES)
    slope = grad(lambda x: transport_cost(x, a, b, temperature=0.1).sum())(cost)
    plan = transport_plan(cost, a, b, temperature=0.1).plan
    torch.testing.assert_close(slope, plan, rtol=0, atol=1e-14)
    both = vmap(lambda x: transport_cost(x, a, b, temperature=0.1))(torch.stack([cost, 2 * cost]))
    torch.testing.assert_close(both[1], transport_cost(2 * cost, a, b, temperature=0.1))


def test_it_is_no_gradient_of_the_unregularised_cost() -> None:
    """Why there is no "envelope" mode for plans: the size of the error it would make."""
    cost, a, b = ragged(4, [(4, 5)])
    cost.requires_grad_()
    plan = transport_plan(cost, a, b, temperature=0.2).plan
    (right,) = torch.autograd.grad((plan * cost).sum(), cost)
    assert (plan.detach() - right).norm() > 0.1 * right.norm()


def test_short_of_the_optimum_it_is_a_lower_bound() -> None:
    cost, a, b = ragged(5, SIZES)
    least = transport_cost(cost, a, b, temperature=0.02)
    for sweeps in (1, 3, 10):
        early = transport_cost(cost, a, b, temperature=0.02, max_iterations=sweeps, tolerance=-1.0)
        assert (early <= least + 1e-12).all()
    assert early.sum() < least.sum()


def test_low_precision_and_refused_masses() -> None:
    cost, a, b = costs(1, 2, 3, 3).float(), torch.ones(2, 3), torch.ones(2, 3)
    assert transport_cost(cost, a, b, temperature=0.1).dtype == torch.float32
    with pytest.raises(InputError, match="`a` and `b` must not require a gradient"):
        transport_cost(cost, a.requires_grad_(), b, temperature=0.1)


def test_the_first_derivative_solves_no_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: object) -> None:
        raise AssertionError("the plan is differentiated for nothing")

    monkeypatch.setattr(_plan, "centred", called)
    cost = torch.rand(2, 3, 4, dtype=torch.float64, requires_grad=True)
    a, b = torch.full((2, 3), 1 / 3), torch.full((2, 4), 1 / 4)
    transport_cost(cost, a.double(), b.double(), temperature=0.1).sum().backward()
    assert cost.grad is not None
    torch.testing.assert_close(cost.grad.sum((1, 2)), torch.ones(2, dtype=torch.float64))
