"""A batch of predictions beside a batch of targets, checked once and laid out in padded form."""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid
from torch_geometric.data import Data

from ..._check import require
from ...prediction import Prediction
from ..terms._node_cost import (
    SCALE_FREE,
    Compared,
    Likeness,
    NodeCost,
    NodeKind,
    check_outputs,
    compared,
    twice,
)
from ..terms._own_cost import padded_cost
from ..terms._scale import found_scale
from ._edge_places import placed_edges
from ._layout import Layout
from ._target import Target, is_directed, read_target


@dataclass(frozen=True)
class Pairs:
    """Predicted graphs in log-probabilities, and their targets.

    Args:
        directed: Whether an edge from `u` to `v` differs from one from `v` to `u`.
        exists, absent: `log h` and `log (1 - h)` of each predicted node.
        node_cost: How node outputs are compared with targets, see `compared`.
        outputs: What the network says of each predicted node.
        relation: `log q(r)`; axes: candidate edge, relation; 0 means no edge.
        weight: Predicted weight of each candidate edge, if the targets have weights.
        graph, source, sink: The graph of each candidate edge, and its ends as places in it.
        node_scale: The cost at which nodes agree to 1/e; None to find it for each pair.
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
    node_scale: float | None = None
    known: Likeness | None = None

    @functools.cached_property
    def likeness(self) -> Likeness:
        """How well predicted and target nodes go together, in padded form: `n x m` numbers."""
        if self.known is not None:
            return self.known
        return self.compared.likeness(self.scale[:, None, None])

    @functools.cached_property
    def compared(self) -> Compared:
        """What predicted and target nodes cost each other, in padded form."""
        t = self.target
        if callable(self.node_cost):
            return twice(padded_cost(self.node_cost, self.layout, self.outputs, t.layout, t.y))
        return compared(self.node_cost, self.layout.pad(self.outputs), t.layout.pad(t.y))

    @functools.cached_property
    def scale(self) -> Float[Tensor, " B"]:
        """The cost at which nodes of each pair agree to 1/e; constant."""
        if not self.scale_is_found:
            return self.outputs.new_full((len(self.layout.count),), self.node_scale or 1.0)
        real = self.layout.mask[:, :, None] & self.target.layout.mask[:, None]
        with torch.no_grad():
            return found_scale(self._misfit(), real)

    def _misfit(self) -> Float[Tensor, "B N M"]:
        if self.node_cost != "features":
            return self.compared.misfit
        # The native kernel needs nothing else of them: not `B N M d` numbers.
        outputs, y = self.layout.pad(self.outputs), self.target.layout.pad(self.target.y)
        way = "donot_use_mm_for_euclid_dist"  # which loses what is close
        return torch.cdist(outputs, y.to(outputs.dtype), compute_mode=way).square() / 2

    @property
    def scale_is_found(self) -> bool:
        """Whether the scale hangs on the nodes."""
        return self.node_scale is None and self.node_cost not in SCALE_FREE


def pair_up(
    prediction: Prediction,
    target: Data,
    *,
    node_cost: NodeKind | NodeCost = "labels",
    node_scale: float | None = None,
    directed: bool | None = None,
    placed: bool = True,
) -> Pairs:
    """Checks that a prediction and a target batch can be compared, and lays them out.

    Args:
        prediction, target: As `StructuralLoss` takes them.
        node_cost: See `compared`.
        node_scale: See `Pairs`.
        directed: If not, an edge and its reverse are the same edge. Default: as prediction and
            target say.
        placed: Whether positions are read.

    Raises:
        InputError: Naming the tensor that does not fit.
    """
    if directed is None:
        directed = is_directed(prediction, target)
    layout, (graph, source, sink) = placed_edges(
        "prediction", prediction.batch, prediction.edge_index, prediction.num_graphs, directed
    )
    classes = node_cost == "labels"
    wanted = read_target(prediction, target, directed=directed, classes=classes, placed=placed)
    columns = prediction.relation.shape[1]
    remedy = "Column 0 is the logit that the edge is absent."
    require(columns >= 1, "`prediction.relation`", "have a column or more", columns, remedy)
    floats = [prediction.existence, prediction.label, prediction.relation]
    position = prediction.position if wanted.position is not None or placed else None
    floats += [x for x in (prediction.weight, position) if x is not None]
    # At least single precision: sums of many probabilities are no matter for half.
    real = functools.reduce(torch.promote_types, (x.dtype for x in floats), torch.float32)
    outputs, existence = prediction.label.to(real), prediction.existence.to(real)
    check_outputs(node_cost, outputs, wanted.y)
    return Pairs(
        layout=layout,
        directed=directed,
        exists=logsigmoid(existence),
        absent=logsigmoid(-existence),
        node_cost=node_cost,
        outputs=outputs,
        relation=log_softmax(prediction.relation.to(real), dim=1),
        weight=None if prediction.weight is None else prediction.weight.to(real),
        graph=graph,
        source=source,
        sink=sink,
        position=_columns(position, real),
        target=wanted,
        node_scale=node_scale,
    )


def _columns(position: Tensor | None, real: torch.dtype) -> Tensor | None:
    """Positions with their coordinates as columns, one or several."""
    if position is None:
        return None
    return (position if position.ndim > 1 else position[:, None]).to(real)
