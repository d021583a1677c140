"""The structural loss against the plain program, and everything its result promises."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import Hints, Prediction, Sinkhorn, StructuralLoss, StructuralLossResult
from grapheme_torch.loss.layouts._padded import Padded
from grapheme_torch.ot import _adjoint

from .. import unrolled
from ..problems import (
    NUM_LABELS,
    SIZES,
    gradients,
    join,
    leaf,
    leaves,
    loss_of,
    random_dag,
    random_pairs,
    random_prediction,
    union,
)

CONVERGED = {"tolerance": 1e-13, "max_iterations": 1000}
CAPPED = {"tolerance": -1.0, "max_iterations": 3}
TERMS = ("total", "node", "edge", "clique")


def _compare(seed: int, loss_options: dict[str, Any], how: dict[str, Any]) -> None:
    predictions, targets = random_pairs(seed, SIZES)
    prediction = leaf(join(predictions))
    loss = loss_of(**loss_options, **how, reduction="none")
    found = loss(prediction, union(targets))
    found_slope = gradients(found.total @ torch.linspace(1, 2, len(SIZES)).double(), prediction)
    plain_options = {k: v for k, v in loss_options.items() if k != "gradient"}
    sweeps = None if how is CONVERGED else how["max_iterations"]
    assert (found.converged == (how is CONVERGED)).all()

    alone = [leaf(one) for one in predictions]
    plain = [
        unrolled.structural_loss(one, target, **plain_options, sweeps=sweeps)
        for one, target in zip(alone, targets, strict=True)
    ]
    for k, one in enumerate(plain):
        for term in TERMS:
            value, wanted = getattr(found, term)[k], getattr(one, term)
            torch.testing.assert_close(value, wanted, rtol=0, atol=1e-9, msg=f"{term} of pair {k}")
        torch.testing.assert_close(found.plan[k], one.plan, rtol=0, atol=1e-9)
    weights = torch.linspace(1, 2, len(SIZES)).double()
    slopes = [
        gradients(weight * one.total, own)
        for weight, one, own in zip(weights, plain, alone, strict=True)
    ]
    for value, parts in zip(found_slope, zip(*slopes, strict=True), strict=True):
        torch.testing.assert_close(value, torch.cat(parts), rtol=1e-9, atol=1e-9)
        assert value.abs().max() > 1e-3


@pytest.mark.parametrize("how", [CONVERGED, CAPPED], ids=["converged", "3 sweeps"])
@pytest.mark.parametrize("rounds", [0, 2])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_value_and_gradient_of_the_plain_program(
    criterion: str, rounds: int, how: dict[str, Any]
) -> None:
    _compare(1, {"criterion": criterion, "rounds": rounds, "temperature": 0.2}, how)


@pytest.mark.parametrize("gradient", ["exact", "unrolled"])
@pytest.mark.parametrize("slack", [0.5, 1.0])
def test_slack_and_weights_of_the_plain_program(slack: float, gradient: str) -> None:
    options = {
        "alpha": 0.7, "beta": 1.3, "gamma": 0.4, "slack": slack, "gradient": gradient,
        "position": 0.2, "temperature": 0.3, "rounds": 1,
    }  # fmt: skip
    _compare(2, options, CAPPED)
    if gradient == "exact":
        _compare(3, options, CONVERGED)


def _example(seed: int = 4, **options: Any) -> tuple[StructuralLoss, Prediction, Batch]:
    predictions, targets = random_pairs(seed, SIZES)
    return loss_of(**options), leaf(join(predictions)), union(targets)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_reported_gradients_are_those_of_autograd(criterion: str, reduction: str) -> None:
    loss, prediction, target = _example(criterion=criterion, reduction=reduction)
    result = loss(prediction, target, return_gradients=True)
    result.total.sum().backward()
    existence, label, relation = (values.grad for values in leaves(prediction)[:3])
    assert existence is not None
    assert label is not None
    wanted = torch.cat([existence[:, None], label], dim=1)
    assert result.node_gradients.shape == (len(existence), 1 + NUM_LABELS)
    assert torch.equal(result.node_gradients, wanted)
    assert torch.equal(result.edge_gradients, relation)
    assert not result.node_gradients.requires_grad


def test_gradients_only_when_asked_for() -> None:
    loss, prediction, target = _example()
    result = loss(prediction, target)
    assert result.node_gradients is None
    assert result.edge_gradients is None


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_reductions(reduction: str) -> None:
    loss, prediction, target = _example(reduction="none")
    each = loss(prediction, target)
    assert each.total.shape == (len(SIZES),)
    reduced = StructuralLoss(reduction=reduction)(prediction, target)
    for term in TERMS:
        wanted = getattr(getattr(each, term), reduction)()
        torch.testing.assert_close(getattr(reduced, term), wanted, rtol=0, atol=1e-12)


def test_total_is_the_weighted_sum_of_the_terms() -> None:
    loss, prediction, target = _example(alpha=0.3, beta=1.7, gamma=0.9, reduction="none")
    found = loss(prediction, target)
    wanted = 0.3 * found.node + 1.7 * found.edge + 0.9 * found.clique
    torch.testing.assert_close(found.total, wanted, rtol=0, atol=1e-12)
    for term in TERMS:
        assert (getattr(found, term) > 0).any()


def test_default_weights() -> None:
    loss = StructuralLoss()
    assert (loss.alpha, loss.beta, loss.gamma, loss.alignment) == (1.0, 0.5, 2.0, Sinkhorn())
    assert loss.alignment.temperature == 0.1


@pytest.mark.parametrize("slack", [0.0, 1.0])
@pytest.mark.parametrize("temperature", [0.1, 0.0])
def test_plans_have_their_shapes_and_margins(temperature: float, slack: float) -> None:
    loss, prediction, target = _example(temperature=temperature, slack=slack)
    result = loss(prediction, target)
    assert result.converged.all()
    assert result.plan.num_predicted.tolist() == [n for n, _ in SIZES]
    assert result.plan.num_target.tolist() == [m for _, m in SIZES]
    for plan, whole, (n, m) in zip(result.plan, result.plan.padded, SIZES, strict=True):
        assert plan.shape == (n + 1, m + 1)
        spare = slack * min(n, m)
        rows = torch.tensor([1.0] * n + [max(m - n, 0) + spare]).double()
        columns = torch.tensor([1.0] * m + [max(n - m, 0) + spare]).double()
        torch.testing.assert_close(plan.sum(1), rows, rtol=0, atol=1e-8)
        torch.testing.assert_close(plan.sum(0), columns, rtol=0, atol=1e-8)
        torch.testing.assert_close(plan.sum(), whole.sum(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("slack", [0.1, 0.3, 0.7])
def test_any_slack_converges(slack: float) -> None:
    """The masses of both sides are equal to the last bits of float64, not of float32."""
    loss, prediction, target = _example(slack=slack)
    assert loss(prediction, target).converged.all()


def test_evidence_covers_all_rounds() -> None:
    _, prediction, target = _example()
    once = StructuralLoss(alignment=Sinkhorn(rounds=0))(prediction, target)
    thrice = StructuralLoss(alignment=Sinkhorn(rounds=2))(prediction, target)
    assert (thrice.iterations >= once.iterations).all()
    assert (thrice.iterations > once.iterations).any()
    assert (thrice.residual >= once.residual).all()
    open_ = StructuralLoss(alignment=Sinkhorn(max_iterations=1))(prediction, target)
    assert torch.equal(open_.converged, open_.residual <= 1e-10)
    assert open_.iterations.max() == 2


@pytest.mark.usefixtures("composed")
def test_a_round_left_open_is_reported_although_the_last_one_converged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A round in the middle decides over `converged` and `residual`, not only the last."""
    loss, prediction, target = _example(rounds=1, reduction="none")
    plain, calls = Padded.transport, list[Tensor]()

    def first_left_open(space: Padded, cost: Tensor, temperature: Any) -> Any:
        found = plain(space, cost, temperature)
        if not calls:
            found = replace(found, residual=found.residual + 0.5, converged=found.converged & False)
        calls.append(cost)
        return found

    monkeypatch.setattr(Padded, "transport", first_left_open)
    result = loss(prediction, target)
    assert len(calls) == 2
    assert not result.converged.any()
    assert (result.residual >= 0.5).all()


