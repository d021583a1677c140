"""What edges at nodes that match nothing are charged, taken back: (E52)."""

import torch
from torch import Tensor

from .._alignment_plan import Plan
from ..batch._pairs import Pairs
from ._term import Term


class UnmatchedEdges(Term):
    r"""The charge for edges of predicted nodes that match nothing, taken back (E52).

    The loss asks each candidate that no target edge takes to be absent. A node that is not there
    has no edges anyway. With this term, of the weight of the edges (`beta`), the network may say
    anything of them. That helps where many output nodes are to be absent, as with queries.

    :math:`-\sum_{uv} (1 - m_u m_v) (-\log q_{uv})` in nats, with `q` the probability of "absent"
    and `m` the mass of a node that goes to target nodes. It is meant for the criterion "likelihood"
    with the edge cost and the prices of default. It is differentiable in the relations, and in the
    plan where that is not constant. Plans are found without it. Any2Graph [krzakala24] leaves
    these edges out as well.

    Example:
        >>> import grapheme_torch as gt
        >>> loss = gt.StructuralLoss(gamma=0, terms={"unmatched": (0.5, gt.UnmatchedEdges())})
    """

    def forward(self, pairs: Pairs, plan: Plan) -> Tensor:
        """The term of each pair, `[B]`, never positive.

        Args:
            pairs: Predictions in log-probabilities, and their targets.
            plan: Who was aligned with whom.

        Raises:
            InputError: If the plan is not stored as matrices.
        """
        matched = plan.padded[:, :-1, :-1].sum(2)
        both = matched[pairs.graph, pairs.source] * matched[pairs.graph, pairs.sink]
        surprise = -pairs.relation[:, 0]
        # Certain of an edge: infinite, and taken back as a whole or not at all.
        back = torch.where(both < 1, (1 - both) * surprise, 0)
        return torch.zeros_like(plan.padded[:, 0, 0]).index_add(0, pairs.graph, -back.to(matched))
