"""Plans as padded matrices."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...ot import is_uniform
from .._alignment_plan import Plan, places


class PaddedPlan(Plan):
    """Plans in one tensor, with their gradient.

    Args:
        padded: Axes: pair, predicted node, target node; the void is last.
        num_predicted, num_target: Number of nodes on each side of each pair.
    """

    def __init__(
        self,
        padded: Float[Tensor, "B N1 M1"],
        num_predicted: Int[Tensor, " B"],
        num_target: Int[Tensor, " B"],
    ) -> None:
        super().__init__(num_predicted, num_target)
        self._padded = padded

    @property
    def padded(self) -> Float[Tensor, "B N1 M1"]:
        """All matrices in one tensor, zeros between the nodes and the void; the void is last."""
        return self._padded

    def dense(self, k: int) -> Float[Tensor, "n1 m1"]:
        """The matrix of pair `k`, with its gradient."""
        plan = self._padded[k]
        n, m = int(self.num_predicted[k]), int(self.num_target[k])
        return plan[[*range(n), plan.shape[0] - 1]][:, [*range(m), plan.shape[1] - 1]]

    @torch.no_grad()
    def best_match(self) -> Int[Tensor, " n"]:
        """The target node that most mass of each predicted node goes to; -1 if it is deleted."""
        pair, place = places(self.num_predicted)
        if not len(pair):
            return pair
        most, best = self._padded[pair, place].max(1)
        first = (self.num_target.cumsum(0) - self.num_target)[pair]
        deleted = (best == self._padded.shape[2] - 1) | most.isnan()
        return torch.where(deleted, -1, first + best)

    def _mass(self, predicted: Tensor, target: Tensor) -> Tensor:
        pair, place = places(self.num_predicted)
        other, column = places(self.num_target)
        mass = self._padded[pair[predicted], place[predicted], column[target]].double()
        return torch.where(pair[predicted] == other[target], mass, 0)

    def uniform(self) -> list[bool]:
        """Whether every row of the plan of each pair spreads alike."""
        return [is_uniform(plan[:-1, :-1]) for plan in self]
