"""Every way to a second derivative: it is right, or it is refused; never something else."""

from typing import Any

import pytest
import torch
from torch import Tensor

from grapheme_torch.ot import GradientMode, Support, sparse_plan, transport_cost, transport_plan

from ..derivatives import WAYS, assert_right_or_refused
from ..problems import ragged


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gradient", ["exact", "implicit", "unrolled"])
@pytest.mark.parametrize("of", ["cost", "masses"])
def test_of_a_plan(way: str, gradient: GradientMode, of: str) -> None:
    cost, a, b = ragged(3, [(2, 3)])
    weight = torch.randn(cost.shape, generator=torch.Generator().manual_seed(0)).double()

    def value(x: Tensor) -> Tensor:
        c, rows = (x, a) if of == "cost" else (cost, a * (1 + x))
        columns = b * rows.sum(1, keepdim=True) / b.sum(1, keepdim=True)
        plan = transport_plan(c, rows, columns, temperature=0.3, gradient=gradient).plan
        return (plan * weight).sum().sin()

    x = cost if of == "cost" else torch.zeros_like(a)
    assert_right_or_refused(WAYS[way], value, x, known=gradient == "implicit")


@pytest.mark.parametrize("way", WAYS)
def test_of_the_cost_of_transport(way: str) -> None:
    cost, a, b = ragged(3, [(2, 3)])
    assert_right_or_refused(
        WAYS[way], lambda x: transport_cost(x, a, b, temperature=0.3).sum().sin(), cost, known=True
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gradient", ["exact", "unrolled"])
def test_of_a_sparse_plan(way: str, gradient: Any) -> None:
    rows, columns = torch.ones(3, 3).nonzero().T
    support = Support(torch.zeros(3).long(), torch.zeros(3).long(), 1, rows, columns)
    ones, eps = torch.ones(3, dtype=torch.float64), torch.tensor([0.3], dtype=torch.float64)
    cost = ragged(3, [(2, 2)])[0].flatten()

    def value(x: Tensor) -> Tensor:
        plan = sparse_plan(support, x, ones, ones, temperature=eps, gradient=gradient).plan
        return plan.square().sum()

    assert_right_or_refused(WAYS[way], value, cost, known=False)
