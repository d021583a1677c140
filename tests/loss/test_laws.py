"""What holds for the structural loss of any graphs: symmetry, batching, zero, edit distance."""

from dataclasses import replace
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Prediction, Sinkhorn, StructuralLoss

from ..problems import (
    NUM_LABELS,
    NUM_RELATIONS,
    certain,
    gradients,
    join,
    leaf,
    leaves,
    loss_of,
    permuted_prediction,
    permuted_target,
    random_dag,
    random_pairs,
    random_prediction,
    union,
)

SEEDS = st.integers(0, 10_000)
SIZE = st.integers(0, 12)
CRITERIA = st.sampled_from(["likelihood", "edit"])
few, some = settings(max_examples=15), settings(max_examples=40)


def _order(seed: int, n: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


@some
@given(SEEDS, SIZE, SIZE, CRITERIA, st.booleans(), st.sampled_from([0.0, 0.5, 1.0]))
def test_the_order_of_nodes_and_candidates_does_not_matter(
    seed: int, n: int, m: int, criterion: Any, placed: bool, slack: float
) -> None:
    prediction, target = random_prediction(seed, n), random_dag(seed, m)
    if not placed:
        prediction = replace(prediction, position=None)
        del target.position
    loss = StructuralLoss(criterion=criterion, alignment=Sinkhorn(tolerance=1e-12, slack=slack))
    first = leaf(prediction)
    value = loss(first, target)
    assert value.converged.all()
    order, other = _order(seed, n), _order(seed + 1, m)
    turned = leaf(permuted_prediction(prediction, order))
    again = loss(turned, permuted_target(target, other))
    torch.testing.assert_close(again.total, value.total, rtol=0, atol=1e-9)
    rows, columns = torch.cat([order, torch.tensor([n])]), torch.cat([other, torch.tensor([m])])
    plan = value.plan[0][rows][:, columns]
    torch.testing.assert_close(again.plan[0], plan, rtol=0, atol=1e-9)
    before, after = gradients(value.total, first), gradients(again.total, turned)
    torch.testing.assert_close(after[0], before[0][order], rtol=0, atol=1e-7)
    torch.testing.assert_close(after[1], before[1][order], rtol=0, atol=1e-7)
    torch.testing.assert_close(after[2], before[2].flip(0), rtol=0, atol=1e-7)


def test_with_positions_on_one_side_only_turned_the_loss_notices() -> None:
    prediction, target = random_prediction(1, 6), random_dag(1, 6)
    bent = replace(prediction, position=prediction.position[_order(1, 6)])
    loss = StructuralLoss()
    assert abs(float(loss(prediction, target).total - loss(bent, target).total)) > 1e-3


@pytest.mark.repeats
@some
@given(SEEDS, st.integers(1, 12), CRITERIA, st.booleans())
def test_the_right_answer_costs_nothing_in_the_limit_and_a_wrong_one_does(
    seed: int, n: int, criterion: Any, by_label: bool
) -> None:
    target = random_dag(seed, n)
    if by_label:  # told apart by what they are, not by where they stand
        target.y = _order(seed, n)
        del target.position
    right = Prediction.certain(target, num_labels=12, num_relations=NUM_RELATIONS)
    loss = StructuralLoss(criterion=criterion, alignment=Sinkhorn(temperature=0.02, rounds=1))
    values = [float(loss(_tempered(right, c), target).total) for c in (2.5, 5.0, 10.0, 20.0, 40.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.1
    # At logits of plus and minus 20 the label has twelve chances of e^-20, and so on.
    assert values[3] < 1e-5
    assert values[4] < 1e-7
    for wrong in _spoiled(right, seed):
        assert float(loss(wrong, target).total) > 0.4


def _tempered(prediction: Prediction, confidence: float) -> Prediction:
    scale = confidence / 40
    return replace(
        prediction,
        existence=prediction.existence * scale,
        label=prediction.label * scale,
        relation=prediction.relation * scale,
    )


def _spoiled(right: Prediction, seed: int) -> list[Prediction]:
    """One node of another label, one node gone, one candidate of another relation."""
    node = seed % len(right.existence)
    gone, other = right.existence.clone(), right.label.clone()
    gone[node] *= -1
    other[node] = other[node].roll(1)
    relation, edge = right.relation.clone(), seed % len(right.relation)
    relation[edge] = relation[edge].roll(1)
    return [
        replace(right, existence=gone),
        replace(right, label=other),
        replace(right, relation=relation),
    ]


@few
@given(SEEDS, st.integers(1, 12))
def test_a_wrong_answer_grows_worse_with_confidence(seed: int, n: int) -> None:
    target = random_dag(seed, n)
    loss = StructuralLoss(alignment=Sinkhorn(temperature=0.02))
    right = Prediction.certain(target, num_labels=NUM_LABELS, num_relations=NUM_RELATIONS)
    for wrong in _spoiled(right, seed):
        values = [float(loss(_tempered(wrong, c), target).total) for c in (10.0, 20.0, 40.0)]
        assert values == sorted(values)


@few
@given(
    SEEDS, st.lists(st.tuples(SIZE, SIZE), min_size=2, max_size=4), CRITERIA,
    st.sampled_from([{}, {"max_iterations": 3}, {"gradient": "unrolled", "max_iterations": 40}]),
)  # fmt: skip
def test_a_pair_is_the_same_alone_in_a_batch_and_padded(
    seed: int, sizes: list[tuple[int, int]], criterion: Any, how: dict[str, Any]
) -> None:
    predictions, targets = random_pairs(seed, sizes)
    big = random_pairs(seed + 1, [(15, 14)])
    options: dict[str, Any] = {"criterion": criterion, "reduction": "none", "rounds": 2, **how}
    loss = loss_of(**options)
    alone = [leaf(one) for one in predictions]
    values = [loss(one, target) for one, target in zip(alone, targets, strict=True)]
    wanted = [gradients(value.total.sum(), one) for value, one in zip(values, alone, strict=True)]
    for mates in ([], big):
        extra = mates[0] if mates else []
        batch = leaf(join([*predictions, *extra]))
        found = loss(batch, union([*targets, *(mates[1] if mates else [])]))
        slopes = gradients(found.total[: len(sizes)].sum(), batch)
        for k, value in enumerate(values):
            assert found.iterations[k] == value.iterations[0]
            assert found.converged[k] == value.converged[0]
            torch.testing.assert_close(found.total[k], value.total[0], rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(found.plan[k], value.plan[0], rtol=1e-12, atol=1e-12)
        for slope, parts in zip(slopes, zip(*wanted, strict=True), strict=True):
            own = slope[: sum(len(part) for part in parts)]
            torch.testing.assert_close(own, torch.cat(parts), rtol=1e-11, atol=1e-11)
            assert not slope[len(own) :].any()


@some
@given(SEEDS, SIZE, SIZE, st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 2))
def test_margins(seed: int, n: int, m: int, slack: float, rounds: int) -> None:
    loss = StructuralLoss(alignment=Sinkhorn(slack=slack, rounds=rounds))
    result = loss(random_prediction(seed, n), random_dag(seed, m))
    plan, spare = result.plan[0], slack * min(n, m)
    assert result.converged.all()
    assert (plan >= 0).all()
    rows = torch.tensor([1.0] * n + [max(m - n, 0) + spare]).double()
    columns = torch.tensor([1.0] * m + [max(n - m, 0) + spare]).double()
    torch.testing.assert_close(plan.sum(1), rows, rtol=0, atol=1e-12)
    torch.testing.assert_close(plan.sum(0), columns, rtol=0, atol=1e-8)


EDIT: dict[str, Any] = {
    "criterion": "edit", "slack": 1.0, "temperature": 0.0, "alpha": 1.0, "beta": 1.0, "gamma": 0.0,
    "position": 0.0,
}  # fmt: skip


def _edit_distance(first: Data, second: Data) -> float:
    def same(one: dict[str, int], other: dict[str, int]) -> bool:
        return one == other

    found = nx.graph_edit_distance(_named(first), _named(second), node_match=same, edge_match=same)
    assert found is not None
    return float(found)


def _named(graph: Data) -> "nx.DiGraph[int]":
    named: nx.DiGraph[int] = nx.DiGraph()
    for node, label in enumerate(graph.y.tolist()):
        named.add_node(node, label=label)
    for (u, v), relation in zip(graph.edge_index.T.tolist(), graph.edge_type.tolist(), strict=True):
        named.add_edge(u, v, relation=relation)
    return named


@settings(max_examples=25)
@given(SEEDS, st.integers(0, 5), st.integers(0, 5), st.integers(0, 2))
def test_exact_edits_are_never_fewer_than_the_edit_distance(
    seed: int, n: int, m: int, rounds: int
) -> None:
    first, second = random_dag(seed, n), random_dag(seed + 1, m)
    edits = loss_of(**EDIT, rounds=rounds)(certain(first), second).total
    assert float(edits) == pytest.approx(round(float(edits)), abs=1e-9)
    assert float(edits) >= _edit_distance(first, second) - 1e-9


@settings(max_examples=25)
@given(SEEDS, st.integers(1, 5), st.integers(0, 2))
def test_exact_edits_are_the_edit_distance_of_a_graph_with_one_node_relabelled(
    seed: int, n: int, rounds: int
) -> None:
    first = random_dag(seed, n)
    first.y = _order(seed, n)
    second = permuted_target(first, _order(seed + 1, n))
    second.y = second.y.clone()
    second.y[seed % n] = n
    prediction = Prediction.certain(first, num_labels=n + 1, num_relations=NUM_RELATIONS)
    edits = loss_of(**EDIT, rounds=rounds)(prediction, second).total
    assert _edit_distance(first, second) == 1
    assert float(edits) == pytest.approx(1, abs=1e-9)


@some
@given(SEEDS, SIZE, SIZE, st.integers(0, 2), st.sampled_from([0.0, 1.0]))
def test_edits_of_a_hard_alignment_are_counted(
    seed: int, n: int, m: int, rounds: int, slack: float
) -> None:
    first, second = random_dag(seed, n), random_dag(seed + 1, m)
    options = {**EDIT, "slack": slack, "rounds": rounds}
    result = loss_of(**options)(certain(first), second)
    plan = result.plan[0]
    assert torch.equal(plan, plan.round())
    image = {u: i for u, i in plan[:n, :m].nonzero().tolist()}
    kept = set(image)
    gained = {(i, j): r for (i, j), r in _edges(second).items()}
    edits = 0
    for (u, v), r in _edges(first).items():
        place = (image[u], image[v]) if {u, v} <= kept else None
        edits += 0 if place is not None and gained.pop(place, None) == r else 1
    assert float(result.edge) == pytest.approx(edits + len(gained), abs=1e-9)
    changed = sum(int(first.y[u]) != int(second.y[i]) for u, i in image.items())
    nodes = changed + (n - len(image)) + (m - len(image))
    assert float(result.node) == pytest.approx(nodes, abs=1e-9)


def _edges(graph: Data) -> dict[tuple[int, int], int]:
    ends = [(u, v) for u, v in graph.edge_index.T.tolist()]
    return dict(zip(ends, graph.edge_type.tolist(), strict=True))


@some
@given(
    SEEDS, SIZE, SIZE, CRITERIA, st.sampled_from([0.0, 0.005, 0.1]), st.sampled_from([0.0, 1.0]),
    st.sampled_from([1e-3, 30.0, 1e3]),
)  # fmt: skip
def test_nothing_overflows(
    seed: int, n: int, m: int, criterion: Any, temperature: float, slack: float, size: float
) -> None:
    prediction = random_prediction(seed, n)
    prediction = leaf(
        replace(
            prediction,
            existence=prediction.existence.sign() * size,
            label=prediction.label.sign() * size,
            relation=prediction.relation.sign() * size,
        )
    )
    loss = StructuralLoss(
        criterion=criterion, alignment=Sinkhorn(temperature=temperature, slack=slack)
    )
    result = loss(prediction, random_dag(seed, m), return_gradients=True)
    assert result.total.isfinite()
    assert result.plan.padded.isfinite().all()
    result.total.backward()
    for value in leaves(prediction):
        assert value.grad is None or value.grad.isfinite().all()
    assert result.node_gradients.isfinite().all()
    assert result.edge_gradients.isfinite().all()


@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_nothing_against_something(criterion: Any) -> None:
    """No predicted node: every target node and edge is inserted. No target node: the converse."""
    loss = StructuralLoss(criterion=criterion, gamma=0.0)
    something, nothing = random_dag(3, 5), random_dag(3, 0)
    inserted = loss(random_prediction(0, 0), something)
    assert float(inserted.node) == pytest.approx(5, abs=1e-12)
    assert float(inserted.edge) == pytest.approx(something.num_edges, abs=1e-12)
    soft = random_prediction(1, 4)
    deleted = loss(soft, nothing)
    absent, none = torch.sigmoid(-soft.existence), torch.softmax(soft.relation, 1)[:, 0]
    if criterion == "likelihood":
        node, edge = -absent.log().sum(), -none.log().sum()
    else:
        node, edge = (1 - absent).sum(), (1 - none).sum()
    torch.testing.assert_close(deleted.node, node, rtol=0, atol=1e-12)
    torch.testing.assert_close(deleted.edge, edge, rtol=0, atol=1e-12)
    assert float(loss(random_prediction(0, 0), nothing).total) == 0


def test_a_batch_of_no_graphs() -> None:
    empty = leaf(
        Prediction(
            existence=torch.zeros(0).double(),
            label=torch.zeros(0, NUM_LABELS).double(),
            edge_index=torch.zeros(2, 0).long(),
            relation=torch.zeros(0, NUM_RELATIONS + 1).double(),
            num_graphs=0,
        )
    )
    target = Data(
        num_nodes=0, y=torch.zeros(0).long(), edge_index=torch.zeros(2, 0).long(),
        batch=torch.zeros(0).long(),
    )  # fmt: skip
    result = StructuralLoss(reduction="sum")(empty, target, return_gradients=True)
    assert float(result.total.detach()) == 0
    assert list(result.plan) == []
