"""Transport whose plan is never a matrix: sweeps, Newton and linear solves by products alone.

The same sweeps, Newton steps and stopping as for matrices, (E4)-(E7) and (E31) of docs/math. The
plan can only be summed and multiplied with vectors. It is one on a sparse support, or one made tile
by tile. A batch is a disjoint union. Everything is divided by the temperature, as in `_sinkhorn`.
Axes: N rows, M columns, B pairs.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._solver import WARM_UP

_STEP_LENGTHS = (1.0, 0.25, 0.0625)
_SUFFICIENT = 1e-4  # Armijo's constant, as in `_newton`
_LONGEST = 20.0  # of a step, in temperatures
_MAX_CG = 10_000  # iterations of a linear solve; what is left then is reported
_REFINEMENTS = 6  # of a linear solve


@dataclass(frozen=True)
class Sides:
    """The rows and columns of a disjoint union of pairs.

    Args:
        row_pair, column_pair: The pair of each row and column.
        num_pairs: Number of pairs.
    """

    row_pair: Int[Tensor, " N"]
    column_pair: Int[Tensor, " M"]
    num_pairs: int

    def over_rows(self, x: Float[Tensor, " N"]) -> Float[Tensor, " B"]:
        """The sum over the rows of each pair."""
        return x.new_zeros(self.num_pairs).index_add(0, self.row_pair, x)

    def over_columns(self, x: Float[Tensor, " M"]) -> Float[Tensor, " B"]:
        """The sum over the columns of each pair."""
        return x.new_zeros(self.num_pairs).index_add(0, self.column_pair, x)

    def norm(self, x: Float[Tensor, " M"]) -> Float[Tensor, " B"]:
        """The Euclidean norm over the columns of each pair."""
        return self.over_columns(x.square()).sqrt()


@runtime_checkable
class Coupling(Protocol):
    """A plan known by its sums and products."""

    @property
    def column_sum(self) -> Tensor:
        """`P^T 1`, known beforehand."""

    def row_sum(self) -> Tensor:
        """`P 1`."""

    def normal(self, x: Tensor, scale: Tensor) -> Tensor:
        """`P^T D(scale) P x`, a value of each column from one of each column."""

    def squares(self, scale: Tensor) -> Tensor:
        """`(P * P)^T scale`: the diagonal of `P^T D(scale) P`."""


@runtime_checkable
class Problem(Protocol):
    """Masses to move, and how their potentials follow from each other."""

    @property
    def sides(self) -> Sides:
        """Rows and columns of the pairs."""

    @property
    def a(self) -> Tensor:
        """Masses of the rows."""

    @property
    def b(self) -> Tensor:
        """Masses of the columns."""

    def swept(self, g: Tensor) -> Tensor:
        """The column potential after a sweep, (E4) and (E5)."""

    def at(self, g: Tensor) -> tuple[Tensor, Coupling]:
        """The row potential (E4), and the plan of both."""


class Solution(NamedTuple):
    """Potentials over the temperature, their plan, and the evidence of each pair."""

    f: Float[Tensor, " N"]
    g: Float[Tensor, " M"]
    plan: Coupling
    residual: Float[Tensor, " B"]
    iterations: Int[Tensor, " B"]


def residual(
    problem: Problem, column_sum: Float[Tensor, " M"], row_sum: Float[Tensor, " N"] | None = None
) -> Float[Tensor, " B"]:
    """Mass in the wrong place as a share of all mass, (E6)."""
    sides = problem.sides
    total = sides.over_columns(problem.b)
    wrong = sides.over_columns((column_sum - problem.b).abs())
    if row_sum is not None:
        wrong = torch.maximum(wrong, sides.over_rows((row_sum - problem.a).abs()))
    return wrong / torch.where(total > 0, total, 1)


def solve_free(problem: Problem, tolerance: float, max_iterations: int, newton: bool) -> Solution:
    """Solves each pair until its residual is within the tolerance, or the iterations run out.

    Args:
        problem: Scaled costs and masses, float64.
        tolerance: Largest accepted residual.
        max_iterations: Bound on the sweeps plus Newton steps of a pair.
        newton: Whether Newton takes over after `WARM_UP` sweeps. A pair that it does not bring
            within the tolerance gets the plan of plain sweeps.
    """
    g, iterations = _potential(problem, tolerance, max_iterations, newton)
    f, plan = problem.at(g)
    left = residual(problem, plan.column_sum, plan.row_sum())
    return Solution(f, g, plan, left, iterations)


def _potential(
    problem: Problem, tolerance: float, max_iterations: int, newton: bool
) -> tuple[Float[Tensor, " M"], Int[Tensor, " B"]]:
    start = torch.zeros_like(problem.b)
    if not newton:
        return sweep(problem, start, tolerance, max_iterations)
    warm, iterations = sweep(problem, start, tolerance, min(WARM_UP, max_iterations))
    left = max_iterations - WARM_UP
    if left <= 0:
        return warm, iterations
    g, steps, rest = _newton(problem, warm, tolerance, left)
    stuck = ~(rest <= tolerance)
    if stuck.any():
        swept, more = sweep(problem, warm, tolerance, left)
        g = torch.where(stuck[problem.sides.column_pair], swept, g)
        steps = torch.where(stuck, more, steps)
    return g, iterations + steps


def sweep(
    problem: Problem, g: Float[Tensor, " M"], tolerance: float, max_iterations: int
) -> tuple[Float[Tensor, " M"], Int[Tensor, " B"]]:
    """Alternates (E4) and (E5) until each pair's residual is within the tolerance, then stands."""
    sides = problem.sides
    iterations = torch.zeros(sides.num_pairs, dtype=torch.long, device=g.device)
    for _ in range(max_iterations):
        better = problem.swept(g)
        column_sum = torch.where(problem.b > 0, problem.b * (g - better).clamp(max=80).exp(), 0)
        active = residual(problem, column_sum) > tolerance
        if not active.any():
            break
        g = torch.where(active[sides.column_pair], better, g)
        iterations += active
    return g, iterations


