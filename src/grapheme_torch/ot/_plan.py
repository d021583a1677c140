"""The transport plan and its derivative, (E3) and (E8)-(E12) of docs/math.md."""

from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite, isnan
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from .._check import require
from ._newton import newton, schur
from ._sinkhorn import Problem, Sweeps, exp, sweep

GradientMode = Literal["exact", "unrolled", "cut"]

WARM_UP = 20
"""Sweeps before Newton starts; enough to be close in nearly every pair, see docs/log.md."""


class Status(Enum):
    """How the alignment of a pair ended; the value says what that means and what to do."""

    CONVERGED = "Every column holds its mass within the tolerance; the gradient is implicit."
    STOPPED = (
        "The iterations ran out before every column held its mass. The plan is that of the sweeps "
        "made, and so is its gradient. Raise `max_iterations`, or the temperature if many stop."
    )
    NOT_FINITE = (
        "The cost holds NaN or infinity, and so does the plan. Look for a logit that is not finite "
        "in the prediction of this pair, or in the weights (lower the learning rate)."
    )


def status(residual: Float[Tensor, " B"], converged: Bool[Tensor, " B"]) -> list[Status]:
    """How each pair ended, from its evidence."""
    return [
        Status.CONVERGED if done else Status.STOPPED if isfinite(left) else Status.NOT_FINITE
        for left, done in zip(residual.tolist(), converged.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Transport:
    """A batch of plans with the evidence that they are what they should be.

    Args:
        plan: Mass moved from row to column.
        iterations: Sweeps and Newton steps each pair took.
        residual: Mass in the wrong column as a share of all mass; the rows are exact.
        converged: Whether the residual is within the tolerance.
    """

    plan: Float[Tensor, "B N M"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]

    def then(self, later: "Transport") -> "Transport":
        """The later plan, with the evidence of both."""
        return Transport(
            later.plan,
            self.iterations + later.iterations,
            torch.maximum(self.residual, later.residual),
            self.converged & later.converged,
        )


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
        cost: Cost of moving a unit of mass from row to column; finite; axes: pair, row, column.
        a, b: Masses of rows and columns, not negative, with equal sums; zero switches off.
        temperature: In units of `cost`, one for all pairs or one each; small is sharp.
        tolerance: Largest accepted residual, see `Transport`. Below zero it is never met: every
            pair makes all its iterations.
        max_iterations: Bound on sweeps plus Newton steps of a pair. Steps that led nowhere are
            discarded, replaced by as many sweeps, and not counted.
        gradient: How the plan differentiates in `cost`:
            "exact": by the implicit function theorem where the pair converged, through the
            sweeps where it did not: in both cases the derivative of what was computed, in the
            former up to the tolerance (1e-12 leaves about as much, 1e-2 some percent).
            "unrolled": plain Sinkhorn, differentiated through the sweeps at any count.
            "cut": not at all; an approximation.

    Returns:
        The plan, in the dtype of `cost`, with its evidence. A pair's result does not depend
        on the other pairs.

    Raises:
        InputError: If `temperature` is not positive, the masses differ in sum, or a mass is
            negative or requires a gradient.

    Differentiation: first order in `cost`; a second derivative is refused by autograd. Memory
    is one plan, plus one column potential a sweep where sweeps are differentiated.
    """
    eps = torch.as_tensor(temperature, dtype=torch.float64, device=cost.device).reshape(-1, 1, 1)
    _check(a, b, eps, tolerance, max_iterations)
    with torch.no_grad():
        problem = Problem(cost.detach().double() / eps, a.double(), b.double())
        path, solved_g, iterations = _solve(problem, tolerance, max_iterations, gradient)
    if gradient == "cut":
        cost = cost.detach()
    plan, residual = _Plan.apply(
        cost.double() / eps,
        problem.a,
        problem.b,
        path.g,
        path.moved,
        solved_g,
        tolerance,
        gradient == "exact",
    )
    return Transport(plan.to(cost.dtype), iterations, residual, residual <= tolerance)


def _check(a: Tensor, b: Tensor, eps: Tensor, tolerance: float, max_iterations: int) -> None:
    least = float(eps.min()) if eps.numel() else 1.0
    require(0 < least < inf, "`temperature`", "be positive", least, "Try 0.1.")
    require(not eps.requires_grad, "`temperature`", "not require a gradient", True, "Detach it.")
    fits = len(eps) in (1, len(a))
    require(
        fits, "`temperature`", f"be one number, or one per pair ({len(a)})", len(eps), "Try 0.1."
    )
    require(not isnan(tolerance), "`tolerance`", "be a number", tolerance, "Try 1e-12.")
    require(max_iterations >= 1, "`max_iterations`", "be at least 1", max_iterations, "Try 100.")
    require(
        not (a.requires_grad or b.requires_grad),
        "`a` and `b`",
        "not require a gradient",
        True,
        "Detach them: the plan is differentiated in its cost only.",
    )
    least = min((float(mass.min()) for mass in (a, b) if mass.numel()), default=0.0)
    require(least >= 0, "`a` and `b`", "not be negative", least, "Zero switches a node off.")
    gap = (a.sum(1) - b.sum(1)).abs().max().item() if len(a) else 0.0
    require(gap < 1e-6, "`a` and `b`", "have equal sums", gap, "Add a void row or column.")


def _solve(
    problem: Problem, tol: float, max_iter: int, gradient: GradientMode
) -> tuple[Sweeps, Tensor, Tensor]:
    """The path of sweeps, the potential each pair ends at, and its iteration count."""
    start = torch.zeros_like(problem.b)
    if gradient == "unrolled":
        path = sweep(problem, start, tol, max_iter)
        return path, path.last, path.iterations
    path = sweep(problem, start, tol, min(WARM_UP, max_iter))
    left = max_iter - WARM_UP
    if left <= 0:
        return path, path.last, path.iterations
    g, steps = newton(problem, path.last, tol, left)
    iterations = path.iterations + steps
    stuck = problem.residual(problem.plan(problem.row_potential(g), g).sum(1)) > tol
    if stuck.any():
        # Newton did not certify these pairs. Their result is that of plain sweeps, whose
        # derivative is known at any count.
        path = _continue(problem, path, tol, left)
        g = torch.where(stuck[:, None], path.last, g)
        iterations = torch.where(stuck, path.iterations, iterations)
    return path, g, iterations


def _continue(problem: Problem, path: Sweeps, tol: float, max_iter: int) -> Sweeps:
    more = sweep(problem, path.last, tol, max_iter)
    return Sweeps(torch.cat([path.g, more.g[1:]]), torch.cat([path.moved, more.moved]))


class _Plan(Function):
    """`P(c)`: the arithmetic was done before; only the last half-sweep is repeated here."""

    @staticmethod
    def forward(
        c: Tensor,
        a: Tensor,
        b: Tensor,
        path: Tensor,
        moved: Tensor,
        g: Tensor,
        tol: float,
        implicit: bool,
    ) -> tuple[Tensor, Tensor]:
        problem = Problem(c, a, b)
        plan = problem.plan(problem.row_potential(g), g)
        return plan, problem.residual(plan.sum(1))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        c, a, b, path, moved, _, ctx.tol, ctx.implicit = inputs
        plan, residual = output
        ctx.mark_non_differentiable(residual)
        ctx.save_for_backward(c, a, b, path, moved, plan, residual)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, w: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        c, a, b, path, moved, plan, residual = ctx.saved_tensors
        implicit = (residual <= ctx.tol) & ctx.implicit
        grad = torch.zeros_like(c)
        for rule, pairs in ((_implicit, implicit), (_unrolled, ~implicit)):
            k = pairs.nonzero()[:, 0]
            if len(k):
                grad[k] = rule(Problem(c, a, b)[k], Sweeps(path[:, k], moved[:, k]), plan[k], w[k])
        return grad, None, None, None, None, None, None, None


def _implicit(problem: Problem, path: Sweeps, plan: Tensor, w: Tensor) -> Tensor:
    """`dL/dc` at a fixed point: the cotangent, centred until `P * w` has no margins, (E8)-(E9)."""
    del path
    q = plan * w
    inverse_a = torch.where(problem.a > 0, 1 / problem.a, 0)
    right = q.sum(1) - (plan.mT @ (q.sum(2) * inverse_a)[..., None])[..., 0]
    v = torch.linalg.solve(schur(plan, problem.a), right)
    u = (q.sum(2) - (plan @ v[..., None])[..., 0]) * inverse_a
    return -plan * (w - u[:, :, None] - v[:, None, :])


def _unrolled(problem: Problem, path: Sweeps, plan: Tensor, w: Tensor) -> Tensor:
    """`dL/dc` of the sweeps made: reverse mode over the stored potentials, (E10)-(E12)."""
    q = plan * w
    inverse_a = torch.where(problem.a > 0, 1 / problem.a, 0)
    # The last half-sweep f(g): rows of `plan / a` are its softmax weights.
    df, dg = q.sum(2), q.sum(1)
    rows = plan * inverse_a[:, :, None]
    dc = rows * df[:, :, None] - q
    dg = dg - (rows * df[:, :, None]).sum(1)
    for k in reversed(range(len(path.moved))):
        moved = path.moved[k][:, None]
        f = problem.row_potential(path.g[k])
        # g' = g(f) with softmax weights `columns`, then f = f(g) with weights `rows`.
        columns = exp(problem.into_columns + f[:, :, None] + path.g[k + 1][:, None, :])
        step = columns * torch.where(moved, dg, 0)[:, None, :]
        df = -step.sum(2)
        rows = exp(problem.into_rows + f[:, :, None] + path.g[k][:, None, :])
        back = rows * df[:, :, None]
        dc = dc + step + back
        dg = torch.where(moved, -back.sum(1), dg)
    return dc
