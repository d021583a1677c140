"""Logits of minus infinity and forbidden matches: nothing impossible happens, all is finite."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError, Prediction, Sinkhorn, StructuralLoss, Support, Tiled, Window

from ...problems import (
    batch_of_pairs,
    distance_between,
    leaf,
    leaves,
    loss_of,
    random_dag,
    random_prediction,
)
from ...unchecked import unchecked

MODES: list[dict[str, Any]] = [
    {},
    {"temperature": 0.0},
    {"criterion": "edit"},
    {"gradient": "implicit"},
    {"gradient": "unrolled", "max_iterations": 40},
    {"gradient": "detach"},
    {"rounds": 0},
    {"rounds": 3, "update": "proximal"},
    {"slack": 1.0},
    {"neighbours": 0.5},
    {"noise": 0.01, "restarts": 2},
]

PLACES: dict[str, tuple[str, Any]] = {
    "a node": ("existence", 3),
    "a class": ("label", (0, 1)),
    "a class of all nodes but one": ("label", (slice(1, None), 2)),
    "all classes of a node": ("label", 3),
    "a relation": ("relation", (2, 1)),
    "an edge": ("relation", (2, slice(1, None))),
    "that an edge is absent": ("relation", (2, 0)),
    "all relations of an edge": ("relation", 2),
}


def _problem(place: tuple[str, Any]) -> tuple[Prediction, Data]:
    """Four slots for three target nodes of three classes, with one thing impossible."""
    prediction = random_prediction(0, 4)
    target = random_dag(5, 3)
    target.y = torch.tensor([0, 1, 2])
    name, index = place
    values = getattr(prediction, name).clone()
    values[index] = -inf
    return leaf(replace(prediction, **{name: values})), target


def _forbidden(prediction: Prediction, target: Data) -> Tensor:
    unlikely = prediction.label[:, target.y].isneginf()
    return unlikely | prediction.existence.isneginf()[:, None]


@pytest.mark.parametrize("options", MODES, ids=str)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_is_impossible_has_no_mass(place: tuple[str, Any], options: dict[str, Any]) -> None:
    prediction, target = _problem(place)
    result = loss_of(**options)(prediction, target)
    result.total.backward()
    assert result.total.isfinite()
    assert all(x.grad is None or x.grad.isfinite().all() for x in leaves(prediction))
    matched = result.plan.padded[0, :-1, :-1]
    assert not matched[_forbidden(prediction, target)].any()
    torch.testing.assert_close(result.plan.padded[0].sum(1)[:4], torch.ones(4).double())


@pytest.mark.repeats
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_the_gradient_is_that_of_the_loss(place: tuple[str, Any]) -> None:
    prediction, target = _problem(place)
    inputs = leaves(prediction)

    def total(*values: Tensor) -> Tensor:
        names = ("existence", "label", "relation", "position")
        given = dict(zip(names, values, strict=False))
        return StructuralLoss(alignment=Sinkhorn(rounds=2))(
            replace(prediction, **given), target
        ).total

    grads = torch.autograd.grad(total(*inputs), inputs)
    step = 1e-6
    for at, (x, grad) in enumerate(zip(inputs, grads, strict=True)):
        for k in range(x.numel()):
            moved = [y.detach().clone() for y in inputs]
            if moved[at].flatten()[k].isinf():
                assert not grad.flatten()[k]
                continue
            ends = []
            for sign in (step, -step):
                moved[at].view(-1)[k] += sign
                ends.append(total(*moved))
                moved[at].view(-1)[k] -= sign
            slope = (ends[0] - ends[1]) / (2 * step)
            torch.testing.assert_close(grad.flatten()[k], slope, rtol=1e-6, atol=1e-7)


def test_an_unused_slot_is_deleted_for_nothing_and_the_rest_stays() -> None:
    """With the right value: the slot's own charges aside, the loss is that without the slot."""
    prediction, target = _problem(("existence", 3))
    apart = (prediction.edge_index != 3).all(0)
    prediction = replace(
        prediction, edge_index=prediction.edge_index[:, apart], relation=prediction.relation[apart]
    )
    assert prediction.position is not None
    fewer = Prediction(
        prediction.existence[:3], prediction.label[:3], prediction.edge_index,
        prediction.relation, position=prediction.position[:3],
    )  # fmt: skip
    for criterion in ("likelihood", "edit"):
        loss = StructuralLoss(criterion=criterion)
        masked, without = loss(prediction, target), loss(fewer, target)
        torch.testing.assert_close(masked.total, without.total, rtol=0, atol=1e-10)


