"""What a network says about a graph, in logits."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch_geometric.data import Data

from ._check import Received, require
from .graph import membership

SURE = 40.0
"""The logit of a certain prediction: one minus its probability is the last bit of float64."""


_READ_OFF: Any = None
"""Default of a field that `__post_init__` fills in."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A batch of soft graphs as a disjoint union: the nodes, what they are, how they relate.

    Everything is a logit, so that no probability has to be clipped before its logarithm.

    Args:
        existence: Logit that each node exists; axis: all nodes of the batch.
        label: Logits over node classes; axes: node, class.
        edge_index: Source and target node of each candidate edge, within one graph.
        relation: Logits over relations of each candidate edge; axes: edge, relation.
            Relation 0 means *absent*.
        batch: The graph each node belongs to, ascending. Default: all nodes are one graph.
        num_graphs: Number of graphs, so that empty ones at the end count. Default: read off
            `batch`.
        position: Place of each node in steps (reading order, depth), one or several coordinates,
            used to steer the alignment only. Default: none.
        weight: Weight of each candidate edge, compared with `edge_weight` of the target where
            edges are aligned. Default: edges have no weight.
        directed: Whether an edge has a direction. If not, each pair of nodes is one candidate,
            given in one direction.

    Raises:
        InputError: If the shapes do not fit together.
    """

    existence: Float[Tensor, " n"]
    label: Float[Tensor, "n classes"]
    edge_index: Int[Tensor, "2 e"]
    relation: Float[Tensor, "e relations"]
    batch: Int[Tensor, " n"] = _READ_OFF
    num_graphs: int = _READ_OFF
    position: Float[Tensor, "n *d"] | None = None
    weight: Float[Tensor, " e"] | None = None
    directed: bool = True

    def __post_init__(self) -> None:
        if self.batch is None:
            object.__setattr__(self, "batch", torch.zeros_like(self.existence, dtype=torch.long))
        self._check_shapes()
        if self.num_graphs is None:
            count = int(self.batch[-1]) + 1 if len(self.batch) else 1
            object.__setattr__(self, "num_graphs", count)

    @classmethod
    def from_dense(
        cls,
        label: Float[Tensor, "B K classes"],
        relation: Float[Tensor, "B K K relations"],
        *,
        existence: Float[Tensor, "B K"] | None = None,
        mask: Bool[Tensor, "B K"] | None = None,
        position: Float[Tensor, "B K *d"] | None = None,
        weight: Float[Tensor, "B K K"] | None = None,
        directed: bool = True,
    ) -> "Prediction":
        """The prediction of a decoder with `K` slots per graph, such as DETR's.

        Args:
            label: Node outputs of each slot; axes: graph, slot, class.
            relation: Logits over relations of each ordered pair of slots, 0 being *absent*;
                axes: graph, from slot, to slot, relation. The diagonal is not read.
            existence: Logit that each slot holds a node. Default: class 0 of `label` is "no
                node", and is taken out of the classes: class `c` becomes `c - 1`.
            mask: Which slots are in use. Default: all.
            position: Place of each slot, in steps.
            weight: Weight of the edge of each ordered pair of slots.
            directed: If not, each pair of slots is one candidate, read above the diagonal:
                `relation[:, i, j]` with `i < j`, the form for `StructuralLoss(directed=False)`.

        Raises:
            InputError: If the shapes do not fit together.
        """
        size, slots = label.shape[:2]
        fits = relation.shape[:3] == (size, slots, slots)
        wanted = f"have shape ({size}, {slots}, {slots}, relations)"
        remedy = "Give one row of logits per ordered pair of slots."
        require(fits, "`relation`", wanted, tuple(relation.shape), remedy)
        if existence is None:
            # P(some class) / P(no node), as a logit.
            existence = label[..., 1:].logsumexp(2) - label[..., 0]
            label = label[..., 1:]
        mask = torch.ones_like(existence, dtype=torch.bool) if mask is None else mask
        pair = mask[:, :, None] & mask[:, None, :]
        every = torch.ones(slots, slots, dtype=torch.bool, device=mask.device)
        above = every.triu(1)
        pair &= above | above.T if directed else above
        number = (mask.flatten().cumsum(0) - 1).view_as(mask)
        graph, source, sink = pair.nonzero(as_tuple=True)
        return cls(
            existence=existence[mask],
            label=label[mask],
            edge_index=torch.stack([number[graph, source], number[graph, sink]]),
            relation=relation[pair],
            batch=mask.nonzero()[:, 0],
            num_graphs=size,
            position=None if position is None else position[mask],
            weight=None if weight is None else weight[pair],
            directed=directed,
        )

    @classmethod
    def certain(cls, graph: Data, *, num_labels: int, num_relations: int) -> "Prediction":
        """The prediction that is sure of a graph with classes `y` and, if given, `edge_type`.

        Every node exists and every ordered pair of nodes of a graph is a candidate; all logits
        are +-40, so that a wrong answer has probability 1e-17. Float64.
        """
        batch, num_graphs = membership(graph)
        count = torch.bincount(batch, minlength=num_graphs)
        first = count.cumsum(0) - count
        # Every node beside every node of its graph, in lexicographic order.
        choices = count[batch]
        source = torch.arange(len(batch), device=batch.device).repeat_interleave(choices)
        place = (
            torch.arange(len(source), device=batch.device) - (choices.cumsum(0) - choices)[source]
        )
        sink = first[batch][source] + place
        relation = torch.zeros_like(source)
        assert graph.edge_index is not None
        key = graph.edge_index[0] * len(batch) + graph.edge_index[1]
        edge_type = graph.get("edge_type")
        found = torch.searchsorted(source * len(batch) + sink, key)
        relation[found] = 1 if edge_type is None else edge_type
        return cls(
            existence=torch.full((len(batch),), SURE, dtype=torch.float64, device=batch.device),
            label=_sure(graph.y, num_labels),
            edge_index=torch.stack([source, sink]),
            relation=_sure(relation, num_relations + 1),
            batch=batch,
            num_graphs=num_graphs,
            position=graph.get("position"),
        )

    def _check_shapes(self) -> None:
        n = self.existence.numel()
        e = self.edge_index.shape[-1] if self.edge_index.ndim else 0
        several = self.position is not None and self.position.ndim > 1
        for name, tensor, wanted in (
            ("existence", self.existence, (n,)),
            ("label", self.label, (n, -1)),
            ("edge_index", self.edge_index, (2, e)),
            ("relation", self.relation, (e, -1)),
            ("batch", self.batch, (n,)),
            ("position", self.position, (n, -1) if several else (n,)),
            ("weight", self.weight, (e,)),
        ):
            if tensor is None:
                continue
            got = tuple(tensor.shape)
            free = tuple(g if w == -1 else w for g, w in zip(got, wanted, strict=False))
            require(
                len(got) == len(wanted) and got == free,
                f"`Prediction.{name}`",
                f"have shape {wanted} (-1: any)",
                Received(str(got)),
                "Give one row per node, or one per candidate edge.",
            )


def _sure(choice: Int[Tensor, " k"], num_classes: int) -> Float[Tensor, "k classes"]:
    one_hot = torch.nn.functional.one_hot(choice, num_classes) if len(choice) else None
    if one_hot is None:
        return torch.zeros(0, num_classes, dtype=torch.float64, device=choice.device)
    return (2 * one_hot - 1).double() * (SURE / 2)
