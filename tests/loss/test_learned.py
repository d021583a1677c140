"""Alignments by learnt scores: the three uses, their derivative, and the margins."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import grapheme_torch as gt
from grapheme_torch import Hints, InputError, Learned, Prediction, Sinkhorn, StructuralLoss
from grapheme_torch.loss import AlignmentProblem, Matcher
from grapheme_torch.loss._learned_cost import margin_divergence
from grapheme_torch.ot import backend, set_backend

from .. import unrolled
from ..problems import (
    NUM_LABELS,
    NUM_RELATIONS,
    SIZES,
    batch_of_pairs,
    join,
    leaf,
    leaves,
    random_pairs,
    union,
)

USES: list[Any] = ["plan", "start", "prior"]


class Table(Matcher):
    """A number for each output and class, and for deletion and insertion."""

    def __init__(self, seed: int = 0, size: float = 0.3) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        shape = (NUM_LABELS, NUM_LABELS + 1)
        table = size * torch.randn(*shape, generator=rng, dtype=torch.float64)
        self.weight = nn.Parameter(table)

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Of one pair, with the void, `[n + 1, m + 1]`."""
        scores = outputs @ self.weight
        inner = torch.cat([scores[:, y], scores[:, -1:]], 1)
        last = torch.cat([self.weight[0, y], self.weight.new_zeros(1)])
        return torch.cat([inner, last[None]])

    def forward(self, problem: AlignmentProblem) -> Tensor:
        """The same of a batch."""
        pairs = problem.pairs
        out = torch.zeros_like(problem.cost)
        for k in range(pairs.num_pairs):
            n, m = int(pairs.layout.count[k]), int(pairs.target.layout.count[k])
            mine = pairs.outputs[pairs.layout.batch == k]
            found = self.score(mine, pairs.target.y[pairs.target.layout.batch == k])
            rows, columns = (torch.tensor([*range(x), y - 1], dtype=torch.long)
                             for x, y in zip((n, m), out.shape[1:], strict=True))  # fmt: skip
            out = out.index_put((torch.tensor(k), rows[:, None], columns), found)
        return out


