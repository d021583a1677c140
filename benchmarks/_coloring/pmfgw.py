"""The loss of Any2Graph (Krzakala et al. 2024), written from its description.

Partially masked fused Gromov-Wasserstein: predictions and targets padded to one size, a plan with
uniform margins, and

    existence + [node there] (label + neighbours' labels) + [both ends there] edge,

all cross-entropies of logits but for the neighbours' labels, which are squared distances. The plan
is found pair by pair on the CPU by conditional gradient with exact steps, and is a constant of the
derivative.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot, softplus

from .data import Pictures
from .network import Outputs

MAX_STEPS, TOLERANCE = 20, 1e-5
"""Of the conditional gradient, as published."""

DIAGONAL = -1.0
"""The logit of a self-loop, a constant as published."""

Corner = Callable[[np.ndarray], np.ndarray]
"""The plan with uniform margins of least linear cost."""


class Problem(NamedTuple):
    """What a plan is charged.

    Args:
        linear: For a slot that becomes a node of the target.
        surplus, edge: `softplus` of the logits of edges, and the logits.
        wanted: Edges of the target, times the weights of both ends.
        weight: Of a node of the target: 0 in the padding, 1 in the mean.
    """

    linear: Float[Tensor, "B K K"]
    surplus: Float[Tensor, "B K K"]
    edge: Float[Tensor, "B K K"]
    wanted: Float[Tensor, "B K K"]
    weight: Float[Tensor, "B K"]


def pmfgw(outputs: Outputs, pictures: Pictures, plan: Tensor | None = None) -> Tensor:
    """The mean loss of a batch; under a given plan, or the one of `plan_of`."""
    problem = _problem(outputs, pictures)
    if plan is None:
        plan = _solve(problem, by_assignment)
    return (plan * (problem.linear + _product(problem, plan))).sum((1, 2)).mean()


def pmfgw_by_network_simplex(outputs: Outputs, pictures: Pictures) -> Tensor:
    """The same with the linear problems solved as published."""
    return pmfgw(outputs, pictures, plan_of(outputs, pictures, by_network_simplex))


def plan_of(outputs: Outputs, pictures: Pictures, corner: Corner) -> Float[Tensor, "B K K"]:
    """The plan that the loss is taken under, by a solver of the linear problems."""
    return _solve(_problem(outputs, pictures), corner)


def _problem(outputs: Outputs, pictures: Pictures) -> Problem:
    slots = outputs.existence.shape[1]
    exists, colour, adjacency = (x.to(outputs.edge) for x in pictures.padded(slots))
    weight = slots * exists / exists.sum(1, keepdim=True)
    logit = outputs.existence[:, :, None]
    existence = softplus(logit) - logit * exists[:, None, :]
    classes = one_hot(colour.long(), outputs.label.shape[2]).to(outputs.edge)
    label = -log_softmax(outputs.label, 2) @ classes.mT
    diffused = adjacency @ classes
    distance = (outputs.diffused[:, :, None] - diffused[:, None]).square().sum(3)
    linear = existence + (label + distance) * weight[:, None, :]
    loop = torch.eye(slots, dtype=torch.bool)
    edge = outputs.edge.masked_fill(loop, DIAGONAL)
    wanted = adjacency * weight[:, :, None] * weight[:, None, :]
    return Problem(linear, softplus(edge), edge, wanted, weight)


def _product(problem: Problem, plan: Float[Tensor, "B K K"]) -> Float[Tensor, "B K K"]:
    """`sum_jl w_k w_l l(a_ij, b_kl) P_jl`, of the cross-entropy `l(a, b) = softplus(a) - a b`."""
    _, surplus, edge, wanted, weight = problem
    return surplus @ (plan @ weight[:, :, None]) * weight[:, None, :] - edge @ plan @ wanted


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
def _solve(problem: Problem, corner: Corner) -> Float[Tensor, "B K K"]:
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
        return np.outer(surplus @ (plan @ weight), weight) - edge @ plan @ wanted

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
