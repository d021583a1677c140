"""A node cost of one's own: called on nodes, judged on nodes, with what it says of them."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError, Sinkhorn, StructuralLoss, Support, Tiled, Window
from grapheme_torch.ot import Status

from ...problems import distance_between, everything
from ...unchecked import unchecked
from .test_scale import points, said


def cosine(outputs: Tensor, y: Tensor) -> Tensor:
    """NaN for a vector of zeros, as padding used to be."""
    left, right = (x / x.square().sum(-1, keepdim=True).sqrt() for x in (outputs, y))
    return 1 - (left * right).sum(-1)


def log_ratio(outputs: Tensor, y: Tensor) -> Tensor:
    """Of positive numbers; infinite at zero."""
    return (outputs.log() - y.log()).abs().sum(-1)


SIZES = [(3, 2), (0, 2), (1, 3), (2, 0), (0, 0), (2, 2)]


@pytest.mark.parametrize("cost", [cosine, log_ratio])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_a_pair_is_what_it_is_alone(cost: Any, criterion: Any) -> None:
    """Case 16: the cost was judged on the padding of a batch, and refused."""
    rng = torch.Generator().manual_seed(0)
    outputs = [torch.rand(n, 3, generator=rng, dtype=torch.float64) + 0.1 for n, _ in SIZES]
    y = [torch.rand(m, 3, generator=rng, dtype=torch.float64) + 0.1 for _, m in SIZES]
    loss = StructuralLoss(node_cost=cost, criterion=criterion, reduction="none")
    leaves = [x.clone().requires_grad_() for x in outputs]
    together = loss(said(*leaves), points(*y)).total
    slopes = torch.autograd.grad(together.sum(), leaves)
    for k, slope in enumerate(slopes):
        x = outputs[k].clone().requires_grad_()
        alone = loss(said(x), points(y[k])).total
        torch.testing.assert_close(together[k : k + 1], alone)
        if not alone.requires_grad:  # without nodes on both sides nothing is compared
            assert not slope.any()
            continue
        (wanted,) = torch.autograd.grad(alone.sum(), x)
        torch.testing.assert_close(slope, wanted)
        assert bool(slope.isfinite().all())


def test_nothing_of_another_pair_is_seen() -> None:
    """A distance has no derivative where a node of another pair stands."""

    def distance(outputs: Tensor, y: Tensor) -> Tensor:
        return (outputs - y).square().sum(-1).sqrt()

    x = torch.tensor([[1.0, 1.0], [2.0, 0.0]], requires_grad=True)
    y = torch.zeros(0, 2), torch.tensor([[1.0, 1.0], [2.0, 3.0]])
    total = StructuralLoss(node_cost=distance)(said(x[:1], x[1:]), points(*y)).total
    (slope,) = torch.autograd.grad(total, x)
    assert bool(slope.isfinite().all())


def faulty(value: float) -> Callable[[Tensor, Tensor], Tensor]:
    """A distance with a fault where the output is 7 and the target 9."""

    def cost(outputs: Tensor, y: Tensor) -> Tensor:
        here = (outputs[..., 0] == 7) & (y[..., 0] == 9)
        return distance_between(outputs, y).masked_fill(here, value)

    return cost


WRONG = {-1.0: "costs that are not negative", -math.inf: "costs that are not", math.nan: "numbers"}


@pytest.mark.parametrize("value", WRONG)
def test_a_fault_is_named_with_its_nodes(value: float) -> None:
    x = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [7.0]])
    y = torch.tensor([[1.0], [2.0], [9.0]]), torch.tensor([[4.0], [9.0]])
    loss = StructuralLoss(node_cost=faulty(value))
    place = "pair 1, predicted node 1, target node 1"
    pattern = f"`node_cost` must return {WRONG[value]}.*{place}.*got {value}"
    with pytest.raises(InputError, match=pattern):
        loss(said(*x), points(*y))
    place = "predicted node 3, target node 4 of the batch"
    support = everything(said(*x), points(*y))
    with pytest.raises(InputError, match=f"`node_cost` must return {WRONG[value]}.*{place}"):
        loss.replace(matches=Window())(said(*x), points(*y), matches=Support(support))
    with pytest.raises(InputError, match=f"`node_cost` must return {WRONG[value]}"):
        loss.replace(matches=Tiled())(said(*x), points(*y))


def test_rounding_below_zero_is_no_fault() -> None:
    """One minus the cosine of a vector with itself is -1e-7 for some, in single precision."""
    x = torch.rand(40, 7, generator=torch.Generator().manual_seed(0))
    assert float(cosine(x[:, None], x).min()) < 0
    result = StructuralLoss(node_cost=cosine)(said(x), points(x))
    assert result.status == [Status.CONVERGED]


def test_infinity_forbids_a_match() -> None:
    """Case 7: the right matches are all that is left, and they are charged what they cost."""

    def near(outputs: Tensor, y: Tensor) -> Tensor:
        steps = distance_between(outputs, y)
        return steps.masked_fill(steps > 1, math.inf)

    x, y = torch.tensor([[0.0], [5.0]], dtype=torch.float64), torch.tensor([[0.5], [5.25]]).double()
    for temperature in (0.1, 0.0):
        loss = StructuralLoss(
            node_cost=near, gamma=0, alignment=Sinkhorn(temperature=temperature, rounds=0)
        )
        label = x.clone().requires_grad_()
        result = loss(said(label, existence=40.0), points(y))
        assert result.plan[0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
        assert result.total.item() == pytest.approx(0.75, abs=1e-12)
        (slope,) = torch.autograd.grad(result.total, label)
        torch.testing.assert_close(slope, -torch.ones_like(x))
    loss = StructuralLoss(node_cost=near, gamma=0, alignment=Sinkhorn(rounds=0))
    support = everything(said(x), points(y))
    along = loss.replace(matches=Window())(
        said(x, existence=40.0), points(y), matches=Support(support)
    )
    assert along.total.item() == pytest.approx(0.75, abs=1e-12)
    with pytest.raises(InputError, match="`node_cost` must return finite costs for tiles"):
        loss.replace(matches=Tiled())(said(x), points(y))


def test_a_network_that_says_nan_loses_its_pair_only() -> None:
    x = torch.tensor([[1.0], [2.0]])
    loss = StructuralLoss(node_cost=distance_between, reduction="none")
    result = loss(said(x, x * math.nan), points(x, x))
    assert result.status == [Status.CONVERGED, Status.NOT_FINITE]
    assert result.total.isfinite().tolist() == [True, False]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16])
def test_costs_of_any_dtype_are_numbers(dtype: torch.dtype) -> None:
    x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[1.0], [3.0], [3.0]])

    def differs(outputs: Tensor, y: Tensor) -> Tensor:
        return (outputs[..., 0] != y[..., 0]).to(dtype)

    def single(outputs: Tensor, y: Tensor) -> Tensor:
        return differs(outputs, y).float()

    found, wanted = (
        StructuralLoss(node_cost=cost)(said(x), points(y)).total for cost in (differs, single)
    )
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted)


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (lambda x, y: (x * y).sum(-1).numpy(), "array"),
        (lambda x, y: torch.complex(x, x * y).sum(-1), "torch.complex64 of shape (1, 2, 3)"),
        (lambda x, y: (x * y).sum(-1).mT, "torch.float32 of shape (1, 3, 2)"),
        (lambda x, y: (x * y).sum(), "torch.float32 of shape ()"),
        (lambda x, y: x * y, "torch.float32 of shape (1, 2, 3, 2)"),
        (lambda x, y: x.sum(-1), "torch.float32 of shape (1, 2, 1)"),
        (lambda x, y: (x * y).sum(-1).to("meta"), "on meta"),
        (lambda x, y: None, "None"),
    ],
)
def test_what_is_no_cost(returned: Any, got: str) -> None:
    target = Data(y=torch.rand(3, 2), edge_index=torch.zeros(2, 0).long(), num_nodes=3)
    wanted = re.escape("`node_cost` must return shape (1, 2, 3), real numbers on cpu")
    with pytest.raises(InputError, match=f"{wanted}.*{re.escape(got)}"):
        unchecked(StructuralLoss(node_cost=returned))(said(torch.rand(2, 2)), target)
