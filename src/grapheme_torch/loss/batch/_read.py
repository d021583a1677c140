"""Reads a prediction and a target batch, and checks that they can be compared."""

import functools

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from torch_geometric.data import Data

from ..._check import require
from ...prediction import Prediction
from .._aligner import Aligner
from .._spec import Spec
from ._edge_places import placed_edges
from ._pairs import Pairs
from ._target import is_directed, read_target


def read(prediction: Prediction, target: Data, spec: Spec, *, placed: bool = True) -> Pairs:
    """Checks that a prediction and a target batch can be compared, and lays them out.

    Args:
        prediction, target: As `StructuralLoss` takes them.
        spec: How they are compared.
        placed: Whether positions are read.

    Raises:
        InputError: Naming the tensor that does not fit.
    """
    directed = is_directed(prediction, target) if spec.directed is None else spec.directed
    layout, (graph, source, sink) = placed_edges(
        "prediction", prediction.batch, prediction.edge_index, prediction.num_graphs, directed
    )
    columns = prediction.relation.shape[1]
    remedy = "Column 0 is the logit that the edge is absent."
    require(columns >= 1, "`prediction.relation`", "have a column or more", columns, remedy)
    wanted = read_target(prediction, target, spec=spec, directed=directed, placed=placed)
    floats = [prediction.existence, prediction.label, prediction.relation]
    position = prediction.position if wanted.position is not None or placed else None
    floats += [x for x in (prediction.weight, position) if x is not None]
    # At least single precision: sums of many probabilities are no matter for half.
    real = functools.reduce(torch.promote_types, {x.dtype for x in floats}, torch.float32)
    outputs, existence = _in(prediction.label, real), _in(prediction.existence, real)
    spec.node_cost.check(outputs, wanted.y)
    edges = _in(prediction.relation, real)
    known = spec.reads_embedding or isinstance(spec.alignment, Aligner)  # a user's may read it
    return Pairs(
        layout=layout,
        directed=directed,
        exists=logsigmoid(existence),
        absent=logsigmoid(-existence),
        outputs=outputs,
        edge_outputs=edges,
        relation=spec.edge_cost.log_probability(edges),
        weight=None if prediction.weight is None else _in(prediction.weight, real),
        graph=graph,
        source=source,
        sink=sink,
        position=_columns(position, real),
        target=wanted,
        embedding=prediction.embedding if known else None,
    )


def _in(x: Tensor, real: torch.dtype) -> Tensor:
    """The numbers in a precision; asked first, as to convert nothing takes longer."""
    return x if x.dtype == real else x.to(real)


def _columns(position: Tensor | None, real: torch.dtype) -> Tensor | None:
    """Positions with their coordinates as columns, one or several."""
    if position is None:
        return None
    return _in(position if position.ndim > 1 else position.unsqueeze(1), real)
