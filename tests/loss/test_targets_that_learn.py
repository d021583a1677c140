"""The gradient in the targets: features, weights of edges and positions, of every loss."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from grapheme_torch import InputError, Prediction, StructuralLoss, Support, Tiled, Window

from ..problems import batch_of_pairs, distance_between, everything, loss_of, upward

FIELDS = ("y", "edge_weight", "position")
SIZES = [(3, 4), (0, 2), (4, 2), (2, 0)]


def problem(coordinates: int, *, directed: bool, loops: bool = False) -> tuple[Prediction, Data]:
    """Vectors as nodes, weighted edges, places; with loops that are predicted and wanted."""
    soft, target = batch_of_pairs(5, SIZES)
    rng = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    n, m = len(soft.existence), int(target.num_nodes or 0)
    soft = replace(
        soft.detach(), label=normal(n, 2), position=normal(n, coordinates).squeeze(1),
        weight=normal(len(soft.relation)),
    )  # fmt: skip
    soft = soft if directed else upward(soft)
    if loops:
        target.edge_index = torch.cat([target.edge_index, torch.tensor([[0], [0]])], 1)
        target.edge_type = torch.cat([target.edge_type, torch.tensor([1])])
        ends = torch.cat([soft.edge_index, torch.tensor([[1], [1]])], 1)
        weight = torch.cat([soft.weight, normal(1)])  # type: ignore[list-item]
        relation = torch.cat([soft.relation, normal(1, 4)])
        soft = replace(soft, edge_index=ends, relation=relation, weight=weight)
    target.y, target.edge_weight = normal(m, 2), normal(target.num_edges)
    target.position = normal(m, coordinates).squeeze(1)
    return soft, target


def slopes(loss: nn.Module, soft: Prediction, target: Data, **options: Any) -> list[Tensor]:
    """Derivatives in what the targets are."""
    target = target.clone()
    for name in FIELDS:
        target[name] = target[name].clone().requires_grad_()
    total = loss(soft, target, **options).total
    places = [target[name] for name in FIELDS]
    return list(torch.autograd.grad(total, places, materialize_grads=True))


@pytest.mark.repeats
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rounds": 0},
        {"rounds": 2, "slack": 0.4},
        {"rounds": 2, "update": "proximal", "criterion": "edit"},
        {"gradient": "unrolled", "max_iterations": 12},
        {"gradient": "detach"},
        {"node_cost": distance_between},
        {"directed": False},
        {"directed": False, "loops": True, "rounds": 2},
        {"directed": False, "loops": True, "criterion": "edit", "coordinates": 2},
    ],
    ids=lambda options: ", ".join(f"{k}={getattr(v, '__name__', v)}" for k, v in options.items()),
)
def test_all_losses_agree(options: dict[str, Any]) -> None:
    directed = options.get("directed", True)
    loops, coordinates = options.pop("loops", False), options.pop("coordinates", 1)
    soft, target = problem(coordinates, directed=directed, loops=loops)
    dense = loss_of(**{"node_cost": "features", **options})
    wanted = slopes(dense, soft, target)
    found = slopes(dense.replace(matches=Tiled()), soft, target)
    entries = slopes(
        dense.replace(matches=Window()), soft, target, matches=Support(everything(soft, target))
    )
    for name, a, b, c in zip(FIELDS, wanted, found, entries, strict=True):
        # Positions count in the plan alone.
        still = options.get("gradient") == "detach" and name == "position"
        assert bool(a.any()) is not still, name
        torch.testing.assert_close(b, a, rtol=1e-8, atol=1e-9, msg=name)
        torch.testing.assert_close(c, a, rtol=1e-8, atol=1e-9, msg=name)


@pytest.mark.repeats
@pytest.mark.parametrize("matches", [Window(), Tiled()])
@pytest.mark.parametrize("name", FIELDS)
def test_it_is_the_derivative(matches: Any, name: str) -> None:
    soft, target = problem(1, directed=False, loops=True)
    loss = loss_of(node_cost="features", directed=False, slack=0.2, matches=matches)
    slope = slopes(loss, soft, target)[FIELDS.index(name)]
    way = torch.randn(slope.shape, generator=torch.Generator().manual_seed(3)).double()
    totals = []
    for step in (1e-5, -1e-5):
        other = target.clone()
        other[name] = target[name] + step * way
        totals.append(loss(soft, other).total)
    wanted = (totals[0] - totals[1]) / 2e-5
    assert abs((slope * way).sum() - wanted) <= 1e-6 * max(1, abs(wanted))


def test_a_second_derivative_in_the_targets_is_refused() -> None:
    soft, target = problem(1, directed=True)
    target.y.requires_grad_()
    total = StructuralLoss(node_cost="features", matches=Tiled())(soft, target).total
    (slope,) = torch.autograd.grad(total, target.y, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiated once"):
        torch.autograd.grad(slope.square().sum(), target.y)


def test_a_node_cost_that_learns_is_refused_by_tiles() -> None:
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)

    def scaled(outputs: Tensor, y: Tensor) -> Tensor:
        return scale.square() * distance_between(outputs, y)

    soft, target = problem(1, directed=True)
    loss = StructuralLoss(node_cost=scaled, matches=Tiled())
    with pytest.raises(InputError, match="`node_cost` must have no parameter of its own"):
        loss(soft, target)
    with torch.no_grad():
        assert loss(soft, target).total.isfinite()
