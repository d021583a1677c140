"""Node costs, prices, undirected edges, temperatures and alignments that a user gives."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import Given, InputError, Prediction, Prices, Sinkhorn, StructuralLoss
from grapheme_torch.ot import Status
from grapheme_torch.testing import assert_batch_invariant, assert_permutation_invariant

from ..problems import loss_of, random_dag, random_prediction

KINDS = ["labels", "features", "gaussian", "multilabel"]


def _distance(outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs - y).abs().sum(-1)


def _pairs(kind: Any, seed: int = 0) -> tuple[Prediction, list[Data]]:
    """Three ragged pairs whose nodes carry what the node cost compares."""
    draw = torch.Generator().manual_seed(seed)
    sizes, targets = [5, 2, 4], []
    for k, m in enumerate((3, 4, 4)):
        graph = random_dag(seed + k, m)
        if kind != "labels":
            graph.y = torch.rand(m, 2, generator=draw, dtype=torch.float64).round(decimals=1)
        if kind == "multilabel":
            graph.y = graph.y.round()
        targets.append(graph)
    outputs = {"gaussian": 4, "labels": 6}.get(kind, 2)
    n = sum(sizes)
    batch = torch.arange(3).repeat_interleave(torch.tensor(sizes))
    edges = [(u, v) for u in range(n) for v in range(u + 1, n) if batch[u] == batch[v]]

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64).requires_grad_()

    prediction = Prediction(
        existence=noise(n),
        label=noise(n, outputs),
        edge_index=torch.tensor(edges).T,
        relation=noise(len(edges), 4),
        batch=batch,
        num_graphs=3,
    )
    return prediction, targets


@pytest.mark.repeats
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("kind", [*KINDS, _distance])
def test_gradients_are_the_derivative_whatever_is_compared(
    kind: Any, directed: bool, criterion: Any
) -> None:
    prediction, targets = _pairs(kind)
    union = Batch.from_data_list(targets)
    loss = StructuralLoss(
        criterion=criterion,
        node_cost=kind,
        directed=directed,
        alignment=Sinkhorn(tolerance=1e-13, rounds=2, update="proximal" if directed else "linear"),
        prices=Prices(node_insertion=0.7, node_deletion=1.3, edge_insertion=0.4, edge_deletion=1.9),
    )

    def total(existence: Tensor, label: Tensor, relation: Tensor) -> Tensor:
        soft = Prediction(
            existence, label, prediction.edge_index, relation, prediction.batch, 3, None
        )
        return loss(soft, union).total

    inputs = (prediction.existence, prediction.label, prediction.relation)
    assert torch.autograd.gradcheck(total, inputs, eps=1e-6, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", [*KINDS, _distance])
def test_laws_hold_whatever_is_compared(kind: Any) -> None:
    prediction, targets = _pairs(kind)
    loss = StructuralLoss(node_cost=kind, reduction="none", alignment=Sinkhorn(tolerance=1e-13))
    assert_batch_invariant(loss, prediction, targets)
    assert_permutation_invariant(loss, prediction, Batch.from_data_list(targets))


def test_features_cost_half_their_squared_distance() -> None:
    target = Data(y=torch.tensor([[1.0, 3.0]]), edge_index=torch.zeros(2, 0).long(), num_nodes=1)
    sure = Prediction(
        torch.tensor([40.0]), torch.tensor([[2.0, 1.0]]), target.edge_index, torch.zeros(0, 2)
    )
    node = StructuralLoss(node_cost="features")(sure, target).node
    torch.testing.assert_close(node, torch.tensor(2.5))
    outputs = torch.tensor([[2.0, 1.0, 0.0, math.log(4.0)]])
    gaussian = Prediction(sure.existence, outputs, sure.edge_index, sure.relation)
    wanted = 0.5 * (1 + 4 / 4) + 0.5 * (math.log(4.0) + 2 * math.log(2 * math.pi))
    node = StructuralLoss(node_cost="gaussian")(gaussian, target).node
    torch.testing.assert_close(node, torch.tensor(wanted))


def test_multilabel_costs_the_sum_of_its_cross_entropies() -> None:
    target = Data(y=torch.tensor([[1.0, 0.0]]), edge_index=torch.zeros(2, 0).long(), num_nodes=1)
    outputs = torch.tensor([[0.3, -1.0]])
    soft = Prediction(torch.tensor([40.0]), outputs, target.edge_index, torch.zeros(0, 2))
    wanted = -torch.nn.functional.logsigmoid(torch.tensor([0.3, 1.0])).sum()
    node = StructuralLoss(node_cost="multilabel")(soft, target).node
    torch.testing.assert_close(node, wanted)


def test_prices_are_charged_by_the_edit_criterion() -> None:
    """A certain prediction of two nodes and an edge against one node, and the reverse."""
    big = Data(y=torch.tensor([0, 1]), edge_index=torch.tensor([[0], [1]]), num_nodes=2)
    small = Data(y=torch.tensor([0]), edge_index=torch.zeros(2, 0).long(), num_nodes=1)
    prices = {"node_insertion": 3.0, "node_deletion": 5.0, "edge_insertion": 7.0}
    loss = loss_of(1.0, 1.0, 0.0, criterion="edit", temperature=0.0, edge_deletion=11.0, **prices)
    shrink = loss(Prediction.certain(big, num_labels=2, num_relations=1), small)
    assert (shrink.node.item(), shrink.edge.item()) == pytest.approx((5, 11))
    grow = loss(Prediction.certain(small, num_labels=2, num_relations=1), big)
    assert (grow.node.item(), grow.edge.item()) == pytest.approx((3, 7))


def test_an_undirected_edge_has_no_direction() -> None:
    """The same triangle with a tail, its edges turned at random, costs nothing if undirected."""
    edges = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 3]])
    turned = torch.tensor([[1, 1, 0, 3], [0, 2, 2, 2]])
    y = torch.arange(4)
    soft = Prediction(
        existence=torch.full((4,), 40.0),
        label=80.0 * torch.eye(4) - 40,
        edge_index=torch.combinations(torch.arange(4)).T,
        relation=torch.tensor([[-40.0, 40], [-40, 40], [40, -40], [-40, 40], [40, -40], [-40, 40]]),
    )
    for index in (edges, turned):
        target = Data(y=y, edge_index=index, num_nodes=4)
        result = StructuralLoss(
            criterion="edit", directed=False, alignment=Sinkhorn(temperature=0.02)
        )(soft, target)
        assert result.total.item() == pytest.approx(0, abs=1e-5)
    directed = StructuralLoss(criterion="edit", alignment=Sinkhorn(temperature=0.02))(soft, target)
    assert directed.edge.item() > 1


def test_an_undirected_candidate_is_given_once() -> None:
    both = Data(y=torch.tensor([0, 0]), edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
    soft = random_prediction(0, 2)
    twice = Prediction(soft.existence, soft.label, both.edge_index, soft.relation[:1].repeat(2, 1))
    with pytest.raises(InputError, match=r"hold each pair of nodes at most once.*one direction"):
        StructuralLoss(directed=False)(twice, both)


def test_one_temperature_per_pair_is_each_pair_at_its_own() -> None:
    prediction, targets = _pairs("labels")
    union = Batch.from_data_list(targets)
    loss = StructuralLoss(reduction="none")
    temperatures = torch.tensor([0.3, 0.1, 0.05])
    mixed = loss(prediction, union, temperature=temperatures).total
    for k, eps in enumerate(temperatures.tolist()):
        own = StructuralLoss(reduction="none", alignment=Sinkhorn(temperature=eps))(
            prediction, union
        ).total
        torch.testing.assert_close(mixed[k], own[k], rtol=1e-7, atol=1e-9)
    with pytest.raises(InputError, match=r"`temperature` must be positive, got 0\.0"):
        loss(prediction, union, temperature=torch.tensor([0.3, 0.1, 0.0]))
    exact = StructuralLoss(reduction="none", alignment=Sinkhorn(temperature=0))(prediction, union)
    assert torch.equal(loss(prediction, union, temperature=0).total, exact.total)


def test_a_given_alignment_is_used_as_it_is() -> None:
    prediction, targets = _pairs("labels")
    union = Batch.from_data_list(targets)
    loss = StructuralLoss()
    found = loss(prediction, union)
    again = loss(prediction, union, alignment=Given(found.plan.padded.detach()))
    torch.testing.assert_close(again.total, found.total, rtol=0, atol=1e-12)
    cut = StructuralLoss(alignment=Sinkhorn(gradient="detach"))(prediction, union).total
    wanted = torch.autograd.grad(cut, prediction.label)[0]
    torch.testing.assert_close(torch.autograd.grad(again.total, prediction.label)[0], wanted)
    with pytest.raises(InputError, match=r"`alignment` must be floating-point of shape"):
        loss(prediction, union, alignment=Given(torch.zeros(1, 2, 2)))


def test_a_start_breaks_the_tie_of_a_symmetric_target() -> None:
    """A ring of equal nodes: aligned by labels alone every match is alike, and stays so."""
    ring = torch.stack([torch.arange(6), (torch.arange(6) + 1) % 6])
    target = Data(y=torch.zeros(6).long(), edge_index=ring, num_nodes=6)
    sure = Prediction.certain(target, num_labels=1, num_relations=1)
    loss = StructuralLoss(criterion="edit", alignment=Sinkhorn(rounds=8, update="proximal"))
    assert loss(sure, target).edge.item() > 5
    nudge = torch.full((1, 7, 7), 1 / 6, dtype=torch.float64)
    nudge[0, 0, 0] += 0.1
    assert loss(sure, target, start=nudge).edge.item() == pytest.approx(0, abs=1e-2)
    with pytest.raises(InputError, match="`start` must be left out without rounds"):
        StructuralLoss(alignment=Sinkhorn(rounds=0))(sure, target, start=nudge)


def test_two_triangles_are_no_hexagon() -> None:
    """Indistinguishable by labels and degrees, and by comparisons of A P with P B."""
    hexagon = torch.stack([torch.arange(6), (torch.arange(6) + 1) % 6])
    triangles = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 0, 4, 5, 3]])
    one, two = (
        Data(y=torch.zeros(6).long(), edge_index=index, num_nodes=6)
        for index in (hexagon, triangles)
    )
    sure = Prediction.certain(one, num_labels=1, num_relations=1)
    nudge = torch.full((1, 7, 7), 1 / 6, dtype=torch.float64)
    nudge[0, 0, 0] += 0.1
    loss = StructuralLoss(
        criterion="edit", gamma=0, alignment=Sinkhorn(rounds=8, update="proximal")
    )
    for start in (None, nudge):
        assert loss(sure, two, start=start).edge.item() > 1


def test_mirror_images_are_told_apart() -> None:
    """A fork and a join differ in the direction of their edges only."""
    y = torch.zeros(3).long()
    fork = Data(y=y, edge_index=torch.tensor([[0, 0], [1, 2]]), num_nodes=3)
    join = Data(y=y, edge_index=torch.tensor([[1, 2], [0, 0]]), num_nodes=3)
    sure = Prediction.certain(fork, num_labels=1, num_relations=1)
    loss = StructuralLoss(criterion="edit", alignment=Sinkhorn(rounds=5, temperature=0.02))
    assert loss(sure, fork).total.item() == pytest.approx(0, abs=1e-3)
    assert loss(sure, join).total.item() > 0.5


@pytest.mark.parametrize(
    ("kind", "y", "message"),
    [
        ("labels", torch.zeros(2, 3), r"`target.y` must be an integer tensor with one class"),
        ("features", torch.zeros(2).long(), r"`target.y` must be floating-point, one row of 3"),
        ("gaussian", torch.zeros(2, 3), r"`target.y` must be floating-point, one row of 1"),
        ("multilabel", torch.zeros(2, 2), r"`target.y` must be floating-point, one row of 3"),
        (lambda x, y: x.sum() + y.sum(), torch.zeros(2, 3), r"`node_cost` must return shape"),
        (lambda x, y: -_distance(x, y), torch.ones(2, 3), r"`node_cost` must return costs that"),
    ],
)  # fmt: skip
def test_refused_node_targets(kind: Any, y: Tensor, message: str) -> None:
    target = Data(y=y, edge_index=torch.zeros(2, 0).long(), num_nodes=2)
    soft = Prediction(torch.zeros(2), torch.zeros(2, 3), target.edge_index, torch.zeros(0, 2))
    with pytest.raises(InputError, match=message):
        StructuralLoss(node_cost=kind)(soft, target)


def test_refused_options() -> None:
    with pytest.raises(InputError, match="`edge_deletion` must be finite and not negative, got -1"):
        StructuralLoss(prices=Prices(edge_deletion=-1.0))
    soft, target = random_prediction(0, 2), random_dag(0, 2)
    outside = Data(y=target.y, edge_index=torch.tensor([[0], [7]]), num_nodes=2)
    with pytest.raises(InputError, match=r"`target.edge_index` must name nodes in \[0, 2\)"):
        StructuralLoss()(soft, outside)


def test_the_status_of_each_pair_says_how_it_ended() -> None:
    prediction, targets = _pairs("labels")
    union = Batch.from_data_list(targets)
    assert StructuralLoss()(prediction, union).status == [Status.CONVERGED] * 3
    short = StructuralLoss(alignment=Sinkhorn(max_iterations=1, temperature=0.02))(
        prediction, union
    )
    assert short.status.count(Status.STOPPED) == int((~short.converged).sum()) > 0
    assert "Raise `max_iterations`" in Status.STOPPED.value
    broken = prediction.label.detach().clone()
    broken[0] = math.nan
    soft = Prediction(
        prediction.existence,
        broken,
        prediction.edge_index,
        prediction.relation,
        prediction.batch,
        3,
    )
    result = StructuralLoss(reduction="none")(soft, union)
    assert result.status == [Status.NOT_FINITE, Status.CONVERGED, Status.CONVERGED]
    assert result.total[1:].isfinite().all()


def test_function_transforms_give_the_same_gradient() -> None:
    prediction, targets = _pairs("labels")
    union = Batch.from_data_list(targets)

    def total(label: Tensor) -> Tensor:
        soft = Prediction(
            prediction.existence.detach(), label, prediction.edge_index,
            prediction.relation.detach(), prediction.batch, 3,
        )  # fmt: skip
        return StructuralLoss()(soft, union).total

    wanted = torch.autograd.grad(total(prediction.label), prediction.label)[0]
    found = torch.func.grad(total)(prediction.label.detach())
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
