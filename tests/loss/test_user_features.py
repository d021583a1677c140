"""Weights, ignored parts, several relations, smoothing and focal costs, groups of slots: laws."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from grapheme_torch import (
    Dense,
    EdgeCost,
    Exact,
    Hints,
    InputError,
    Prediction,
    Sinkhorn,
    StructuralLoss,
    Support,
    Tiled,
    costs,
)
from grapheme_torch.loss.engines import _native_engine
from grapheme_torch.ot import AVAILABLE, set_backend

from ..problems import (
    NUM_LABELS,
    NUM_RELATIONS,
    batch_of_pairs,
    everything,
    join,
    leaf,
    leaves,
    random_dag,
    random_prediction,
    upward,
)

SIZES = [(4, 5), (3, 3), (1, 2), (0, 2), (3, 2)]
CLASS_WEIGHT = torch.tensor([0.4, 1.0, 2.0, 0.7], dtype=torch.float64)
RELATION_WEIGHT = torch.tensor([0.5, 1.5, 1.0], dtype=torch.float64)


def ignored(target: Data) -> Data:
    """Some nodes, whose class is unknown, and a pair of nodes."""
    target.ignore = torch.arange(len(target.y)) % 4 == 1
    target.y = target.y.masked_fill(target.ignore, -100)
    target.ignore_edge_index = torch.tensor([[0, 2], [2, 3]])
    return target


def several(target: Data) -> Data:
    """Every other edge twice, in two relations."""
    more = target.edge_index[:, ::2], target.edge_type[::2] % NUM_RELATIONS + 1
    target.edge_index = torch.cat([target.edge_index, more[0]], 1)
    target.edge_type = torch.cat([target.edge_type, more[1]])
    return target


def unknown(target: Data) -> Data:
    """Some nodes without a class."""
    target.y = target.y.masked_fill(torch.arange(len(target.y)) % 3 == 0, -100)
    return target


def as_it_is(target: Data) -> Data:
    return target


FEATURES: dict[str, tuple[dict[str, Any], Any]] = {
    "ignored": ({}, ignored),
    "unknown classes": ({}, unknown),
    "weights": (
        {
            "node_cost": costs.Classes(weight=CLASS_WEIGHT),
            "edge_cost": EdgeCost(weight=RELATION_WEIGHT),
        },
        as_it_is,
    ),
    "focal and smooth": (
        {
            "node_cost": costs.Classes(focal=2.0, label_smoothing=0.1),
            "edge_cost": EdgeCost(focal=2.0, label_smoothing=0.1),
        },
        unknown,
    ),
    "several": ({"edge_cost": costs.SeveralRelations()}, several),
    "several, weighed": (
        {"edge_cost": costs.SeveralRelations(RELATION_WEIGHT, label_smoothing=0.1, focal=1.5)},
        several,
    ),
}


def problem(seed: int, change: Any, *, directed: bool) -> tuple[Prediction, Data]:
    prediction, target = batch_of_pairs(seed, SIZES)
    if not directed:
        prediction = leaf(replace(upward(prediction), directed=False))
        kept = target.edge_index[0] < target.edge_index[1]
        target.edge_index, target.edge_type = target.edge_index[:, kept], target.edge_type[kept]
    return prediction, change(target)


def solved(loss: StructuralLoss, prediction: Prediction, target: Data, **call: Any) -> list[Tensor]:
    total = loss(prediction, target, **call).total
    grads = torch.autograd.grad(total.sum(), leaves(prediction), materialize_grads=True)
    return [total.detach(), *grads]


@pytest.mark.repeats
@pytest.mark.usefixtures("composed")
@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize("name", FEATURES)
def test_layouts_and_engines_agree(
    name: str, criterion: Any, directed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, change = FEATURES[name]
    prediction, target = problem(1, change, directed=directed)
    alignment = Sinkhorn(slack=0.2, tolerance=1e-13)
    loss = StructuralLoss(criterion=criterion, reduction="none", alignment=alignment, **settings)
    set_backend("pytorch")
    wanted = solved(loss, prediction, target)
    others: list[dict[str, Any]] = [{"matches": Support(everything(prediction, target))}]
    if directed:  # tiles of tiny graphs take long
        others.append({"matches": Tiled()})
    for call in others:
        for found, one in zip(solved(loss, prediction, target, **call), wanted, strict=True):
            torch.testing.assert_close(found, one, rtol=1e-9, atol=1e-10)
    if AVAILABLE:
        calls, run = [], _native_engine.run

        def watched(*arguments: Any) -> Any:
            calls.append(1)
            return run(*arguments)

        monkeypatch.setattr(_native_engine, "run", watched)
        set_backend("native")
        for found, one in zip(solved(loss, prediction, target), wanted, strict=True):
            torch.testing.assert_close(found, one, rtol=1e-9, atol=1e-10)
        assert calls


@pytest.mark.repeats
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize("name", FEATURES)
def test_the_gradient_is_the_derivative(name: str, criterion: Any) -> None:
    settings, change = FEATURES[name]
    prediction, target = problem(2, change, directed=True)
    alignment = Sinkhorn(slack=0.2, tolerance=1e-13)
    loss = StructuralLoss(criterion=criterion, alignment=alignment, **settings)
    _, *grads = solved(loss, prediction, target)
    generator = torch.Generator().manual_seed(0)
    for field, grad in zip(("existence", "label", "relation", "position"), grads, strict=True):
        value = getattr(prediction, field).detach()
        way = torch.randn(value.shape, generator=generator, dtype=value.dtype)
        with torch.no_grad():
            ends = [
                loss(replace(prediction, **{field: value + step * way}), target).total
                for step in (1e-5, -1e-5)
            ]
        measured = float(ends[0] - ends[1]) / 2e-5
        assert measured == pytest.approx(float((grad * way).sum()), rel=1e-6, abs=1e-7)


def test_what_is_matched_with_an_ignored_node_is_free() -> None:
    """Three slots, three targets, all ignored: nothing is charged, and nothing is moved."""
    prediction, target = batch_of_pairs(3, [(3, 3)])
    target.ignore = torch.ones(3, dtype=torch.bool)
    total, *grads = solved(StructuralLoss(), prediction, target)
    assert float(total) == pytest.approx(0, abs=1e-9)
    for grad in grads:
        torch.testing.assert_close(grad, torch.zeros_like(grad), rtol=0, atol=1e-9)


@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_an_ignored_pair_says_nothing_of_its_edge(criterion: Any) -> None:
    """Between two certain nodes an edge may be there or not, of whatever relation."""
    sure = 40 * torch.eye(2, dtype=torch.float64)
    target = Data(y=torch.tensor([0, 1]), edge_index=torch.empty(2, 0, dtype=torch.long))
    target.num_nodes = 2
    existence = torch.full((2,), 40.0, dtype=torch.float64)
    relation = torch.tensor([[0.3, -1.0, 0.7]], dtype=torch.float64, requires_grad=True)
    prediction = Prediction(existence, sure, torch.tensor([[0], [1]]), relation)
    loss = StructuralLoss(criterion=criterion, gamma=0)
    assert float(loss(prediction, target).edge.detach()) > 0.1
    target.ignore_edge_index = torch.tensor([[0], [1]])
    edge = loss(prediction, target).edge
    assert float(edge.detach()) == pytest.approx(0, abs=1e-3)
    (grad,) = torch.autograd.grad(edge, relation)
    assert float(grad.abs().max()) < 1e-3


def test_a_clique_term_is_not_charged_where_a_part_is_ignored() -> None:
    prediction, target = batch_of_pairs(3, [(3, 3), (3, 3)])
    target.ignore = torch.tensor([True, False, False, False, False, False])
    clique = StructuralLoss(reduction="none")(prediction, target).clique
    assert float(clique[0].detach()) == 0
    assert float(clique[1].detach()) > 0


@pytest.mark.parametrize("directed", [True, False])
def test_two_relations_of_a_right_answer_make_one_neighbour(directed: bool) -> None:
    """The clique term counts neighbours: a second relation to the same node is none."""
    ends = torch.tensor([[0, 0, 0], [1, 1, 2]])
    if not directed:
        ends[:, 1] = ends[:, 1].flip(0)  # the second relation is written the other way round
    target = Data(
        y=torch.arange(3), edge_index=ends, edge_type=torch.tensor([1, 2, 1]), num_nodes=3
    )
    relation = torch.tensor([[0.0, 40.0, 40.0], [0.0, 40.0, -40.0]], dtype=torch.float64)
    sure = torch.full((3,), 40.0, dtype=torch.float64)
    classes = 80 * torch.eye(3, dtype=torch.float64)
    candidates = torch.tensor([[0, 0], [1, 2]])
    prediction = Prediction(sure, classes, candidates, relation, directed=directed)
    loss = StructuralLoss(edge_cost=costs.SeveralRelations(), directed=directed, alignment=Exact())
    result = loss(prediction, target)
    assert float(result.clique) == pytest.approx(0, abs=1e-9)
    assert float(result.edge) == pytest.approx(0, abs=1e-9)


def test_one_relation_of_several_is_the_usual_edge_cost() -> None:
    for criterion in ("likelihood", "edit"):
        prediction, target = batch_of_pairs(5, SIZES)
        one = leaf(replace(prediction, relation=prediction.relation.detach()[:, :2]))
        target.edge_type = torch.ones_like(target.edge_type)
        usual = StructuralLoss(criterion=criterion)
        other = usual.replace(edge_cost=costs.SeveralRelations())
        for found, wanted in zip(
            solved(other, one, target), solved(usual, one, target), strict=True
        ):
            torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-11)


def test_weights_of_one_change_nothing() -> None:
    prediction, target = batch_of_pairs(6, SIZES)
    weighed = StructuralLoss(
        node_cost=costs.Classes(torch.ones(NUM_LABELS).double()),
        edge_cost=EdgeCost(torch.ones(NUM_RELATIONS).double()),
    )
    found, wanted = (solved(x, prediction, target) for x in (weighed, StructuralLoss()))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


def test_a_weight_of_two_is_charged_twice() -> None:
    """A missing node and a missing edge of the weighed kinds."""
    target = Data(y=torch.tensor([1, 1]), edge_index=torch.tensor([[0], [1]]), num_nodes=2)
    empty = torch.empty(0, dtype=torch.float64)
    nothing = Prediction(
        empty, empty.reshape(0, 2), torch.empty(2, 0).long(), empty.reshape(0, 2), num_graphs=1
    )
    loss = StructuralLoss(gamma=0)
    weighed = loss.replace(
        node_cost=costs.Classes(torch.tensor([1.0, 2.0]).double()),
        edge_cost=EdgeCost(torch.tensor([2.0]).double()),
    )
    once, twice = loss(nothing, target), weighed(nothing, target)
    assert float(twice.node) == pytest.approx(2 * float(once.node))
    assert float(twice.edge) == pytest.approx(2 * float(once.edge))


def test_groups_are_pairs_of_their_own() -> None:
    sizes, groups = [(3, 2), (2, 4), (0, 1), (4, 0)], 3
    drawn = [
        [random_prediction(10 * k + g, n) for g in range(groups)] for k, (n, _) in enumerate(sizes)
    ]
    targets = [random_dag(k, m) for k, (_, m) in enumerate(sizes)]
    apart = leaf(join([one for group in drawn for one in group]))
    whole = torch.repeat_interleave(torch.tensor([n * groups for n, _ in sizes]))
    together = replace(apart, batch=whole, num_graphs=len(sizes))
    loss = StructuralLoss(reduction="none")
    found = loss(together, Batch.from_data_list(targets), groups=groups).total
    repeated = Batch.from_data_list([one for one in targets for _ in range(groups)])
    assert torch.equal(found, loss(apart, repeated).total)


def test_edges_between_groups_are_left_out() -> None:
    prediction, target = batch_of_pairs(1, [(4, 2)])
    result = StructuralLoss()(prediction, target, groups=2, return_gradients=True)
    source, sink = prediction.edge_index
    across = (source < 2) != (sink < 2)
    assert bool(across.any())
    assert not bool(result.edge_gradients[across].any())
    assert bool(result.edge_gradients[~across].any())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"groups": 3}, r"`prediction` must have a multiple of 3 nodes in each graph"),
        ({"groups": 0}, "`groups` must be at least 1, got 0"),
    ],
)
def test_groups_that_cannot_be_are_refused(call: Any, message: str) -> None:
    prediction, target = batch_of_pairs(1, [(4, 2)])
    with pytest.raises(InputError, match=message):
        StructuralLoss()(prediction, target, **call)


@pytest.mark.repeats
@pytest.mark.usefixtures("composed")
@pytest.mark.parametrize("matches", [Dense(), Tiled(), "support"])
def test_the_number_of_a_class_can_stand_for_unknown(matches: Any) -> None:
    """As in the cross-entropy of PyTorch, where 0 is often the padding."""
    prediction, target = problem(4, as_it_is, directed=True)
    chosen = Support(everything(prediction, target)) if matches == "support" else matches
    zero = StructuralLoss(node_cost=costs.Classes(ignore_index=0), matches=chosen)
    found = solved(zero, prediction, target)
    target.y = target.y.masked_fill(target.y == 0, -100)
    wanted = solved(StructuralLoss(matches=chosen), prediction, target)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_number_that_means_nothing_is_no_unknown_class() -> None:
    prediction, target = problem(4, as_it_is, directed=True)
    for ignore_index in (0, -100):
        target.y[0] = -1
        with pytest.raises(InputError, match=r"`target\.y` must lie in \[0, 4\)"):
            StructuralLoss(node_cost=costs.Classes(ignore_index=ignore_index))(prediction, target)


def test_neighbours_may_be_of_unknown_class() -> None:
    """Two nodes that only their neighbours tell apart, one of them of unknown class."""
    ends = torch.tensor([[0, 1], [2, 3]])
    target = Data(y=torch.tensor([0, 0, 1, -100]), edge_index=ends, num_nodes=4)
    sure = torch.full((4,), 40.0, dtype=torch.float64)
    label = 40 * nn.functional.one_hot(torch.tensor([0, 0, 1, 2]), 3).double()
    prediction = Prediction(sure, label, ends, torch.tensor([[0.0, 40.0]] * 2).double())
    for ignore_index in (-100, -1):
        target.y[3] = ignore_index
        loss = StructuralLoss(
            hints=Hints(neighbours=1.0), node_cost=costs.Classes(ignore_index=ignore_index)
        )
        plan = loss(prediction, target).plan.padded[0]
        torch.testing.assert_close(plan[:4, :4], torch.eye(4).double(), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("edge_index", torch.tensor([[0], [99]])),
        ("edge_index", [[0], [1]]),
        ("edge_index", torch.zeros(3)),
        ("ignore_edge_index", torch.tensor([[0], [99]])),
        ("ignore", torch.ones(5)),
        ("y", torch.zeros(5)),
        ("edge_type", torch.ones(7)),
    ],
)
def test_groups_change_no_refusal(name: str, value: Any) -> None:
    prediction, target = batch_of_pairs(1, [(4, 2)])
    target[name] = value
    said = []
    for groups in (1, 2):
        with pytest.raises(InputError) as caught:
            StructuralLoss()(prediction, target, groups=groups)
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("change", [ignored, several, unknown])
@pytest.mark.parametrize("directed", [True, False])
def test_groups_keep_all_that_a_target_says(change: Any, directed: bool) -> None:
    """Two groups that are alike cost twice what one costs."""
    loss = StructuralLoss(
        reduction="none", directed=directed, alignment=Sinkhorn(tolerance=1e-12),
        **({"edge_cost": costs.SeveralRelations()} if change is several else {}),
    )  # fmt: skip
    one, target = problem(7, change, directed=directed)
    two = join([part for k in range(len(SIZES)) for part in (one[k], one[k])])
    whole = torch.repeat_interleave(torch.tensor([2 * n for n, _ in SIZES]))
    two = replace(two, batch=whole, num_graphs=len(SIZES))
    found = loss(two, target, groups=2).total
    wanted = loss(one, target).total.repeat_interleave(2)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ignore", torch.ones(3), r"`target\.ignore` must be boolean"),
        ("ignore_edge_index", torch.tensor([[0], [7]]), r"must name nodes in \[0, 4\)"),
        (
            "ignore",
            torch.ones(4, dtype=torch.bool, device="meta"),
            "must be on cpu",
        ),
        ("ignore_edge_index", torch.ones(2, 1, dtype=torch.long, device="meta"), "must be on cpu"),
        ("ignore_edge_index", torch.tensor([[2], [3]]), "must join nodes of the same graph"),
        ("ignore_edge_index", torch.zeros(3), r"must be integers of shape \(2, pairs\)"),
    ],
)
def test_what_cannot_be_ignored_is_refused(name: str, value: Tensor, message: str) -> None:
    prediction, target = batch_of_pairs(1, [(4, 3), (1, 1)])
    target[name] = value
    with pytest.raises(InputError, match=message):
        StructuralLoss()(prediction, target)


def test_weights_of_the_wrong_number_are_refused() -> None:
    prediction, target = batch_of_pairs(1, [(4, 3)])
    with pytest.raises(InputError, match="`weight` must hold 4 numbers, got 2"):
        StructuralLoss(node_cost=costs.Classes(torch.ones(2)))(prediction, target)
    with pytest.raises(InputError, match="`weight` must hold 3 numbers, got 2"):
        StructuralLoss(edge_cost=EdgeCost(torch.ones(2)))(prediction, target)
    with pytest.raises(InputError, match="`weight` must be finite, not negative"):
        costs.Classes(torch.tensor([-1.0]))
