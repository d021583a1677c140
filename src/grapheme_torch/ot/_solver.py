"""Solving transport in plain PyTorch, (E3)-(E7); runs on every device, differentiates nothing."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ._newton import newton as newton_steps
from ._sinkhorn import Problem, sweep

WARM_UP = 20
"""Sweeps before Newton starts; enough to be close in nearly every pair, see docs/log.md."""


class Solution(NamedTuple):
    """What solving gives: the plan, its potentials in units of cost, and the evidence."""

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
) -> Solution:
    """Solves each pair until its residual is within the tolerance, or the iterations run out.

    Args:
        cost: Cost of moving a unit of mass; axes: pair, row, column. Float64, as all here.
        eps: Temperature of each pair.
        a, b: Masses of rows and columns.
        tolerance: Largest accepted residual.
        max_iterations: Bound on the sweeps plus Newton steps of a pair.
        newton: Whether Newton takes over after `WARM_UP` sweeps. A pair that it does not bring
            within the tolerance gets the plan of `max_iterations` plain sweeps.
    """
    problem = Problem(cost / eps[:, None, None], a, b)
    g, iterations = _potential(problem, tolerance, max_iterations, newton)
    f = problem.row_potential(g)
    plan = problem.plan(f, g)
    f, g = torch.where(a > 0, f, 0), torch.where(b > 0, g, 0)
    residual = problem.residual(plan.sum(1), plan.sum(2))
    return Solution(plan, eps[:, None] * f, eps[:, None] * g, residual, iterations)


def _potential(
    problem: Problem, tolerance: float, max_iterations: int, newton: bool
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
