"""A batch of predictions beside a batch of targets, checked once; data and nothing else."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from ._layout import Layout


@dataclass(frozen=True)
class Target:
    """The tensors of a target batch; edges go from `source` to `sink`, places in their graph.

    Args:
        layout: Where the nodes stand in their graphs.
        y: What each node is.
        graph, source, sink: The graph of each edge, and its ends as places in it.
        relation: The relation of each edge, from 1.
        weight: The weight of each edge, if the prediction has weights.
        position: Places of the nodes, if both sides have some.
        attributes: Features of each edge, if the edge cost reads them.
    """

    layout: Layout
    y: Shaped[Tensor, "m *y"]
    graph: Int[Tensor, " t"]
    source: Int[Tensor, " t"]
    sink: Int[Tensor, " t"]
    relation: Int[Tensor, " t"]
    weight: Float[Tensor, " t"] | None
    position: Shaped[Tensor, "m d"] | None
    attributes: Float[Tensor, "t d"] | None = None

    @property
    def num_edges(self) -> Int[Tensor, " B"]:
        """Edges of each graph."""
        return torch.bincount(self.graph, minlength=len(self.layout.count))


@dataclass(frozen=True)
class Pairs:
    """Predicted graphs in log-probabilities, and their targets.

    Args:
        layout: Where predicted nodes stand in their graphs.
        directed: Whether an edge from `u` to `v` differs from one from `v` to `u`.
        exists, absent: `log h` and `log (1 - h)` of each predicted node.
        outputs: What the network says of each predicted node.
        edge_outputs: What it says of each candidate edge.
        relation: `log q(r)`; axes: candidate edge, relation; 0 means no edge.
        weight: Predicted weight of each candidate edge, if the targets have weights.
        graph, source, sink: The graph of each candidate edge, and its ends as places in it.
        position: Places of the predicted nodes, if they have some.
        target: The targets.
    """

    layout: Layout
    directed: bool
    exists: Float[Tensor, " n"]
    absent: Float[Tensor, " n"]
    outputs: Float[Tensor, "n outputs"]
    edge_outputs: Float[Tensor, "e columns"]
    relation: Float[Tensor, "e relations"]
    weight: Float[Tensor, " e"] | None
    graph: Int[Tensor, " e"]
    source: Int[Tensor, " e"]
    sink: Int[Tensor, " e"]
    position: Float[Tensor, "n d"] | None
    target: Target

    @property
    def num_pairs(self) -> int:
        """Number of pairs."""
        return len(self.layout.count)

    @property
    def placed(self) -> bool:
        """Whether both sides have positions."""
        return self.position is not None and self.target.position is not None
