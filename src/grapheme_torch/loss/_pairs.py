"""A batch of predictions beside a batch of targets, checked once and laid out in padded form."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid
from torch_geometric.data import Data

from .._check import Received, require
from ..graph import membership
from ..prediction import Prediction
from ._layout import Layout


@dataclass(frozen=True)
class Target:
    """The tensors of a target batch; edges go from `source` to `sink`, places in their graph."""

    layout: Layout
    y: Int[Tensor, " m"]
    graph: Int[Tensor, " t"]
    source: Int[Tensor, " t"]
    sink: Int[Tensor, " t"]
    relation: Int[Tensor, " t"]
    position: Shaped[Tensor, " m"] | None

    @property
    def num_edges(self) -> Int[Tensor, " B"]:
        """Edges of each graph."""
        return torch.bincount(self.graph, minlength=len(self.layout.count))


@dataclass(frozen=True)
class Pairs:
    """Predicted graphs in log-probabilities, and their targets.

    Args:
        exists, absent: `log h` and `log (1 - h)` of each predicted node.
        label: `log p(y)`; axes: node, class.
        relation: `log q(r)`; axes: candidate edge, relation; 0 means no edge.
        graph, source, sink: The graph of each candidate edge, and its ends as places in it.
    """

    layout: Layout
    exists: Float[Tensor, " n"]
    absent: Float[Tensor, " n"]
    label: Float[Tensor, "n classes"]
    relation: Float[Tensor, "e relations"]
    graph: Int[Tensor, " e"]
    source: Int[Tensor, " e"]
    sink: Int[Tensor, " e"]
    position: Float[Tensor, " n"] | None
    target: Target


def pair_up(prediction: Prediction, target: Data) -> Pairs:
    """Checks that a prediction and a target batch can be compared, and lays them out.

    Raises:
        InputError: Naming the tensor that does not fit.
    """
    layout = _layout("prediction", prediction.batch, prediction.num_graphs)
    source, sink = prediction.edge_index
    graph = prediction.batch[source]
    _check_edges("prediction", prediction.edge_index, layout)
    return Pairs(
        layout=layout,
        exists=logsigmoid(prediction.existence),
        absent=logsigmoid(-prediction.existence),
        label=log_softmax(prediction.label, dim=1),
        relation=log_softmax(prediction.relation, dim=1),
        graph=graph,
        source=layout.place[source],
        sink=layout.place[sink],
        position=prediction.position,
        target=_target(prediction, target),
    )


def _layout(side: str, batch: Tensor, num_graphs: int) -> Layout:
    wanted = f"ascend from 0 to at most {num_graphs - 1}"
    inside = not len(batch) or (int(batch[0]) >= 0 and int(batch[-1]) < num_graphs)
    ok = inside and bool((batch.diff() >= 0).all())
    require(ok, f"`{side}.batch`", wanted, batch, "Keep the nodes of a graph together.")
    return Layout.of(batch, num_graphs)


def _check_edges(side: str, edge_index: Tensor, layout: Layout) -> None:
    source, sink = edge_index
    graph = layout.batch[source]
    require(
        bool((layout.batch[sink] == graph).all()),
        f"`{side}.edge_index`",
        "join nodes of the same graph",
        Received("an edge between two graphs of the batch"),
        "Offset the node numbers of each graph, as PyTorch Geometric's Batch does.",
    )
    key = (graph * layout.width + layout.place[source]) * layout.width + layout.place[sink]
    require(
        key.unique().numel() == key.numel(),
        f"`{side}.edge_index`",
        "hold each ordered pair of nodes at most once",
        Received("the same edge twice"),
        "Remove duplicates: torch_geometric.utils.coalesce(edge_index).",
    )


def _target(prediction: Prediction, target: Data) -> Target:
    edge_index = target.edge_index
    require(edge_index is not None, "`target.edge_index`", "be given", None, "Use shape [2, 0].")
    assert edge_index is not None
    batch, count = membership(target)
    require(
        count == prediction.num_graphs,
        "`target`",
        f"hold as many graphs as the prediction ({prediction.num_graphs})",
        count,
        "Collate predictions and targets in the same order.",
    )
    y = _field(target, "y", "class per node", len(batch))
    relation = torch.ones_like(edge_index[0])
    if target.get("edge_type") is not None:
        relation = _field(target, "edge_type", "relation per edge", len(relation))
    _check_range("target.y", y, 0, prediction.label.shape[1], "Widen `prediction.label`.")
    remedy = "Relation 0 means absent; number the others from 1 and widen `prediction.relation`."
    _check_range("target.edge_type", relation, 1, prediction.relation.shape[1], remedy)
    layout = _layout("target", batch, count)
    _check_edges("target", edge_index, layout)
    source, sink = edge_index
    return Target(
        layout,
        y,
        batch[source],
        layout.place[source],
        layout.place[sink],
        relation,
        target.get("position"),
    )


def _field(target: Data, name: str, what: str, count: int) -> Tensor:
    value: Any = target.get(name)
    ok = isinstance(value, Tensor) and not value.is_floating_point() and value.shape == (count,)
    received = Received("nothing") if value is None else value
    remedy = "`Alphabet.encode` adds it to a graph; `num_nodes` says how many nodes there are."
    wanted = f"be an integer tensor with one {what} ({count})"
    require(ok, f"`target.{name}`", wanted, received, remedy)
    assert isinstance(value, Tensor)
    return value


def _check_range(name: str, values: Tensor, low: int, end: int, remedy: str) -> None:
    if values.numel():
        least, most = int(values.min()), int(values.max())
        got = Received(f"values from {least} to {most}")
        require(low <= least and most < end, f"`{name}`", f"lie in [{low}, {end})", got, remedy)