def test_without_an_edge_weight_there_are_no_rounds() -> None:
    _, prediction, target = _example()
    none = StructuralLoss(beta=0.0, alignment=Sinkhorn(rounds=5))(prediction, target)
    plain = StructuralLoss(beta=0.0, alignment=Sinkhorn(rounds=0))(prediction, target)
    assert torch.equal(none.plan.padded, plain.plan.padded)
    assert torch.equal(none.iterations, plain.iterations)


def test_cut_treats_the_plan_as_constant() -> None:
    loss, prediction, target = _example(gradient="detach", rounds=1)
    cut = loss(prediction, target)
    exact = StructuralLoss(alignment=Sinkhorn(rounds=1))(prediction, target)
    torch.testing.assert_close(cut.total, exact.total, rtol=0, atol=1e-13)
    assert not cut.plan.padded.requires_grad
    slopes = gradients(cut.total, prediction), gradients(exact.total, prediction)
    assert not slopes[0][3].any()  # places steer the alignment only
    assert slopes[1][3].any()
    assert (slopes[0][0] - slopes[1][0]).abs().max() > 1e-3


def test_a_second_derivative_is_refused() -> None:
    loss, prediction, target = _example()
    (slope,) = torch.autograd.grad(
        loss(prediction, target).total, prediction.label, create_graph=True
    )
    with pytest.raises(RuntimeError, match="differentiated once"):
        slope.sum().backward()


