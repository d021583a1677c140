"""From node vectors to logits: existence, label, relation of candidate edges."""

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from .._check import require
from ._copy import UNCOPIED
from ._embedding import sinusoids
from .operations._score_pairs import score_pairs

Candidates = Literal["forward", "all"]

_NEVER = -40.0
"""Logit of what is never chosen, as of a certain prediction."""


class OutputHeads(nn.Module):
    """Reads a soft graph off node vectors, in logits.

    The relation of two nodes is read off `silu(W_1 z_u + W_2 z_v + W_3 s_uv + W_4 d_uv)`. It is
    made of what each is, and of several bilinear scores `s_uv` of the two, as in biaffine parsers
    [dozat17]. Where nodes have positions, `d_uv` is the distance between them.

    With `copy` a node's label is, with a probability of its own, that of the input node it
    stands at [gu16]. The last class of the label logits is then a label outside of `labels`:
    that of the input node. Copying is likely at the start: it says which output is which target
    before anything else is learned.

    Args:
        dim: Size of a node's vector; a multiple of `num_heads`.
        num_labels: Node classes.
        num_relations: Edge relations, *absent* not counted.
        num_heads: Bilinear scores of a pair of nodes.
        copy: Whether labels may be copied.
        locality: How fast an edge gets less likely with the distance of its ends, see
            `GraphTransformNet`.
        placed: Whether output nodes may have positions.
        symmetric: Whether an edge says the same from either end. It is read from the earlier
            position to the later, and without positions is the mean of both ways.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_labels: int,
        num_relations: int,
        num_heads: int = 4,
        copy: bool = False,
        locality: float = 0.0,
        placed: bool = True,
        symmetric: bool = False,
    ) -> None:
        super().__init__()
        self.num_heads, self.locality, self.symmetric = num_heads, locality, symmetric
        self.norm = nn.LayerNorm(dim)
        self.existence = nn.Linear(dim, 1)
        self.label = nn.Linear(dim, num_labels + copy)
        self.copy = nn.Linear(dim, 1) if copy else None
        if self.copy is not None:
            nn.init.constant_(self.copy.bias, 1.0)
        self.source = nn.Linear(dim, dim)
        self.target = nn.Linear(dim, dim, bias=False)
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.score = nn.Linear(num_heads, dim, bias=False)
        self.offset = nn.Linear(dim, dim, bias=False) if placed else None
        self.relation = nn.Linear(dim, num_relations + 1)
        if locality:
            nn.init.constant_(self.relation.bias[0], math.log(max(num_relations, 1)))

    def forward(
        self,
        h: Float[Tensor, "n d"],
        edge_index: Int[Tensor, "2 e"],
        position: Float[Tensor, " n"] | None = None,
        own: Int[Tensor, " n"] | None = None,
        batch: Int[Tensor, " n"] | None = None,
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n classes"], Float[Tensor, "e relations"]]:
        """Logits of existence, label and relation.

        Args:
            h: Vector of each output node.
            edge_index: The candidate edges, see `candidate_edges`.
            position: Place of each output node.
            own: Class of the label of the input node that each output node stands at. Where it is
                none of the labels, their number; where it is never copied, -1. Needed to copy, and
                read for nothing else.
            batch: The graph of each node, ascending, with the candidates of a graph together. Many
                threads then share the work. Default: one graph.

        Raises:
            InputError: If labels are copied and `own` is not given.
        """
        z = self.norm(h)
        relation = self._relation(z, edge_index, position, batch)
        return self.existence(z)[:, 0], self._label(z, own), relation

    def edges(
        self, h: Float[Tensor, "n d"], edge_index: Int[Tensor, "2 e"], batch: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "e relations"]]:
        """Logits of existence and relation alone, of nodes that stand nowhere."""
        z = self.norm(h)
        return self.existence(z)[:, 0], self._relation(z, edge_index, None, batch)

    def _relation(
        self, z: Tensor, edge_index: Tensor, position: Tensor | None, batch: Tensor | None
    ) -> Tensor:
        if not self.symmetric:
            return self._one_way(z, edge_index, position, batch)
        back = edge_index.flip(0)
        if position is None:
            ways = [self._one_way(z, way, None, batch) for way in (edge_index, back)]
            return (ways[0] + ways[1]) / 2
        onward = torch.where(position[back[0]] < position[back[1]], back, edge_index)
        return self._one_way(z, onward, position, batch)

    def _one_way(
        self, z: Tensor, edge_index: Tensor, position: Tensor | None, batch: Tensor | None
    ) -> Tensor:
        """The relation as read from source to target."""
        offset, which, steps = None, None, None
        if position is not None and self.offset is not None:
            # Thousands of candidates are but some dozens of steps apart.
            source, target = edge_index
            steps, which = (position[target] - position[source]).unique(return_inverse=True)
            offset = self.offset(sinusoids(steps, z.shape[1], z.dtype))
        read, mix = self.relation.weight, self.score.weight.T
        batch = edge_index.new_zeros(len(z)) if batch is None else batch
        relation = score_pairs(self._ends(z), offset, mix, read, edge_index, which, batch)
        relation = relation + self.relation.bias
        if steps is not None and which is not None and self.locality:
            absent = self.locality * steps.abs().clamp(min=1).log()[which]
            relation = relation + nn.functional.pad(absent[:, None], (0, relation.shape[1] - 1))
        return relation

    def _ends(self, z: Tensor) -> Tensor:
        """Query, key, and what a node is as source and as target of an edge, `[n, 4, d]`."""
        parts = (self.query, self.key, self.source, self.target)
        weight = torch.cat([part.weight for part in parts])
        bias = torch.cat([self.query.bias, self.key.bias, self.source.bias])
        bias = nn.functional.pad(bias, (0, len(weight) - len(bias)))
        return nn.functional.linear(z, weight, bias).unflatten(1, (4, -1))

    def _label(self, z: Tensor, own: Tensor | None) -> Tensor:
        label: Tensor = self.label(z)
        if self.copy is None:
            return label
        remedy = "Give the class of each node's own label, or make the heads without `copy`."
        require(own is not None, "`own`", "be given where labels are copied", own, remedy)
        assert own is not None
        barred, place = (own == UNCOPIED)[:, None], own.clamp(min=0)[:, None]
        label = torch.cat([label[:, :-1], label[:, -1:].masked_fill(barred, _NEVER)], dim=1)
        gate = self.copy(z).masked_fill(barred, _NEVER)
        written = logsigmoid(-gate) + label.log_softmax(1)
        copied = torch.logaddexp(written.gather(1, place), logsigmoid(gate))
        return written.scatter(1, place, copied)


def num_candidates(
    size: int, *, kind: Candidates = "forward", window: int | None = None, loops: bool = False
) -> int:
    """How many edges `candidate_edges` gives a graph of so many nodes."""
    reach = max(size - 1, 0) if window is None else min(window, max(size - 1, 0))
    return reach * (2 * size - reach - 1) // (1 if kind == "all" else 2) + loops * size


def candidate_edges(
    batch: Int[Tensor, " n"],
    *,
    kind: Candidates = "forward",
    window: int | None = None,
    loops: bool = False,
) -> Int[Tensor, "2 e"]:
    """The ordered pairs of nodes of one graph between which an edge may be predicted.

    Args:
        batch: The graph of each node, ascending.
        kind: "forward": from a node to later ones only, acyclic by construction; "all": both ways.
        window: Largest distance in the order of the nodes. Default: any.
        loops: Whether each node may have an edge to itself, too.

    Returns:
        Source and target of each candidate, sorted by source, then by target.
    """
    n = len(batch)
    size = torch.bincount(batch) if n else batch
    end = size.cumsum(0)[batch]
    node = torch.arange(n, device=batch.device)
    reach = end - node - 1
    if window is not None:
        reach = reach.clamp(max=window)
    offered = reach + loops
    source = node.repeat_interleave(offered)
    step = torch.arange(len(source), device=batch.device) - (offered.cumsum(0) - offered)[source]
    forward = torch.stack([source, source + step + (not loops)])
    if kind == "forward":
        return forward
    back = forward.flip(0)
    both = torch.cat([forward, back[:, back[0] != back[1]]], dim=1)
    return both[:, (both[0] * max(n, 1) + both[1]).argsort()]
