"""Sinkhorn sweeps in the log domain, (E4)-(E6) of docs/math; never hears of gradients.

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

    def residual(
        self, column_sum: Float[Tensor, "B M"], row_sum: Float[Tensor, "B N"] | None = None
    ) -> Float[Tensor, " B"]:
        """Mass in the wrong place as a share of all mass: of the columns, and rows if given."""
        total = self.b.sum(1)
        wrong = (column_sum - self.b).abs().sum(1)
        if row_sum is not None:
            wrong = torch.maximum(wrong, (row_sum - self.a).abs().sum(1))
        return wrong / torch.where(total > 0, total, 1)


def sweep(
    problem: Problem, g: Float[Tensor, "B M"], tol: float, max_iter: int
) -> tuple[Float[Tensor, "B M"], Int[Tensor, " B"]]:
    """Alternates (E4) and (E5) from `g` until each pair's residual is at most `tol`.

    A pair that is done leaves while others go on. So its result does not depend on its batch mates,
    and one hard pair costs no more than itself.

    Returns:
        The column potential and the number of sweeps of each pair.
    """
    found, iterations = g.clone(), torch.zeros(len(g), dtype=torch.long, device=g.device)
    todo = torch.arange(len(g), device=g.device)
    for _ in range(max_iter):
        better = problem.column_potential(problem.row_potential(g))
        # Column j of the plan of (f, g) sums to b_j exp(g_j - better_j): no plan is needed.
        column_sum = torch.where(problem.b > 0, problem.b * (g - better).clamp(max=80).exp(), 0)
        going = problem.residual(column_sum) > tol
        if not going.all():
            todo, problem, better = todo[going], problem[going], better[going]
        if not len(todo):
            break
        g = better
        found[todo] = g
        iterations[todo] += 1
    return found, iterations


def sweep_path(problem: Problem, iterations: Int[Tensor, " B"]) -> list[Float[Tensor, "B M"]]:
    """The potential before each of the given number of sweeps from zero, and after the last."""
    path = [torch.zeros_like(problem.b)]
    for k in range(int(iterations.max()) if len(iterations) else 0):
        better = problem.column_potential(problem.row_potential(path[-1]))
        path.append(torch.where((k < iterations)[:, None], better, path[-1]))
    return path


def exp(x: Tensor) -> Tensor:
    """`e^x`, flushed to at least e^-80 so that no argument is slow; see `NEGLIGIBLE`.

    From above it is bounded where a row or column has no mass and thus any potential. A weight of
    zero must not meet an infinity.
    """
    return x.clamp(NEGLIGIBLE, -NEGLIGIBLE).exp()


def _logsumexp(z: Tensor, dim: int) -> Tensor:
    top = z.amax(dim, keepdim=True)
    top = torch.where(top.isfinite(), top, 0)  # no mass on the other side: nothing to see
    return exp(z - top).sum(dim).log() + top.squeeze(dim)