class _Point(NamedTuple):
    """A column potential with what follows from it; `value` is the semi-dual `F` of (E7)."""

    g: Float[Tensor, " M"]
    plan: Coupling
    residual: Float[Tensor, " B"]
    value: Float[Tensor, " B"]


def _at(problem: Problem, g: Float[Tensor, " M"]) -> _Point:
    sides, (f, plan) = problem.sides, problem.at(g)
    value = sides.over_columns(problem.b * g) + sides.over_rows(problem.a * f)
    return _Point(g, plan, residual(problem, plan.column_sum), value)


def _newton(
    problem: Problem, g: Float[Tensor, " M"], tolerance: float, max_iterations: int
) -> tuple[Float[Tensor, " M"], Int[Tensor, " B"], Float[Tensor, " B"]]:
    """Inexact Newton on the semi-dual (E7), its systems by conjugate gradients; pairs apart."""
    here = _at(problem, g)
    steps = torch.zeros_like(here.residual, dtype=torch.long)
    for _ in range(max_iterations):
        going = here.residual > tolerance
        if not going.any():
            break
        here = _step(problem, here, going)
        steps += going
    return here.g, steps, here.residual


def _step(problem: Problem, here: _Point, going: Bool[Tensor, " B"]) -> _Point:
    """The next point: Newton's with backtracking, or else a sweep's; others stand."""
    sides = problem.sides
    at_column = sides.column_pair
    gap = torch.where(going[at_column], problem.b - here.plan.column_sum, 0)
    # Superlinear: the closer, the more exact the direction.
    enough = sides.norm(gap) * here.residual.sqrt().clamp(max=0.1)
    direction, _ = solve_schur(sides, here.plan, problem.a, gap, enough)
    longest = torch.full_like(here.value, _LONGEST).scatter_reduce(
        0, at_column, direction.abs(), "amax"
    )
    direction = direction * (_LONGEST / longest)[at_column]
    slope = sides.over_columns(gap * direction)
    blur = 1e-14 * (1 + here.value.abs())  # F is known no better
    best, done = here.g, ~going
    for length in _STEP_LENGTHS:
        there = _at(problem, here.g + length * direction)
        gain = there.value - here.value
        rises = (gain >= _SUFFICIENT * length * slope) & (slope > 0)
        closer = (there.residual <= 0.5 * here.residual) & (gain >= -blur)
        taken = (rises | closer) & ~done
        if (taken | ~going).all():
            return there  # whole, as it is: who stands was not moved
        best = torch.where(taken[at_column], there.g, best)
        done = done | taken
        if done.all():
            return _at(problem, best)
    return _at(problem, torch.where(done[at_column], best, problem.swept(here.g)))


