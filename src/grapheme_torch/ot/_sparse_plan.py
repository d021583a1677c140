"""The plan on a sparse support as a differentiable function, (E29)-(E31) of docs/math."""

from dataclasses import dataclass
from math import inf, nan
from typing import Any, Literal, NoReturn

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd import Function

from .._check import Received, refusal, require
from . import _inputs
from ._forbidden import no_plan
from ._matrix_free import inverse, solve_free, solve_schur
from ._once import Once, refuse_forward
from ._sinkhorn import exp
from ._sparse import SparseCoupling, SparseProblem, Support
from ._transport import Evidence

SparseGradient = Literal["exact", "unrolled", "detach"]
ACCURACY = 1e-16
"""Relative residual at which the linear solve of the derivative stops: rounding."""


@dataclass
class Adjoint:
    """How well the derivative was solved; filled in by `backward`.

    Args:
        residual: Relative residual of the linear system of each pair, zero where none was
            needed; the worst so far if there were several rounds. None before `backward`.
    """

    residual: Float[Tensor, " B"] | None = None

    def note(self, residual: Float[Tensor, " B"]) -> None:
        """Keeps the worst."""
        self.residual = residual if self.residual is None else self.residual.maximum(residual)


@dataclass(frozen=True)
class SparseTransport(Evidence):
    """A plan on a support with its evidence.

    Args:
        plan: Mass of each entry.
        f, g: Potentials of rows and columns over the temperature. Without gradient.
        iterations: Sweeps and Newton steps each pair took.
        residual: Mass in the wrong row or column as a share of all mass.
        converged: Whether the residual is within the tolerance.
    """

    plan: Float[Tensor, " s"]
    f: Float[Tensor, " N"]
    g: Float[Tensor, " M"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]


def sparse_plan(
    support: Support,
    cost: Float[Tensor, " s"],
    a: Float[Tensor, " N"],
    b: Float[Tensor, " M"],
    *,
    temperature: float | Float[Tensor, " #B"],
    tolerance: float = 1e-12,
    max_iterations: int = 100,
    gradient: SparseGradient = "exact",
    adjoint: Adjoint | None = None,
) -> SparseTransport:
    """The entropic transport plan of each pair among plans on a support, (E29).

    Args:
        support: The entries that may carry mass.
        cost: Cost of moving a unit of mass along each entry; plus infinity forbids it.
        a, b: Masses of rows and columns, finite, not negative, with equal sums in each pair. `b` is
            scaled to the sum of `a` where they agree but for the rounding of their dtype.
        temperature: Of each pair, or one for all, in units of `cost`; positive.
        tolerance: Largest accepted residual.
        max_iterations: Bound on sweeps plus Newton steps of a pair.
        gradient: "exact": implicit (E31) where the pair converged, through the sweeps where
            not; "unrolled": plain Sinkhorn, through the sweeps; "detach": none.
        adjoint: Where `backward` notes how well it solved its linear systems.

    Returns:
        The plan in the dtype of `cost` (PyTorch's default for whole numbers), computed in float64;
        NaN for a pair with a cost of NaN or minus infinity. Mass cannot be feasible on every
        support; where it is not, though every row and column has an entry, the pair does not
        converge.

    Raises:
        InputError: If types, shapes or devices do not fit, or the temperature is not positive. If
            masses differ in sum, are negative, not finite, or require a gradient. If a row or
            column that has mass has no entry that may carry it.

    Differentiation: once, in reverse, in `cost`; zero where it forbids; more is refused. Kept are
    cost, plan and potentials; "unrolled" needs one column potential a sweep while it goes backward.
    """
    eps, rows, columns = _checked(support, cost, a, b, temperature)
    _inputs.options(support.num_pairs, eps, tolerance, max_iterations)
    _inputs.mode(gradient, SparseGradient)
    fixed = gradient == "detach" or not (a.requires_grad or b.requires_grad)
    require(fixed, "`a` and `b`", "not require a gradient", True, "Detach them.")
    wide = (cost.detach() if gradient == "detach" else cost).double()
    open_, spoilt = _check_values(support, wide, eps, rows, columns)
    whole = bool(open_.all())
    plan, f, g, residual, iterations = _SparsePlan.apply(
        wide if whole else wide[open_], support if whole else support.only(open_),
        eps.expand(support.num_pairs), torch.where(spoilt[support.row_pair], 0, rows).detach(),
        torch.where(spoilt[support.column_pair], 0, columns).detach(), float(tolerance),
        int(max_iterations), gradient, Adjoint() if adjoint is None else adjoint,
    )  # fmt: skip
    if not whole:
        plan = torch.zeros_like(wide).masked_scatter(open_, plan)
        lost = spoilt[support.pair]  # not a number, and neither is the derivative
        plan = plan + torch.where(lost, nan, 0) * torch.where(lost, wide, 0)
        residual = torch.where(spoilt, nan, residual)
    plan = plan.to(_inputs.result_dtype(cost))
    return SparseTransport(plan, f, g, iterations, residual, residual <= float(tolerance))


