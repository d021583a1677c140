"""Transport on a sparse support: only listed entries may carry mass, (E29) of docs/math.md.

The same sweeps, Newton steps and stopping as for matrices, written for lists of entries; memory
and time of a sweep are of the order of the entries. A batch is a disjoint union. Everything is
divided by the temperature, as in `_sinkhorn`. Axes: s entries, N rows, M columns, B pairs.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._sinkhorn import exp
from ._solver import WARM_UP

_STEP_LENGTHS = (1.0, 0.25, 0.0625)
_SUFFICIENT = 1e-4  # Armijo's constant, as in `_newton`
_LONGEST = 20.0  # of a step, in temperatures
_MAX_CG = 10_000  # iterations of a linear solve; what is left then is reported
_REFINEMENTS = 6  # of a linear solve


@dataclass(frozen=True)
class Support:
    """Which entries may carry mass, in the numbering of a disjoint union of pairs.

    Args:
        row, column: Ends of each entry; no entry twice.
        row_pair, column_pair: The pair of each row and column.
        num_pairs: Number of pairs.
    """

    row: Int[Tensor, " s"]
    column: Int[Tensor, " s"]
    row_pair: Int[Tensor, " N"]
    column_pair: Int[Tensor, " M"]
    num_pairs: int

    @functools.cached_property
    def pair(self) -> Int[Tensor, " s"]:
        """The pair of each entry."""
        return self.row_pair.index_select(0, self.row)

    def to_rows(self, x: Float[Tensor, " s"]) -> Float[Tensor, " N"]:
        """Row sums."""
        return x.new_zeros(len(self.row_pair)).index_add(0, self.row, x)

    def to_columns(self, x: Float[Tensor, " s"]) -> Float[Tensor, " M"]:
        """Column sums."""
        return x.new_zeros(len(self.column_pair)).index_add(0, self.column, x)

    def of_rows(self, x: Float[Tensor, " N"]) -> Float[Tensor, " s"]:
        """A value of each row, at its entries."""
        return x.index_select(0, self.row)

    def of_columns(self, x: Float[Tensor, " M"]) -> Float[Tensor, " s"]:
        """A value of each column, at its entries."""
        return x.index_select(0, self.column)

    def over_rows(self, x: Float[Tensor, " N"]) -> Float[Tensor, " B"]:
        """The sum over the rows of each pair."""
        return x.new_zeros(self.num_pairs).index_add(0, self.row_pair, x)

    def over_columns(self, x: Float[Tensor, " M"]) -> Float[Tensor, " B"]:
        """The sum over the columns of each pair."""
        return x.new_zeros(self.num_pairs).index_add(0, self.column_pair, x)

    def norm(self, x: Float[Tensor, " M"]) -> Float[Tensor, " B"]:
        """The Euclidean norm over the columns of each pair."""
        return self.over_columns(x.square()).sqrt()


@dataclass(frozen=True)
class SparseProblem:
    """Move masses `a` to masses `b` at scaled cost `c` along the entries of a support."""

    support: Support
    c: Float[Tensor, " s"]
    a: Float[Tensor, " N"]
    b: Float[Tensor, " M"]

    @functools.cached_property
    def into_rows(self) -> Float[Tensor, " s"]:
        """`log b - c`: what a row sees of the columns."""
        return self.support.of_columns(self.b.log()) - self.c

    @functools.cached_property
    def into_columns(self) -> Float[Tensor, " s"]:
        """`log a - c`: what a column sees of the rows."""
        return self.support.of_rows(self.a.log()) - self.c

    def row_potential(self, g: Float[Tensor, " M"]) -> Float[Tensor, " N"]:
        """The `f` that gives every row its mass, (E4) over the entries."""
        z = self.into_rows + self.support.of_columns(g)
        return -_logsumexp(z, self.support.row, len(self.a))

    def column_potential(self, f: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """The `g` that gives every column its mass, (E5) over the entries."""
        z = self.into_columns + self.support.of_rows(f)
        return -_logsumexp(z, self.support.column, len(self.b))

    def plan(self, f: Float[Tensor, " N"], g: Float[Tensor, " M"]) -> Float[Tensor, " s"]:
        """`P = a b exp(f + g - c)` at each entry, (E29)."""
        s = self.support
        return (
            s.of_rows(self.a) * s.of_columns(self.b) * exp(s.of_rows(f) + s.of_columns(g) - self.c)
        )

    def residual(self, column_sum: Tensor, row_sum: Tensor | None = None) -> Float[Tensor, " B"]:
        """Mass in the wrong place as a share of all mass, (E6)."""
        total = self.support.over_columns(self.b)
        wrong = self.support.over_columns((column_sum - self.b).abs())
        if row_sum is not None:
            wrong = torch.maximum(wrong, self.support.over_rows((row_sum - self.a).abs()))
        return wrong / torch.where(total > 0, total, 1)


class SparseSolution(NamedTuple):
    """Plan on the entries, potentials over the temperature, and the evidence of each pair."""

    plan: Float[Tensor, " s"]
    f: Float[Tensor, " N"]
    g: Float[Tensor, " M"]
    residual: Float[Tensor, " B"]
    iterations: Int[Tensor, " B"]


def solve_sparse(
    problem: SparseProblem, tolerance: float, max_iterations: int, newton: bool
) -> SparseSolution:
    """Solves each pair until its residual is within the tolerance, or the iterations run out.

    Args:
        problem: Scaled costs and masses, float64.
        tolerance: Largest accepted residual.
        max_iterations: Bound on the sweeps plus Newton steps of a pair.
        newton: Whether Newton takes over after `WARM_UP` sweeps. A pair that it does not bring
            within the tolerance gets the plan of plain sweeps.
    """
    g, iterations = _potential(problem, tolerance, max_iterations, newton)
    f = problem.row_potential(g)
    plan = problem.plan(f, g)
    sums = problem.support.to_columns(plan), problem.support.to_rows(plan)
    return SparseSolution(plan, f, g, problem.residual(*sums), iterations)


def _potential(
    problem: SparseProblem, tolerance: float, max_iterations: int, newton: bool
) -> tuple[Float[Tensor, " M"], Int[Tensor, " B"]]:
    start = torch.zeros_like(problem.b)
    if not newton:
        return sweep(problem, start, tolerance, max_iterations)
    warm, iterations = sweep(problem, start, tolerance, min(WARM_UP, max_iterations))
    left = max_iterations - WARM_UP
    if left <= 0:
        return warm, iterations
    g, steps, residual = _newton(problem, warm, tolerance, left)
    stuck = ~(residual <= tolerance)
    if stuck.any():
        swept, more = sweep(problem, warm, tolerance, left)
        g = torch.where(stuck[problem.support.column_pair], swept, g)
        steps = torch.where(stuck, more, steps)
    return g, iterations + steps


def sweep(
    problem: SparseProblem, g: Float[Tensor, " M"], tolerance: float, max_iterations: int
) -> tuple[Float[Tensor, " M"], Int[Tensor, " B"]]:
    """Alternates (E4) and (E5) until each pair's residual is within the tolerance, then stands."""
    support = problem.support
    iterations = torch.zeros(support.num_pairs, dtype=torch.long, device=g.device)
    for _ in range(max_iterations):
        better = problem.column_potential(problem.row_potential(g))
        column_sum = torch.where(problem.b > 0, problem.b * (g - better).clamp(max=80).exp(), 0)
        active = problem.residual(column_sum) > tolerance
        if not active.any():
            break
        g = torch.where(active[support.column_pair], better, g)
        iterations += active
    return g, iterations


