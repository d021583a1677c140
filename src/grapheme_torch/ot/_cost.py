"""The regularised cost of transport and its gradient by the envelope theorem, (E27)."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function, forward_ad

from .._check import require
from . import _inputs
from ._once import forward_again
from ._plan import transport_plan


def transport_cost(
    cost: Float[Tensor, "B N M"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    *,
    temperature: float | Float[Tensor, " #B"],
    tolerance: float = 1e-12,
    max_iterations: int = 100,
) -> Float[Tensor, " B"]:
    """The least value of `sum(cost * P) + temperature * KL(P | a b^T)`, with its cheap gradient.

    The envelope theorem gives the gradient of this value, and of nothing else, for the price of
    the plan: it *is* the plan. For `sum(cost * P)` alone, or any other function of the plan, it
    would be tens of percent off; those are differentiated through `transport_plan`.

    Args:
        cost, a, b, temperature, tolerance, max_iterations: See `transport_plan`.

    Returns:
        The value of each pair, in the dtype of `cost` (PyTorch's default for whole numbers): the
        dual value, which bounds the least value from below where the iterations ran out.

    Raises:
        InputError: As `transport_plan`, or if a mass requires a gradient.

    Differentiation: in `cost`, to any order; right where the pair converged. The theorem needs
    the optimum: short of it the error of the gradient is of the order of the residual.
    """
    wide, rows, columns = _inputs.problem(cost, a, b)
    fixed = not (a.requires_grad or b.requires_grad)
    remedy = "Detach them, or differentiate a function of `transport_plan`."
    require(fixed, "`a` and `b`", "not require a gradient", True, remedy)
    eps = _inputs.temperatures(temperature, wide, len(wide))
    _inputs.options(len(wide), eps, tolerance, max_iterations)
    found = transport_plan(
        wide, rows, columns, temperature=eps, tolerance=float(tolerance),
        max_iterations=int(max_iterations), gradient="implicit",
    )  # fmt: skip
    dual = (rows * found.f).sum(1) + (columns * found.g).sum(1)
    function = _Envelope if torch.compiler.is_compiling() else _BothWays
    value: Tensor = function.apply(wide, found.plan, dual)
    return value.to(_inputs.result_dtype(cost))


class _Envelope(Function):
    """A value whose derivative in the cost is known; the plan is there to be differentiated on."""

    generate_vmap_rule = True

    @staticmethod
    def forward(cost: Tensor, plan: Tensor, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])
        ctx.save_for_forward(inputs[1])

    @staticmethod
    def backward(ctx: Any, w: Tensor) -> tuple[Tensor | None, ...]:
        (plan,) = ctx.saved_tensors
        return w[:, None, None] * plan, None, None


class _BothWays(_Envelope):
    """The same with a derivative in forward mode; the compiler knows no such functions."""

    @staticmethod
    def jvp(ctx: Any, cost: Tensor, *_: Any) -> Tensor:
        (plan,) = ctx.saved_tensors
        with forward_again():
            fixed = forward_ad.unpack_dual(plan).primal  # what it changes by is of second order
            return (fixed * cost).sum((1, 2))
