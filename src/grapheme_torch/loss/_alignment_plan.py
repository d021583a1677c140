"""Who was aligned with whom: one way to read the plan of every layout."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .._check import Received, refusal, require


class Plan(ABC):
    """The alignment of each pair of a batch: how much mass goes from which node to which.

    `plan[k]` is the matrix of pair `k`, `[n + 1, m + 1]`: rows are predicted nodes and then
    insertion, columns target nodes and then deletion. Nodes are numbered in the batch. What the
    void sends itself, in the corner, is no match: plans that are not matrices have a zero there.

    Args:
        num_predicted, num_target: Number of nodes on each side of each pair.
    """

    def __init__(self, num_predicted: Int[Tensor, " B"], num_target: Int[Tensor, " B"]) -> None:
        self.num_predicted, self.num_target = num_predicted, num_target

    def __len__(self) -> int:
        return len(self.num_predicted)

    def __getitem__(self, k: int) -> Float[Tensor, "n1 m1"]:
        """The matrix of a pair, as `dense`."""
        size = len(self)
        if not -size <= k < size:
            raise IndexError(f"pair {k} of a plan of {size} pairs")
        return self.dense(k % size)

    def __iter__(self) -> Iterator[Tensor]:
        return (self.dense(k) for k in range(len(self)))

    @property
    def padded(self) -> Float[Tensor, "B N1 M1"]:
        """All matrices in one tensor, zeros between the nodes and the void; the void is last.

        Raises:
            InputError: If the plan is not stored as matrices.
        """
        way = Received(f"a {type(self).__name__}")
        remedy = "Read `plan[k]`, `plan.entries` or `plan.best_match()`, or use matches=Dense()."
        raise refusal("the plan", "be dense to have a padded matrix", way, remedy)

    @abstractmethod
    def dense(self, k: int) -> Float[Tensor, "n1 m1"]:
        """The matrix of pair `k`."""

    @abstractmethod
    def best_match(self) -> Int[Tensor, " n"]:
        """The target node that most mass of each predicted node goes to; -1 if it is deleted."""

    @abstractmethod
    def _mass(self, predicted: Tensor, target: Tensor) -> Tensor:
        """As `entries`, of nodes that there are."""

    def uniform(self) -> list[bool]:
        """Whether the plan of each pair says nothing; not looked at here."""
        return [False] * len(self)

    @torch.no_grad()
    def entries(
        self, predicted: Int[Tensor, " k"], target: Int[Tensor, " k"]
    ) -> Float[Tensor, " k"]:
        """The mass that goes from each predicted to each target node, without gradient.

        Args:
            predicted, target: Nodes in the numbering of the batch; nodes of different pairs
                exchange nothing.

        Raises:
            InputError: If there is no such node.
        """
        sides = (
            ("predicted", predicted, self.num_predicted),
            ("target", target, self.num_target),
        )
        for name, index, count in sides:
            size = int(count.sum())
            inside = not len(index) or (int(index.min()) >= 0 and int(index.max()) < size)
            remedy = "Number the nodes of the whole batch from 0."
            require(inside, f"`{name}`", f"lie in [0, {size})", index, remedy)
        return self._mass(predicted, target)


def places(count: Int[Tensor, " B"]) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """The pair of each node of a batch, and its place in it."""
    pair = torch.arange(len(count), device=count.device).repeat_interleave(count)
    place = torch.arange(len(pair), device=count.device) - (count.cumsum(0) - count)[pair]
    return pair, place
