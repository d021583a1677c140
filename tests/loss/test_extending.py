"""Classes of a user's own, outside the package: gradients of their parameters, layouts, files."""

import copy
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Data

import grapheme_torch as gt
from grapheme_torch import InputError, Prediction, StructuralLoss, Support, Tiled, check_gradients

from ..problems import batch_of_pairs, everything, leaves, random_dag, random_prediction

EXAMPLES = Path(__file__).parents[2] / "examples" / "extending"


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    """The classes of the examples, which know the package by its public names alone."""
    found: dict[str, Any] = {}
    for path in sorted(EXAMPLES.glob("*.py")):
        found |= runpy.run_path(str(path))
    return found


class Says(nn.Module):
    """A model whose weights are what it says."""

    def __init__(self, prediction: Prediction) -> None:
        super().__init__()
        self.outputs = nn.ParameterList([x.detach().clone() for x in leaves(prediction)[:3]])
        self.edges, self.batch = prediction.edge_index, prediction.batch
        self.size, self.position = prediction.num_graphs, prediction.position

    def forward(self, _: Any) -> Prediction:
        """A batch of soft graphs."""
        existence, label, relation = self.outputs
        position = None if self.position is None else self.position.detach()
        return Prediction(
            existence, label, self.edges, relation, batch=self.batch, num_graphs=self.size,
            position=position,
        )  # fmt: skip


def losses(own: dict[str, Any]) -> dict[str, tuple[StructuralLoss, int, Any]]:
    """A loss with each, columns of the relations, and what it needs of a target."""

    def ordered(target: Data) -> None:
        target.edge_type = torch.ones_like(target.edge_type)

    def featured(target: Data) -> None:
        generator = torch.Generator().manual_seed(1)
        shape = (target.edge_index.shape[1], 2)
        target.edge_attr = torch.randn(*shape, generator=generator, dtype=torch.float64)
        ordered(target)

    def nothing(_: Data) -> None:
        pass

    matcher = own["Matcher"](4, 4)
    return {
        "node cost": (StructuralLoss(node_cost=own["Ordered"]()), 4, nothing),
        "ordered bonds": (StructuralLoss(edge_cost=own["OrderedBonds"]()), 1, nothing),
        "edge features": (StructuralLoss(edge_cost=own["EdgeFeatures"]()), 4, featured),
        "term": (StructuralLoss(terms={"undecided": (0.5, own["Undecided"]())}), 4, nothing),
        "learned": (StructuralLoss(alignment=gt.Learned(matcher)), 4, nothing),
        "softmax": (StructuralLoss(alignment=own["Softmax"]()), 4, nothing),
    }


NAMES = ("node cost", "ordered bonds", "edge features", "term", "learned", "softmax")


def problem(columns: int, change: Any) -> tuple[Prediction, Data]:
    prediction, target = batch_of_pairs(3, [(3, 2), (2, 3), (0, 1)])
    relation = prediction.relation.detach()[:, :columns]
    prediction = Prediction(
        prediction.existence, prediction.label, prediction.edge_index,
        relation.clone().requires_grad_(), batch=prediction.batch,
        num_graphs=prediction.num_graphs, position=prediction.position,
    )  # fmt: skip
    change(target)
    return prediction, target


@pytest.mark.repeats
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_its_gradient(own: dict[str, Any], name: str, criterion: Any) -> None:
    loss, columns, change = losses(own)[name]
    prediction, target = problem(columns, change)
    loss = loss.replace(criterion=criterion).double()
    model = Says(prediction)
    report = check_gradients(model, loss, None, target, entries=2)
    assert report.passed, str(report)
    rows = {row.name: row.status for row in report.rows}
    # In edits a node cost with a `match` of its own is asked for nothing else.
    wanted = "untouched" if (name, criterion) == ("node cost", "edit") else "ok"
    for parameter, _ in loss.named_parameters():
        assert rows[f"loss.{parameter}"] == wanted


@pytest.mark.repeats
@pytest.mark.parametrize("name", ["node cost", "ordered bonds", "edge features"])
def test_costs_of_ones_own_are_the_same_in_every_layout(own: dict[str, Any], name: str) -> None:
    loss, columns, change = losses(own)[name]
    prediction, target = problem(columns, change)
    loss = loss.replace(
        reduction="none", alignment=gt.Sinkhorn(slack=0.2, tolerance=1e-13), criterion="edit"
    ).requires_grad_(False)
    wanted = loss(prediction, target).total
    slopes = torch.autograd.grad(wanted.sum(), leaves(prediction)[:3], materialize_grads=True)
    for matches in (Support(everything(prediction, target)), Tiled()):
        total = loss(prediction, target, matches=matches).total
        torch.testing.assert_close(total, wanted, rtol=1e-9, atol=1e-10)
        found = torch.autograd.grad(total.sum(), leaves(prediction)[:3], materialize_grads=True)
        for one, other in zip(found, slopes, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9)


@pytest.mark.repeats
@pytest.mark.parametrize("name", ["learned", "softmax"])
def test_an_aligner_is_asked_with_the_costs_of_the_call(own: dict[str, Any], name: str) -> None:
    loss, columns, change = losses(own)[name]
    prediction, target = problem(columns, change)
    cost = torch.zeros(3, 4, 4, dtype=torch.float64)
    free = loss(prediction, target).plan.padded
    cost[0, 1, 1] = 50.0
    dear = loss(prediction, target, match_cost=cost).plan.padded
    assert float(free[0, 1, 1].detach()) > 0.01
    assert float(dear[0, 1, 1].detach()) < 1e-6