class _Point(NamedTuple):
    """A column potential with what follows from it; `value` is the semi-dual `F` of (E7)."""

    g: Float[Tensor, " M"]
    f: Float[Tensor, " N"]
    plan: Float[Tensor, " s"]
    column_sum: Float[Tensor, " M"]
    residual: Float[Tensor, " B"]
    value: Float[Tensor, " B"]


def _at(problem: SparseProblem, g: Float[Tensor, " M"]) -> _Point:
    support, f = problem.support, problem.row_potential(g)
    plan = problem.plan(f, g)
    column_sum = support.to_columns(plan)
    value = support.over_columns(problem.b * g) + support.over_rows(problem.a * f)
    return _Point(g, f, plan, column_sum, problem.residual(column_sum), value)


def _newton(
    problem: SparseProblem, g: Float[Tensor, " M"], tolerance: float, max_iterations: int
) -> tuple[Float[Tensor, " M"], Int[Tensor, " B"], Float[Tensor, " B"]]:
    """Inexact Newton on the semi-dual (E7), its systems by conjugate gradients; pairs apart."""
    here = _at(problem, g)
    steps = torch.zeros_like(here.residual, dtype=torch.long)
    for _ in range(max_iterations):
        going = here.residual > tolerance
        if not going.any():
            break
        here = _at(problem, _step(problem, here, going))
        steps += going
    return here.g, steps, here.residual


def _step(problem: SparseProblem, here: _Point, going: Bool[Tensor, " B"]) -> Float[Tensor, " M"]:
    """The next column potential: Newton's with backtracking, or else a sweep's; others stand."""
    support = problem.support
    at_column = support.column_pair
    gap = torch.where(going[at_column], problem.b - here.column_sum, 0)
    # Superlinear: the closer, the more exact the direction.
    enough = support.norm(gap) * here.residual.sqrt().clamp(max=0.1)
    direction, _ = solve_schur(support, here.plan, problem.a, gap, enough)
    longest = torch.full_like(here.value, _LONGEST).scatter_reduce(
        0, at_column, direction.abs(), "amax"
    )
    direction = direction * (_LONGEST / longest)[at_column]
    slope = support.over_columns(gap * direction)
    blur = 1e-14 * (1 + here.value.abs())  # F is known no better
    best, done = here.g, ~going
    for length in _STEP_LENGTHS:
        there = _at(problem, here.g + length * direction)
        gain = there.value - here.value
        rises = (gain >= _SUFFICIENT * length * slope) & (slope > 0)
        closer = (there.residual <= 0.5 * here.residual) & (gain >= -blur)
        best = torch.where(((rises | closer) & ~done)[at_column], there.g, best)
        done = done | rises | closer
        if done.all():
            return best
    return torch.where(done[at_column], best, problem.column_potential(here.f))


