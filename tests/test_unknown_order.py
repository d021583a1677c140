"""The benchmark of unknown orders: its task, and that its losses are what they say."""

import math
from dataclasses import replace
from pathlib import Path

import _record
import pytest
import torch
from _coloring.data import draw
from _coloring.gromov import Problem, charge, solve
from _coloring.pmfgw import DIAGONAL
from _unknown.losses import LOSSES, Canonical, Ours
from _unknown.pmfgw import PMFGW
from _unknown.table import summary
from _unknown.tasks import KIND, PATCH, Task, as_pairs, coloring, task_of
from _unknown.train import Effort, network_of, progress, rate, run
from torch.nn.functional import logsigmoid
from torch_geometric.data import Batch
from unknown_order import kept

import grapheme_torch as gt
from grapheme_torch.data import Pair, collate
from grapheme_torch.graphs import make_graph, node_labels

SMALL = Effort(3, dim=16, layers=1, batch=3, evaluations=1)


@pytest.fixture(scope="module")
def task() -> Task:
    return coloring(trained=8, held_out=2)


@pytest.fixture(scope="module")
def molecules() -> Task:
    """Two relations, targets of one to four nodes."""
    one = make_graph(["C", "O", "C", "N"], [(0, 1, "1"), (2, 1, "2"), (2, 3, "1")], directed=False)
    two = make_graph(["N", "C"], [(0, 1, "2")], directed=False)
    three = make_graph(["O"], directed=False)
    bits = [make_graph(names) for names in (["1", "7"], ["7"], ["3", "1", "5"])]
    pairs = [Pair(given, wanted) for given, wanted in zip(bits, (one, two, three), strict=True)]
    return task_of(pairs, pairs)


def _said(task: Task) -> tuple[gt.Prediction, Batch]:
    torch.manual_seed(0)
    given, wanted = collate([task.data[k] for k in range(3)])
    return network_of(task, SMALL)(given), wanted


