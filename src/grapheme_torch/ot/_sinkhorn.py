"""Sinkhorn sweeps in the log domain, (E4)-(E6) of docs/math.md; never hears of gradients.

Everything here is divided by the temperature: `c = cost / eps`, and the potentials `f`, `g`
are the textbook ones over `eps`. A batch is padded; padding is mass zero, so that it takes
part in nothing. Axes: B pairs, N rows, M columns.
"""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

NEGLIGIBLE = -80.0
"""exp(-80) = 2e-35 of the largest term of a sum: below the resolution of float64, yet above
the denormal numbers and the very negative arguments on which exp is a hundred times slower."""


@dataclass(frozen=True)
class Problem:
    """Move masses `a` to masses `b` at scaled cost `c`; zero mass switches a row or column off."""

    c: Float[Tensor, "B N M"]
    a: Float[Tensor, "B N"]
    b: Float[Tensor, "B M"]

    @functools.cached_property
    def into_rows(self) -> Float[Tensor, "B N M"]:
        """`log b - c`: what a row sees of the columns."""
        return self.b.log()[:, None, :] - self.c

    @functools.cached_property
    def into_columns(self) -> Float[Tensor, "B N M"]:
        """`log a - c`: what a column sees of the rows."""
        return self.a.log()[:, :, None] - self.c

    def __getitem__(self, pairs: Bool[Tensor, " B"] | Int[Tensor, " k"]) -> "Problem":
        """The problem of some of the pairs."""
        return Problem(self.c[pairs], self.a[pairs], self.b[pairs])

    def row_potential(self, g: Float[Tensor, "B M"]) -> Float[Tensor, "B N"]:
        """The `f` that gives every row its mass, (E4)."""
        return -_logsumexp(self.into_rows + g[:, None, :], dim=2)

    def column_potential(self, f: Float[Tensor, "B N"]) -> Float[Tensor, "B M"]:
        """The `g` that gives every column its mass, (E5)."""
        return -_logsumexp(self.into_columns + f[:, :, None], dim=1)

    def plan(self, f: Float[Tensor, "B N"], g: Float[Tensor, "B M"]) -> Float[Tensor, "B N M"]:
        """`P = a b exp(f + g - c)`, (E3)."""
        weight = self.a[:, :, None] * self.b[:, None, :]
        return weight * exp(f[:, :, None] + g[:, None, :] - self.c)

    def residual(self, column_sum: Float[Tensor, "B M"]) -> Float[Tensor, " B"]:
        """Mass in the wrong column as a share of all mass; the rows are exact by construction."""
        total = self.b.sum(1)
        return (column_sum - self.b).abs().sum(1) / torch.where(total > 0, total, 1)


@dataclass(frozen=True)
class Sweeps:
    """The path of Sinkhorn: `g` before each sweep and after the last, and which pairs moved."""

    g: Float[Tensor, "K1 B M"]
    moved: Bool[Tensor, "K B"]

    @property
    def last(self) -> Float[Tensor, "B M"]:
        return self.g[-1]

    @property
    def iterations(self) -> Int[Tensor, " B"]:
        return self.moved.sum(0)


def sweep(problem: Problem, g: Float[Tensor, "B M"], tol: float, max_iter: int) -> Sweeps:
    """Alternates (E4) and (E5) from `g` until each pair's residual is at most `tol`.

    A pair that is done stands still while others go on, so that its result does not depend on
    its batch mates.
    """
    path, moved = [g], []
    for _ in range(max_iter):
        f = problem.row_potential(g)
        better = problem.column_potential(f)
        # Column j of the plan of (f, g) sums to b_j exp(g_j - better_j): no plan is needed.
        column_sum = torch.where(problem.b > 0, problem.b * (g - better).clamp(max=80).exp(), 0)
        active = problem.residual(column_sum) > tol
        if not active.any():
            break
        g = torch.where(active[:, None], better, g)
        path.append(g)
        moved.append(active)
    return Sweeps(torch.stack(path), torch.stack(moved) if moved else _nobody(g))


def exp(x: Tensor) -> Tensor:
    """`e^x`, flushed to at least e^-80 so that no argument is slow; see `NEGLIGIBLE`.

    From above it is bounded where a row or column has no mass and thus any potential: a weight
    of zero must not meet an infinity.
    """
    return x.clamp(NEGLIGIBLE, -NEGLIGIBLE).exp()


def _logsumexp(z: Tensor, dim: int) -> Tensor:
    top = z.amax(dim, keepdim=True)
    top = torch.where(top.isfinite(), top, 0)  # no mass on the other side: nothing to see
    return exp(z - top).sum(dim).log() + top.squeeze(dim)


def _nobody(g: Tensor) -> Tensor:
    return torch.zeros(0, g.shape[0], dtype=torch.bool, device=g.device)
