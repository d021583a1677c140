"""The plan under PyTorch's function transforms and compiler, and its operators' registrations."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import grad, jacrev, vmap

from grapheme_torch.ot import GradientMode, transport_plan
from grapheme_torch.ot.kernels._dispatch import transport, transport_adjoint

from ..problems import costs, ragged

SIZES = [(4, 4), (5, 2), (1, 3)]
MODES = pytest.mark.parametrize("gradient", ["exact", "implicit", "unrolled"])


def _value(cost: Tensor, a: Tensor, b: Tensor, **options: Any) -> Tensor:
    plan = transport_plan(cost, a, b, temperature=0.2, max_iterations=500, **options).plan
    return (plan * torch.cos(3.0 * torch.arange(plan.numel())).view(plan.shape)).sum()


def _reference(cost: Tensor, a: Tensor, b: Tensor, gradient: GradientMode) -> Tensor:
    cost = cost.clone().requires_grad_()
    return torch.autograd.grad(_value(cost, a, b, gradient=gradient), cost)[0]


@MODES
def test_grad_is_autograd(gradient: GradientMode) -> None:
    cost, a, b = ragged(1, SIZES)
    found = grad(_value)(cost, a, b, gradient=gradient)
    torch.testing.assert_close(found, _reference(cost, a, b, gradient))


@MODES
def test_mapped_is_one_by_one(gradient: GradientMode) -> None:
    """Over costs and masses, over costs alone, over a later axis; and its derivative."""
    many = [ragged(seed, SIZES) for seed in range(3)]
    cost, a, b = (torch.stack(x) for x in zip(*many, strict=True))

    def value(cost: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return _value(cost, a, b, gradient=gradient)

    for k in range(3):
        wanted = value(*many[k])
        torch.testing.assert_close(vmap(value)(cost, a, b)[k], wanted)
        shared = vmap(value, in_dims=(0, None, None))(cost, *many[0][1:])[k]
        torch.testing.assert_close(shared, value(many[k][0], *many[0][1:]))
        last = vmap(value, in_dims=(3, 0, 0))(cost.movedim(0, 3), a, b)[k]
        torch.testing.assert_close(last, wanted)
        slope = vmap(grad(value))(cost, a, b)[k]
        torch.testing.assert_close(slope, _reference(*many[k], gradient))


def test_the_jacobian_has_no_margins() -> None:
    cost, a, b = ragged(2, [(3, 3)])
    jacobian = jacrev(lambda x: transport_plan(x, a, b, temperature=0.2).plan)(cost)
    torch.testing.assert_close(jacobian.sum(1), torch.zeros_like(jacobian.sum(1)))
    assert jacobian.abs().max() > 0.1


def test_the_hessian_of_the_implicit_rule() -> None:
    cost, a, b = ragged(3, [(3, 2)])

    def slope(cost: Tensor) -> Tensor:
        return grad(_value)(cost, a, b, gradient="implicit", tolerance=1e-14)

    hessian, step = jacrev(slope)(cost), 1e-5
    for index in ((0, 0, 0), (0, 2, 1), (0, 1, 2)):
        nudge = torch.zeros_like(cost)
        nudge[index] = step
        wanted = (slope(cost + nudge) - slope(cost - nudge)) / (2 * step)
        torch.testing.assert_close(hessian[(..., *index)], wanted, rtol=1e-5, atol=1e-7)


# Dynamo instantiates the Functions it traces; torch deprecates that.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.compile
@MODES
def test_compiled_as_a_whole_is_eager(gradient: GradientMode) -> None:
    cost, a, b = ragged(4, SIZES)

    def value(cost: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return _value(cost, a, b, gradient=gradient).sin()

    cost.requires_grad_()
    compiled = torch.compile(value, fullgraph=True, backend="aot_eager")
    for x in (cost, (cost.detach() * 1.1).requires_grad_()):
        wanted, found = value(x, a, b), compiled(x, a, b)
        torch.testing.assert_close(found, wanted)
        torch.testing.assert_close(
            torch.autograd.grad(found, x)[0], torch.autograd.grad(wanted, x)[0]
        )


@pytest.mark.parametrize("layout", ["contiguous", "turned", "none", "no columns"])
def test_the_operators_are_what_they_are_registered_as(layout: str) -> None:
    cost, a, b = (x.double() for x in ragged(5, SIZES))
    if layout == "turned":
        cost = cost.mT.contiguous().mT
    if layout == "none":
        cost, a, b = cost[:0], a[:0], b[:0]
    if layout == "no columns":
        cost, a, b = cost[:, :, :0], 0 * a, b[:, :0]
    eps = torch.full((len(cost),), 0.2, dtype=torch.float64)
    # No derivative is registered, on purpose: `_plan` has it.
    utils = ("test_schema", "test_faketensor")
    torch.library.opcheck(transport, (cost, eps, a, b, 1e-12, 100, True), test_utils=utils)
    plan, _, _, residual, iterations, *parts = transport(cost, eps, a, b, 1e-12, 100, True)
    for implicit in (residual < 1, residual > 1):
        args = (cost, eps, a, b, plan, iterations, implicit, costs(6, *plan.shape), *parts)
        torch.library.opcheck(transport_adjoint, args, test_utils=utils)
