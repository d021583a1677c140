"""The exact plan: no permutation is cheaper, and the transport solver of POT agrees."""

import itertools

import pytest
import torch
from torch import Tensor

import ot
from grapheme_torch.ot import exact_plan

from ..problems import costs, ragged


def _units(mass: Tensor) -> list[int]:
    return [k for k, count in enumerate(mass.tolist()) for _ in range(int(count))]


def _least(cost: Tensor, a: Tensor, b: Tensor) -> float:
    """The least cost over all ways to send unit masses one to one."""
    rows = _units(a)
    return min(
        sum(float(cost[i, j]) for i, j in zip(rows, columns, strict=True))
        for columns in itertools.permutations(_units(b))
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_permutation_is_cheaper(seed: int) -> None:
    cost, a, b = ragged(seed, [(4, 4), (5, 2), (2, 5), (1, 1), (3, 4)])
    plan = exact_plan(cost, a, b)
    for k in range(len(cost)):
        assert float((plan[k] * cost[k]).sum()) == pytest.approx(_least(cost[k], a[k], b[k]))
    assert torch.equal(plan.sum(2), a)
    assert torch.equal(plan.sum(1), b)
    assert torch.equal(plan, plan.round())


@pytest.mark.parametrize("seed", range(5))
def test_plan_of_python_optimal_transport(seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    a = torch.randint(0, 4, (1, 6), generator=rng).double()
    b = torch.zeros(1, 5, dtype=torch.float64)
    where = torch.randint(5, (int(a.sum()),), generator=rng)
    b[0] = torch.bincount(where, minlength=5).double()
    cost = costs(seed, 1, 6, 5)
    wanted = ot.emd(a[0].numpy(), b[0].numpy(), cost[0].numpy())
    torch.testing.assert_close(
        exact_plan(cost, a, b)[0], torch.as_tensor(wanted), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_histograms_have_the_plan_of_a_linear_program(seed: int) -> None:
    cost = costs(seed, 2, 7, 5)
    a, b = ((5 * costs(seed + k, 2, n)).softmax(1) for k, n in ((1, 7), (2, 5)))
    found = exact_plan(cost, a, b)
    torch.testing.assert_close(found.sum(2), a, rtol=0, atol=1e-14)
    torch.testing.assert_close(found.sum(1), b, rtol=0, atol=1e-14)
    assert (found >= 0).all()
    for k in range(2):
        wanted = ot.emd2(a[k].numpy(), b[k].numpy(), cost[k].numpy())
        assert float((found[k] * cost[k]).sum()) == pytest.approx(float(wanted), abs=1e-13)


def test_several_units_may_take_the_same_way() -> None:
    cost = torch.tensor([[[0.0, 1.0]]])
    plan = exact_plan(cost, torch.tensor([[3.0]]), torch.tensor([[2.0, 1.0]]))
    assert plan.tolist() == [[[2, 1]]]


def test_dtype_gradient_and_nothing_at_all() -> None:
    cost = costs(1, 2, 3, 3).float().requires_grad_()
    plan = exact_plan(cost, torch.ones(2, 3), torch.ones(2, 3))
    assert plan.dtype == torch.float32
    assert not plan.requires_grad
    assert exact_plan(costs(1, 0, 3, 2), torch.ones(0, 3), torch.ones(0, 2)).shape == (0, 3, 2)
    assert not exact_plan(costs(1, 1, 3, 2), torch.zeros(1, 3), torch.zeros(1, 2)).any()