class Nothing(nn.Module):
    """All matches are alike."""

    def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Zeros."""
        return outputs.new_zeros(len(outputs), outputs.shape[1], y.shape[1])


def learned(matcher: nn.Module, use: Any, *, sweeps: int | None = None, **own: Any) -> Learned:
    settings: dict[str, Any] = {"edits": own.pop("edits", 1.0), "margins": own.pop("margins", 0.0)}
    if sweeps is not None:
        own |= {"tolerance": -1.0, "max_iterations": sweeps}
    return Learned(matcher, Sinkhorn(**own), use=use, **settings)


@pytest.mark.repeats
@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
@pytest.mark.parametrize("sweeps", [None, 7])
@pytest.mark.parametrize("use", USES)
def test_value_and_gradient_of_the_plain_program(
    use: Any, sweeps: int | None, criterion: Any
) -> None:
    predictions, targets = random_pairs(5, SIZES)
    matcher, edits, rounds = Table(), 0.6, 2
    ours = leaf(join(predictions))
    aligner = learned(matcher, use, sweeps=sweeps, edits=edits, rounds=rounds, temperature=0.2)
    loss = StructuralLoss(alignment=aligner, criterion=criterion, reduction="sum")
    result = loss(ours, union(targets))
    slopes = torch.autograd.grad(
        result.total, [*leaves(ours), matcher.weight], materialize_grads=True
    )
    theirs = leaf(join(predictions))
    plain = torch.zeros((), dtype=torch.float64)
    for k, target in enumerate(targets):
        one = theirs[k]
        plain = plain + unrolled.structural_loss(
            one, target, criterion=criterion, temperature=0.2, sweeps=sweeps, edit_weight=edits,
            rounds=0 if use == "plan" else rounds, scores=matcher.score(one.label, target.y),
            scored="first" if use == "start" else "every",
        ).total  # fmt: skip
    torch.testing.assert_close(result.total, plain, rtol=1e-9, atol=1e-9)
    wanted = torch.autograd.grad(plain, [*leaves(theirs), matcher.weight], materialize_grads=True)
    for x, y in zip(slopes, wanted, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("update", ["linear", "proximal"])
@pytest.mark.parametrize("use", ["start", "prior"])
def test_scores_of_zero_change_nothing(use: Any, update: Any) -> None:
    prediction, target = batch_of_pairs(2)
    solver = Sinkhorn(rounds=3, update=update, slack=0.1)
    plain = StructuralLoss(alignment=solver, reduction="none")
    wanted, found = (
        loss(prediction, target)
        for loss in (plain, plain.replace(alignment=Learned(Nothing(), solver, use=use)))
    )
    torch.testing.assert_close(found.total, wanted.total, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(found.plan.padded, wanted.plan.padded, rtol=1e-9, atol=1e-9)
    assert bool(found.converged.all())


def test_a_plan_is_that_of_no_rounds() -> None:
    prediction, target = batch_of_pairs(2)
    plain = StructuralLoss(alignment=Sinkhorn(rounds=0))
    found = plain.replace(alignment=Learned(Nothing(), Sinkhorn(rounds=9)))(prediction, target)
    wanted = plain(prediction, target)
    torch.testing.assert_close(found.total, wanted.total, rtol=1e-11, atol=1e-11)
    assert int(found.iterations.sum()) > 0


@pytest.mark.parametrize("use", USES)
def test_without_edits_scores_alone_align(use: Any) -> None:
    """And what is impossible stays so."""
    prediction, target = batch_of_pairs(6, [(3, 3)])
    label = prediction.label.detach().clone()
    label[0, int(target.y[0])] = -torch.inf
    prediction = replace(prediction, label=label.requires_grad_())

    def certain(y: Tensor) -> Tensor:
        return 9.0 * (torch.arange(3)[:, None] == (torch.arange(3) + 1) % 3).double()[None]

    class Turned(nn.Module):
        def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
            return certain(y)

    aligner = Learned(Turned(), Sinkhorn(rounds=1), use=use, edits=0.0)
    loss = StructuralLoss(alignment=aligner, beta=0.0)
    plan = loss(prediction, target).plan[0].detach()[:3, :3]
    assert float(plan[0, 0]) == 0.0
    torch.testing.assert_close(plan, certain(target.y)[0] / 9, rtol=0, atol=1e-12)


@pytest.mark.parametrize("use", USES)
def test_margins_are_a_term(use: Any) -> None:
    """Zero where the alignment converged; part of the total, and of its gradient, where not."""
    prediction, target = batch_of_pairs(3)
    matcher = Table(size=2.0)
    plain = StructuralLoss(reduction="none", alignment=learned(matcher, use, sweeps=2))
    heavy = plain.replace(alignment=learned(matcher, use, sweeps=2, margins=0.7))
    wanted, found = plain(prediction, target), heavy(prediction, target)
    assert list(wanted.terms) == ["node", "edge", "clique"]
    assert list(found.terms) == ["node", "edge", "clique", "margins"]
    off = found.terms["margins"]
    assert float(off.detach().max()) > 1e-6
    assert bool((off >= 0).all())
    assert torch.equal(off > 1e-20, found.residual > 1e-10)
    torch.testing.assert_close(found.total, wanted.total + 0.7 * off, rtol=1e-12, atol=1e-12)
    plan, k = found.plan[5].detach(), 5
    held = [*plan[:-1].sum(1), *plan[:, :-1].sum(0)]
    assert bool((plan[-1] == 0).all() and (plan[:, -1] == 0).all())  # as many on both sides
    by_hand = sum(float(x - 1 - x.log()) for x in held)
    assert float(off[k].detach()) == pytest.approx(by_hand, abs=1e-15)
    done = heavy.replace(alignment=learned(matcher, use, margins=0.7))(prediction, target)
    assert float(done.terms["margins"].detach().abs().max()) < 1e-15


def test_margins_of_a_plan_that_holds_nothing_are_finite() -> None:
    plan = torch.zeros(1, 3, 3, dtype=torch.float64, requires_grad=True)
    mass = torch.tensor([[1.0, 1.0, 0.0]]).double()
    (off,) = margin_divergence(plan, mass, mass)
    assert 100 < float(off.detach()) < 200
    off.backward()
    assert plan.grad is not None
    assert bool(plan.grad.isfinite().all())


@pytest.mark.parametrize("use", USES)
def test_the_gradient_of_the_margins_is_theirs(use: Any) -> None:
    prediction, target = batch_of_pairs(3, [(4, 4), (3, 5)])
    matcher = Table(size=2.0)
    aligner = learned(matcher, use, sweeps=3, margins=1.0, rounds=2)
    loss = StructuralLoss(alignment=aligner, reduction="none")
    step = 1e-6 * torch.randn(matcher.weight.shape, dtype=torch.float64)

    def value() -> Tensor:
        return loss(prediction, target).terms["margins"].sum()

    (slope,) = torch.autograd.grad(value(), matcher.weight)
    with torch.no_grad():
        ends = []
        for sign in (1, -2):
            matcher.weight.add_(sign * step)
            ends.append(value())
    measured = float(ends[0] - ends[1])
    assert measured == pytest.approx(float((2 * slope * step).sum()), rel=1e-5)
    assert abs(measured) > 1e-12


def test_hints_and_further_costs_reach_it() -> None:
    """Noise draws, and what a call adds to the cost of a match."""
    prediction, target = batch_of_pairs(3, [(3, 3)])
    loss = StructuralLoss(alignment=learned(Table(), "plan"), hints=Hints(noise=0.5))
    one, other = (loss(prediction, target).plan.padded.detach() for _ in range(2))
    assert not torch.equal(one, other)
    cost = torch.zeros(1, 4, 4, dtype=torch.float64)
    cost[0, 1, 1] = torch.inf
    for use in USES:
        aligner = learned(Table(), use, edits=0.0)
        forbidden = StructuralLoss(alignment=aligner)(prediction, target, match_cost=cost)
        assert float(forbidden.plan[0][1, 1].detach()) == 0.0


def test_a_learned_aligner_aligns_by_itself() -> None:
    """As part of an aligner of the user's own."""
    prediction, target = batch_of_pairs(3)
    inner = learned(Table(), "plan", edits=0.5)

    class Wrapped(gt.Aligner):
        def forward(self, problem: AlignmentProblem) -> Tensor:
            return inner(problem)

    plain = StructuralLoss(alignment=inner)(prediction, target)
    wrapped = StructuralLoss(alignment=Wrapped())(prediction, target)
    torch.testing.assert_close(wrapped.total, plain.total, rtol=1e-12, atol=1e-12)