def test_a_class_that_no_target_has_may_be_impossible() -> None:
    prediction, target = _problem(("label", (slice(None), 3)))
    logits = torch.cat([prediction.label[:, :3], prediction.label[:, 4:]], 1)
    result = StructuralLoss()(prediction, target)
    fewer = StructuralLoss()(replace(prediction, label=logits), target)
    torch.testing.assert_close(result.total, fewer.total, rtol=0, atol=1e-12)


@pytest.mark.parametrize("temperature", [0.1, 0.0])
def test_what_cannot_be_satisfied_is_refused_and_names_the_node(temperature: float) -> None:
    prediction, target = _problem(("label", (slice(None), 2)))
    with pytest.raises(InputError, match=r"pair 0.*(column|node|target) 2|2.*pair 0"):
        StructuralLoss(alignment=Sinkhorn(temperature=temperature))(prediction, target)
    allowed = StructuralLoss(alignment=Sinkhorn(temperature=temperature, slack=0.5))(
        prediction, target
    )
    assert allowed.total.isfinite()
    assert float(allowed.plan.padded[0, -1, 2].detach()) == pytest.approx(1)


def test_plus_infinity_among_classes_is_refused() -> None:
    for name in ("label", "relation"):
        prediction, target = _problem((name, (0, 0)))
        values = getattr(prediction, name).detach().clone()
        values[0, 0] = inf
        with pytest.raises(InputError, match=rf"`prediction\.{name}` must be below infinity"):
            StructuralLoss()(replace(prediction, **{name: values}), target)


def test_a_node_that_certainly_exists_is_not_deleted() -> None:
    prediction, target = _problem(("existence", 3))
    prediction = leaf(replace(prediction, existence=-prediction.existence.detach()))
    result = StructuralLoss()(prediction, target)
    result.total.backward()
    assert result.total.isfinite()
    assert result.plan.padded[0, 3, -1] == 0
    assert all(x.grad is not None and x.grad.isfinite().all() for x in leaves(prediction))


@pytest.mark.parametrize("options", MODES, ids=str)
def test_a_match_is_forbidden_by_an_infinite_cost(options: dict[str, Any]) -> None:
    prediction, target = batch_of_pairs(3, [(4, 3), (3, 4)])
    loss = loss_of(reduction="none", **options)
    torch.manual_seed(0)
    free = loss(prediction, target)
    cost = torch.zeros(2, 5, 5)
    best = free.plan.padded[0, :-1, :-1].argmax().item()
    i, j = divmod(int(best), 4)
    cost[0, i, j] = inf
    torch.manual_seed(0)
    result = loss(prediction, target, match_cost=cost)
    assert result.plan.padded[0, i, j] == 0
    assert result.total.isfinite().all()
    torch.testing.assert_close(result.total[1], free.total[1], rtol=1e-8, atol=1e-8)
    grads = torch.autograd.grad(result.total.sum(), leaves(prediction), materialize_grads=True)
    assert all(grad.isfinite().all() for grad in grads)


