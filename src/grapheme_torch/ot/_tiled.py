"""Transport whose cost and plan are made tile by tile, never stored, (E42)-(E43) of docs/math.

One pair at a time. The last row and the last column (the void of a graph) are like the others, but
their mass may be zero. The last column is part of every tile. Everything but costs is divided by
the temperature, as in `_sinkhorn`. Axes: N rows, M columns; of a tile k rows, w columns.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from ._matrix_free import Sides
from ._sinkhorn import NEGLIGIBLE, exp

ENTRIES = 1 << 17
"""Numbers in a tile: a megabyte, so that a tile stays in the cache while it is worked on."""

_ROWS = 256
"""Most rows of a tile: rows far apart see different columns."""

_FAINT = 1e-25
"""Share of its mass below which the sum of a column may have lost what was dropped in its rows."""


class Tile(NamedTuple):
    """Some rows; the columns from `low` to before `high`, and the last one."""

    rows: Int[Tensor, " k"]
    low: int
    high: int

    def columns(self, x: Shaped[Tensor, " M"]) -> Shaped[Tensor, " w"]:
        """What a value of each column is in the tile."""
        return torch.cat([x[self.low : self.high], x[-1:]])

    def add_to(self, x: Float[Tensor, " M"], values: Float[Tensor, " w"]) -> None:
        """Adds values of the tile's columns."""
        x[self.low : self.high] += values[:-1]
        x[-1] += values[-1]


@runtime_checkable
class Matrix(Protocol):
    """A matrix that can be made in parts."""

    def tile(self, at: Tile) -> Tensor:
        """A part of it; the caller's own. Either the last row alone, or none of it."""


@dataclass(frozen=True)
class Screening:
    """How far a row can see: `pull d - drop <= cost <= pull d + rise` at a distance `d`.

    Rows and columns are sorted by place. The last of each has none.

    Args:
        row, column: Places, ascending.
        pull: Cost of a step between two places.
        drop, rise: Bounds of the rest of the cost of each row.
    """

    row: Float[Tensor, " n"]
    column: Float[Tensor, " m"]
    pull: float
    drop: Float[Tensor, " n"]
    rise: Float[Tensor, " n"]

    def level(self, h: Float[Tensor, " m"], eps: float) -> Float[Tensor, " n"]:
        """A lower bound on `max_j (h_j - cost_ij / eps)`: what the nearest column gives."""
        near = torch.searchsorted(self.column, self.row).clamp(max=len(self.column) - 1)
        steps = (self.row - self.column[near]).abs()
        return h[near] - (self.pull * steps + self.rise) / eps

    def spans(
        self, h: Float[Tensor, " m"], level: Float[Tensor, " n"], eps: float
    ) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
        """The columns outside of which `h_j - cost_ij / eps` is below the level of the row."""
        x = self.pull / eps
        bar = level - self.drop / eps
        left = (h + x * self.column).cummax(0).values
        right = (h - x * self.column).flip(0).cummax(0).values
        low = torch.searchsorted(left, bar + x * self.row)
        high = len(h) - torch.searchsorted(right, bar - x * self.row)
        return torch.minimum(low, high), high


