"""Solving transport without a matrix, and its derivative in the cost, (E42)-(E44)."""

from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from .._check import Received, refusal
from . import _inputs
from ._matrix_free import Solution, inverse, solve_free, solve_schur, sweep
from ._sparse_plan import ACCURACY, Adjoint
from ._tiled import Matrix, Tile, TiledCoupling, TiledProblem


@dataclass(frozen=True)
class TiledTransport:
    """A plan that is made where it is looked at, with its evidence; one pair.

    Args:
        plan: The plan.
        iterations: Sweeps and Newton steps.
        residual: Mass in the wrong row or column as a share of all mass.
        converged: Whether the residual is within the tolerance.
    """

    plan: TiledCoupling
    iterations: int
    residual: float
    converged: bool


def tiled_plan(
    problem: TiledProblem, *, tolerance: float, max_iterations: int, newton: bool
) -> TiledTransport:
    """The entropic transport plan (E3) in memory of the order of rows plus columns, (E42).

    Args:
        problem: Costs as tiles, masses, and the temperature.
        tolerance: Largest accepted residual.
        max_iterations: Bound on sweeps plus Newton steps.
        newton: Whether Newton takes over after the first sweeps, as in `transport_plan`.

    Raises:
        InputError: If the temperature is not positive, or options make no sense. If masses are
            negative, not finite, zero before the last, or differ in sum by more than the rounding
            of their dtype.
    """
    problem = _checked(problem)
    _inputs.options(1, problem.a.new_full((1,), problem.eps), tolerance, max_iterations)
    found: Solution = solve_free(problem, float(tolerance), int(max_iterations), bool(newton))
    plan, left = cast(TiledCoupling, found.plan), float(found.residual)
    return TiledTransport(plan, int(found.iterations), left, left <= tolerance)


def _checked(problem: TiledProblem) -> TiledProblem:
    """The problem with its masses in float64 and reconciled, after a look at its numbers."""
    if not isinstance(problem.cost, Matrix):
        got = Received(type(problem.cost).__name__)
        raise refusal("`problem.cost`", "make tiles", got, "Give it a method `tile`.")
    _inputs.number("`problem.eps`", problem.eps, "Try 0.1.")
    sides = {"a": _inputs.tensor("`problem.a`", problem.a, "row")}
    sides["b"] = _inputs.tensor("`problem.b`", problem.b, "column")
    a, b = (x.detach()[None] for x in sides.values())
    _inputs.same_device("`problem.b`", b, a, "`problem.a`")
    for name, mass in sides.items():
        if len(mass) == 0 or not bool((mass[:-1] > 0).all()):
            remedy = "Leave out the others; only the last, the void, may be empty."
            got = Received(f"masses of {mass.tolist()[:4]}")
            raise refusal(f"`problem.{name}`", "be positive before the last", got, remedy)
    a, b = _inputs.reconciled(a, b)
    _inputs.check_temperature(a.new_full((1,), problem.eps))
    _inputs.check_masses(a, b)
    return replace(problem, a=a[0], b=b[0])


@dataclass(frozen=True)
class Cotangent:
    """The derivative of `sum(w * plan)` in the cost, made where it is looked at, (E44).

    Args:
        plan, w: The plan, and the derivative of the loss in it.
        parts: Plans of potentials met on the way, with a value of each row and of each column.
    """

    plan: TiledCoupling
    w: Matrix
    parts: list[tuple[TiledCoupling, Float[Tensor, " N"], Float[Tensor, " M"]]]

    @property
    def spans(self) -> tuple[Tensor, Tensor] | None:
        """The columns outside of which each row is nothing."""
        found = [plan.spans for plan, _, _ in self.parts]
        known = [span for span in found if span is not None]
        if len(known) < len(found):
            return None
        lows, highs = (torch.stack(side) for side in zip(*known, strict=True))
        return lows.amin(0), highs.amax(0)

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of it."""
        out = self.plan.tile(at).mul_(self.w.tile(at)).neg_()
        for plan, x, y in self.parts:
            out.addcmul_(plan.tile(at), x[at.rows, None] + at.columns(y))
        return out.div_(self.plan.problem.eps)


def tiled_adjoint(
    transport: TiledTransport, w: Matrix, *, implicit: bool, adjoint: Adjoint
) -> Cotangent:
    """Differentiates `sum(w * plan)` in the cost.

    Args:
        transport: As it was solved.
        w: Derivative of the loss in the plan.
        implicit: If true, one linear solve by conjugate gradients, (E31), right at a fixed point.
            If not, through the sweeps that made the plan, (E10)-(E12), at two vectors a sweep.
        adjoint: Where to note how well the linear system was solved.
    """
    plan = transport.plan
    row, column = torch.zeros_like(plan.f), torch.zeros_like(plan.g)
    size = torch.zeros_like(column)
    for at, part in plan.tiles():
        q = part.mul_(w.tile(at))
        row[at.rows] = q.sum(1)
        at.add_to(column, q.sum(0))
        at.add_to(size, q.abs_().sum(0))
    x = inverse(plan.problem.a) * row
    right = column - plan.transposed(x)
    if not implicit:
        return Cotangent(plan, w, _unrolled(plan, transport.iterations, x, right))
    # Next to what cancels in the right side, which itself may be nothing but rounding.
    scale = size.norm()[None]
    sides = plan.problem.sides
    v, left = solve_schur(sides, plan, plan.problem.a, right, ACCURACY * scale)
    adjoint.note(left * inverse(scale))
    u = x - inverse(plan.problem.a) * plan.product(v)
    return Cotangent(plan, w, [(plan, u, v)])


def _unrolled(
    plan: TiledCoupling, iterations: int, x: Float[Tensor, " N"], dg: Float[Tensor, " M"]
) -> list[tuple[TiledCoupling, Tensor, Tensor]]:
    """Reverse mode through the sweeps: what each half-sweep adds, as a plan and two vectors."""
    problem = plan.problem
    no_row, no_column = torch.zeros_like(x), torch.zeros_like(dg)
    parts = [(plan, x, no_column)]
    path = _path(problem, iterations)
    for before, after in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
        f = problem.row_potential(before)
        columns = TiledCoupling(problem, f, after)
        y = inverse(problem.b) * dg
        x = -inverse(problem.a) * columns.product(y)
        rows = TiledCoupling(problem, f, before)
        parts += [(columns, no_row, y), (rows, x, no_column)]
        dg = -rows.transposed(x)
    return parts


def _path(problem: TiledProblem, iterations: int) -> list[Float[Tensor, " M"]]:
    """The column potential before each sweep from zero, and after the last."""
    path = [torch.zeros_like(problem.b)]
    for _ in range(iterations):
        path.append(sweep(problem, path[-1], -1.0, 1)[0])
    return path
