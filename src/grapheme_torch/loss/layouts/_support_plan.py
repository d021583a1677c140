"""Plans along a support."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .._alignment_plan import Plan, places


class SupportPlan(Plan):
    """The mass of some matches, with its gradient; all others have none.

    Args:
        support: The matches, as pairs of a predicted and a target node of the batch, sorted.
        matched: Mass of each match.
        deleted, inserted: Mass of each predicted node that goes to the void, and of each target
            node that comes from it.
        num_predicted, num_target: Number of nodes on each side of each pair.
    """

    def __init__(
        self,
        support: Int[Tensor, "2 s"],
        matched: Float[Tensor, " s"],
        deleted: Float[Tensor, " n"],
        inserted: Float[Tensor, " m"],
        num_predicted: Int[Tensor, " B"],
        num_target: Int[Tensor, " B"],
    ) -> None:
        super().__init__(num_predicted, num_target)
        self.support, self.matched = support, matched
        self.deleted, self.inserted = deleted, inserted

    def dense(self, k: int) -> Float[Tensor, "n1 m1"]:
        """The matrix of pair `k`, with its gradient."""
        pair, place = places(self.num_predicted)
        other, column = places(self.num_target)
        n, m = int(self.num_predicted[k]), int(self.num_target[k])
        mine = (pair[self.support[0]] == k).nonzero()[:, 0]
        at = place[self.support[0, mine]], column[self.support[1, mine]]
        plan = self.matched.new_zeros(n, m).index_put(at, self.matched[mine])
        deleted, inserted = self.deleted[pair == k], self.inserted[other == k]
        wide = torch.cat([plan, deleted[:, None]], 1)
        last = torch.cat([inserted, inserted.new_zeros(1)])
        return torch.cat([wide, last[None]])

    @torch.no_grad()
    def best_match(self) -> Int[Tensor, " n"]:
        """The target node that most mass of each predicted node goes to; -1 if it is deleted."""
        row, column = self.support
        most = self.deleted.clone().scatter_reduce(0, row, self.matched, "amax")
        winner = (self.matched == most[row]).nonzero()[:, 0]
        none = int(self.num_target.sum())
        best = torch.full_like(most, none, dtype=torch.long)
        best = best.scatter_reduce(0, row[winner], column[winner], "amin")  # of equals the first
        return torch.where(best == none, -1, best)

    def _mass(self, predicted: Tensor, target: Tensor) -> Tensor:
        m = max(int(self.num_target.sum()), 1)
        key, wanted = self.support[0] * m + self.support[1], predicted * m + target
        if not len(key):
            return torch.zeros(len(wanted), dtype=torch.float64, device=wanted.device)
        at = torch.searchsorted(key, wanted).clamp(max=len(key) - 1)
        return torch.where(key[at] == wanted, self.matched[at].double(), 0)
