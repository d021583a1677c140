"""A batch of predictions beside a batch of targets, checked once and laid out in padded form."""

import functools
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
from . import _cpu
from ._layout import Layout
from ._likeness import Likeness, NodeCost, NodeKind, check_outputs, likeness


@dataclass(frozen=True)
class Target:
    """The tensors of a target batch; edges go from `source` to `sink`, places in their graph."""

    layout: Layout
    y: Shaped[Tensor, "m *y"]
    graph: Int[Tensor, " t"]
    source: Int[Tensor, " t"]
    sink: Int[Tensor, " t"]
    relation: Int[Tensor, " t"]
    weight: Float[Tensor, " t"] | None
    position: Shaped[Tensor, "m d"] | None

    @property
    def num_edges(self) -> Int[Tensor, " B"]:
        """Edges of each graph."""
        return torch.bincount(self.graph, minlength=len(self.layout.count))


@dataclass(frozen=True)
class Pairs:
    """Predicted graphs in log-probabilities, and their targets.

    Args:
        directed: Whether an edge from `u` to `v` differs from one from `v` to `u`.
        exists, absent: `log h` and `log (1 - h)` of each predicted node.
        node_cost: How node outputs are compared with targets, see `likeness`.
        outputs: What the network says of each predicted node.
        relation: `log q(r)`; axes: candidate edge, relation; 0 means no edge.
        weight: Predicted weight of each candidate edge, if the targets have weights.
        graph, source, sink: The graph of each candidate edge, and its ends as places in it.
        known: The likeness, if it is known before it is asked for.
    """

    layout: Layout
    directed: bool
    exists: Float[Tensor, " n"]
    absent: Float[Tensor, " n"]
    node_cost: NodeKind | NodeCost
    outputs: Float[Tensor, "n outputs"]
    relation: Float[Tensor, "e relations"]
    weight: Float[Tensor, " e"] | None
    graph: Int[Tensor, " e"]
    source: Int[Tensor, " e"]
    sink: Int[Tensor, " e"]
    position: Float[Tensor, "n d"] | None
    target: Target
    known: Likeness | None = None

    @functools.cached_property
    def likeness(self) -> Likeness:
        """How well predicted and target nodes go together, in padded form: `n x m` numbers."""
        if self.known is not None:
            return self.known
        outputs, y = self.layout.pad(self.outputs), self.target.layout.pad(self.target.y)
        return likeness(self.node_cost, outputs, y)


def pair_up(
    prediction: Prediction,
    target: Data,
    *,
    node_cost: NodeKind | NodeCost = "labels",
    directed: bool = True,
) -> Pairs:
    """Checks that a prediction and a target batch can be compared, and lays them out.

    Args:
        prediction, target: As `StructuralLoss` takes them.
        node_cost: See `likeness`.
        directed: If not, an edge and its reverse are the same edge, to be given once.

    Raises:
        InputError: Naming the tensor that does not fit.
    """
    layout, (graph, source, sink) = _laid_out(
        "prediction", prediction.batch, prediction.edge_index, prediction.num_graphs, directed
    )
    wanted = _target(prediction, target, directed, node_cost == "labels")
    outputs = _raised(prediction.label)
    check_outputs(node_cost, outputs, wanted.y)
    return Pairs(
        layout=layout,
        directed=directed,
        exists=logsigmoid(_raised(prediction.existence)),
        absent=logsigmoid(-_raised(prediction.existence)),
        node_cost=node_cost,
        outputs=outputs,
        relation=log_softmax(_raised(prediction.relation), dim=1),
        weight=None if prediction.weight is None else _raised(prediction.weight),
        graph=graph,
        source=source,
        sink=sink,
        position=_columns(prediction.position),
        target=wanted,
    )


