"""Newton steps on the semi-dual: what turns thousands of Sinkhorn sweeps into a handful, (E7).

With the row potential eliminated, `f = f(g)`, transport is the unconstrained concave problem

    maximise  F(g) = <b, g> + <a, f(g)>,   grad F = b - P^T 1,   -hess F = diag(P^T 1) - P^T diag(1/a) P.

Sinkhorn is slow where two groups of nodes exchange little mass: the Hessian has a tiny
eigenvalue along "raise one group, lower the other". Newton does not see that.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ._sinkhorn import Problem

_STEP_LENGTHS = (1.0, 0.25, 0.0625)
_SUFFICIENT = 1e-4  # Armijo's constant [nocedal06, (3.4)]
_LONGEST = 20.0  # of a step, in temperatures; where groups are all but separate Newton would leap
_RIDGE = 1e-14  # relative to a unit of mass: only groups that exchange less than this feel it


def newton(
    problem: Problem, g: Float[Tensor, "B M"], tol: float, max_iter: int
) -> tuple[Float[Tensor, "B M"], Int[Tensor, " B"]]:
    """Takes every pair from `g` to a residual of at most `tol`, or as far as `max_iter` steps go.

    Each step is a Newton step with backtracking; a pair for which no step length raises `F`
    enough makes a Sinkhorn sweep instead, which always does.

    Returns:
        The column potential and the number of steps of each pair.
    """
    g, steps = g.clone(), torch.zeros(len(g), dtype=torch.long, device=g.device)
    todo = torch.arange(len(g), device=g.device)
    for _ in range(max_iter):
        part = problem[todo]
        plan = part.plan(part.row_potential(g[todo]), g[todo])
        open_ = part.residual(plan.sum(1)) > tol
        if not open_.any():
            break
        todo, plan = todo[open_], plan[open_]
        g[todo] = _step(problem[todo], g[todo], plan)
        steps[todo] += 1
    return g, steps


def schur(
    plan: Float[Tensor, "B N M"], a: Float[Tensor, "B N"]
) -> Float[Tensor, "B M M"]:
    """`diag(P^T 1) - P^T diag(1/a) P`, made invertible, (E7).

    Its null vector 1 (potentials are defined up to a constant) is filled by a rank-one term
    and columns without mass by a one on the diagonal; neither changes a solution for a
    right-hand side that sums to zero.
    """
    column = plan.sum(1)
    empty = column <= 0
    share = plan / torch.where(a > 0, a, 1)[:, :, None]
    matrix = torch.diag_embed(column + empty + _RIDGE) - plan.mT @ share
    total = column.sum(1)
    return matrix + column[:, :, None] * (column / torch.where(total > 0, total, 1)[:, None])[:, None, :]


def _step(problem: Problem, g: Float[Tensor, "B M"], plan: Float[Tensor, "B N M"]) -> Tensor:
    gap = problem.b - plan.sum(1)
    direction = torch.linalg.solve_ex(schur(plan, problem.a), gap)[0].nan_to_num(0, 0, 0)
    direction = direction * (_LONGEST / direction.abs().amax(1, keepdim=True).clamp(min=_LONGEST))
    slope = (gap * direction).sum(1)
    before, residual = _semi_dual(problem, g), problem.residual(plan.sum(1))
    blur = 1e-14 * (1 + before.abs())  # F is known no better
    best = problem.column_potential(problem.row_potential(g))
    waiting = torch.ones_like(slope, dtype=torch.bool)
    for length in _STEP_LENGTHS:
        candidate = g + length * direction
        f = problem.row_potential(candidate)
        gain = _semi_dual(problem, candidate, f) - before
        # Close to the solution F is flat to the last bit; there the residual decides.
        closer = problem.residual(problem.plan(f, candidate).sum(1)) <= 0.5 * residual
        rises = (gain >= _SUFFICIENT * length * slope) & (slope > 0)
        accept = waiting & (rises | closer & (gain >= -blur))
        best = torch.where(accept[:, None], candidate, best)
        waiting = waiting & ~accept
        if not waiting.any():
            break
    return best


def _semi_dual(problem: Problem, g: Tensor, f: Tensor | None = None) -> Float[Tensor, " B"]:
    f = problem.row_potential(g) if f is None else f
    return (problem.b * g).sum(1) + (problem.a * f).sum(1)