@pytest.mark.usefixtures("in_pytorch")
def test_the_loss_goes_back_by_one_solve_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    loss, prediction, target = _example(rounds=2)

    def wasteful(*_: object) -> None:
        raise AssertionError("went back through the sweeps although the pairs converged")

    monkeypatch.setattr(_adjoint, "sweep_path", wasteful)
    assert loss(prediction, target).total.isfinite()
    loss(prediction, target).total.backward()


def test_positions_count_only_if_both_sides_have_them() -> None:
    loss, prediction, target = _example()
    off = StructuralLoss(hints=Hints(position=0.0))(prediction, target).total
    on = loss(prediction, target).total
    assert abs(float(on.detach() - off.detach())) > 1e-3
    bare_target = target.clone()
    del bare_target.position
    assert torch.equal(loss(prediction, bare_target).total, off)
    assert torch.equal(loss(replace(prediction, position=None), target).total, off)


def test_a_target_without_relations_has_one() -> None:
    predictions, targets = random_pairs(5, SIZES)
    for target in targets:
        target.edge_type = torch.ones_like(target.edge_type)
    bare = [Data(num_nodes=t.num_nodes, y=t.y, edge_index=t.edge_index) for t in targets]
    loss, prediction = StructuralLoss(hints=Hints(position=0.0)), join(predictions)
    assert torch.equal(loss(prediction, union(bare)).total, loss(prediction, union(targets)).total)


def test_a_single_graph_is_a_batch_of_one() -> None:
    prediction, target = random_prediction(1, 4), random_dag(2, 5)
    whole = StructuralLoss()(prediction, target)
    assert torch.equal(whole.total, StructuralLoss()(prediction, union([target])).total)
    assert len(whole.plan) == 1


def test_exact_alignment_has_no_iterations_and_a_gradient_in_the_costs() -> None:
    loss, prediction, target = _example(temperature=0.0)
    result = loss(prediction, target)
    assert torch.equal(result.plan.padded, result.plan.padded.round())
    assert not result.iterations.any()
    assert not result.residual.any()
    assert not result.plan.padded.requires_grad
    assert all(slope.isfinite().all() for slope in gradients(result.total, prediction))


def test_it_is_a_module_without_parameters() -> None:
    assert not list(StructuralLoss().parameters())
    assert isinstance(StructuralLoss()(*_example()[1:]), StructuralLossResult)