def solve_schur(
    sides: Sides,
    plan: Coupling,
    a: Float[Tensor, " N"],
    right: Float[Tensor, " M"],
    enough: Float[Tensor, " B"],
) -> tuple[Float[Tensor, " M"], Float[Tensor, " B"]]:
    """Solves `(diag(P^T 1) - P^T diag(1/a) P) x = right` by conjugate gradients, (E31).

    Args:
        sides, plan, a: The matrix, never formed.
        right: Right side; sums to zero over each pair.
        enough: Norm of the residual at which a pair stops.

    Returns:
        The solution and the norm of the residual of each pair, measured, not carried along.
    """
    system = _Schur(sides, plan, a)
    right = system.into_range(right)
    x, rest, left = torch.zeros_like(right), right, sides.norm(right)
    for _ in range(_REFINEMENTS):
        if not (left > enough).any():
            break
        # Rounding ends every run of conjugate gradients early; a fresh start goes on.
        there = x + _conjugate_gradients(system, rest, torch.maximum(enough, 1e-7 * left))
        after = system.into_range(right - system(there))
        better = sides.norm(after) < left
        mine = better[sides.column_pair]
        x, rest = torch.where(mine, there, x), torch.where(mine, after, rest)
        left, before = sides.norm(rest), left
        if not ((left > enough) & (left < 0.5 * before)).any():
            break
    return x, left


class _Schur:
    """The matrix of (E7), never formed, with its diagonal, which preconditions."""

    def __init__(self, sides: Sides, plan: Coupling, a: Float[Tensor, " N"]) -> None:
        self.sides, self.plan, self.inverse_a = sides, plan, inverse(a)
        self.column = plan.column_sum
        self._mean = self.column * inverse(sides.over_columns(self.column))[sides.column_pair]
        own = plan.squares(self.inverse_a)
        # What a column shares with no other is exchanged with none: nothing but rounding is left.
        self.scale = inverse((self.column - own).clamp(min=1e-14) * (self.column > 0))

    def __call__(self, x: Float[Tensor, " M"]) -> Float[Tensor, " M"]:
        return self.column * x - self.plan.normal(x, self.inverse_a)

    def into_range(self, x: Float[Tensor, " M"]) -> Float[Tensor, " M"]:
        """`x` less what rounding adds to its sum, which must be zero."""
        return x - self.sides.over_columns(x)[self.sides.column_pair] * self._mean


def _conjugate_gradients(
    system: _Schur, right: Float[Tensor, " M"], enough: Float[Tensor, " B"]
) -> Float[Tensor, " M"]:
    sides, at = system.sides, system.sides.column_pair
    x, rest, direction = torch.zeros_like(right), right, system.scale * right
    product = sides.over_columns(rest * direction)
    going = sides.norm(rest) > enough
    for _ in range(min(_MAX_CG, 50 + 3 * len(right))):
        image = system(direction)
        curvature = sides.over_columns(direction * image)
        going &= (curvature > 0) & (product > 0)
        if not going.any():
            break
        length = torch.where(going, product / torch.where(going, curvature, 1), 0)[at]
        x, rest = x + length * direction, rest - length * image
        turned = system.scale * rest
        fresh = sides.over_columns(rest * turned)
        turn = torch.where(going, fresh / torch.where(product > 0, product, 1), 0)
        direction, product = turned + turn[at] * direction, fresh
        going &= sides.norm(rest) > enough
    return x


def inverse(mass: Tensor) -> Tensor:
    """`1 / mass`, and zero where there is none."""
    return torch.where(mass > 0, 1 / torch.where(mass > 0, mass, 1), 0)
