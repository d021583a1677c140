"""A batch of predictions beside a batch of targets, checked once; data and nothing else."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Shaped
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
        ignored: Which nodes are neither rewarded nor punished, if any.
        ignored_edges: Graph, source and sink of pairs of nodes whose edges are not, places in it.
        several: Whether edges of different relations may join the same two nodes.
    """

    layout: Layout
    y: Shaped[Tensor, "m *y"]
    graph: Int[Tensor, " t"]
    source: Int[Tensor, " t"]
    sink: Int[Tensor, " t"]
    relation: Int[Tensor, " t"]
    weight: Float[Tensor, " t"] | None
    position: Shaped[Tensor, "m d"] | None
    attributes: Float[Tensor, "t features"] | None = None
    ignored: Bool[Tensor, " m"] | None = None
    ignored_edges: tuple[Tensor, Tensor, Tensor] | None = None
    several: bool = False

    @property
    def num_edges(self) -> Int[Tensor, " B"]:
        """Edges of each graph."""
        return torch.bincount(self.graph, minlength=len(self.layout.count))

    @property
    def laid(self) -> tuple[Tensor, Tensor, Tensor]:
        """Graph, source and sink of the edges, and then of the pairs whose edges are ignored."""
        own = self.graph, self.source, self.sink
        if self.ignored_edges is None:
            return own
        graph, source, sink = (torch.cat(x) for x in zip(own, self.ignored_edges, strict=True))
        return graph, source, sink

    @property
    def whole(self) -> Bool[Tensor, " B"] | None:
        """Whether nothing of a graph is ignored; None if nothing of any is."""
        if self.ignored is None and self.ignored_edges is None:
            return None
        whole = torch.ones_like(self.layout.count, dtype=torch.bool)
        if self.ignored is not None:
            whole = whole.index_fill(0, self.layout.batch[self.ignored], False)
        if self.ignored_edges is not None:
            whole = whole.index_fill(0, self.ignored_edges[0], False)
        return whole


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
        embedding: What the network knows of each predicted node; read for aligners and terms alone.
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
    embedding: Float[Tensor, "n k"] | None = None

    @property
    def num_pairs(self) -> int:
        """Number of pairs."""
        return len(self.layout.count)

    @property
    def placed(self) -> bool:
        """Whether both sides have positions."""
        return self.position is not None and self.target.position is not None
