"""Aligners with parameters: who says which node is which, where that is learnt."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from .._check import require
from ..ot import transport_plan
from ._options import Sinkhorn, check_slack
from .batch._pairs import Pairs


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


class Learned(Aligner):
    """Alignment by a learnt score of each match, made a plan by Sinkhorn.

    Args:
        matcher: `matcher(outputs, y)` maps node outputs `[B, N, outputs]` and padded target
            nodes `[B, M, ...]` to scores `[B, N, M]`, in edits. A score is taken off the cost of
            the match. Its parameters are the loss's, and learn with it.
        solver: How the plan is found; its rounds are not used.

    Differentiation: in the scores, and in all that the matching cost is differentiable in.
    """

    def __init__(self, matcher: nn.Module, solver: Sinkhorn | None = None) -> None:
        solver = Sinkhorn() if solver is None else solver
        super().__init__(solver.slack)
        temperature, remedy = solver.temperature, "An exact plan has no derivative to learn by."
        require(temperature > 0, "`solver.temperature`", "be positive", temperature, remedy)
        self.matcher, self.solver = matcher, solver

    def forward(self, problem: AlignmentProblem) -> Float[Tensor, "B N1 M1"]:
        """The plan of least cost less score."""
        pairs, s = problem.pairs, self.solver
        outputs, y = pairs.layout.pad(pairs.outputs), pairs.target.layout.pad(pairs.target.y)
        scores = self.matcher(outputs, y)
        shape = (len(outputs), outputs.shape[1], y.shape[1])
        ok = isinstance(scores, Tensor) and scores.shape == shape
        remedy = "Return one score per pair of a predicted and a target node."
        got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        require(ok, "`matcher`", f"return scores of shape {shape}", got, remedy)
        cost = problem.cost - nn.functional.pad(scores.to(problem.cost.dtype), (0, 1, 0, 1))
        return transport_plan(
            cost, problem.a, problem.b, temperature=s.temperature, tolerance=s.tolerance,
            max_iterations=s.max_iterations, gradient=s.gradient,
        ).plan  # fmt: skip