@pytest.mark.parametrize("kind", ["Learned", "Given"])
def test_a_temperature_is_refused_where_nothing_has_one(own: dict[str, Any], kind: str) -> None:
    loss, columns, change = losses(own)["learned"]
    prediction, target = problem(columns, change)
    if kind == "Given":
        loss = loss.replace(alignment=gt.Given(loss(prediction, target).plan.padded.detach()))
    message = f"`temperature` must be left out where `alignment` is a {kind}, got 0.1"
    with pytest.raises(gt.InputError, match=message):
        loss(prediction, target, temperature=0.1)


def test_a_given_plan_is_not_steered(own: dict[str, Any]) -> None:
    loss, columns, change = losses(own)["learned"]
    prediction, target = problem(columns, change)
    plan = loss(prediction, target).plan.padded.detach()
    with pytest.raises(gt.InputError, match="`match_cost` must be left out with a given plan"):
        StructuralLoss(alignment=gt.Given(plan))(prediction, target, match_cost=plan)


def test_parameters_of_a_loss_are_saved_copied_and_moved(own: dict[str, Any]) -> None:
    loss = StructuralLoss(node_cost=own["Ordered"](), edge_cost=own["OrderedBonds"]())
    names = {"node_cost.log_unit", "edge_cost.steps"}
    assert {name for name, _ in loss.named_parameters()} == names
    assert set(loss.state_dict()) == names
    other = copy.deepcopy(loss)
    assert other.spec.node_cost is other.node_cost
    assert other.node_cost is not loss.node_cost
    assert loss.replace(beta=1.0).node_cost is loss.node_cost
    assert loss.float().node_cost.log_unit.dtype == torch.float32


def test_a_further_term_is_part_of_the_total(own: dict[str, Any]) -> None:
    prediction, target = problem(4, lambda _: None)
    plain = StructuralLoss(reduction="none")
    result = plain.replace(terms={"undecided": (0.5, own["Undecided"]())})(prediction, target)
    assert list(result.terms) == ["node", "edge", "clique", "undecided"]
    wanted = plain(prediction, target).total + 0.5 * result.terms["undecided"]
    torch.testing.assert_close(result.total, wanted)


def test_draws_of_noise_are_compared_beside_a_further_term(own: dict[str, Any]) -> None:
    """By the terms of the loss itself, whichever engine there is."""
    prediction, target = problem(4, lambda _: None)
    loss = StructuralLoss(
        terms={"undecided": (0.5, own["Undecided"]())}, hints=gt.Hints(noise=0.01, restarts=2)
    )  # fmt: skip
    for cost in (torch.zeros(3, 4, 4, dtype=torch.float64), None):  # the program, and the kernel
        assert "undecided" in loss(prediction, target, match_cost=cost).terms


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"node": (1.0, nn.Identity())}, "`terms` must have names of their own"),
        ({"x": nn.Identity()}, r"`terms\['x'\]` must be a weight and a `Term`"),
        ({"x": (-1.0, nn.Identity())}, r"`terms\['x'\]` must not be negative"),
    ],
)
def test_terms_that_are_none_are_refused(terms: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        StructuralLoss(terms=terms)
    if list(terms) == ["x"]:
        return
    with pytest.raises(InputError, match="`terms` must be left out with matches=Tiled"):
        StructuralLoss(terms={"y": (1.0, gt.Term())}, matches=Tiled())


def test_what_is_not_defined_says_so() -> None:
    prediction, target = random_prediction(1, 2), random_dag(1, 2)
    for wrong in (gt.NodeCost(), gt.Term(), gt.Aligner()):
        settings: dict[type, dict[str, Any]] = {
            gt.NodeCost: {"node_cost": wrong},
            gt.Term: {"terms": {"mine": (1.0, wrong)}},
            gt.Aligner: {"alignment": wrong},
        }
        with pytest.raises(NotImplementedError, match="must define"):
            StructuralLoss(**settings[type(wrong)])(prediction, target)


def test_a_match_of_ones_own_is_an_agreement() -> None:
    class Near(gt.NodeCost):
        def nll(self, outputs: Tensor, y: Tensor) -> Tensor:
            return (outputs - y).square().sum(-1)

        def match(self, outputs: Tensor, y: Tensor) -> Tensor:
            return 1 / (1 + self.nll(outputs, y))

    class Wrong(Near):
        def match(self, outputs: Tensor, y: Tensor) -> Tensor:
            return 2 + self.nll(outputs, y)

    outputs = torch.tensor([[0.0], [3.0]], dtype=torch.float64)
    prediction = Prediction(
        torch.full((2,), 40.0).double(), outputs, torch.empty(2, 0).long(),
        torch.empty(0, 1).double(),
    )  # fmt: skip
    target = Data(y=outputs.flip(0), edge_index=torch.empty(2, 0).long(), num_nodes=2)
    edits = StructuralLoss(node_cost=Near(), criterion="edit", alignment=gt.Exact())
    assert float(edits(prediction, target).node) == pytest.approx(0, abs=1e-9)
    target.y = outputs + torch.tensor([[1.0], [0.0]])
    assert float(edits(prediction, target).node) == pytest.approx(0.5)
    with pytest.raises(InputError, match=r"`node_cost\.match` must return an agreement"):
        edits.replace(node_cost=Wrong())(prediction, target)
