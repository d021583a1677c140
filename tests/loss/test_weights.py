"""Weighted edges: the term against loops, its derivative, and what it tells apart."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch_geometric.data import Batch, Data

from grapheme_torch import Given, InputError, Prediction, Sinkhorn, StructuralLoss

from ..problems import random_dag, random_prediction, upward


def _pair(seed: int = 0) -> tuple[Prediction, Data]:
    target, soft = random_dag(seed, 4), random_prediction(seed, 5)
    draw = torch.Generator().manual_seed(seed)
    target.edge_weight = torch.randn(target.edge_index.shape[1], generator=draw).double()
    weight = torch.randn(soft.edge_index.shape[1], generator=draw, dtype=torch.float64)
    return replace(soft, weight=weight), target


def _by_loops(prediction: Prediction, target: Data, plan: Tensor, edit: bool) -> Tensor:
    assert prediction.weight is not None
    value, there = plan.new_zeros(()), 1 - prediction.relation.softmax(1)[:, 0]
    for e, (u, v) in enumerate(prediction.edge_index.T.tolist()):
        for t, (i, j) in enumerate(target.edge_index.T.tolist()):
            error = (prediction.weight[e] - target.edge_weight[t]) ** 2 / 2
            value = value + plan[u, i] * plan[v, j] * error * (there[e] if edit else 1)
    return value


@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_the_term_is_half_the_squared_error_of_aligned_weights(criterion: Any) -> None:
    prediction, target = _pair()
    loss = StructuralLoss(criterion=criterion)
    found = loss(prediction, target)
    bare = loss(replace(prediction, weight=None), target, alignment=Given(found.plan.padded))
    wanted = _by_loops(prediction, target, found.plan[0], criterion == "edit")
    torch.testing.assert_close(found.edge - bare.edge, wanted, rtol=1e-12, atol=1e-12)
    assert wanted > 0.1


@pytest.mark.repeats
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_its_derivative_in_weights_and_logits(criterion: Any) -> None:
    prediction, target = _pair(1)
    loss = StructuralLoss(criterion=criterion, alignment=Sinkhorn(tolerance=1e-14, rounds=2))

    def total(weight: Tensor, relation: Tensor) -> Tensor:
        return loss(replace(prediction, weight=weight, relation=relation), target).total

    assert prediction.weight is not None
    at = prediction.weight.requires_grad_(), prediction.relation.requires_grad_()
    assert gradcheck(total, at, eps=1e-5, atol=1e-7, rtol=1e-6)


def test_only_the_weights_tell_two_ways_apart() -> None:
    """A fork of alike nodes with a light and a heavy branch is aligned by weight."""
    fork = torch.tensor([[0, 0], [1, 2]])
    target = Data(y=torch.zeros(3).long(), edge_index=fork, num_nodes=3)
    target.edge_weight = torch.tensor([0.0, 3.0])
    sure = Prediction.certain(target, num_labels=1, num_relations=1)
    there = sure.relation.argmax(1) == 1
    for light, heavy in ((0.0, 3.0), (3.0, 0.0)):
        weight = torch.zeros(len(sure.relation), dtype=torch.float64)
        weight[there] = torch.tensor([light, heavy], dtype=torch.float64)
        loss = StructuralLoss(criterion="edit", alignment=Sinkhorn(rounds=10, update="proximal"))
        soft = replace(sure, weight=weight)
        nudge = torch.full((1, 4, 4), 0.25, dtype=torch.float64)
        nudge[0, 0, 0] += 0.1  # the root: what is alike to the last bit stays so
        assert loss(soft, target, start=nudge).total.item() == pytest.approx(0, abs=1e-2)
    wrong = replace(sure, weight=torch.ones_like(sure.relation[:, 0]))
    assert loss(wrong, target, start=nudge).edge > 2


def test_undirected_weights_count_both_ways_once() -> None:
    prediction, target = _pair(2)
    ahead = target.edge_index[0] < target.edge_index[1]
    target = Data(
        y=target.y, edge_index=target.edge_index[:, ahead], edge_type=target.edge_type[ahead],
        edge_weight=target.edge_weight[ahead], num_nodes=4,
    )  # fmt: skip
    prediction = replace(upward(prediction), position=None)
    loss = StructuralLoss(directed=False)
    turned = target.clone()
    turned.edge_index = target.edge_index.flip(0)
    found = loss(prediction, target)
    torch.testing.assert_close(loss(prediction, turned).total, found.total)
    bare = loss(replace(prediction, weight=None), target, alignment=Given(found.plan.padded))
    plan = found.plan[0]
    both = _by_loops(prediction, target, plan, False) + _by_loops(prediction, turned, plan, False)
    torch.testing.assert_close(found.edge - bare.edge, both)


def test_a_prediction_with_weights_needs_a_target_with_weights() -> None:
    prediction, target = _pair()
    bare = target.clone()
    del bare.edge_weight
    with pytest.raises(InputError, match=r"`target.edge_weight` must be a tensor with one weight"):
        StructuralLoss()(prediction, bare)
    # Weights that nobody predicts are not compared.
    without = replace(prediction, weight=None)
    assert torch.equal(
        StructuralLoss()(without, target).total, StructuralLoss()(without, bare).total
    )


def test_weights_in_a_batch_stay_with_their_pair() -> None:
    one, other = _pair(0)[1], _pair(3)[1]
    union = Batch.from_data_list([one, other])
    sizes = torch.tensor([one.num_nodes, other.num_nodes])
    sure = Prediction.certain(union, num_labels=4, num_relations=3)
    weight = torch.zeros(len(sure.relation), dtype=torch.float64)
    weight[sure.relation[:, 0] < 0] = 1.0
    both = StructuralLoss(reduction="none")(replace(sure, weight=weight), union)
    for k, target in enumerate((one, other)):
        alone = Prediction.certain(target, num_labels=4, num_relations=3)
        weight = (alone.relation[:, 0] < 0).double()
        wanted = StructuralLoss()(replace(alone, weight=weight), target).total
        torch.testing.assert_close(both.total[k], wanted)
    assert sizes.tolist() == [4, 4]