def test_a_start_is_refused_where_a_learnt_plan_is_the_first() -> None:
    prediction, target = batch_of_pairs(3, [(2, 2)])
    start = torch.zeros(1, 3, 3, dtype=torch.float64)
    with pytest.raises(InputError, match="`start` must be left out where a learnt plan is"):
        StructuralLoss(alignment=learned(Table(), "start"))(prediction, target, start=start)
    StructuralLoss(alignment=learned(Table(), "prior"))(prediction, target, start=start)


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"use": "warm"}, "`use` must be one of plan, start, prior, got 'warm'"),
        ({"edits": -1.0}, "`edits` must not be negative, got -1"),
        ({"margins": -1.0}, "`margins` must not be negative, got -1"),
        ({"solver": Sinkhorn(gradient="detach")}, r"`solver\.gradient` must not be detach"),
        ({"solver": Sinkhorn(temperature=0.0)}, r"`solver\.temperature` must be positive"),
    ],
)
def test_settings_without_meaning_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Learned(Nothing(), **settings)


def test_a_matcher_that_returns_something_else_is_refused() -> None:
    class Wrong(Matcher):
        def forward(self, problem: AlignmentProblem) -> Tensor:
            return problem.cost[:, 1:, :-1]

    prediction, target = batch_of_pairs(3, [(2, 3)])
    message = r"`matcher` must return scores of shape \(1, 2, 3\)"
    StructuralLoss(alignment=Learned(Wrong()))(prediction, target)
    prediction = Prediction(*(getattr(prediction, x) for x in
                              ("existence", "label", "edge_index", "relation")))  # fmt: skip

    class Short(Matcher):
        def forward(self, problem: AlignmentProblem) -> Tensor:
            return problem.cost[:, :-1]

    with pytest.raises(InputError, match=message):
        StructuralLoss(alignment=Learned(Short()))(prediction, target)


