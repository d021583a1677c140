"""Solving transport in plain PyTorch, (E3)-(E7); runs on every device, differentiates nothing."""

from collections.abc import Callable
from math import nan
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ._newton import newton as newton_steps
from ._sinkhorn import Problem, sweep

WARM_UP = 20
"""Sweeps before Newton starts; enough to be close in nearly every pair, see docs/log.md."""


Sweep = Callable[[Problem, Tensor, float, int], tuple[Tensor, Tensor]]


class Solution(NamedTuple):
    """What solving gives.

    Args:
        plan: Mass moved; axes: pair, row, column.
        f, g: Potentials of rows and columns in units of cost, zero where the mass is.
        residual: The larger misfit of the two margins as a share of all mass.
        iterations: Sweeps plus Newton steps.
    """

    plan: Float[Tensor, "B N M"]
    f: Float[Tensor, "B N"]
    g: Float[Tensor, "B M"]
    residual: Float[Tensor, " B"]
    iterations: Int[Tensor, " B"]


def solve(
    cost: Float[Tensor, "B N M"],
    eps: Float[Tensor, " B"],
    a: Float[Tensor, "B N"],
    b: Float[Tensor, "B M"],
    tolerance: float,
    max_iterations: int,
    newton: bool,
    *,
    sweep: Sweep = sweep,
) -> Solution:
    """Solves each pair until its residual is within the tolerance, or the iterations run out.

    Args:
        cost: Cost of moving a unit of mass; axes: pair, row, column. Float64, as all here.
        eps: Temperature of each pair.
        a, b: Masses of rows and columns, with equal sums; zero switches off.
        tolerance: Largest accepted residual; below zero it is never met.
        max_iterations: Bound on the sweeps plus Newton steps of a pair.
        newton: Whether Newton takes over after `WARM_UP` sweeps. A pair that it does not bring
            within the tolerance gets the plan of `max_iterations` plain sweeps.
        sweep: The loop of the sweeps, `_sinkhorn.sweep` or what does the same.

    Returns:
        The solution; NaN, after no iterations, of a pair with a cost that is not finite. What
        stands in a row or column without mass is not looked at.
    """
    used = (a > 0)[:, :, None] & (b > 0)[:, None, :]
    finite = (cost.isfinite() | ~used).all(2).all(1)
    known = finite[:, None, None] & used
    problem = Problem(torch.where(known, cost, 0) / eps[:, None, None], a, b)
    g, iterations = _potential(problem, tolerance, max_iterations, newton, sweep)
    f = problem.row_potential(g)
    plan = problem.plan(f, g)
    residual = problem.residual(plan.sum(1), plan.sum(2))
    f, g = eps[:, None] * torch.where(a > 0, f, 0), eps[:, None] * torch.where(b > 0, g, 0)
    plan, f, g, residual = (
        torch.where(finite.view(-1, *[1] * (x.ndim - 1)), x, nan) for x in (plan, f, g, residual)
    )
    return Solution(plan, f, g, residual, torch.where(finite, iterations, 0))


def _potential(
    problem: Problem, tolerance: float, max_iterations: int, newton: bool, sweep: Sweep
) -> tuple[Float[Tensor, "B M"], Int[Tensor, " B"]]:
    start = torch.zeros_like(problem.b)
    if not newton:
        return sweep(problem, start, tolerance, max_iterations)
    warm, iterations = sweep(problem, start, tolerance, min(WARM_UP, max_iterations))
    left = max_iterations - WARM_UP
    if left <= 0:
        return warm, iterations
    g, steps = newton_steps(problem, warm, tolerance, left)
    stuck = problem.residual(problem.plan(problem.row_potential(g), g).sum(1)) > tolerance
    if stuck.any():
        # Newton did not certify these pairs. Their result is that of plain sweeps, whose
        # derivative is known at any count.
        swept, more = sweep(problem, warm, tolerance, left)
        g, steps = torch.where(stuck[:, None], swept, g), torch.where(stuck, more, steps)
    return g, iterations + steps