@dataclass(frozen=True)
class TiledProblem:
    """Move masses `a` to masses `b`; the counterpart of `Problem` without a matrix.

    Args:
        cost: Costs, in units of cost.
        eps: Temperature, in the same units.
        a, b: Masses; positive but for the last of each.
        screening: What is known of far columns, if anything.
        depth: Numbers that `cost` needs for one entry while it makes a tile.
    """

    cost: Matrix
    eps: float
    a: Float[Tensor, " N"]
    b: Float[Tensor, " M"]
    screening: Screening | None = None
    depth: int = 1

    @functools.cached_property
    def sides(self) -> Sides:
        """Rows and columns of the one pair."""
        row, column = (torch.zeros_like(mass, dtype=torch.long) for mass in (self.a, self.b))
        return Sides(row, column, 1)

    def swept(self, g: Float[Tensor, " M"]) -> Float[Tensor, " M"]:
        """The column potential after a sweep, (E4) and (E5)."""
        f, column_sum = self._rows(g)
        if bool((column_sum < _FAINT * self.b).any()):
            return self.column_potential(f)
        # (E5) in what (E4) has made: column j of its plan sums to b_j exp(g_j - g_j(f)).
        return torch.where(self.b > 0, g - (column_sum / self.b).log(), 0)

    def at(self, g: Float[Tensor, " M"]) -> tuple[Float[Tensor, " N"], "TiledCoupling"]:
        """The row potential (E4), and the plan of both."""
        f, column_sum = self._rows(g)
        return f, TiledCoupling(self, f, g, column_sum)

    def row_potential(self, g: Float[Tensor, " M"]) -> Float[Tensor, " N"]:
        """The `f` that gives every row its mass, (E4)."""
        return self._rows(g)[0]

    def column_potential(self, f: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """The `g` that gives every column its mass, (E5), in logarithms; leaves nothing out."""
        log_a = self.a.log()
        top = torch.full_like(self.b, -1e300)  # finite: differences of infinities are none
        total = torch.zeros_like(self.b)
        for at in self.tiles(None):
            z = (log_a + f)[at.rows, None] - self.cost.tile(at) / self.eps
            higher = torch.maximum(top, z.amax(0))
            total = total * (top - higher).exp() + exp(z - higher).sum(0)
            top = higher
        return torch.where(total > 0, -total.log() - top, 0)

    def _rows(self, g: Float[Tensor, " M"]) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
        """(E4), and the column sums of its plan: one pass."""
        h = self.b.log() + g
        level = (
            None if self.screening is None else self.screening.level(h[:-1], self.eps) + NEGLIGIBLE
        )
        f, column_sum = torch.empty_like(self.a), torch.zeros_like(self.b)
        for at in self.tiles(self._spans(h, level)):
            z = self.cost.tile(at).mul_(-1 / self.eps).add_(at.columns(h))
            top = z.amax(1, keepdim=True)
            top = torch.where(top.isfinite(), top, 0)  # no mass on the other side
            share = z.sub_(top).clamp_(NEGLIGIBLE, -NEGLIGIBLE).exp_()
            self.close(share)
            total = share.sum(1)
            at_rows = torch.where(total > 0, self.a[at.rows] / total, 0)
            f[at.rows] = -torch.where(total > 0, total, 1).log() - top[:, 0]
            at.add_to(column_sum, at_rows @ share)
        return f, column_sum

    def close(self, tile: Float[Tensor, "k w"]) -> None:
        """Empties the last column if it has no mass, whatever stands there."""
        if not self.b[-1] > 0:
            tile[:, -1] = 0

    def _spans(
        self, h: Float[Tensor, " M"], level: Float[Tensor, " n"] | None
    ) -> tuple[Tensor, Tensor] | None:
        if self.screening is None or level is None or len(h) < 2:
            return None
        return self.screening.spans(h[:-1], level, self.eps)

    def spans(self, f: Float[Tensor, " N"], g: Float[Tensor, " M"]) -> tuple[Tensor, Tensor] | None:
        """The columns outside of which the plan is nothing: below `exp(-80)` of its row."""
        return self._spans(self.b.log() + g, NEGLIGIBLE - f[:-1])

    def tiles(self, spans: tuple[Tensor, Tensor] | None) -> Iterator[Tile]:
        """Tiles that cover all rows but the last and their spans, then one of the last row."""
        n, m = len(self.a) - 1, len(self.b) - 1
        lows, highs = ([0] * n, [m] * n) if spans is None else (x.tolist() for x in spans)
        most = max(1, ENTRIES // self.depth)
        i = 0
        while i < n:
            k = min(_ROWS, n - i)
            while True:
                low, high = min(lows[i : i + k]), max(highs[i : i + k])
                if k == 1 or k * (high - low + 1) <= most:
                    break
                k = max(1, min(k - 1, most // (high - low + 1)))
            yield Tile(torch.arange(i, i + k, device=self.a.device), low, high)
            i += k
        yield Tile(torch.tensor([n], device=self.a.device), 0, m)


@dataclass(frozen=True)
class TiledCoupling:
    """The plan `a b exp(f + g - c)` of two potentials, (E3), made anew wherever it is needed."""

    problem: TiledProblem
    f: Float[Tensor, " N"]
    g: Float[Tensor, " M"]
    known_sum: Float[Tensor, " M"] | None = None

    @property
    def column_sum(self) -> Float[Tensor, " M"]:
        """`P^T 1`; known if the pass that found the row potential has made it."""
        if self.known_sum is not None:
            return self.known_sum
        return self.transposed(torch.ones_like(self.f))

    @functools.cached_property
    def spans(self) -> tuple[Tensor, Tensor] | None:
        """The columns outside of which each row is nothing."""
        return self.problem.spans(self.f, self.g)

    def row_sum(self) -> Float[Tensor, " N"]:
        """`P 1`."""
        return self.product(torch.ones_like(self.g))

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of the plan."""
        problem = self.problem
        z = problem.cost.tile(at).mul_(-1 / problem.eps)
        z.add_(at.columns(self._h)).add_(self.f[at.rows, None])
        z.clamp_(NEGLIGIBLE, -NEGLIGIBLE).exp_().mul_(problem.a[at.rows, None])
        problem.close(z)
        return z

    @functools.cached_property
    def _h(self) -> Float[Tensor, " M"]:
        return self.problem.b.log() + self.g

    def tiles(self) -> Iterator[tuple[Tile, Float[Tensor, "k w"]]]:
        """All of the plan that is something, part by part."""
        for at in self.problem.tiles(self.spans):
            yield at, self.tile(at)

    def product(self, x: Float[Tensor, " M"]) -> Float[Tensor, " N"]:
        """`P x`."""
        out = torch.empty_like(self.f)
        for at, plan in self.tiles():
            out[at.rows] = plan @ at.columns(x)
        return out

    def transposed(self, y: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """`P^T y`."""
        out = torch.zeros_like(self.g)
        for at, plan in self.tiles():
            at.add_to(out, y[at.rows] @ plan)
        return out

    def normal(self, x: Float[Tensor, " M"], scale: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """`P^T D(scale) P x`."""
        out = torch.zeros_like(self.g)
        for at, plan in self.tiles():
            at.add_to(out, (scale[at.rows] * (plan @ at.columns(x))) @ plan)
        return out

    def squares(self, scale: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """`(P * P)^T scale`."""
        out = torch.zeros_like(self.g)
        for at, plan in self.tiles():
            at.add_to(out, scale[at.rows] @ plan.square_())
        return out
