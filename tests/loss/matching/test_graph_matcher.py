"""The matcher that is ready to use: its derivative, its laws, what it refuses, what it learns."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from grapheme_torch import (
    GraphMatcher,
    InputError,
    Learned,
    Prediction,
    Sinkhorn,
    StructuralLoss,
    check_gradients,
)
from grapheme_torch.testing import permute_target

from ...problems import (
    NUM_LABELS,
    NUM_RELATIONS,
    batch_of_pairs,
    random_dag,
    random_prediction,
    upward,
)

USES: list[Any] = ["plan", "start", "prior"]


def matcher(seed: int = 0, **settings: Any) -> GraphMatcher:
    torch.manual_seed(seed)
    small = {"dim": 6, "num_layers": 2, "num_coordinates": 3, "slots": 6} | settings
    return GraphMatcher(NUM_LABELS, NUM_RELATIONS, **small).double()


def problem(*, embedded: bool = True) -> tuple[Prediction, Data]:
    prediction, target = batch_of_pairs(3)
    if not embedded:
        return prediction, target
    rng = torch.Generator().manual_seed(1)
    vectors = torch.randn(len(prediction.existence), 5, generator=rng, dtype=torch.float64)
    return replace(prediction, embedding=vectors.requires_grad_()), target


class Says(nn.Module):
    """A model whose weights are what it says."""

    def __init__(self, prediction: Prediction) -> None:
        super().__init__()
        self.form = prediction.detach()
        numbers = ("existence", "label", "relation", "embedding")
        given = {x: getattr(self.form, x) for x in numbers}
        self.outputs = nn.ParameterDict({k: x.clone() for k, x in given.items() if x is not None})

    def forward(self, _: Any) -> Prediction:
        """A batch of soft graphs."""
        return replace(self.form, **dict(self.outputs.items()))


@pytest.mark.repeats
@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("use", USES)
def test_every_parameter_has_its_gradient(use: Any, embedded: bool) -> None:
    """By finite differences: of plan and loss together, where the plan stopped early too."""
    prediction, target = problem(embedded=embedded)
    solver = Sinkhorn(rounds=2, tolerance=-1.0, max_iterations=12, temperature=0.3)
    chosen = matcher(embedding=5 if embedded else None)
    loss = StructuralLoss(alignment=Learned(chosen, solver, use=use, edits=0.5, margins=1.0))
    report = check_gradients(Says(prediction), loss, None, target, entries=2)
    assert report.passed, str(report)
    # No pair inserts or deletes without the void being there: every parameter is of use.
    assert {row.status for row in report.rows} == {"ok"}, str(report)


@pytest.mark.parametrize("directed", [True, False])
def test_numbering_the_target_anew_permutes_the_plan(directed: bool) -> None:
    """Where the graph has no symmetry; else the order of its nodes tells alike nodes apart."""
    prediction, target = random_prediction(1, 6), random_dag(3, 6)
    # A triangle with tails of 1 and of 2 nodes: no two nodes are alike.
    target.edge_index = torch.tensor([[0, 1, 2, 3, 3, 4], [1, 2, 3, 1, 4, 5]])
    target.edge_type = torch.tensor([1, 2, 1, 1, 1, 3])
    prediction = prediction if directed else upward(prediction)
    loss = StructuralLoss(alignment=Learned(matcher()), directed=directed)
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    one, other = (loss(prediction, x) for x in (target, permute_target(target, order)))
    found, wanted = other.plan[0][:-1, :-1], one.plan[0][:-1, :-1][:, order]
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9)
    assert float((found - one.plan[0][:-1, :-1]).detach().abs().max()) > 0.01


def test_a_pair_has_the_scores_that_it_has_alone() -> None:
    prediction, target = problem()
    loss = StructuralLoss(alignment=Learned(matcher(embedding=5)), reduction="none")
    together = loss(prediction, target)
    for k in range(len(prediction)):
        alone = loss(prediction[k], target[k])
        torch.testing.assert_close(alone.total, together.total[k : k + 1], rtol=1e-10, atol=1e-10)


def test_undirected_edges_may_be_stored_once_or_twice() -> None:
    prediction, target = upward(random_prediction(1, 5)), random_dag(3, 4)
    twice = target.clone()
    twice.edge_index = torch.cat([target.edge_index, target.edge_index.flip(0)], 1)
    twice.edge_type = target.edge_type.repeat(2)
    loss = StructuralLoss(alignment=Learned(matcher()), directed=False)
    one, other = (loss(prediction, x).total for x in (target, twice))
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_vectors_are_targets_too() -> None:
    prediction, target = problem()
    target.y = torch.randn(len(target.y), NUM_LABELS).double()
    loss = StructuralLoss(node_cost="features", alignment=Learned(matcher(embedding=5)))
    assert bool(loss(prediction, target).total.isfinite())
    target.y = target.y[:, :3]
    with pytest.raises(InputError, match=r"`target\.y` must be rows of 4 numbers, got 3"):
        loss.replace(node_cost=lambda x, y: (x[..., :3] - y).abs().sum(-1))(prediction, target)
    target.y = (target.y > 0).repeat(1, 2)[:, :NUM_LABELS].double()
    total = loss.replace(node_cost="multilabel")(prediction, target).total
    assert bool(total.isfinite())


def test_groups_of_slots_have_the_slots_of_one() -> None:
    """Three groups of queries: each is a pair of its own with the same target."""
    prediction, target = random_prediction(1, 6), random_dag(3, 2)
    ends = prediction.edge_index
    prediction = prediction.take(edges=ends[0] // 2 == ends[1] // 2)
    vectors = torch.randn(6, 5, dtype=torch.float64)
    prediction = replace(prediction, embedding=vectors)
    chosen = matcher(embedding=5, slots=2)
    loss = StructuralLoss(alignment=Learned(chosen), reduction="none")
    together = loss(prediction, target, groups=3).total
    pair = torch.arange(6) // 2
    apart = replace(prediction, batch=pair, num_graphs=3)
    wanted = loss(apart, [target] * 3).total
    torch.testing.assert_close(together, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"embedding": None, "outputs": 7}, r"`prediction\.label` must have 7 columns, got 4"),
        ({"embedding": 4}, r"`prediction\.embedding` must have 4 numbers a node, got 5"),
        ({"embedding": 5, "slots": 2}, "`prediction` must have at most 2 nodes in each graph"),
    ],
)
def test_a_prediction_of_other_sizes_is_refused(settings: Any, message: str) -> None:
    prediction, target = problem()
    with pytest.raises(InputError, match=message):
        StructuralLoss(alignment=Learned(matcher(**settings)))(prediction, target)


def test_a_target_of_other_sizes_is_refused() -> None:
    prediction, target = problem()
    for sizes, message in (((2, 3), r"`target\.y` must hold classes below 2, got 4"),
                           ((4, 1), r"`target\.edge_type` must be at most 1, got 3")):  # fmt: skip
        loss = StructuralLoss(alignment=Learned(GraphMatcher(*sizes, embedding=5)))
        with pytest.raises(InputError, match=message):
            loss(prediction, target)
    with pytest.raises(InputError, match=r"`prediction\.embedding` must be given, got none"):
        StructuralLoss(alignment=Learned(matcher(embedding=5)))(
            replace(prediction, embedding=None), target
        )


def test_gradients_in_nodes_and_edges_are_not_told_as_all() -> None:
    prediction, target = problem()
    loss = StructuralLoss(alignment=Learned(matcher(embedding=5)))
    with pytest.raises(InputError, match="`return_gradients` must be left out where a matcher"):
        loss(prediction, target, return_gradients=True)
    plain = StructuralLoss(alignment=Learned(matcher()))
    assert plain(prediction, target, return_gradients=True).node_gradients is not None


@pytest.mark.untyped
@pytest.mark.parametrize("name", ["num_labels", "num_relations", "dim", "slots", "embedding"])
def test_sizes_that_are_none_are_refused(name: str) -> None:
    sizes: dict[str, Any] = {"num_labels": 2, "num_relations": 2} | {name: 0}
    with pytest.raises(InputError, match=f"`{name}` must be at least 1, got 0"):
        GraphMatcher(**sizes)


# Where edges alone tell: paths whose nodes all have one label.


def paths(sizes: list[int]) -> Batch:
    def path(n: int) -> Data:
        ends = torch.arange(n)
        return Data(y=torch.zeros(n).long(), edge_index=torch.stack([ends[:-1], ends[1:]]),
                    num_nodes=n)  # fmt: skip

    return Batch.from_data_list([path(n) for n in sizes])


class Queries(nn.Module):
    """A soft graph of each size, from a vector for each place."""

    def __init__(self, width: int, dim: int = 16) -> None:
        super().__init__()
        self.place = nn.Embedding(width, dim)
        self.size = nn.Embedding(width + 1, dim)
        self.hidden = nn.Sequential(nn.Linear(dim, 32), nn.SiLU(), nn.Linear(32, dim))
        self.pair = nn.Sequential(nn.Linear(2 * dim, 32), nn.SiLU(), nn.Linear(32, 2))
        self.label = nn.Linear(dim, 1)

    def forward(self, sizes: list[int]) -> Prediction:
        """All ordered pairs are candidates."""
        count = torch.tensor(sizes)
        batch = torch.arange(len(sizes)).repeat_interleave(count)
        place = torch.cat([torch.arange(n) for n in sizes])
        h = self.hidden(self.place(place) + self.size(count)[batch])
        ends = (batch[:, None] == batch).fill_diagonal_(False).nonzero().T
        relation = self.pair(torch.cat([h[ends[0]], h[ends[1]]], 1))
        there = torch.full((len(h),), 9.0)
        return Prediction(there, self.label(h), ends, relation, batch, len(sizes), embedding=h)


def trained(aligner: Any, sizes: list[int], steps: int = 400) -> tuple[Tensor, float]:
    """Share of relations that are right at the end, and the loss."""
    torch.manual_seed(0)
    model = Queries(max(sizes))
    loss = StructuralLoss(alignment=aligner, gamma=0.0, beta=1.0)
    targets = paths(sizes)
    adam = torch.optim.Adam([*model.parameters(), *loss.parameters()], lr=5e-3)
    for _ in range(steps):
        result = loss(model(sizes), targets)
        adam.zero_grad()
        result.total.backward()
        adam.step()
    prediction = model(sizes)
    edges = loss(prediction, targets).plan
    right = []
    for k, n in enumerate(sizes):
        one = prediction[k]
        match = edges[k].detach()[:n, :n].argmax(1)
        said = one.relation.argmax(1) == 1
        wanted = match[one.edge_index[1]] == match[one.edge_index[0]] + 1
        distinct = len(match.unique()) == n
        right.append(float((said == wanted).all()) * distinct)
    return torch.tensor(right), float(result.total.detach())


@pytest.mark.repeats
def test_edges_alone_tell_nodes_apart() -> None:
    """One round of edges never breaks the tie between alike nodes; learnt scores do."""
    sizes = [4, 5, 6, 7]
    plain, _ = trained(Sinkhorn(rounds=1), sizes)
    assert float(plain.mean()) == 0.0
    chosen = GraphMatcher(1, 1, embedding=16, dim=16, num_coordinates=4)
    right, _ = trained(Learned(chosen), sizes)
    assert float(right.mean()) == 1.0
