"""The edges of one pair and a plan made tile by tile, (E45) of docs/math."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...ot import ENTRIES, Matrix, Tile
from ..batch._csr import Csr


@dataclass(frozen=True)
class Edges:
    """Candidates and target edges of one pair, in the order of its rows and columns.

    Args:
        source, sink: Rows that each candidate joins.
        start, end: Columns that each target edge joins.
        value: Value of each target edge in each channel, as in `EdgeCost`.
        number: Which target edge of the batch each one is.
        num_rows: Predicted nodes.
    """

    source: Int[Tensor, " e"]
    sink: Int[Tensor, " e"]
    start: Int[Tensor, " t"]
    end: Int[Tensor, " t"]
    value: Float[Tensor, "t channels"]
    number: Int[Tensor, " t"]
    num_rows: int

    @functools.cached_property
    def ends(self) -> tuple["_Ends", "_Ends"]:
        """The edges seen from their sources, and from their sinks."""
        n = self.num_rows
        return (
            _Ends.of(self.source, self.sink, self.start, self.end, self.value, n),
            _Ends.of(self.sink, self.source, self.end, self.start, self.value, n),
        )


@dataclass(frozen=True)
class _Ends:
    """Edges from one of their ends, sorted by it.

    Args:
        candidate, there: Of each half of a candidate, sorted by row: its number, the other row.
        rows: Which halves a row has; the last row, of the void, has none.
        here, column, value: Of each target edge, sorted: the column here, the one there, values.
        edge: Which target edge it is.
    """

    candidate: Int[Tensor, " e"]
    there: Int[Tensor, " e"]
    rows: Csr
    here: Int[Tensor, " t"]
    column: Int[Tensor, " t"]
    value: Float[Tensor, "t channels"]
    edge: Int[Tensor, " t"]

    @classmethod
    def of(
        cls, row: Tensor, other: Tensor, here: Tensor, column: Tensor, value: Tensor, n: int
    ) -> "_Ends":
        """Sorts both kinds of edges by this end."""
        order, wanted = row.argsort(stable=True), here.argsort(stable=True)
        return cls(
            order, other[order], Csr.of(row, n + 1), here[wanted], column[wanted], value[wanted],
            wanted,
        )  # fmt: skip

    def edge_tiles(self, y: Matrix, at: Tile) -> Iterator["_EdgeTile"]:
        """The edges at a tile, and a matrix where their other ends meet, in parts."""
        run = torch.tensor([at.low, at.high], device=self.here.device)
        first, last = torch.searchsorted(self.here, run).tolist()
        whose, half = self.rows.spread(at.rows)
        if first == last or not len(half):
            return
        order = self.there[half].argsort()  # so that a part needs few rows of `y`
        whose, half = whose[order], half[order]
        column = self.column[first:last]
        low, high = int(column.min()), int(column.max()) + 1
        wide = max(last - first, high - low)
        for part in torch.arange(len(half)).split(max(1, ENTRIES // wide)):
            rows, inverse = self.there[half[part]].unique(return_inverse=True)
            there = y.tile(Tile(rows, low, high))[inverse][:, column - low]
            here = self.here[first:last] - at.low
            value = self.value[first:last]
            edge = self.edge[first:last]
            yield _EdgeTile(whose[part], self.candidate[half[part]], here, value, edge, there)


@dataclass(frozen=True)
class _EdgeTile:
    """Candidates and target edges that meet at a tile.

    Args:
        row, column: Places in the tile of their ends here.
        candidate: Number of each candidate.
        value, edge: Values and number of each target edge.
        there: Of a matrix, where their other ends meet.
    """

    row: Int[Tensor, " h"]
    candidate: Int[Tensor, " h"]
    column: Int[Tensor, " l"]
    value: Float[Tensor, "l channels"]
    edge: Int[Tensor, " l"]
    there: Float[Tensor, "h l"]


@dataclass(frozen=True)
class EdgeGradient:
    """`sum over r of K(r) Y A(r)^T + K(r)^T Y A(r)` for a matrix `Y` made in parts, (E19).

    Args:
        gain: `K`, of each candidate in each channel.
        y: What the edges are linearised at.
    """

    edges: Edges
    gain: Float[Tensor, "e channels"]
    y: Matrix

    def tile(self, at: Tile) -> Float[Tensor, "k w"]:
        """A part of it; nothing in the last row and column."""
        width = at.high - at.low + 1
        out = self.gain.new_zeros(len(at.rows), width)
        for ends in self.edges.ends:
            for part in ends.edge_tiles(self.y, at):
                moved = part.there.mul_(self.gain[part.candidate] @ part.value.T)
                by_row = out.new_zeros(len(out), moved.shape[1]).index_add_(0, part.row, moved)
                out.scatter_add_(1, part.column.expand(len(out), -1), by_row)
        return out


def pairings(
    edges: Edges, x: Matrix, y: Matrix, tiles: Iterator[Tile]
) -> Float[Tensor, "e channels"]:
    """`x_u A(r) y_v^T` for each candidate `(u, v)` and channel: the derivative in the gains.

    `sum(K * pairings(P, P))` is the edge term but for its constant, (E16).

    Args:
        tiles: Cover all of `x` that is something.
    """
    out = edges.value.new_zeros(len(edges.source), edges.value.shape[1])
    for part, both in _products(edges, x, y, tiles):
        out.index_add_(0, part.candidate, both @ part.value)
    return out


def edge_pairings(
    edges: Edges, gain: Float[Tensor, "e channels"], x: Matrix, y: Matrix, tiles: Iterator[Tile]
) -> Float[Tensor, "t channels"]:
    """`sum of K(r) x_ui y_vj over candidates (u, v)` for each target edge `(i, j)` and channel.

    The derivative of `sum(K * pairings(x, y))` in the values of the target edges.
    """
    out = torch.zeros_like(edges.value)
    for part, both in _products(edges, x, y, tiles):
        out.index_add_(0, part.edge, both.T @ gain[part.candidate])
    return out


def _products(
    edges: Edges, x: Matrix, y: Matrix, tiles: Iterator[Tile]
) -> Iterator[tuple[_EdgeTile, Float[Tensor, "h l"]]]:
    """`x_ui y_vj` wherever a candidate `(u, v)` meets a target edge `(i, j)`."""
    outgoing, _ = edges.ends
    for at in tiles:
        here = None
        for part in outgoing.edge_tiles(y, at):
            here = x.tile(at) if here is None else here
            yield part, part.there.mul_(here[part.row][:, part.column])