def _checked(
    support: object, cost: object, a: object, b: object, temperature: object
) -> tuple[Tensor, Tensor, Tensor]:
    """Temperatures and masses in float64, these reconciled, after a look at types and shapes."""
    if not isinstance(support, Support):
        got = Received(type(support).__name__)
        raise refusal("`support`", "be a `Support`", got, "Make one of rows and columns.")
    entries = _inputs.tensor("`cost`", cost, "entry")
    sides = _inputs.tensor("`a`", a, "row"), _inputs.tensor("`b`", b, "column")
    wanted = (
        ("`cost`", entries, support.row, "entry"),
        ("`a`", sides[0], support.row_pair, "row"),
        ("`b`", sides[1], support.column_pair, "column"),
    )
    for name, x, of, what in wanted:
        if len(x) != len(of):
            got = Received(f"{len(x)}")
            raise refusal(
                name, f"have one number for each {what}, {len(of)}", got, "See `Support`."
            )
        _inputs.same_device(name, x, support.row, "`support`")
    eps = _inputs.temperatures(temperature, entries, support.num_pairs)
    slack = _inputs.rounding(*sides)
    a, b = (x.double() for x in sides)
    scale = _inputs.ratio(support.over_rows(a), support.over_columns(b), slack)
    return eps, a, b * scale[support.column_pair]


def _check_values(
    support: Support, cost: Tensor, eps: Tensor, a: Tensor, b: Tensor
) -> tuple[Bool[Tensor, " s"], Bool[Tensor, " B"]]:
    """Refuses temperatures, masses and costs that make no sense.

    Returns:
        The entries that may carry mass, and the pairs that are not a number.
    """
    _inputs.check_temperature(eps)
    _inputs.check_mass("`a`", a, "row", support.row_pair)
    _inputs.check_mass("`b`", b, "column", support.column_pair)
    of_a, of_b = support.over_rows(a), support.over_columns(b)
    if _inputs.gap(of_a, of_b) > 0:
        _inputs.unequal(of_a, of_b, int(((of_a - of_b).abs() / of_a.maximum(of_b)).argmax()))
    used = (support.of_rows(a) > 0) & (support.of_columns(b) > 0)
    bad = used & (cost.isnan() | (cost == -inf))
    spoilt = support.over_rows(support.to_rows(bad.double())) > 0
    open_ = (cost != inf) & ~spoilt[support.pair]
    carries = (open_ & used).double()
    sums = support.to_rows(carries), support.to_columns(carries)
    pairs = support.row_pair, support.column_pair
    for side, mass, ways, pair in zip(("row", "column"), (a, b), sums, pairs, strict=True):
        stuck = (mass > 0) & (ways == 0) & ~spoilt[pair]
        if bool(stuck.any()):
            i = int(stuck.nonzero()[0])
            place = f"{side} {i} of pair {int(pair[i])}"
            no_plan(f"{place}, which has mass {mass[i]:g} and no entry to carry it")
    return open_, spoilt


