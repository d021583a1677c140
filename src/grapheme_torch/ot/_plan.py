"""The transport plan as a differentiable function, (E3) and (E8)-(E12) of docs/math."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from . import _inputs
from ._adjoint import centred
from ._once import Once, forward_again, refuse_forward
from ._transport import Transport
from .kernels._dispatch import transport, transport_adjoint

GradientMode = Literal["exact", "implicit", "unrolled", "detach"]


def transport_plan(
    cost: Float[Tensor, "B N M"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    *,
    temperature: float | Float[Tensor, " #B"],
    tolerance: float = 1e-12,
    max_iterations: int = 100,
    gradient: GradientMode = "exact",
) -> Transport:
    """The entropic transport plan of each pair of a padded batch, (E3).

    Minimises `sum(cost * P) + temperature * KL(P | a b^T)` over plans with margins `a`, `b`.
    Computed in float64 whatever the input, because the derivative divides by small numbers.

    Args:
        cost: Cost of moving a unit of mass from row to column; axes: pair, row, column. Plus
            infinity forbids an entry: its mass and its derivative are exactly zero.
        a, b: Masses of rows and columns, finite, not negative, with equal sums; zero switches off.
            Where sums agree but for the rounding of the dtype, `b` is scaled to the sum of `a`.
        temperature: In units of `cost`, one for all pairs or one each; small is sharp.
        tolerance: Largest accepted residual, see `Transport`. Below zero it is never met: every
            pair makes all its iterations.
        max_iterations: Bound on sweeps plus Newton steps of a pair. Steps that led nowhere are
            discarded, replaced by as many sweeps, and not counted.
        gradient: How the plan differentiates in `cost`, `a` and `b`:
            "exact": by the implicit function theorem where the pair converged. Where it did not,
            through the sweeps. Both are the derivative of what was computed; the former up
            to the tolerance (1e-12 leaves about as much, 1e-2 some percent).
            "implicit": by the theorem everywhere, to any order. Right where the pair converged;
            where it did not, an approximation that the residual bounds.
            "unrolled": plain Sinkhorn, differentiated through the sweeps at any count.
            "detach": not at all; an approximation.

    Returns:
        The plan, in the dtype of `cost` (PyTorch's default for whole numbers), with its evidence.
        NaN for a pair with a cost of NaN or minus infinity at masses above zero. A pair's result
        does not depend on the other pairs.

    Raises:
        InputError: If types, shapes or devices do not fit. If `temperature` is not positive or
            requires a gradient. If masses differ in sum, are negative or not finite, or the costs
            of a pair forbid every plan.

    Differentiation: see `gradient`; a second derivative is refused except with "implicit". In the
    masses it is that of the scaled `b` too, and a mass of zero counts by its share of the sum
    alone. Kept for backward are cost and plan, at any number of iterations; "unrolled"
    needs one column potential a sweep while it goes backward. Works under `torch.func.grad`,
    `torch.vmap` and `torch.compile(fullgraph=True)`.
    """
    wide, rows, columns = _inputs.problem(cost, a, b)
    eps = _inputs.temperatures(temperature, wide, len(wide))
    _inputs.options(len(wide), eps, tolerance, max_iterations)
    _inputs.mode(gradient, GradientMode)
    if gradient == "detach":
        wide, rows, columns = wide.detach(), rows.detach(), columns.detach()
    function = _Plan if torch.compiler.is_compiling() else _BothWays
    plan, f, g, residual, iterations, _, _ = function.apply(
        wide, eps.expand(len(wide)), rows, columns, float(tolerance), int(max_iterations), gradient
    )
    plan = plan.to(_inputs.result_dtype(cost))
    return Transport(plan, f, g, iterations, residual, residual <= float(tolerance))


class _Plan(Function):
    """`P(cost, a, b)`: the operators, and which of them answers for the derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        cost: Tensor,
        eps: Tensor,
        a: Tensor,
        b: Tensor,
        tolerance: float,
        max_iterations: int,
        mode: GradientMode,
    ) -> tuple[Tensor, ...]:
        return transport(cost, eps, a, b, tolerance, max_iterations, mode != "unrolled")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        cost, eps, a, b, ctx.tolerance, _, ctx.mode = inputs
        plan, *evidence = output
        ctx.mark_non_differentiable(*evidence)
        ctx.set_materialize_grads(False)
        _, _, residual, *others = evidence
        ctx.save_for_backward(cost, eps, a, b, plan, residual, *others)
        ctx.save_for_forward(eps, plan)

    @staticmethod
    def backward(ctx: Any, w: Tensor | None, *_: Tensor | None) -> tuple[Tensor | None, ...]:
        if w is None:  # as of `transport_cost`, which knows its derivative without this one
            return (None,) * 7
        cost, eps, a, b, plan, residual, iterations, *parts = ctx.saved_tensors
        if ctx.mode == "implicit":
            # A derivative in an entry that carries nothing may be infinite, as a forbidden cost is.
            w = torch.where(plan == 0, 0, w)
            scaled, grad_a, grad_b = centred(plan, w)
            return scaled / eps[:, None, None], None, grad_a, grad_b, None, None, None
        implicit = (residual <= ctx.tolerance) & (ctx.mode == "exact")
        grad_cost, grad_a, grad_b = _Adjoint.apply(
            cost, eps, a, b, plan, iterations, implicit, w, *parts
        )
        return grad_cost, None, grad_a, grad_b, None, None, None


class _BothWays(_Plan):
    """The same with a derivative in forward mode; the compiler knows no such functions."""

    @staticmethod
    def jvp(
        ctx: Any, cost: Tensor | None, _: Any, a: Tensor | None, b: Tensor | None, *__: Any
    ) -> tuple[Tensor | None, ...]:
        """By the theorem, whose derivative is symmetric, (E8); what stands still is None."""
        if ctx.mode != "implicit":
            refuse_forward()
        eps, plan = ctx.saved_tensors
        with forward_again():
            scaled = torch.zeros_like(plan) if cost is None else cost / eps[:, None, None]
            scaled = torch.where(plan == 0, 0, scaled)  # as going backward
            margins = (0.0 if x is None else x for x in (a, b))
            return centred(plan, scaled, *margins)[0], *[None] * 6


class _Adjoint(Once):
    """The first derivative."""

    @staticmethod
    def forward(
        cost: Tensor,
        eps: Tensor,
        a: Tensor,
        b: Tensor,
        plan: Tensor,
        iterations: Tensor,
        implicit: Tensor,
        w: Tensor,
        row_part: Tensor,
        column_part: Tensor,
    ) -> tuple[Tensor, ...]:
        return transport_adjoint(
            cost, eps, a, b, plan, iterations, implicit, w, row_part, column_part
        )
