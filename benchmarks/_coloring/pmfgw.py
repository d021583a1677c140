"""The loss of Any2Graph (Krzakala et al. 2024), written from its description.

Partially masked fused Gromov-Wasserstein: predictions and targets padded to one size, a plan with
uniform margins, and

    existence + [node there] (label + neighbours' labels) + [both ends there] edge,

all cross-entropies of logits but for the neighbours' labels, which are squared distances. The plan
is found pair by pair on the CPU by conditional gradient with exact steps, and is a constant of the
derivative.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot, softplus

from .data import Pictures
from .gromov import Corner, Problem, by_assignment, by_network_simplex, charge, solve
from .network import Outputs

DIAGONAL = -1.0
"""The logit of a self-loop, a constant as published."""


def pmfgw(outputs: Outputs, pictures: Pictures, plan: Tensor | None = None) -> Tensor:
    """The mean loss of a batch; under a given plan, or the one of `plan_of`."""
    problem = _problem(outputs, pictures)
    return charge(problem, solve(problem) if plan is None else plan)


def pmfgw_by_network_simplex(outputs: Outputs, pictures: Pictures) -> Tensor:
    """The same with the linear problems solved as published."""
    return pmfgw(outputs, pictures, plan_of(outputs, pictures, by_network_simplex))


def plan_of(
    outputs: Outputs, pictures: Pictures, corner: Corner = by_assignment
) -> Float[Tensor, "B K K"]:
    """The plan that the loss is taken under, by a solver of the linear problems."""
    return solve(_problem(outputs, pictures), corner)


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
    return Problem(linear, softplus(edge), edge[:, None], wanted[:, None], weight)
