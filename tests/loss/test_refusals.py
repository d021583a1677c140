"""What the structural loss refuses: settings, and pairs that do not fit together."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError, Prediction, StructuralLoss
from grapheme_torch.loss import _structural

from ..problems import NUM_LABELS, NUM_RELATIONS, certain, join, loss_of, random_dag, union
from ..unchecked import unchecked


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"alpha": 0.0},
            "`alpha` must be positive and finite, got 0.0. Weigh the other terms against 1.",
        ),
        ({"beta": -1.0}, "`beta` must not be negative, got -1.0. 0 leaves the term out."),
        ({"gamma": -1.0}, "`gamma` must not be negative, got -1.0. 0 leaves the term out."),
        (
            {"position": -0.5},
            "`position` must not be negative, got -0.5. 0 leaves it out.",
        ),
        ({"temperature": -0.1}, "`temperature` must not be negative, got -0.1. Try 0.1."),
        ({"slack": 1.5}, "`slack` must lie in [0, 1], got 1.5. 1 is the edit distance."),
        ({"slack": -0.5}, "`slack` must lie in [0, 1], got -0.5. 1 is the edit distance."),
        ({"max_iterations": 0}, "`max_iterations` must be at least 1, got 0. Try 100."),
        ({"rounds": -1}, "`rounds` must not be negative, got -1. 0 ignores the edges."),
        (
            {"criterion": "l2"},
            "`criterion` must be one of likelihood, edit, got 'l2'. Choose one.",
        ),
        (
            {"gradient": "none"},
            "`gradient` must be one of exact, implicit, unrolled, detach, got 'none'. Choose one.",
        ),
        (
            {"reduction": "max"},
            "`reduction` must be one of mean, sum, none, got 'max'. Choose one.",
        ),
    ],
)
def test_refused_settings(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        unchecked(loss_of)(**options)


def _without(target: Data, name: str) -> Data:
    copy = target.clone()
    del copy[name]
    return copy


def _with(target: Data, **changes: Tensor) -> Data:
    copy = target.clone()
    for name, value in changes.items():
        copy[name] = value
    return copy


_ENCODE = "`Alphabet.encode` adds it to a graph; `num_nodes` says how many nodes there are."
_SOUND = certain(random_dag(3, 3)), random_dag(3, 3)
_TWO = join([certain(random_dag(3, 2)), certain(random_dag(4, 2))])


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (
            _TWO,
            _SOUND[1],
            "`target` must hold as many graphs as the prediction (2), got 1. "
            "Collate predictions and targets in the same order.",
        ),
        (
            replace(_TWO, edge_index=torch.tensor([[0], [2]]), relation=_TWO.relation[:1]),
            union([random_dag(1, 2), random_dag(2, 2)]),
            "`prediction.edge_index` must join nodes of the same graph, "
            "got an edge between two graphs of the batch. "
            "Offset the node numbers of each graph, as PyTorch Geometric's Batch does.",
        ),
        (
            replace(
                _SOUND[0],
                edge_index=torch.tensor([[0, 1, 0], [1, 0, 1]]),
                relation=_SOUND[0].relation[:3],
            ),
            _SOUND[1],
            "`prediction.edge_index` must hold each ordered pair of nodes at most once, "
            "got the same edge twice. "
            "Remove duplicates: torch_geometric.utils.coalesce(edge_index).",
        ),
        (
            _TWO,
            _with(
                union([random_dag(1, 2), random_dag(2, 2)]),
                edge_index=torch.tensor([[0], [2]]),
                edge_type=torch.tensor([1]),
            ),
            "`target.edge_index` must join nodes of the same graph, "
            "got an edge between two graphs of the batch. "
            "Offset the node numbers of each graph, as PyTorch Geometric's Batch does.",
        ),
        (
            _SOUND[0],
            _with(
                _SOUND[1],
                edge_index=torch.tensor([[0, 0], [1, 1]]),
                edge_type=torch.tensor([1, 2]),
            ),
            "`target.edge_index` must hold each ordered pair of nodes at most once, "
            "got the same edge twice. "
            "Remove duplicates: torch_geometric.utils.coalesce(edge_index).",
        ),
        (
            _SOUND[0],
            _without(_SOUND[1], "y"),
            "`target.y` must be an integer tensor with one class per node (3), got nothing. "
            + _ENCODE,
        ),
        (
            _SOUND[0],
            _with(_SOUND[1], y=torch.zeros(3)),
            "`target.y` must be an integer tensor with one class per node (3), "
            "got torch.float32 of shape (3,). Classes: `y.long()`. Vectors: "
            "`StructuralLoss(node_cost=costs.Vectors())`.",
        ),
        (
            _SOUND[0],
            _with(
                _SOUND[1],
                edge_index=torch.tensor([[0], [1]]),
                edge_type=torch.tensor([1.0]),
            ),
            "`target.edge_type` must be an integer tensor with one relation per edge (1), "
            "got torch.float32 of shape (1,). Convert it: `edge_type.long()`.",
        ),
        (
            _SOUND[0],
            _with(_SOUND[1], y=torch.tensor([0, 1])),
            "`target.y` must be an integer tensor with one class per node (3), "
            "got torch.int64 of shape (2,). " + _ENCODE,
        ),
        (
            _SOUND[0],
            _with(
                _SOUND[1],
                edge_index=torch.tensor([[0], [1]]),
                edge_type=torch.tensor([1, 2]),
            ),
            "`target.edge_type` must be an integer tensor with one relation per edge (1), "
            "got torch.int64 of shape (2,). " + _ENCODE,
        ),
        (
            replace(_TWO, batch=torch.tensor([1, 0, 1, 0])),
            union([random_dag(1, 2), random_dag(2, 2)]),
            "`prediction.batch` must ascend from 0 to at most 1, "
            "got tensor([1, 0, 1, 0]). Keep the nodes of a graph together.",
        ),
        (
            replace(_TWO, num_graphs=1),
            _SOUND[1],
            "`prediction.batch` must ascend from 0 to at most 0, "
            "got tensor([0, 0, 1, 1]). Keep the nodes of a graph together.",
        ),
        (
            _TWO,
            _with(union([random_dag(1, 2), random_dag(2, 2)]), batch=torch.tensor([0, 1, 0, 1])),
            "`target.batch` must ascend from 0 to at most 1, "
            "got tensor([0, 1, 0, 1]). Keep the nodes of a graph together.",
        ),
        (
            _SOUND[0],
            _with(_SOUND[1], y=torch.tensor([0, 1, NUM_LABELS])),
            f"`target.y` must lie in [0, {NUM_LABELS}), got values from 0 to {NUM_LABELS}. "
            "Widen `prediction.label`.",
        ),
        (
            _SOUND[0],
            _with(_SOUND[1], y=torch.tensor([0, 1, -1])),
            f"`target.y` must lie in [0, {NUM_LABELS}), got values from -1 to 1. "
            "Widen `prediction.label`.",
        ),
        (
            _SOUND[0],
            _with(_SOUND[1], edge_index=torch.tensor([[0], [1]]), edge_type=torch.tensor([0])),
            f"`target.edge_type` must lie in [1, {NUM_RELATIONS + 1}), got values from 0 to 0. "
            "Relation 0 means absent; number the others from 1 and widen `prediction.relation`.",
        ),
        (
            _SOUND[0],
            _with(
                _SOUND[1],
                edge_index=torch.tensor([[0], [1]]),
                edge_type=torch.tensor([NUM_RELATIONS + 1]),
            ),
            f"`target.edge_type` must lie in [1, {NUM_RELATIONS + 1}), "
            f"got values from {NUM_RELATIONS + 1} to {NUM_RELATIONS + 1}. "
            "Relation 0 means absent; number the others from 1 and widen `prediction.relation`.",
        ),
        (
            _SOUND[0],
            _without(_SOUND[1], "edge_index"),
            "`target.edge_index` must be given, got None. "
            "Use torch.empty(2, 0, dtype=torch.long) for a graph without edges.",
        ),
    ],
)
def test_refused_pairs(prediction: Prediction, target: Data, message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        StructuralLoss()(prediction, target)


def test_gradients_of_a_prediction_that_has_none_are_refused() -> None:
    message = (
        "`prediction` must require gradients for `return_gradients`, got [False, False, False]. "
        "Predict outside `torch.no_grad()`, or call `requires_grad_()` on its tensors."
    )
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        StructuralLoss()(*_SOUND, return_gradients=True)
    assert _structural.StructuralLoss is StructuralLoss
