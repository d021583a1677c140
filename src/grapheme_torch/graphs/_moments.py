"""Mean and standard deviation of the numbers on nodes, seen one graph at a time."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from ._node_numbers import features_of


class Moments:
    """Mean and standard deviation of each of the numbers that nodes have, over all nodes.

    They are updated graph by graph, in float64. The formula of [chan83] does not cancel where the
    mean is large beside the deviation.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean = self._squares = torch.zeros(0, dtype=torch.float64)

    def add(self, graph: Data) -> None:
        """Takes in a graph; one without numbers, or without nodes, tells nothing.

        Raises:
            InputError: If its numbers are none.
        """
        features = features_of(graph)
        if features is None or not len(features):
            return
        rows = features.detach().cpu().double()
        count, mean = len(rows), rows.mean(0)
        squares = (rows - mean).square().sum(0)
        if not self.count:
            self.count, self._mean, self._squares = count, mean, squares
            return
        total, step = self.count + count, mean - self._mean
        self._squares = self._squares + squares + step.square() * (self.count * count / total)
        self._mean = self._mean + step * (count / total)
        self.count = total

    @property
    def mean(self) -> Float[Tensor, " k"]:
        """The mean of each number."""
        return self._mean

    @property
    def deviation(self) -> Float[Tensor, " k"]:
        """The standard deviation of each number; 1 of one that is the same everywhere."""
        spread = (self._squares / max(self.count, 1)).sqrt()
        # What rounding leaves of a constant is none either.
        return torch.where(spread > 1e-9 * self._mean.abs(), spread, torch.ones_like(spread))
