"""Plans that are never stored: made tile by tile when they are read."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...ot import Tile, TiledCoupling, is_uniform
from .._alignment_plan import Plan


@dataclass
class PairPlan:
    """The plan of a pair, and which nodes of the batch its rows and columns are.

    Args:
        rows, columns: Nodes of the batch.
        plan: Of the last round; None where a cost was not finite.
    """

    rows: Int[Tensor, " n"]
    columns: Int[Tensor, " m"]
    plan: TiledCoupling | None


class TiledPlan(Plan):
    """Plans made from their potentials, without gradient; an entry is computed when it is read.

    Args:
        pairs: The plan of each pair.
        num_predicted, num_target: Number of nodes on each side of each pair.
    """

    def __init__(
        self,
        pairs: list[PairPlan],
        num_predicted: Int[Tensor, " B"],
        num_target: Int[Tensor, " B"],
    ) -> None:
        super().__init__(num_predicted, num_target)
        self._pairs = pairs

    @torch.no_grad()
    def dense(self, k: int) -> Float[Tensor, "n1 m1"]:
        """The matrix of pair `k`: all of it, which a large graph may have no room for."""
        one = self._pairs[k]
        n, m = len(one.rows), len(one.columns)
        out = torch.full((n + 1, m + 1), torch.nan, dtype=torch.float64, device=one.rows.device)
        if one.plan is None:
            return out
        out.zero_()
        row, column = (torch.cat([x - x.min(), x.new_full((1,), len(x))]) if len(x)
                       else x.new_zeros(1) for x in (one.rows, one.columns))  # fmt: skip
        for at, part in one.plan.tiles():
            columns = at.columns(torch.arange(m + 1, device=out.device))
            out[row[at.rows][:, None], column[columns]] = part
        out[n, m] = 0
        return out

    @torch.no_grad()
    def best_match(self) -> Int[Tensor, " n"]:
        """The target node that most mass of each predicted node goes to; -1 if it is deleted."""
        count = int(self.num_predicted.sum())
        out = torch.full((count,), -1, device=self.num_predicted.device)
        for one in self._pairs:
            if one.plan is None:
                continue
            columns = torch.cat([one.columns, one.columns.new_full((1,), -1)])
            for at, part in one.plan.tiles():
                if int(at.rows[0]) < len(one.rows):
                    found = torch.arange(len(columns), device=out.device)
                    best = at.columns(found)[part.argmax(1)]
                    out[one.rows[at.rows]] = columns[best]
        return out

    def _mass(self, predicted: Tensor, target: Tensor) -> Tensor:
        n, m = int(self.num_predicted.sum()), int(self.num_target.sum())
        out = torch.zeros(len(predicted), dtype=torch.float64, device=predicted.device)
        for one in self._pairs:
            row, column = _ranks(one.rows, n), _ranks(one.columns, m)
            mine = ((row[predicted] >= 0) & (column[target] >= 0)).nonzero()[:, 0]
            out[mine] = _entries(one, row[predicted[mine]], column[target[mine]])
        return out

    @torch.no_grad()
    def uniform(self) -> list[bool]:
        """Whether every row of the plan of each pair spreads alike."""
        return [_is_uniform(one) for one in self._pairs]


def _is_uniform(one: PairPlan) -> bool:
    """Whether all rows spread in the same way; as a rule the first tile tells."""
    if one.plan is None or len(one.rows) < 2:
        return False
    first = None
    for at, part in one.plan.tiles():
        if int(at.rows[0]) == len(one.rows):
            continue
        if at.high - at.low < len(one.columns):
            return False
        first = part[:1, :-1] if first is None else first
        if not is_uniform(torch.cat([first, part[:, :-1]])):  # a row beside itself is
            return False
    return True


def _ranks(nodes: Int[Tensor, " n"], size: int) -> Int[Tensor, " size"]:
    """The place of each node of the batch among some of them, or -1."""
    out = torch.full((size,), -1, device=nodes.device)
    out[nodes] = torch.arange(len(nodes), device=nodes.device)
    return out


def _entries(
    one: PairPlan, row: Int[Tensor, " k"], column: Int[Tensor, " k"]
) -> Float[Tensor, " k"]:
    out = torch.full(row.shape, torch.nan, dtype=torch.float64, device=row.device)
    if one.plan is None:
        return out
    for at in one.plan.problem.tiles(one.plan.spans):
        mine = ((row >= at.rows[0]) & (row <= at.rows[-1])).nonzero()[:, 0]
        if len(mine):
            low, high = int(column[mine].min()), int(column[mine].max()) + 1
            part = one.plan.tile(Tile(at.rows, low, high))
            out[mine] = part[row[mine] - at.rows[0], column[mine] - low]
    return out
