"""The two programs for large graphs, with all pairs in the support and in tiles: the dense loss."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Prediction, Prices, Sinkhorn, StructuralLoss, Support, Tiled, Window

from ..problems import batch_of_pairs, distance_between, everything, gradients, leaf, upward

Program = Callable[[StructuralLoss, Prediction, Data], Any]


def along_all_pairs(loss: StructuralLoss, prediction: Prediction, target: Data) -> Any:
    return loss.replace(matches=Window())(
        prediction, target, matches=Support(everything(prediction, target))
    )


def in_tiles(loss: StructuralLoss, prediction: Prediction, target: Data) -> Any:
    return loss.replace(matches=Tiled())(prediction, target)


PROGRAMS = pytest.mark.parametrize("program", [along_all_pairs, in_tiles])


def assert_dense(
    program: Program, loss: StructuralLoss, prediction: Prediction, target: Data
) -> None:
    """Value and gradient, each pair with a weight of its own."""
    dense, other = loss(prediction, target), program(loss, prediction, target)
    assert bool(other.converged.eq(dense.converged).all())
    torch.testing.assert_close(other.total, dense.total, rtol=0, atol=1e-11)
    weights = torch.arange(1, 1 + len(dense.converged)).double()
    slopes: list[list[Tensor]] = [
        gradients((found.total * weights).sum(), prediction) for found in (dense, other)
    ]
    for wanted, found in zip(*slopes, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9)


@pytest.mark.repeats
@PROGRAMS
@pytest.mark.parametrize("slack", [0.0, 0.3])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize(
    ("rounds", "update"), [(0, "linear"), (1, "linear"), (2, "linear"), (2, "proximal")]
)
def test_whatever_is_asked_for(
    program: Program, criterion: Any, rounds: int, update: Any, slack: float
) -> None:
    loss = StructuralLoss(
        criterion=criterion,
        reduction="none",
        # Warm: the tiles, which are a program in PyTorch, need a third of the sweeps.
        alignment=Sinkhorn(
            rounds=rounds, update=update, slack=slack, tolerance=1e-13, temperature=0.3
        ),
        prices=Prices(node_insertion=0.7, node_deletion=1.3, edge_insertion=0.4, edge_deletion=1.9),
    )
    assert_dense(program, loss, *batch_of_pairs(1))


@PROGRAMS
@pytest.mark.parametrize("gradient", ["exact", "unrolled"])
@pytest.mark.repeats
def test_short_of_convergence(program: Program, gradient: Any) -> None:
    loss = StructuralLoss(
        reduction="none",
        alignment=Sinkhorn(temperature=0.03, max_iterations=6, gradient=gradient, rounds=1),
    )
    prediction, target = batch_of_pairs(1)
    assert not bool(loss(prediction, target).converged.all())
    assert_dense(program, loss, prediction, target)


@PROGRAMS
@pytest.mark.parametrize("kind", ["features", "gaussian", "multilabel", distance_between])
@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("coordinates", [1, 2])
@pytest.mark.repeats
def test_whatever_is_compared(
    program: Program, kind: Any, directed: bool, coordinates: int
) -> None:
    prediction, target = batch_of_pairs(1)
    draw = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    prediction = upward(prediction)
    prediction = leaf(
        replace(
            prediction,
            label=prediction.label[:, : 4 if kind == "gaussian" else 2],
            weight=normal(len(prediction.relation)).sigmoid(),
            position=normal(len(prediction.existence), coordinates).squeeze(1),
        )
    )
    target.position = normal(len(target.y), coordinates).squeeze(1)
    target.y = normal(len(target.y), 2).sigmoid().round()
    target.edge_weight = normal(target.edge_index.shape[1]).sigmoid()
    loss = StructuralLoss(
        node_cost=kind,
        directed=directed,
        reduction="none",
        alignment=Sinkhorn(tolerance=1e-13, slack=0.2),
    )
    assert_dense(program, loss, prediction, target)