@pytest.mark.parametrize("kind", ["labels", "features", "ignored"])
@pytest.mark.parametrize("margins", [0.0, 0.5])
@pytest.mark.parametrize("use", ["plan", "start"])
def test_the_native_kernel_takes_scores_as_the_program_does(
    use: Any, margins: float, kind: str
) -> None:
    prediction, target = batch_of_pairs(4)
    matcher: nn.Module = Table()
    if kind == "features":
        target.y = torch.randn(len(target.y), NUM_LABELS, dtype=torch.float64)
        matcher = Near()
    if kind == "ignored":
        target.ignore = torch.arange(len(target.y)) % 3 == 0
    aligner = learned(matcher, use, edits=0.5, margins=margins, rounds=2, sweeps=4)
    node_cost: Any = "features" if kind == "features" else "labels"
    loss = StructuralLoss(alignment=aligner, node_cost=node_cost, reduction="none")
    found, before = [], backend()
    for name in (before, "pytorch"):
        set_backend(name)
        try:
            result = loss(prediction, target)
        finally:
            set_backend(before)
        inputs = [*leaves(prediction), *matcher.parameters()]
        slopes = torch.autograd.grad(result.total.sum(), inputs, materialize_grads=True)
        found.append((result, slopes))
    (one, slopes), (other, wanted) = found
    assert list(one.terms) == list(other.terms)
    torch.testing.assert_close(one.total, other.total, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(one.plan.padded, other.plan.padded, rtol=1e-9, atol=1e-10)
    for x, y in zip(slopes, wanted, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-8, atol=1e-9)


class Near(nn.Module):
    """Vectors go together where they are near."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))

    def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Minus their distance, to scale."""
        return -self.scale * (outputs[:, :, None] - y[:, None]).square().sum(-1)


@pytest.mark.parametrize("name", ["", "pytorch"])
@pytest.mark.parametrize("use", USES)
def test_a_second_derivative_through_scores(use: Any, name: Any) -> None:
    """Of "implicit"; any other is refused."""
    prediction, target = batch_of_pairs(4, [(3, 3), (2, 3)])
    matcher = Table()
    before = backend()
    set_backend(name or before)
    try:
        loss = StructuralLoss(alignment=learned(matcher, use, gradient="implicit", margins=1.0))

        def slope() -> Tensor:
            total = loss(prediction, target).total
            return torch.autograd.grad(total, matcher.weight, create_graph=True)[0]

        step = 1e-5 * torch.randn(matcher.weight.shape, dtype=torch.float64)
        (found,) = torch.autograd.grad((slope() * step).sum(), matcher.weight)
        ends = []
        for sign in (1, -2):
            with torch.no_grad():
                matcher.weight.add_(sign * step)
            ends.append(slope().detach())
        torch.testing.assert_close(2 * found, ends[0] - ends[1], rtol=1e-5, atol=1e-12)
    finally:
        set_backend(before)


def test_single_precision_and_impossible_classes() -> None:
    """A logit of minus infinity reaches no score as such."""
    prediction, target = batch_of_pairs(4)
    label = prediction.label.detach().float()
    label[torch.arange(len(label)), torch.arange(len(label)) % NUM_LABELS] = -torch.inf
    soft = replace(prediction.detach().to(torch.float32), label=label).requires_grad_()
    torch.manual_seed(0)
    chosen = gt.GraphMatcher(NUM_LABELS, NUM_RELATIONS, dim=8, num_layers=1, num_coordinates=2)
    for use in USES:
        solver = Sinkhorn(tolerance=1e-5, slack=0.5, rounds=2)
        loss = StructuralLoss(alignment=Learned(chosen, solver, use=use, edits=0.0))
        result = loss(soft, target)
        assert bool(result.total.isfinite())
        result.total.backward()
        assert all(bool(p.grad.isfinite().all()) for p in chosen.parameters() if p.grad is not None)
        for x in leaves(soft)[:3]:
            assert x.grad is not None
            assert bool(x.grad.isfinite().all())
