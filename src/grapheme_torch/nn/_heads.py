"""From node vectors to a prediction: existence, label, relation of candidate edges."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..prediction import Prediction
from ._embedding import sinusoids

Candidates = Literal["forward", "all"]


class OutputHeads(nn.Module):
    """Reads a soft graph off node vectors: one output node per input node, in logits.

    Args:
        dim: Size of a node's vector.
        num_labels: Node classes.
        num_relations: Edge relations, *absent* not counted.
    """

    def __init__(self, dim: int, *, num_labels: int, num_relations: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.existence = nn.Linear(dim, 1)
        self.label = nn.Linear(dim, num_labels)
        self.source = nn.Linear(dim, dim)
        self.target = nn.Linear(dim, dim, bias=False)
        self.offset = nn.Linear(dim, dim, bias=False)
        self.relation = nn.Linear(dim, num_relations + 1)

    def forward(
        self,
        h: Float[Tensor, "n d"],
        edge_index: Int[Tensor, "2 e"],
        batch: Int[Tensor, " n"],
        num_graphs: int,
        position: Float[Tensor, " n"] | None = None,
    ) -> Prediction:
        """The prediction; `edge_index` are the candidate edges, see `candidate_edges`."""
        z = self.norm(h)
        source, target = edge_index
        pair = self.source(z)[source] + self.target(z)[target]
        if position is not None:
            # Thousands of candidates are but some dozens of steps apart.
            steps, which = (position[target] - position[source]).unique(return_inverse=True)
            pair = pair + self.offset(sinusoids(steps, h.shape[1], h.dtype))[which]
        return Prediction(
            existence=self.existence(z)[:, 0],
            label=self.label(z),
            edge_index=edge_index,
            relation=self.relation(nn.functional.silu(pair)),
            batch=batch,
            num_graphs=num_graphs,
            position=position,
        )


def candidate_edges(
    batch: Int[Tensor, " n"], *, kind: Candidates = "forward", window: int | None = None
) -> Int[Tensor, "2 e"]:
    """The ordered pairs of nodes of one graph between which an edge may be predicted.

    Args:
        batch: The graph of each node, ascending.
        kind: "forward": from a node to later ones only, acyclic by construction; "all": both ways.
        window: Largest distance in the order of the nodes. Default: any.

    Returns:
        Source and target of each candidate, sorted by source.
    """
    n = len(batch)
    size = torch.bincount(batch) if n else batch
    end = size.cumsum(0)[batch]
    node = torch.arange(n, device=batch.device)
    reach = end - node - 1
    if window is not None:
        reach = reach.clamp(max=window)
    source = node.repeat_interleave(reach)
    step = torch.arange(len(source), device=batch.device) - (reach.cumsum(0) - reach)[source]
    forward = torch.stack([source, source + step + 1])
    if kind == "forward":
        return forward
    both = torch.cat([forward, forward.flip(0)], dim=1)
    return both[:, (both[0] * max(n, 1) + both[1]).argsort()]
