"""Transport on a sparse support: only listed entries may carry mass, (E29) of docs/math.

Memory and time of a sweep are of the order of the entries. A batch is a disjoint union.
Everything is divided by the temperature, as in `_sinkhorn`. Axes: s entries, N rows, M columns,
B pairs.
"""

import functools
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .._check import Received, refusal
from . import _inputs
from ._matrix_free import Sides
from ._sinkhorn import exp


def check_support(support: "Support") -> None:
    """Refuses a support whose numbers do not fit together."""
    count = support.num_pairs
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise refusal("`num_pairs`", "be a whole number", count, "Count the pairs.")
    sides, ends = ("row_pair", "column_pair"), ("row", "column")
    for name in (*sides, *ends):
        x = _inputs.tensor(f"`{name}`", getattr(support, name), "number")
        if x.dtype != torch.int64:
            raise refusal(f"`{name}`", "be int64", Received(str(x.dtype)), "Call `long` on it.")
        _inputs.same_device(f"`{name}`", x, support.row, "`row`")
    if len(support.row) != len(support.column):
        got = Received(f"{len(support.row)} and {len(support.column)}")
        raise refusal("`row` and `column`", "be of one length", got, "They are ends of entries.")
    if support.row.is_meta:
        return  # no numbers to look at
    n, m = len(support.row_pair), len(support.column_pair)
    most = {"row_pair": count, "column_pair": count, "row": n, "column": m}
    given = [getattr(support, name) for name in most]
    ranges = [torch.stack(x.aminmax()) for x in given if len(x)]
    found = iter(torch.stack(ranges).tolist() if ranges else [])
    for (name, end), x in zip(most.items(), given, strict=True):
        low, high = next(found) if len(x) else (0, end - 1)
        if low < 0 or high >= end:
            wrong = low if low < 0 else high
            raise refusal(
                f"`{name}`",
                f"be from 0 to {end - 1}",
                wrong,
                "It counts from zero through all pairs.",
            )
    apart = support.pair != support.column_pair.index_select(0, support.column)
    key = (support.row * m + support.column).sort().values
    crossing, twice = torch.stack([apart.any(), (key.diff() == 0).any()]).tolist()
    if crossing:
        k = int(apart.nonzero()[0])
        got = Received(f"row {support.row[k]} and column {support.column[k]} of two pairs")
        raise refusal("an entry", "stay in one pair", got, "Mass does not move between pairs.")
    if twice:
        got = Received("the same entry twice")
        raise refusal("`row` and `column`", "hold each entry once", got, "Add up such entries.")


@dataclass(frozen=True)
class Support(Sides):
    """Which entries may carry mass, in the numbering of a disjoint union of pairs.

    Args:
        row_pair, column_pair: The pair of each row and column.
        num_pairs: Number of pairs.
        row, column: Ends of each entry; no entry twice.

    Raises:
        InputError: If an index is not int64 or out of range, an entry is there twice, or its row
            and column belong to different pairs.
    """

    row: Int[Tensor, " s"]
    column: Int[Tensor, " s"]

    def __post_init__(self) -> None:
        check_support(self)

    @functools.cached_property
    def pair(self) -> Int[Tensor, " s"]:
        """The pair of each entry."""
        return self.row_pair.index_select(0, self.row)

    def only(self, entries: Bool[Tensor, " s"]) -> "Support":
        """The support of some of the entries, between the same rows and columns."""
        return replace(self, row=self.row[entries], column=self.column[entries])

    def to_rows(self, x: Float[Tensor, " s"]) -> Float[Tensor, " N"]:
        """Row sums."""
        return x.new_zeros(len(self.row_pair)).index_add(0, self.row, x)

    def to_columns(self, x: Float[Tensor, " s"]) -> Float[Tensor, " M"]:
        """Column sums."""
        return x.new_zeros(len(self.column_pair)).index_add(0, self.column, x)

    def of_rows(self, x: Float[Tensor, " N"]) -> Float[Tensor, " s"]:
        """A value of each row, at its entries."""
        return x.index_select(0, self.row)

    def of_columns(self, x: Float[Tensor, " M"]) -> Float[Tensor, " s"]:
        """A value of each column, at its entries."""
        return x.index_select(0, self.column)


@dataclass(frozen=True)
class SparseCoupling:
    """A plan on the entries of a support."""

    support: Support
    entry: Float[Tensor, " s"]

    def row_sum(self) -> Float[Tensor, " N"]:
        """`P 1`."""
        return self.support.to_rows(self.entry)

    @functools.cached_property
    def column_sum(self) -> Float[Tensor, " M"]:
        """`P^T 1`."""
        return self.support.to_columns(self.entry)

    def normal(self, x: Float[Tensor, " M"], scale: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """`P^T D(scale) P x`."""
        s = self.support
        inner = s.to_rows(self.entry * s.of_columns(x)) * scale
        return s.to_columns(self.entry * s.of_rows(inner))

    def squares(self, scale: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """`(P * P)^T scale`."""
        return self.support.to_columns(self.entry.square() * self.support.of_rows(scale))


@dataclass(frozen=True)
class SparseProblem:
    """Move masses `a` to masses `b` at scaled cost `c` along the entries of a support."""

    support: Support
    c: Float[Tensor, " s"]
    a: Float[Tensor, " N"]
    b: Float[Tensor, " M"]

    @functools.cached_property
    def into_rows(self) -> Float[Tensor, " s"]:
        """`log b - c`: what a row sees of the columns."""
        return self.support.of_columns(self.b.log()) - self.c

    @functools.cached_property
    def into_columns(self) -> Float[Tensor, " s"]:
        """`log a - c`: what a column sees of the rows."""
        return self.support.of_rows(self.a.log()) - self.c

    def row_potential(self, g: Float[Tensor, " M"]) -> Float[Tensor, " N"]:
        """The `f` that gives every row its mass, (E4) over the entries."""
        z = self.into_rows + self.support.of_columns(g)
        return -_logsumexp(z, self.support.row, len(self.a))

    def column_potential(self, f: Float[Tensor, " N"]) -> Float[Tensor, " M"]:
        """The `g` that gives every column its mass, (E5) over the entries."""
        z = self.into_columns + self.support.of_rows(f)
        return -_logsumexp(z, self.support.column, len(self.b))

    def plan(self, f: Float[Tensor, " N"], g: Float[Tensor, " M"]) -> Float[Tensor, " s"]:
        """`P = a b exp(f + g - c)` at each entry, (E29)."""
        s = self.support
        return (
            s.of_rows(self.a) * s.of_columns(self.b) * exp(s.of_rows(f) + s.of_columns(g) - self.c)
        )

    @property
    def sides(self) -> Sides:
        """Rows and columns of the pairs."""
        return self.support

    def swept(self, g: Float[Tensor, " M"]) -> Float[Tensor, " M"]:
        """The column potential after a sweep, (E4) and (E5)."""
        return self.column_potential(self.row_potential(g))

    def at(self, g: Float[Tensor, " M"]) -> tuple[Float[Tensor, " N"], SparseCoupling]:
        """The row potential (E4), and the plan of both."""
        f = self.row_potential(g)
        return f, SparseCoupling(self.support, self.plan(f, g))


def _logsumexp(z: Float[Tensor, " s"], index: Int[Tensor, " s"], size: int) -> Tensor:
    top = z.new_full((size,), -torch.inf).scatter_reduce(0, index, z, "amax")
    top = torch.where(top.isfinite(), top, 0)  # no mass on the other side: nothing to see
    total = z.new_zeros(size).index_add(0, index, exp(z - top.index_select(0, index)))
    return torch.where(total > 0, total, 1).log() + top
