"""The first alignment by neighbourhoods, (E40), and the noise that breaks its ties, (E41)."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import Hints, InputError, Prediction, Sinkhorn, StructuralLoss, check_gradients
from grapheme_torch.testing import assert_batch_invariant, assert_permutation_invariant

from ...problems import SIZES, join, loss_of, random_pairs
from ...unrolled import structural_loss

WEIGHT = 0.7


@pytest.mark.parametrize("rounds", [0, 2])
def test_the_plain_program_gives_the_same(rounds: int) -> None:
    predictions, targets = random_pairs(3, SIZES)
    loss = StructuralLoss(
        reduction="none",
        gamma=0.0,
        alignment=Sinkhorn(rounds=rounds, tolerance=1e-14, temperature=0.3),
        hints=Hints(neighbours=WEIGHT),
    )
    found = loss(join(predictions), Batch.from_data_list(targets))
    for k, (one, target) in enumerate(zip(predictions, targets, strict=True)):
        wanted = structural_loss(
            one, target, rounds=rounds, neighbours=WEIGHT, gamma=0.0, temperature=0.3
        )
        torch.testing.assert_close(found.total[k], wanted.total, rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(found.plan[k], wanted.plan, rtol=1e-7, atol=1e-9)


@pytest.mark.repeats
@pytest.mark.parametrize("gradient", ["exact", "implicit"])
@pytest.mark.parametrize("directed", [True, False])
def test_the_gradient_is_the_derivative(gradient: Any, directed: bool) -> None:
    (one,), (target,) = random_pairs(5, [(4, 3)])
    ends = one.edge_index
    kept = (ends[0] < ends[1]).nonzero()[:, 0] if not directed else torch.arange(ends.shape[1])
    if not directed:
        target.edge_index = target.edge_index.sort(0).values
    loss = StructuralLoss(
        directed=directed,
        alignment=Sinkhorn(rounds=1, update="proximal", gradient=gradient, tolerance=1e-14),
        hints=Hints(neighbours=WEIGHT),
    )

    def total(existence: Tensor, label: Tensor, relation: Tensor) -> Tensor:
        return loss(Prediction(existence, label, ends[:, kept], relation), target).total

    inputs = [
        value.detach().requires_grad_() for value in (one.existence, one.label, one.relation[kept])
    ]
    assert torch.autograd.gradcheck(total, inputs, eps=1e-6, atol=1e-7, rtol=1e-6)
    if gradient == "implicit":
        assert torch.autograd.gradgradcheck(total, inputs, eps=1e-6, atol=1e-5, rtol=1e-4)


def test_laws() -> None:
    predictions, targets = random_pairs(7, [(4, 4), (5, 3)])
    loss = StructuralLoss(
        reduction="none", alignment=Sinkhorn(tolerance=1e-13), hints=Hints(neighbours=WEIGHT)
    )
    assert_batch_invariant(loss, join(predictions), targets)
    assert_permutation_invariant(loss, join(predictions), Batch.from_data_list(targets))


@pytest.mark.parametrize("node_cost", ["labels", "features"])
def test_equal_nodes_are_told_apart_by_what_they_are_joined_to(node_cost: Any) -> None:
    """A star: five equal nodes, of which only the middle one has four neighbours."""
    edge_index = torch.tensor([[0, 0, 0, 0], [1, 2, 3, 4]])
    star = Data(y=torch.zeros(5).long(), edge_index=edge_index, num_nodes=5)
    sure = Prediction.certain(star, num_labels=1, num_relations=1)
    if node_cost == "features":
        star.y = torch.zeros(5, 1, dtype=torch.float64)
    blind, seeing = (
        StructuralLoss(
            node_cost=node_cost, alignment=Sinkhorn(rounds=0), hints=Hints(neighbours=weight)
        )(sure, star)
        for weight in (0.0, 1.0)
    )
    assert blind.plan[0][0, 0].item() == pytest.approx(0.2, abs=1e-6)
    assert seeing.plan[0][0, 0].item() == pytest.approx(1.0, abs=1e-6)


def test_direction_and_relation_of_a_neighbour_count() -> None:
    """Two pairs of equal nodes, one edge each way or of another relation."""
    y, joined = torch.zeros(4).long(), torch.tensor([[0, 3], [1, 2]])
    graph = Data(y=y, edge_index=joined, edge_type=torch.tensor([1, 2]), num_nodes=4)
    sure = Prediction.certain(graph, num_labels=1, num_relations=2)
    plan = StructuralLoss(alignment=Sinkhorn(rounds=0), hints=Hints(neighbours=1.0))(
        sure, graph
    ).plan[0]
    torch.testing.assert_close(plan[:4, :4].diag(), torch.ones(4).double(), rtol=0, atol=1e-3)


def test_noise_parts_mirror_images() -> None:
    """A chain that reads the same from both ends is aligned with both at once, or with one."""
    n = 7
    chain = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
    target = Data(y=torch.zeros(n).long(), edge_index=chain, num_nodes=n)
    sure = Prediction.certain(target, num_labels=1, num_relations=1)
    upper = sure.edge_index[0] < sure.edge_index[1]
    sure = Prediction(sure.existence, sure.label, sure.edge_index[:, upper], sure.relation[upper])
    options: dict[str, Any] = {
        "directed": False, "rounds": 10, "update": "proximal", "neighbours": 0.5,
    }  # fmt: skip
    blurred = loss_of(**options)(sure, target)
    assert blurred.plan[0][0, 0].item() == pytest.approx(0.5, abs=1e-6)
    assert blurred.edge.item() > 1
    loss = loss_of(**options, noise=0.01, restarts=4)
    torch.manual_seed(0)
    found = [loss(sure, target).plan[0][:n, :n] for _ in range(8)]
    assert all(plan.max(1).values.min() > 0.99 for plan in found)
    assert {int(plan[0].argmax()) for plan in found} == {0, n - 1}
    torch.manual_seed(0)
    assert torch.equal(loss(sure, target).plan[0][:n, :n], found[0])


@pytest.mark.parametrize("name", ["neighbours", "noise"])
def test_refusals(name: str) -> None:
    with pytest.raises(InputError, match=f"^`{name}` must not be negative, got -1.0. "):
        loss_of(**{name: -1.0})


def test_a_check_of_gradients_draws_the_same_noise_throughout() -> None:
    (one,), (target,) = random_pairs(1, [(4, 3)])

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.label = torch.nn.Parameter(one.label.clone())

        def forward(self, _: object) -> Prediction:
            return replace(one, label=self.label)

    state = torch.get_rng_state()
    report = check_gradients(Model(), StructuralLoss(hints=Hints(noise=0.3)), None, target)
    assert report.passed, str(report)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("gradient", ["exact", "detach"])
def test_each_pair_keeps_its_best_draw(gradient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    predictions, targets = random_pairs(11, [(6, 6), (5, 4), (0, 2), (4, 6)])
    prediction, target = join(predictions), Batch.from_data_list(targets)
    draws = torch.randn(5, 4, 6, 6, dtype=torch.float64)
    options: dict[str, Any] = {
        "noise": 2.0, "reduction": "none", "gradient": gradient, "update": "proximal",
    }  # fmt: skip
    for_each = iter(draws[:, None])
    monkeypatch.setattr(torch, "randn", lambda *_: next(for_each))
    alone = torch.stack([loss_of(**options)(prediction, target).total for _ in draws])
    assert len(set(alone.argmin(0).tolist())) > 1
    monkeypatch.setattr(torch, "randn", lambda *_: draws)
    prediction.label.requires_grad_()
    best = loss_of(**options, restarts=5)(prediction, target)
    torch.testing.assert_close(best.total, alone.min(0).values, rtol=1e-12, atol=1e-12)
    best.total.sum().backward()
    assert prediction.label.grad is not None
    assert prediction.label.grad.isfinite().all()


def test_restarts_need_noise() -> None:
    with pytest.raises(InputError, match=r"^`restarts` must be 1 without noise, got 2\. "):
        StructuralLoss(hints=Hints(restarts=2))
    with pytest.raises(InputError, match=r"^`restarts` must be at least 1, got 0\. "):
        StructuralLoss(hints=Hints(restarts=0))
