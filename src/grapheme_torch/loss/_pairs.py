"""A batch of predictions beside a batch of targets, checked once and laid out in padded form."""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid
from torch_geometric.data import Data

from .._check import require
from ..prediction import Prediction
from ._layout import Layout
from ._likeness import Likeness, NodeCost, NodeKind, check_outputs, likeness
from ._placed import placed_edges
from ._target import Target, is_directed, read_target


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
    directed: bool | None = None,
    placed: bool = True,
) -> Pairs:
    """Checks that a prediction and a target batch can be compared, and lays them out.

    Args:
        prediction, target: As `StructuralLoss` takes them.
        node_cost: See `likeness`.
        directed: If not, an edge and its reverse are the same edge. Default: as prediction and
            target say.
        placed: Whether positions are read.

    Raises:
        InputError: Naming the tensor that does not fit.
    """
    if directed is None:
        directed = prediction.directed and is_directed(target)
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
    )


def _columns(position: Tensor | None, real: torch.dtype) -> Tensor | None:
    """Positions with their coordinates as columns, one or several."""
    if position is None:
        return None
    return (position if position.ndim > 1 else position[:, None]).to(real)
