"""Edges of the input that are likely in the output, too."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ._copy import OwnLabel

_START = 4.0
"""Logits by which an edge of the input is likelier before training: fifty times as likely."""


class CopiedEdges(nn.Module):
    """Makes an edge between two input nodes likely between the output nodes that stand there.

    The logit of relation `r` of a candidate edge grows by a learnt number `w_r` where the input has
    an edge of that label. Nodes of one label in like surroundings have nearly the same vectors.
    From these alone it is hard to say which of them have an edge.

    Args:
        relations: The labels that edges of the output can carry.
    """

    def __init__(self, relations: Sequence[str]) -> None:
        super().__init__()
        self.own = OwnLabel(relations)
        self.weight = nn.Parameter(torch.full((len(relations),), _START))

    def forward(
        self,
        edge_index: Int[Tensor, "2 m"],
        edge_attr: Int[Tensor, "m h"],
        candidates: Int[Tensor, "2 e"],
        *,
        directed: bool,
    ) -> Float[Tensor, "e relations"]:
        """What is added to the logits of the candidate edges; class 0, "absent", stays.

        Args:
            edge_index: Edges of the input, by the output nodes that stand at their ends.
            edge_attr: Hashes of their labels.
            candidates: The candidate edges, sorted by source, then by target.
            directed: Whether a candidate has a direction. If not, an edge counts either way.
        """
        kinds = len(self.weight)
        present = self.weight.new_zeros(candidates.shape[1], kinds)
        if not present.numel():
            return nn.functional.pad(present, (1, 0))
        kind = self.own(edge_attr)
        source, target = edge_index
        if not directed:
            source, target = torch.minimum(source, target), torch.maximum(source, target)
        most = torch.cat([edge_index, candidates], 1).max() + 1
        known, wanted = candidates[0] * most + candidates[1], source * most + target
        place = torch.searchsorted(known, wanted).clamp(max=len(known) - 1)
        there = (known[place] == wanted) & (kind < kinds)
        # Set, not added: an edge that the input stores twice counts once.
        present[place[there], kind[there]] = 1.0
        return nn.functional.pad(present * self.weight, (1, 0))
