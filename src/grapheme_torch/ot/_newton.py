"""Newton steps on the semi-dual: what turns thousands of Sinkhorn sweeps into a handful, (E7).

With the row potential eliminated, `f = f(g)`, transport is the unconstrained concave problem

    maximise  F(g) = <b, g> + <a, f(g)>
    grad F = b - P^T 1,  -hess F = diag(P^T 1) - P^T diag(1/a) P

Sinkhorn is slow where two groups of nodes exchange little mass: the Hessian has a tiny
eigenvalue along "raise one group, lower the other". Newton does not see that.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._sinkhorn import Problem

STEP_LENGTHS = (1.0, 0.25, 0.0625)
SUFFICIENT = 1e-4  # Armijo's constant [nocedal06, (3.4)]
LONGEST = 20.0  # of a step, in temperatures; where groups are all but separate Newton would leap
_RIDGE = 1e-14  # relative to a unit of mass: only groups that exchange less than this feel it


def newton(
    problem: Problem, g: Float[Tensor, "B M"], tol: float, max_iter: int
) -> tuple[Float[Tensor, "B M"], Int[Tensor, " B"]]:
    """Takes every pair from `g` to a residual of at most `tol`, or as far as `max_iter` steps go.

    Each step is a Newton step with backtracking. A pair for which no step length raises `F` enough
    makes a Sinkhorn sweep instead, which always does.

    Returns:
        The column potential and the number of steps of each pair.
    """
    found, steps = g.clone(), torch.zeros(len(g), dtype=torch.long, device=g.device)
    todo, here = torch.arange(len(g), device=g.device), _Point.at(problem, g)
    for _ in range(max_iter):
        going = here.residual > tol
        if not going.all():
            found[todo[~going]] = here.g[~going]
            todo, here, problem = todo[going], here[going], problem[going]
            if not len(todo):
                break
        here = _step(problem, here)
        steps[todo] += 1
    found[todo] = here.g
    return found, steps


def schur(plan: Float[Tensor, "B N M"], a: Float[Tensor, "B N"]) -> Float[Tensor, "B M M"]:
    """`diag(P^T 1) - P^T diag(1/a) P`, made invertible, (E7).

    Its null vector 1 (potentials are defined up to a constant) is filled by a rank-one term.
    Columns without mass are filled by a one on the diagonal. Neither changes a solution for a
    right-hand side that sums to zero.
    """
    column = plan.sum(1)
    empty = column <= 0
    share = plan / torch.where(a > 0, a, 1)[:, :, None]
    matrix = torch.diag_embed(column + empty + _RIDGE) - plan.mT @ share
    total = column.sum(1)
    return (
        matrix
        + column[:, :, None] * (column / torch.where(total > 0, total, 1)[:, None])[:, None, :]
    )


@dataclass(frozen=True)
class _Point:
    """A column potential with what follows from it: row potential, plan, residual, and `F`."""

    g: Float[Tensor, "B M"]
    f: Float[Tensor, "B N"]
    plan: Float[Tensor, "B N M"]
    residual: Float[Tensor, " B"]
    value: Float[Tensor, " B"]

    @classmethod
    def at(cls, problem: Problem, g: Float[Tensor, "B M"]) -> "_Point":
        f = problem.row_potential(g)
        plan = problem.plan(f, g)
        value = (problem.b * g).sum(1) + (problem.a * f).sum(1)
        return cls(g, f, plan, problem.residual(plan.sum(1)), value)

    def __getitem__(self, pairs: Tensor) -> "_Point":
        return _Point(*(value[pairs] for value in vars(self).values()))

    def where(self, mine: Bool[Tensor, " B"], other: "_Point") -> "_Point":
        """This point for the pairs of `mine`, the other one for the rest."""
        sides = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Point(*(torch.where(mine.view(-1, *[1] * (x.ndim - 1)), x, y) for x, y in sides))


def _step(problem: Problem, here: _Point) -> _Point:
    gap = problem.b - here.plan.sum(1)
    direction = torch.linalg.solve_ex(schur(here.plan, problem.a), gap)[0].nan_to_num(0, 0, 0)
    direction = direction * (LONGEST / direction.abs().amax(1, keepdim=True).clamp(min=LONGEST))
    slope = (gap * direction).sum(1)
    blur = 1e-14 * (1 + here.value.abs())  # F is known no better
    done = torch.zeros_like(slope, dtype=torch.bool)
    best = here
    for length in STEP_LENGTHS:
        there = _Point.at(problem, here.g + length * direction)
        gain = there.value - here.value
        rises = (gain >= SUFFICIENT * length * slope) & (slope > 0)
        # Close to the solution F is flat to the last bit; there the residual decides.
        closer = (there.residual <= 0.5 * here.residual) & (gain >= -blur)
        best = there.where((rises | closer) & ~done, best)
        done |= rises | closer
        if done.all():
            return best
    return best.where(done, _Point.at(problem, problem.column_potential(here.f)))
