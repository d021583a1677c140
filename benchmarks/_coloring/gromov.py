"""A plan with uniform margins of least fused cost, by conditional gradient with exact steps.

The edge cost of a plan `P` is, for each slot `i` that becomes the node `k`,

    sum_jl w_k w_l c(ij, kl) P_jl,   c(ij, kl) = surplus_ij - sum_r edge_rij [kl has relation r],

a cross-entropy over relations: `surplus` is that of *absent*, and `edge_r` the log-odds of `r`
against it. So it is a product of matrices for each relation, and both sides are symmetric.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

MAX_STEPS, TOLERANCE = 20, 1e-5
"""Of the conditional gradient, as published."""

Corner = Callable[[np.ndarray], np.ndarray]
"""The plan with uniform margins of least linear cost."""


class Problem(NamedTuple):
    """What a plan is charged.

    Args:
        linear: For a slot that becomes a node of the target.
        surplus, edge: Surprise at no edge, and the log-odds of each relation against none.
        wanted: Edges of the target by relation, times the weights of both ends.
        weight: Of a node of the target: 0 in the padding, 1 in the mean.
    """

    linear: Float[Tensor, "B K K"]
    surplus: Float[Tensor, "B K K"]
    edge: Float[Tensor, "B R K K"]
    wanted: Float[Tensor, "B R K K"]
    weight: Float[Tensor, "B K"]


def charge(problem: Problem, plan: Float[Tensor, "B K K"]) -> Tensor:
    """The mean of what a batch is charged under these plans."""
    return (plan * (problem.linear + _product(problem, plan))).sum((1, 2)).mean()


def _product(problem: Problem, plan: Float[Tensor, "B K K"]) -> Float[Tensor, "B K K"]:
    """`sum_jl w_k w_l c(ij, kl) P_jl`."""
    _, surplus, edge, wanted, weight = problem
    met = (edge @ plan[:, None] @ wanted).sum(1)
    return surplus @ (plan @ weight[:, :, None]) * weight[:, None, :] - met


def by_assignment(cost: np.ndarray) -> np.ndarray:
    """By SciPy. Faster than the network simplex of POT, and as exact: corners are permutations."""
    corner = np.zeros_like(cost)
    corner[linear_sum_assignment(cost)] = 1 / len(cost)
    return corner


def by_network_simplex(cost: np.ndarray) -> np.ndarray:
    """By POT, as published."""
    import ot

    plan: np.ndarray = ot.emd([], [], cost, numItermax=1000)
    return plan


@torch.no_grad()
def solve(problem: Problem, corner: Corner = by_assignment) -> Float[Tensor, "B K K"]:
    """Conditional gradient from the uniform plan, one pair after the other."""
    arrays = [x.detach().cpu().double().numpy() for x in problem]
    plans = [_solve_one(*pair, corner=corner) for pair in zip(*arrays, strict=True)]
    return torch.as_tensor(np.stack(plans)).to(problem.linear)


def _solve_one(
    linear: np.ndarray,
    surplus: np.ndarray,
    edge: np.ndarray,
    wanted: np.ndarray,
    weight: np.ndarray,
    *,
    corner: Corner,
) -> np.ndarray:
    def product(plan: np.ndarray) -> np.ndarray:
        met: np.ndarray = (edge @ plan @ wanted).sum(0)
        return np.outer(surplus @ (plan @ weight), weight) - met

    plan = np.full_like(linear, 1 / linear.size)
    # The product is linear in the plan: one a step is enough, and symmetric edges make the slope
    # twice as large.
    moved = product(plan)
    for _ in range(MAX_STEPS):
        step = corner(linear + 2 * moved) - plan
        turned = product(step)
        square = (step * turned).sum()
        slope = (step * (linear + 2 * moved)).sum()
        length = _least_on_line(slope, square)
        plan = plan + length * step
        moved = moved + length * turned
        if -(slope * length + square * length**2) < TOLERANCE:
            break
    return plan


def _least_on_line(slope: float, square: float) -> float:
    """The `s` in [0, 1] of least `slope s + square s^2`."""
    if square > 0:
        return min(1.0, max(0.0, -slope / (2 * square)))
    return 1.0 if slope + square < 0 else 0.0