class _SparsePlan(Function):
    @staticmethod
    def forward(
        cost: Tensor,
        support: Support,
        eps: Tensor,
        a: Tensor,
        b: Tensor,
        tolerance: float,
        max_iterations: int,
        mode: SparseGradient,
        adjoint: Adjoint,
    ) -> tuple[Tensor, ...]:
        problem = SparseProblem(support, cost / eps.index_select(0, support.pair), a, b)
        found = solve_free(problem, tolerance, max_iterations, mode != "unrolled")
        plan = problem.plan(found.f, found.g)
        return plan, found.f, found.g, found.residual, found.iterations

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        cost, ctx.support, eps, a, b, ctx.tolerance, _, ctx.mode, ctx.adjoint = inputs
        plan, f, g, residual, iterations = output
        ctx.mark_non_differentiable(f, g, residual, iterations)
        ctx.save_for_backward(cost, eps, a, b, plan, residual, iterations)

    @staticmethod
    def backward(ctx: Any, w: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        slope = _SparseAdjoint.apply(ctx, w, *ctx.saved_tensors)
        return (slope, *[None] * 8)

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> NoReturn:
        refuse_forward()


class _SparseAdjoint(Once):
    """The first derivative, of a problem that a context describes."""

    @staticmethod
    def forward(
        ctx: Any,
        w: Tensor,
        cost: Tensor,
        eps: Tensor,
        a: Tensor,
        b: Tensor,
        plan: Tensor,
        residual: Tensor,
        iterations: Tensor,
    ) -> Tensor:
        support: Support = ctx.support
        implicit = (residual <= ctx.tolerance) & (ctx.mode == "exact")
        scale = eps.index_select(0, support.pair)
        out = torch.zeros_like(plan)
        if implicit.any():
            out, left = _centred(support, plan, a, torch.where(implicit[support.pair], w, 0))
            ctx.adjoint.note(left)
        if not implicit.all():
            problem = SparseProblem(support, cost / scale, a, b)
            count = torch.where(implicit, 0, iterations)
            w = torch.where(implicit[support.pair], 0, w)
            out = out + _unrolled(problem, count, plan, w)
        return out / scale


def _centred(
    support: Support, plan: Tensor, a: Tensor, w: Tensor
) -> tuple[Float[Tensor, " s"], Float[Tensor, " B"]]:
    """Derivative in the scaled cost, (E9) over the entries, and how well it was solved."""
    q, inverse_a = plan * w, inverse(a)
    row, column = support.to_rows(q), support.to_columns(q)
    right = column - support.to_columns(plan * support.of_rows(row * inverse_a))
    # Next to what cancels in the right side, which itself may be nothing but rounding.
    size = support.over_columns(support.to_columns(q.abs()).square()).sqrt()
    v, left = solve_schur(support, SparseCoupling(support, plan), a, right, ACCURACY * size)
    u = (row - support.to_rows(plan * support.of_columns(v))) * inverse_a
    return -plan * (w - support.of_rows(u) - support.of_columns(v)), left * inverse(size)


def _unrolled(
    problem: SparseProblem, iterations: Int[Tensor, " B"], plan: Tensor, w: Tensor
) -> Float[Tensor, " s"]:
    """Reverse mode over the potentials of the sweeps, which are made again, (E10)-(E12)."""
    support, path = problem.support, _path(problem, iterations)
    q = plan * w
    back = plan * support.of_rows(inverse(problem.a) * support.to_rows(q))
    dc, dg = back - q, support.to_columns(q - back)
    for k in reversed(range(len(path) - 1)):
        moved = (k < iterations)[support.column_pair]
        f = problem.row_potential(path[k])
        columns = exp(problem.into_columns + support.of_rows(f) + support.of_columns(path[k + 1]))
        step = columns * support.of_columns(torch.where(moved, dg, 0))
        rows = exp(problem.into_rows + support.of_rows(f) + support.of_columns(path[k]))
        back = -rows * support.of_rows(support.to_rows(step))
        dc = dc + step + back
        dg = torch.where(moved, -support.to_columns(back), dg)
    return dc


def _path(problem: SparseProblem, iterations: Int[Tensor, " B"]) -> list[Float[Tensor, " M"]]:
    """The column potential before each sweep from zero, and after the last."""
    path = [torch.zeros_like(problem.b)]
    for k in range(int(iterations.max()) if len(iterations) else 0):
        better = problem.column_potential(problem.row_potential(path[-1]))
        moved = (k < iterations)[problem.support.column_pair]
        path.append(torch.where(moved, better, path[-1]))
    return path
