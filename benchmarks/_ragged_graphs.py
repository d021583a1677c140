"""Ragged batches of path-like graphs with features, the same for every library of `peers.py`.

A target is a string over some letters, each letter a unit vector; its prediction is an edited,
noisy copy. Edges join neighbours, and a fifth of the nodes with the one after the next. A void of
cost 1/2 on both sides takes as much mass as the other side has nodes; node masses are equal. Unit
vectors have the distance 1/2 to the origin in half squares, so the void is a point at the origin
and the problem is one of point clouds too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

LETTERS, FEATURES, NOISE, EDITED, SKIPS = 26, 32, 0.5, 0.1, 0.2
VOID, EDGE_WEIGHT, FUSED = 0.5, 0.5, 0.5


@dataclass(frozen=True)
class Workload:
    """A batch of pairs in padded form, float64; the void stands last.

    Args:
        x: Raw features of predicted nodes, what is differentiated in; scaled to unit length.
        y: Features of target nodes.
        left: Edge weights between predicted nodes, what is differentiated in too.
        right: Edges between target nodes, 0 or 1.
        rows, columns: Which nodes exist.
        a, b: Masses, each pair's sum to one.
    """

    x: Tensor
    y: Tensor
    left: Tensor
    right: Tensor
    rows: Tensor
    columns: Tensor
    a: Tensor
    b: Tensor

    def cost(self, x: Tensor) -> Tensor:
        """Half squared distances of unit vectors, and the void."""
        inner = 1 - unit(x) @ self.y.mT
        whole = pad(inner, (0, 1, 0, 1), value=VOID)
        corner = torch.zeros_like(whole)
        corner[:, -1, -1] = VOID
        return whole - corner

    def edges(self, plan: Tensor, left: Tensor) -> Tensor:
        """What each pair gains by laying edges on edges, per target edge."""
        mass = self.rows.sum(1) + self.columns.sum(1)
        t = plan[:, :-1, :-1] * mass[:, None, None]
        laid = (t * (left @ t @ self.right.mT)).sum((1, 2))
        return laid / self.right.sum((1, 2)).clamp(min=1)

    def uniform(self) -> tuple[Tensor, Tensor]:
        """Equal masses without a void."""
        a, b = self.rows.double(), self.columns.double()
        return a / a.sum(1, keepdim=True), b / b.sum(1, keepdim=True)

    def leaves(self) -> tuple[Tensor, Tensor]:
        """What is differentiated in, afresh."""
        return self.x.clone().requires_grad_(), self.left.clone().requires_grad_()


def unit(x: Tensor) -> Tensor:
    """Rows of unit length; padding stays zero."""
    return normalize(x, dim=-1)


def workload(sizes: Sequence[tuple[int, int]], seed: int = 0) -> Workload:
    """Pairs with these numbers of predicted and target nodes."""
    rng = torch.Generator().manual_seed(seed)
    letters = unit(torch.randn(LETTERS, FEATURES, generator=rng, dtype=torch.float64))
    most_n, most_m = max(n for n, _ in sizes), max(m for _, m in sizes)
    count = len(sizes)
    x = torch.zeros(count, most_n, FEATURES, dtype=torch.float64)
    y = torch.zeros(count, most_m, FEATURES, dtype=torch.float64)
    left = torch.zeros(count, most_n, most_n, dtype=torch.float64)
    right = torch.zeros(count, most_m, most_m, dtype=torch.float64)
    for k, (n, m) in enumerate(sizes):
        target = torch.randint(LETTERS, (m,), generator=rng)
        source = target[torch.arange(n) * m // n]
        edited = torch.rand(n, generator=rng) < EDITED
        source = torch.where(edited, torch.randint(LETTERS, (n,), generator=rng), source)
        noise = torch.randn(n, FEATURES, generator=rng, dtype=torch.float64)
        scale = 0.5 + torch.rand(n, 1, generator=rng, dtype=torch.float64)
        x[k, :n] = (letters[source] + NOISE / FEATURES**0.5 * noise) * scale
        y[k, :m] = letters[target]
        left[k, :n, :n] = _path(n, rng) * (0.5 + 0.5 * torch.rand(n, n, generator=rng))
        right[k, :m, :m] = _path(m, rng)
    n, m = (torch.tensor(side)[:, None] for side in zip(*sizes, strict=True))
    rows, columns = torch.arange(most_n) < n, torch.arange(most_m) < m
    a, b = (
        torch.cat([there.double(), other.double()], 1) / (n + m)
        for there, other in ((rows, m), (columns, n))
    )
    return Workload(x, y, left, right, rows, columns, a, b)


def ragged(count: int, least: int, most: int, seed: int = 0) -> list[tuple[int, int]]:
    """Random sizes."""
    rng = torch.Generator().manual_seed(seed)
    sizes = torch.randint(least, most + 1, (count, 2), generator=rng).tolist()
    return [(n, m) for n, m in sizes]


def _path(n: int, rng: torch.Generator) -> Tensor:
    path = torch.diag(torch.ones(max(n - 1, 0)), 1)
    skips = (torch.rand(max(n - 2, 0), generator=rng) < SKIPS).float()
    return path + (torch.diag(skips, 2) if n > 2 else 0)
