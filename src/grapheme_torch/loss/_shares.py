"""Which node and which edge the loss of a pair comes from."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import require
from ..prediction import Prediction
from ._program import edge_costs, node_insertion
from ._spec import Spec
from ._structural import StructuralLoss
from .batch._arguments import check_kinds, joined
from .batch._masks import masked
from .batch._pairs import Pairs
from .batch._read import read
from .layouts._padded import Padded
from .terms._edge_cost import EdgeCosts, edge_channels
from .terms._nodes import expected_edits, surprise
from .terms._unmatched_edges import unmatched_charge

_AT_ONCE = 2_000_000
"""Pairs of a candidate and a target edge that are held in memory."""


@dataclass(frozen=True)
class LossShares:
    """What each node and edge of one pair adds to the loss, weighted as in the total.

    Args:
        predicted: Of each predicted node: what its matches and its deletion cost.
        target: Of each target node: what its insertion costs.
        candidates: Of each candidate edge: what it costs, aligned or not.
        edges: Of each target edge: what it costs that no candidate takes it.
    """

    predicted: Float[Tensor, " n"]
    target: Float[Tensor, " m"]
    candidates: Float[Tensor, " e"]
    edges: Float[Tensor, " t"]


@torch.no_grad()
def loss_shares(
    loss: StructuralLoss, prediction: Prediction, target: Data, plan: Float[Tensor, "n1 m1"]
) -> LossShares:
    """The node and the edge term of one pair, told by nodes and edges; (E13), (E14), (E16).

    The first two parts add up to `alpha * node`, the others to `beta * edge`. The clique term is
    one of the whole graph.

    Args:
        loss: How they are compared.
        prediction, target: One graph each.
        plan: The alignment, `result.plan[0]`.

    Raises:
        InputError: If they cannot be compared, or are several graphs.
    """
    target = joined(target)
    check_kinds(prediction, target)
    remedy = "Take one pair: prediction[k], target[k]."
    require(len(prediction) == 1, "`prediction`", "be one graph", len(prediction), remedy)
    spec = loss.spec
    pairs = masked(read(prediction, target, spec, placed=False), prediction, spec)
    charged = plan * _node_costs(Padded(pairs, spec))
    costs = edge_costs(spec, pairs, edits=spec.edit)
    matches = plan[:-1, :-1].to(costs.unaligned)
    candidates, edges = _edge_shares(pairs, costs, matches)
    back = unmatched_charge(pairs, matches.sum(1)[None], costs.unaligned)
    candidates = candidates - spec.refund * back
    return LossShares(
        spec.alpha * charged[:-1].sum(1),
        spec.alpha * charged[-1, :-1],
        spec.beta * candidates,
        spec.beta * edges,
    )


def _node_costs(space: Padded) -> Float[Tensor, "n1 m1"]:
    """What each match, deletion and insertion costs."""
    spec: Spec = space.spec
    terms, insertion = space.node_terms(), node_insertion(spec, space.pairs)
    if spec.edit:
        return expected_edits(space, terms.match, spec.prices, insertion)[0]
    return surprise(space, terms.nll, spec.prices, insertion)[0]


def _edge_shares(
    pairs: Pairs, costs: EdgeCosts, plan: Float[Tensor, "n m"]
) -> tuple[Float[Tensor, " e"], Float[Tensor, " t"]]:
    """What each candidate and each target edge costs under the plan, (E16).

    What aligning the two adds is part of the candidate's, but for what it saves the target edge.
    """
    target, (gain, value) = pairs.target, edge_channels(pairs, costs)
    _, source, sink = target.laid
    count = len(target.relation)
    unmatched = torch.as_tensor(costs.unmatched, dtype=plan.dtype, device=plan.device)
    unmatched = unmatched[target.relation - 1] if unmatched.ndim else unmatched.expand(count)
    candidates, taken = costs.unaligned.clone(), plan.new_zeros(count)
    for rows in torch.arange(len(candidates), device=plan.device).split(
        max(_AT_ONCE // max(len(source), 1), 1)
    ):
        u, v = plan[pairs.source[rows]], plan[pairs.sink[rows]]
        both = u[:, source] * v[:, sink]
        if not pairs.directed:  # a loop has one way
            both = both + torch.where(source == sink, 0, u[:, sink] * v[:, source])
        taken += both[:, :count].sum(0)
        saved = both[:, :count] @ unmatched
        candidates[rows] += (both * (gain[rows] @ value.mT)).sum(1) + saved
    return candidates, unmatched * (1 - taken)
