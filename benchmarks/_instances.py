"""Small random problems, the same for every library: two pairs of 5 x 6 at most.

The shapes are the same in every case, smaller problems having masses of zero, so that a library
that compiles does so once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

TEMPERATURE = 0.1  # the costs are in [0, 1)
MANY, TIGHT = 2000, 1e-12  # bound on iterations and tolerance, for everyone who takes them
PAIRS, ROWS, COLUMNS = 2, 5, 6
CLASSES, RELATIONS = 3, 2  # of nodes; of edges, besides "absent"

Outputs = tuple[Tensor | None, Tensor | None]
"""The value a library reports and `sum(weight * plan)`; None where it reports no such thing.

For a library that reports a plan only, the value is computed from it, by `entropic`.
"""


class NotOffered(Exception):
    """The library has no such thing."""


@dataclass(frozen=True)
class Case:
    """What is special about the instances of a column of the table.

    Args:
        name: Heading of the column.
        sizes: Number of rows and columns of each pair that have mass.
        scattered: Whether those without mass stand at random places instead of the end.
        iterations: Bound on every loop of the solver; None: until it has converged.
        directed: Whether edges have a direction.
    """

    name: str
    sizes: tuple[tuple[int, int], ...] = ((ROWS, COLUMNS),) * PAIRS
    scattered: bool = False
    iterations: int | None = None
    directed: bool = False


@dataclass(frozen=True)
class Instance:
    """Two transport problems, and the point at which something is differentiated.

    Args:
        x: The point: whatever the solver is differentiated in, flat.
        a, b: Masses of rows and columns; each pair's sum to one.
        right: Edge weights between columns.
        weight: Of the functional of the plan; one row and column more, for the void.
    """

    case: Case
    x: Tensor
    a: Tensor
    b: Tensor
    right: Tensor
    weight: Tensor

    def cost(self, x: Tensor) -> Tensor:
        """The cost matrices in a point."""
        return x[: PAIRS * ROWS * COLUMNS].view(PAIRS, ROWS, COLUMNS)

    def left(self, x: Tensor) -> Tensor:
        """The edge weights between rows in a point."""
        return _edges(x[PAIRS * ROWS * COLUMNS :].view(PAIRS, ROWS, ROWS), self.case)

    def cost_alone(self, x: Tensor) -> Tensor:
        """The cost matrices, for a library that knows no edges."""
        if self.case.directed:
            raise NotOffered
        return self.cost(x)

    def one_size(self) -> None:
        """For a library that takes one pair a call."""
        if len(set(self.case.sizes)) > 1:
            raise NotOffered

    def functional(self, plan: Tensor) -> Tensor:
        """`sum(weight * plan)`."""
        return (self.weight[:, : plan.shape[1], : plan.shape[2]] * plan).sum()


Draw = Callable[[Case, int], Instance]


def linear(case: Case, seed: int) -> Instance:
    """Differentiated in the cost."""
    return _draw(case, seed, lambda rng: _random(rng, PAIRS * ROWS * COLUMNS))


def fused(case: Case, seed: int) -> Instance:
    """Differentiated in the cost and in the edge weights between rows."""
    return _draw(case, seed, lambda rng: _random(rng, PAIRS * ROWS * (COLUMNS + ROWS)))


def points(case: Case, seed: int) -> Instance:
    """Differentiated in the coordinates of the rows; the columns stand on a circle."""
    return _draw(case, seed, lambda rng: _random(rng, PAIRS * ROWS * 2))


def logits(case: Case, seed: int) -> Instance:
    """Differentiated in everything a network says about the rows: existence, label, relations."""
    count = PAIRS * ROWS * (1 + CLASSES + ROWS * (1 + RELATIONS))
    return _draw(case, seed, lambda rng: 4 * _random(rng, count) - 2)


def circle() -> Tensor:
    """The coordinates of the columns."""
    angle = torch.arange(COLUMNS, dtype=torch.float64) * (2 * math.pi / COLUMNS)
    return torch.stack([angle.cos(), angle.sin()], 1).expand(PAIRS, -1, -1) / 2 + 0.5


def entropic(cost: Tensor, plan: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`sum(cost * P) + eps KL(P | a b^T)`, without the entries that can have no mass."""
    weight = a[:, :, None] * b[:, None, :]
    here = weight > 0
    p, w = plan[here], weight[here]
    return (cost[here] * p).sum() + TEMPERATURE * (p * (p / w).log() - p + w).sum()


def _draw(case: Case, seed: int, point: Callable[[torch.Generator], Tensor]) -> Instance:
    rng = torch.Generator().manual_seed(seed)
    x, weight = point(rng), _random(rng, PAIRS, ROWS + 1, COLUMNS + 1)
    a = _masses(rng, [n for n, _ in case.sizes], ROWS, case.scattered)
    b = _masses(rng, [m for _, m in case.sizes], COLUMNS, case.scattered)
    right = _edges(_random(rng, PAIRS, COLUMNS, COLUMNS), case)
    return Instance(case, x, a, b, right, weight)


def _masses(rng: torch.Generator, counts: list[int], width: int, scattered: bool) -> Tensor:
    masses = torch.zeros(len(counts), width, dtype=torch.float64)
    for row, count in zip(masses, counts, strict=True):
        places = torch.randperm(width, generator=rng) if scattered else torch.arange(width)
        row[places[:count]] = 0.5 + _random(rng, count)
    return masses / masses.sum(1, keepdim=True)


def _edges(weights: Tensor, case: Case) -> Tensor:
    return weights if case.directed else (weights + weights.mT) / 2


def _random(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=rng, dtype=torch.float64)