def test_a_cost_that_forbids_is_checked() -> None:
    prediction, target = batch_of_pairs(3, [(4, 3)])
    for wrong, word in (
        (torch.zeros(1, 4, 4), "shape"),
        (torch.zeros(1, 5, 4, dtype=torch.long), "floating-point"),
        (torch.full((1, 5, 4), torch.nan), "NaN"),
    ):
        with pytest.raises(InputError, match=f"`match_cost` must.*{word}"):
            unchecked(StructuralLoss().forward)(prediction, target, match_cost=wrong)


def test_an_own_cost_forbids_matches() -> None:
    def near(outputs: Tensor, y: Tensor) -> Tensor:
        cost = distance_between(outputs, y)
        return torch.where(cost > 1, inf, cost)

    outputs = torch.tensor([[0.0], [5.0], [9.0]], dtype=torch.float64, requires_grad=True)
    target = Data(
        y=torch.tensor([[5.5], [0.5]], dtype=torch.float64),
        edge_index=torch.empty(2, 0, dtype=torch.long),
        num_nodes=2,
    )
    given = torch.ones(3).double(), outputs, torch.empty(2, 0).long(), torch.zeros(0, 2).double()
    for temperature in (0.1, 0.0):
        result = StructuralLoss(node_cost=near, alignment=Sinkhorn(temperature=temperature))(
            Prediction(*given), target
        )
        wanted = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 1]]).double()
        torch.testing.assert_close(result.plan.padded[0, :3], wanted)
        (grad,) = torch.autograd.grad(result.total, outputs)
        assert grad.isfinite().all()


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("options", [{}, {"criterion": "edit"}, {"rounds": 2}], ids=str)
def test_the_sparse_loss_is_the_dense_one(place: tuple[str, Any], options: dict[str, Any]) -> None:
    prediction, target = _problem(place)
    dense = loss_of(**options)(prediction, target)
    every = torch.cartesian_prod(torch.arange(4), torch.arange(3)).T
    sparse = loss_of(**options, matches=Window())(prediction, target, matches=Support(every))
    torch.testing.assert_close(sparse.total, dense.total, rtol=0, atol=1e-9)
    mine = torch.autograd.grad(sparse.total, leaves(prediction))
    other = torch.autograd.grad(dense.total, leaves(prediction))
    for x, y in zip(mine, other, strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-8)


def test_the_tiled_loss_refuses_impossible_matches_by_name() -> None:
    for place, name in (("a node", "existence"), ("a class", "label")):
        prediction, target = _problem(PLACES[place])
        with pytest.raises(InputError, match=rf"`prediction\.{name}` must hold no logit"):
            StructuralLoss(matches=Tiled())(prediction, target)
    for place in ("a relation", "an edge", "that an edge is absent", "all relations of an edge"):
        prediction, target = _problem(PLACES[place])
        dense = StructuralLoss()(prediction, target).total
        tiled = StructuralLoss(matches=Tiled())(prediction, target).total
        torch.testing.assert_close(tiled, dense, rtol=0, atol=1e-9)


@pytest.mark.parametrize("temperature", [0.1, 0.0])
def test_who_cannot_be_placed_is_told_in_words_of_graphs(temperature: float) -> None:
    prediction, target = _problem(("label", (slice(None), 2)))
    wanted = r"^the prediction must allow an alignment .* got target node 2 of pair 0.* `slack`"
    with pytest.raises(InputError, match=wanted):
        StructuralLoss(alignment=Sinkhorn(temperature=temperature))(prediction, target)


def test_a_crowd_of_nodes_that_fit_the_same_one_is_refused() -> None:
    """Three nodes that can be one target only, though none is without a match."""
    prediction, target = batch_of_pairs(2, [(3, 3)])
    cost = torch.zeros(1, 4, 4)
    cost[0, :3, 1:3] = inf
    cost[0, 0, 1] = 0
    for loss in (StructuralLoss(), StructuralLoss(alignment=Sinkhorn(temperature=0))):
        with pytest.raises(InputError, match="the prediction must allow an alignment"):
            loss(prediction, target, match_cost=cost)