def _raised(x: Tensor) -> Tensor:
    """At least in single precision: sums of many probabilities are no matter for half."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _columns(position: Tensor | None) -> Tensor | None:
    """Positions with their coordinates as columns, one or several."""
    if position is None:
        return None
    return _raised(position if position.ndim > 1 else position[:, None])


def _laid_out(
    side: str, batch: Tensor, edge_index: Tensor, num_graphs: int, directed: bool
) -> tuple[Layout, tuple[Tensor, Tensor, Tensor]]:
    """Where the nodes of a batch stand, and graph, source and sink of its edges, checked."""
    integers = batch.dtype == edge_index.dtype == torch.int64
    if integers and _cpu.serves(batch, edge_index):
        found = _cpu.lay_out(batch, edge_index, num_graphs, directed)
        if found is not None:
            count, place, graph, (source, sink) = found
            width = int(count.max()) if num_graphs else 0
            return Layout(batch, place, count, width), (graph, source, sink)
    # Slower, but it can tell what is wrong.
    layout = _layout(side, batch, num_graphs)
    _check_edges(side, edge_index, layout, directed)
    source, sink = edge_index
    return layout, (batch[source], layout.place[source], layout.place[sink])


def _layout(side: str, batch: Tensor, num_graphs: int) -> Layout:
    wanted = f"ascend from 0 to at most {num_graphs - 1}"
    inside = not len(batch) or (int(batch[0]) >= 0 and int(batch[-1]) < num_graphs)
    ok = inside and bool((batch.diff() >= 0).all())
    require(ok, f"`{side}.batch`", wanted, batch, "Keep the nodes of a graph together.")
    return Layout.of(batch, num_graphs)


def _check_edges(side: str, edge_index: Tensor, layout: Layout, directed: bool) -> None:
    n = len(layout.batch)
    inside = not edge_index.numel() or (int(edge_index.min()) >= 0 and int(edge_index.max()) < n)
    remedy = "Number the nodes of the batch from 0, and set `num_nodes` on each graph."
    require(inside, f"`{side}.edge_index`", f"name nodes in [0, {n})", edge_index, remedy)
    source, sink = edge_index if directed else edge_index.sort(0).values
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
        not bool((key.sort().values.diff() == 0).any()),
        f"`{side}.edge_index`",
        f"hold each {'ordered ' * directed}pair of nodes at most once",
        Received("the same edge twice"),
        "Remove duplicates: torch_geometric.utils.coalesce(edge_index)."
        if directed
        else "Keep one direction of each edge: edge_index[:, edge_index[0] < edge_index[1]].",
    )


def _target(prediction: Prediction, target: Data, directed: bool, classes: bool) -> Target:
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
    y = _field(target, "y", "class per node" if classes else "row per node", len(batch), classes)
    relation = torch.ones_like(edge_index[0])
    if target.get("edge_type") is not None:
        relation = _field(target, "edge_type", "relation per edge", len(relation), True)
    remedy = "Relation 0 means absent; number the others from 1 and widen `prediction.relation`."
    _check_range("target.edge_type", relation, 1, prediction.relation.shape[1], remedy)
    weight = None
    if prediction.weight is not None:
        weight = _field(target, "edge_weight", "weight per edge", len(relation), False)
    layout, (graph, source, sink) = _laid_out("target", batch, edge_index, count, directed)
    _check_positions(prediction.position, target.get("position"))
    return Target(
        layout,
        y,
        graph,
        source,
        sink,
        relation,
        weight,
        _columns(target.get("position")),
    )


def _check_positions(predicted: Tensor | None, wanted: Tensor | None) -> None:
    if predicted is not None and wanted is not None:
        ok = predicted.shape[1:] == wanted.shape[1:]
        wanted_shape = f"have {tuple(predicted.shape[1:])} coordinates a node, as the prediction"
        got = Received(str(tuple(wanted.shape[1:])))
        require(ok, "`target.position`", wanted_shape, got, "Give both sides the same.")


def _field(target: Data, name: str, what: str, count: int, integer: bool) -> Tensor:
    value: Any = target.get(name)
    ok = isinstance(value, Tensor) and value.ndim >= 1 and len(value) == count
    if ok and integer:
        ok = value.ndim == 1 and not (value.is_floating_point() or value.is_complex())
    received = Received("nothing") if value is None else value
    remedy = (
        "A prediction with weights is compared with weights."
        if name == "edge_weight"
        else "`Alphabet.encode` adds it to a graph; `num_nodes` says how many nodes there are."
    )
    wanted = f"be {'an integer' if integer else 'a'} tensor with one {what} ({count})"
    require(ok, f"`target.{name}`", wanted, received, remedy)
    assert isinstance(value, Tensor)
    return value


def _check_range(name: str, values: Tensor, low: int, end: int, remedy: str) -> None:
    if values.numel():
        least, most = int(values.min()), int(values.max())
        got = Received(f"values from {least} to {most}")
        require(low <= least and most < end, f"`{name}`", f"lie in [{low}, {end})", got, remedy)
