"""The loss in tiles: the dense one, to rounding, whatever the sizes, the costs and the tiles."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError, Prediction, StructuralLoss, TiledStructuralLoss
from grapheme_torch.ot import Status, _tiled
from grapheme_torch.testing import assert_batch_invariant, assert_permutation_invariant

from ..problems import SIZES, gradients, join, leaf, leaves, random_pairs, union
from ..unchecked import unchecked


def pairs(seed: int = 1, sizes: Any = SIZES) -> tuple[Prediction, Data]:
    predictions, targets = random_pairs(seed, sizes)
    return leaf(join(predictions)), union(targets)


def far(loss: StructuralLoss, prediction: Prediction, target: Data) -> tuple[float, float]:
    """How far value and gradient in tiles are from the dense ones."""
    dense, tiled = loss(prediction, target), TiledStructuralLoss(loss)(prediction, target)
    assert bool(tiled.converged.eq(dense.converged).all())
    weights = torch.arange(1, 1 + len(dense.converged)).double()
    slopes = [gradients((found.total * weights).sum(), prediction) for found in (dense, tiled)]
    gap = max(float((x - y).abs().max()) if x.numel() else 0.0 for x, y in zip(*slopes, strict=True))
    return float((dense.total - tiled.total).detach().abs().max()), gap


@pytest.fixture(autouse=True, params=[1 << 17, 7], ids=["large tiles", "small tiles"])
def _tile_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    from grapheme_torch.loss import _tiled_edge

    monkeypatch.setattr(_tiled, "ENTRIES", request.param)
    monkeypatch.setattr(_tiled_edge, "ENTRIES", request.param)


@pytest.mark.parametrize("slack", [0.0, 0.3])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize(
    ("rounds", "update"), [(0, "linear"), (1, "linear"), (2, "linear"), (2, "proximal")]
)
def test_it_is_the_dense_loss(criterion: Any, rounds: int, update: Any, slack: float) -> None:
    loss = StructuralLoss(
        criterion=criterion, rounds=rounds, update=update, slack=slack, reduction="none",
        tolerance=1e-13, node_insertion=0.7, node_deletion=1.3, edge_insertion=0.4,
        edge_deletion=1.9,
    )  # fmt: skip
    value, slope = far(loss, *pairs())
    assert value < 1e-11
    assert slope < 1e-9


@pytest.mark.parametrize("gradient", ["exact", "unrolled"])
def test_short_of_convergence_it_is_the_dense_loss(gradient: Any) -> None:
    loss = StructuralLoss(
        temperature=0.03, max_iterations=6, gradient=gradient, reduction="none", rounds=1
    )
    prediction, target = pairs()
    assert not bool(loss(prediction, target).converged.all())
    value, slope = far(loss, prediction, target)
    assert value < 1e-11
    assert slope < 1e-9
