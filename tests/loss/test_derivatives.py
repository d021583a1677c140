"""Second derivatives of the losses: right or refused, whichever way they are asked for."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from grapheme_torch import Dense, Given, Sinkhorn, StructuralLoss, Tiled, Window

from ..derivatives import WAYS, assert_right_or_refused
from ..problems import batch_of_pairs

FIELDS = ("existence", "label", "relation", "position", "weight")
LOSSES: dict[str, tuple[nn.Module, bool]] = {
    "exact": (StructuralLoss(), False),
    "unrolled": (StructuralLoss(alignment=Sinkhorn(gradient="unrolled", max_iterations=20)), False),
    "implicit": (StructuralLoss(alignment=Sinkhorn(gradient="implicit")), True),
    "implicit, edits, no rounds": (
        StructuralLoss(criterion="edit", alignment=Sinkhorn(gradient="implicit", rounds=0)),
        True,
    ),
    "implicit, twice, slack": (
        StructuralLoss(
            alignment=Sinkhorn(gradient="implicit", rounds=2, slack=0.3, update="proximal")
        ),
        True,
    ),
    "sparse": (StructuralLoss(matches=Window()), False),
    "sparse, unrolled": (
        StructuralLoss(
            alignment=Sinkhorn(gradient="unrolled", max_iterations=20), matches=Window()
        ),
        False,
    ),
    "sparse, edits, no rounds": (
        StructuralLoss(criterion="edit", alignment=Sinkhorn(rounds=0), matches=Window()),
        False,
    ),
    "tiled": (StructuralLoss(matches=Tiled()), False),
    "tiled, edits, no rounds": (
        StructuralLoss(criterion="edit", alignment=Sinkhorn(rounds=0), matches=Tiled()),
        False,
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.repeats
def test_of_all_that_a_network_says(name: str, way: str) -> None:
    """All at once, so that mixed derivatives count, and each alone, so that none is a way round."""
    loss, known = LOSSES[name]
    soft, target = batch_of_pairs(4, [(3, 2), (2, 2)])
    target.edge_weight = torch.ones(target.num_edges, dtype=torch.float64)
    soft = replace(soft, weight=soft.relation.detach()[:, 0] / 2).detach()
    whole = {field: getattr(soft, field) for field in FIELDS}
    flat = torch.cat([x.flatten() for x in whole.values()])

    def of_all(x: Tensor) -> Tensor:
        parts = x.split([v.numel() for v in whole.values()])
        values: Any = {f: p.view_as(v) for (f, v), p in zip(whole.items(), parts, strict=True)}
        total: Tensor = loss(replace(soft, **values), target).total
        return total

    assert_right_or_refused(WAYS[way], of_all, flat, known=known)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.repeats
def test_of_one_thing_that_a_network_says(name: str, field: str) -> None:
    loss, known = LOSSES[name]
    soft, target = batch_of_pairs(4, [(3, 2), (2, 2)])
    target.edge_weight = torch.ones(target.num_edges, dtype=torch.float64)
    soft = replace(soft, weight=soft.relation.detach()[:, 0] / 2)

    def value(x: Tensor) -> Tensor:
        other: Any = {field: x}
        total: Tensor = loss(replace(soft.detach(), **other), target).total
        return total

    assert_right_or_refused(
        WAYS["autograd.grad"], value, getattr(soft, field).detach(), known=known
    )


@pytest.mark.parametrize("matches", [Dense(), Window(), Tiled()])
def test_a_plan_that_is_cut_off_stays_where_it_is(matches: Any) -> None:
    """Its second derivative is that of the loss with the plan given, or is refused."""
    soft, target = batch_of_pairs(4, [(3, 2)])
    cut = StructuralLoss(alignment=Sinkhorn(gradient="detach"))
    plan = cut(soft, target).plan.padded
    slope = torch.autograd.grad(
        cut(soft, target, alignment=Given(plan)).total, soft.label, create_graph=True
    )[0]
    wanted = torch.autograd.grad(slope.square().sum(), soft.label)[0]
    slope = torch.autograd.grad(
        cut(soft, target, matches=matches).total, soft.label, create_graph=True
    )[0]
    if isinstance(matches, Tiled):
        with pytest.raises(RuntimeError, match="differentiated once"):
            torch.autograd.grad(slope.square().sum(), soft.label)
        return
    found = torch.autograd.grad(slope.square().sum(), soft.label)[0]
    torch.testing.assert_close(found, wanted)