def test_regions_are_in_reading_order_and_patches_hold_their_pixels() -> None:
    pictures = draw((5,), 4, KIND)
    for k, pair in enumerate(as_pairs(pictures)):
        flat = pictures.region[k].flatten().tolist()
        order = list(dict.fromkeys(flat))
        colour = pictures.colour[k, order].tolist()
        labels = node_labels(pair.target)
        assert len(set(zip(labels, colour, strict=True))) == len(set(colour))
        wanted = {
            (order.index(u), order.index(v))
            for u, v in pictures.adjacency[k].nonzero().tolist()
            if order.index(u) < order.index(v)
        }
        edges = pair.target.edge_index.T.tolist()
        assert {(min(edge), max(edge)) for edge in edges} == wanted
        numbers = pair.input.features[KIND.side // PATCH + 1]  # second row, second column
        corner = pictures.image[k, :, PATCH : 2 * PATCH, PATCH : 2 * PATCH]
        torch.testing.assert_close(numbers[:-2], corner.flatten())
        assert numbers[-2:].tolist() == [1, 1]


def test_a_direction_is_refused() -> None:
    directed = Pair(make_graph(["1"]), make_graph(["a", "b"], [(0, 1, "r")]))
    with pytest.raises(ValueError, match="must have no direction"):
        task_of([directed], [directed])


def test_pmfgw_is_a_plain_loop(molecules: Task) -> None:
    prediction, target = _said(molecules)
    loss = PMFGW(3, SMALL.dim)
    plan = solve(loss.problem(prediction, target))
    for margin in (plan.sum(1), plan.sum(2)):
        torch.testing.assert_close(margin, torch.full_like(margin, 1 / 4))
    found = loss(prediction, target, plan)
    wanted = sum(_pmfgw_of(loss, prediction, target, plan, k) for k in range(3)) / 3
    assert found.item() == pytest.approx(wanted, rel=1e-5)
    assert found <= charge(loss.problem(prediction, target), torch.full_like(plan, 1 / 16))


def _pmfgw_of(
    loss: PMFGW, prediction: gt.Prediction, target: Batch, plan: torch.Tensor, graph: int
) -> float:
    """The definition, entry by entry."""
    goal, slots = target[graph], 4
    size, relation = len(goal.y), _relations(goal)
    log = _log_relations(prediction, graph, slots)
    label = prediction.label.log_softmax(1)[graph * slots :]
    exists = prediction.existence[graph * slots :]
    diffused = loss.diffused(prediction.embedding)[graph * slots :]
    total = 0.0
    for i in range(slots):
        for k in range(slots):
            mass, there = plan[graph, i, k].item(), k < size
            cost = -logsigmoid(exists[i] if there else -exists[i]).item()
            if there:
                around = torch.zeros(3)
                for u, v in relation:
                    if u == k:
                        around[goal.y[v]] += 1
                other = (diffused[i] - around).square().sum() - label[i, goal.y[k]]
                cost += slots / size * other.item()
                for j in range(slots):
                    for m in range(size):
                        surprise = -log[i, j, relation.get((k, m), 0)].item()
                        share = plan[graph, j, m].item()
                        cost += (slots / size) ** 2 * share * surprise
            total += mass * cost
    return total


def test_the_canonical_order_is_plain_cross_entropy(molecules: Task) -> None:
    prediction, target = _said(molecules)
    found = Canonical()(prediction, target)
    wanted = sum(_cross_entropy(prediction, target, graph) for graph in range(3)) / 3
    assert found.item() == pytest.approx(wanted, rel=1e-5)


def _cross_entropy(prediction: gt.Prediction, target: Batch, graph: int) -> float:
    """Nodes, and half of the edges; an edge of what does not exist is absent."""
    goal, slots = target[graph], 4
    relation, log = _relations(goal), _log_relations(prediction, graph, slots)
    total = 0.0
    for i in range(slots):
        exists, label = (x[graph * slots + i] for x in (prediction.existence, prediction.label))
        there = i < len(goal.y)
        total -= logsigmoid(exists if there else -exists).item()
        if there:
            total -= label.log_softmax(0)[goal.y[i]].item()
        for j in range(i):
            total -= 0.5 * log[i, j, relation.get((i, j), 0)].item()
    return total


def _relations(goal: Batch) -> dict[tuple[int, int], int]:
    edges = zip(goal.edge_index.T.tolist(), goal.edge_type.tolist(), strict=True)
    return {pair: r for (u, v), r in edges for pair in ((u, v), (v, u))}


def _log_relations(prediction: gt.Prediction, graph: int, slots: int) -> torch.Tensor:
    log = prediction.relation.log_softmax(1)
    sure = [logsigmoid(torch.tensor(x)).item() for x in (-DIAGONAL, DIAGONAL)]
    both = torch.tensor([sure[0], *2 * [sure[1] - math.log(2)]])
    dense = both.expand(slots, slots, 3).clone()
    for edge, (u, v) in enumerate((prediction.edge_index.T - graph * slots).tolist()):
        if 0 <= u < slots:
            dense[u, v] = dense[v, u] = log[edge]
    return dense


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_reaches_the_network_and_its_own_weights(name: str, task: Task) -> None:
    torch.manual_seed(0)
    network = network_of(task, SMALL)
    loss = LOSSES[name](task.alphabet, SMALL.dim)
    given, wanted = collate([task.data[k] for k in range(3)])
    loss(network(given), wanted).backward()
    for part in (network, loss):
        slopes = [x.grad for x in part.parameters() if x.grad is not None]
        assert all(slope.isfinite().all() for slope in slopes)
    assert network.heads.relation.weight.grad.abs().sum() > 0
    assert network.queries.query.grad.abs().sum() > 0
    assert all(x.grad is not None for x in loss.parameters())


def test_a_run_follows_from_its_seed_and_starts_alike_for_all(task: Task) -> None:
    one, again = (list(run(task, "PMFGW", 3, SMALL)) for _ in range(2))
    assert one[-1]["loss"] == again[-1]["loss"]
    assert one[-1]["step"] == 3
    assert 0 < one[-1]["loss_seconds"] < one[-1]["seconds"]
    starts = []
    for name in LOSSES:
        torch.manual_seed(3)
        starts.append(network_of(task, SMALL).heads.label.weight)
        LOSSES[name](task.alphabet, SMALL.dim)
    assert all(torch.equal(start, starts[0]) for start in starts)
    assert "100.0%" in summary([{"loss": "x", "curve": [one[-1] | {"exact_match": 1.0}]}])


def test_a_loss_by_size_divides_each_pair_by_the_nodes_of_its_target(molecules: Task) -> None:
    prediction, target = _said(molecules)
    plan = gt.Sinkhorn(gradient="detach")
    whole, by_size = (Ours(plan, gt.Hints(), by_size=flag) for flag in (False, True))
    each = whole.loss(prediction, target).total
    assert whole(prediction, target).item() == pytest.approx(each.mean().item())
    sizes = torch.tensor([4, 2, 1])
    assert target.ptr.diff().tolist() == sizes.tolist()
    assert by_size(prediction, target).item() == pytest.approx((each / sizes).mean().item())


def test_gradients_are_clipped_or_not(task: Task) -> None:
    efforts = (SMALL, replace(SMALL, clip=None), replace(SMALL, clip=1e9))
    clipped, free, wide = (
        list(run(task, "StructuralLoss, rounds", 0, effort))[-1]["loss"] for effort in efforts
    )
    assert free == wide != clipped


def test_a_run_ends_by_steps_or_by_the_clock() -> None:
    assert progress(5, 1e6, Effort(10)) == 0.5
    assert progress(5, 45, Effort(10, minutes=1)) == 0.75
    assert progress(5, 61, Effort(10, minutes=1)) == 1
    assert rate(0.05, 0.05) == pytest.approx(1)
    assert rate(1, 0.05) == pytest.approx(0)


def test_a_problem_of_one_relation_is_the_one_of_several(molecules: Task) -> None:
    """A relation that nobody has and nobody wants changes nothing."""
    prediction, target = _said(molecules)
    problem = PMFGW(3, SMALL.dim).problem(prediction, target)
    never = torch.zeros_like(problem.wanted[:, :1])
    wider = Problem(
        problem.linear, problem.surplus, torch.cat([problem.edge, problem.edge[:, :1]], 1),
        torch.cat([problem.wanted, never], 1), problem.weight,
    )  # fmt: skip
    plan = solve(problem)
    torch.testing.assert_close(charge(problem, plan), charge(wider, plan))
    torch.testing.assert_close(solve(wider), plan)


def test_runs_of_other_seeds_stay_in_the_record(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_record, "RESULTS", tmp_path)
    settings = {"steps": 3, "minutes": None}
    assert kept("x", settings, [0]) == []
    runs = [{"seed": seed, "loss": "PMFGW", "curve": []} for seed in (0, 1)]
    _record.record("x", {"settings": settings, "runs": runs})
    assert kept("x", settings, [1, 2]) == runs[:1]
    assert kept("x", settings | {"steps": 4}, [2]) == []