def solve_schur(
    support: Support,
    plan: Float[Tensor, " s"],
    a: Float[Tensor, " N"],
    right: Float[Tensor, " M"],
    enough: Float[Tensor, " B"],
) -> tuple[Float[Tensor, " M"], Float[Tensor, " B"]]:
    """Solves `(diag(P^T 1) - P^T diag(1/a) P) x = right` by conjugate gradients, (E31).

    Args:
        support, plan, a: The matrix, never formed.
        right: Right side; sums to zero over each pair.
        enough: Norm of the residual at which a pair stops.

    Returns:
        The solution and the norm of the residual of each pair, measured, not carried along.
    """
    system = _Schur(support, plan, a)
    right = system.into_range(right)
    x, rest, left = torch.zeros_like(right), right, support.norm(right)
    for _ in range(_REFINEMENTS):
        if not (left > enough).any():
            break
        # Rounding ends every run of conjugate gradients early; a fresh start goes on.
        there = x + _conjugate_gradients(system, rest, torch.maximum(enough, 1e-7 * left))
        after = system.into_range(right - system(there))
        better = support.norm(after) < left
        mine = better[support.column_pair]
        x, rest = torch.where(mine, there, x), torch.where(mine, after, rest)
        left, before = support.norm(rest), left
        if not ((left > enough) & (left < 0.5 * before)).any():
            break
    return x, left


class _Schur:
    """The matrix of (E7) on a support, with its diagonal, which preconditions."""

    def __init__(self, support: Support, plan: Float[Tensor, " s"], a: Float[Tensor, " N"]) -> None:
        self.support, self.plan, self.inverse_a = support, plan, inverse(a)
        self.column = support.to_columns(plan)
        self._mean = self.column * inverse(support.over_columns(self.column))[support.column_pair]
        own = support.to_columns(plan.square() * support.of_rows(self.inverse_a))
        # What a column shares with no other is exchanged with none: nothing but rounding is left.
        self.scale = inverse((self.column - own).clamp(min=1e-14) * (self.column > 0))

    def __call__(self, x: Float[Tensor, " M"]) -> Float[Tensor, " M"]:
        support, plan = self.support, self.plan
        inner = support.to_rows(plan * support.of_columns(x)) * self.inverse_a
        return self.column * x - support.to_columns(plan * support.of_rows(inner))

    def into_range(self, x: Float[Tensor, " M"]) -> Float[Tensor, " M"]:
        """`x` less what rounding adds to its sum, which must be zero."""
        return x - self.support.over_columns(x)[self.support.column_pair] * self._mean


def _conjugate_gradients(
    system: _Schur, right: Float[Tensor, " M"], enough: Float[Tensor, " B"]
) -> Float[Tensor, " M"]:
    support, at = system.support, system.support.column_pair
    x, rest, direction = torch.zeros_like(right), right, system.scale * right
    product = support.over_columns(rest * direction)
    going = support.norm(rest) > enough
    for _ in range(min(_MAX_CG, 50 + 3 * len(right))):
        image = system(direction)
        curvature = support.over_columns(direction * image)
        going &= (curvature > 0) & (product > 0)
        if not going.any():
            break
        length = torch.where(going, product / torch.where(going, curvature, 1), 0)[at]
        x, rest = x + length * direction, rest - length * image
        turned = system.scale * rest
        fresh = support.over_columns(rest * turned)
        turn = torch.where(going, fresh / torch.where(product > 0, product, 1), 0)
        direction, product = turned + turn[at] * direction, fresh
        going &= support.norm(rest) > enough
    return x


def inverse(mass: Tensor) -> Tensor:
    """`1 / mass`, and zero where there is none."""
    return torch.where(mass > 0, 1 / torch.where(mass > 0, mass, 1), 0)


def _logsumexp(z: Float[Tensor, " s"], index: Int[Tensor, " s"], size: int) -> Tensor:
    top = z.new_full((size,), -torch.inf).scatter_reduce(0, index, z, "amax")
    top = torch.where(top.isfinite(), top, 0)  # no mass on the other side: nothing to see
    total = z.new_zeros(size).index_add(0, index, exp(z - top.index_select(0, index)))
    return torch.where(total > 0, total, 1).log() + top
