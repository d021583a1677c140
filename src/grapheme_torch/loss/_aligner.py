"""Aligners with parameters: who says which node is which, where that is learnt."""

from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

from .._check import require
from ..ot import transport_plan
from ._options import Sinkhorn, check_slack, not_negative, one_of
from .batch._pairs import Pairs

Use = Literal["plan", "start", "prior"]


@dataclass(frozen=True)
class AlignmentProblem:
    """What an aligner is asked.

    Args:
        pairs: Predictions and targets; `pairs.layout.pad` pads numbers of predicted nodes.
        cost: Expected edits of each match, deletion (last column) and insertion (last row).
        a, b: Mass of each predicted and target node, the void last.
    """

    pairs: Pairs
    cost: Float[Tensor, "B N1 M1"]
    a: Float[Tensor, "B N1"]
    b: Float[Tensor, "B M1"]


class Aligner(nn.Module):
    """Base class of aligners; a user's own defines `forward`.

    Args:
        slack: See `Sinkhorn`; it is part of the masses `a` and `b`.

    Raises:
        InputError: If the slack is no share.
    """

    def __init__(self, slack: float = 0.0) -> None:
        super().__init__()
        check_slack(slack)
        self.slack = slack

    def forward(self, problem: AlignmentProblem) -> Float[Tensor, "B N1 M1"]:
        """A plan; a gradient flows through it, and `residual` of the result measures its sums."""
        raise NotImplementedError(f"{type(self).__name__} must define `forward(problem)`.")


class Matcher(nn.Module):
    """Base class of matchers that see the whole problem; `GraphMatcher` is one.

    A module that reads no more than node outputs and target nodes needs no base class, see
    `Learned`.
    """

    reads_embedding = False
    """Whether it reads `pairs.embedding`: then the loss is differentiated in that, too."""

    def forward(self, problem: AlignmentProblem) -> Float[Tensor, "B _ _"]:
        """A score of each match `[B, N, M]`; or with deletions and insertions `[B, N + 1, M + 1]`.

        Scores are in edits, and the larger the better. What is scored in the padding has no effect.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `forward(problem)`.")


class Learned(Aligner):
    """Alignment by a learnt score of each match, made a plan by Sinkhorn, (E48)-(E50).

    Args:
        matcher: A `Matcher`, such as `GraphMatcher`. Or a module of which `matcher(outputs, y)`
            maps node outputs `[B, N, outputs]` and padded target nodes `[B, M, ...]` to scores
            `[B, N, M]`, in edits. A score is taken off the cost of the match. Its parameters are
            the loss's, and learn with it.
        solver: How plans are found.
        use: "plan": the scores make the plan, in one alignment; rounds of the solver are not made.
            "start": they make the first plan, at which the rounds linearise the edges; an update
            "proximal" stays close to it. "prior": they are part of the cost of every round.
        edits: Weight of the expected edits of a match, and of `hints.position`, beside its score,
            wherever scores are used. 0 goes by the scores alone, as in print [mendez26].
        margins: Weight of the term "margins" of the loss, (E50): how far rows and columns of the
            plan are from their masses. It is zero to rounding where the alignment converged. Where
            `max_iterations` is small, about the number of nodes is enough.

    Raises:
        InputError: If a value is out of range, or the solver gives no derivative to learn by.

    Differentiation: in the scores, and in all that the matching cost is differentiable in; through
    plan and loss alike, as the solver's `gradient` says.
    """

    def __init__(
        self,
        matcher: nn.Module,
        solver: Sinkhorn | None = None,
        *,
        use: Use = "plan",
        edits: float = 1.0,
        margins: float = 0.0,
    ) -> None:
        solver = Sinkhorn() if solver is None else solver
        super().__init__(solver.slack)
        temperature, remedy = solver.temperature, "An exact plan has no derivative to learn by."
        require(temperature > 0, "`solver.temperature`", "be positive", temperature, remedy)
        constant, remedy = solver.gradient == "detach", 'A matcher learns by it: take "exact".'
        require(not constant, "`solver.gradient`", "not be detach", solver.gradient, remedy)
        one_of("use", use, get_args(Use))
        not_negative("edits", edits, "0 goes by the scores alone.")
        not_negative("margins", margins, "0 leaves the term out.")
        self.matcher, self.solver = matcher, solver
        self.use, self.edits, self.margins = use, edits, margins

    @property
    def rounds(self) -> int:
        """Rounds with edges that are made."""
        return 0 if self.use == "plan" else self.solver.rounds

    def with_solver(self, solver: Sinkhorn) -> "Learned":
        """The same with another solver; the matcher is shared."""
        return Learned(self.matcher, solver, use=self.use, edits=self.edits, margins=self.margins)

    def scores(self, problem: AlignmentProblem) -> Float[Tensor, "B N1 M1"]:
        """The learnt score of each match, deletion and insertion.

        Raises:
            InputError: If the matcher returns something else.
        """
        pairs = problem.pairs
        if isinstance(self.matcher, Matcher):
            scores = self.matcher(problem)
        else:
            outputs, y = pairs.layout.pad(pairs.outputs), pairs.target.layout.pad(pairs.target.y)
            scores = self.matcher(outputs, y)
        batch, rows, columns = problem.cost.shape
        shape = (batch, rows - 1, columns - 1)
        got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        remedy = "Return one score per pair of a predicted and a target node."
        if got != (batch, rows, columns):  # that is, with the void
            require(got == shape, "`matcher`", f"return scores of shape {shape}", got, remedy)
            scores = nn.functional.pad(scores, (0, 1, 0, 1))
        return scores.to(problem.cost.dtype)

    def addition(
        self, problem: AlignmentProblem, edits: Float[Tensor, "B N1 M1"]
    ) -> Float[Tensor, "B N1 M1"]:
        """What scores, and the weight of the edits, add to a cost that has these edits, (E48)."""
        scores = self.scores(problem)
        if self.edits == 1:
            return -scores
        # What is impossible stays so.
        return (self.edits - 1) * edits.masked_fill(edits == inf, 0) - scores

    def forward(self, problem: AlignmentProblem) -> Float[Tensor, "B N1 M1"]:
        """The plan of one alignment by the scores; a loss makes its rounds itself."""
        cost, s = problem.cost + self.addition(problem, problem.cost), self.solver
        return transport_plan(
            cost, problem.a, problem.b, temperature=s.temperature, tolerance=s.tolerance,
            max_iterations=s.max_iterations, gradient=s.gradient,
        ).plan  # fmt: skip

    def extra_repr(self) -> str:
        """What is not the default, and the solver."""
        shown = {"use": "plan", "edits": 1.0, "margins": 0.0}
        given = {name: getattr(self, name) for name in shown}
        told = [f"{name}={value!r}" for name, value in given.items() if value != shown[name]]
        return ", ".join([f"solver={self.solver!r}", *told])
