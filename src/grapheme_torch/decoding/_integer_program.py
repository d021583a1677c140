"""The choice of least cost within bounds as a mixed-integer program, solved by HiGHS."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._bounds import Bounds, ends_of, limit
from ._c_output import c_output_as_messages
from ._decisions import Choice, Decisions, Edge

_Row = tuple[list[int], list[float], float]
"""Columns, their coefficients, and what their sum is at least."""


@dataclass(frozen=True)
class Cuts:
    """Rows that only solutions made necessary.

    Args:
        cycles: Candidates of which not all may be there.
        pieces: Nodes, one of them, and one of the others: where both are there, an edge leads
            from the nodes to others.
    """

    cycles: set[frozenset[int]] = field(default_factory=set)
    pieces: set[tuple[frozenset[int], int, int]] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.cycles) + len(self.pieces)


class Program:
    """All choices of which no decision costs more than `most`, within bounds on degrees.

    Columns are the nodes and the edges that may be there. For each likely candidate a further one
    says whether it is left out though its ends are there.

    Args:
        decisions: What the network decided.
        bounds: What is to be obeyed.
        most: The most that a decision may cost that is contradicted.
    """

    def __init__(self, decisions: Decisions, bounds: Bounds, most: float) -> None:
        self._said, self._bounds = decisions, bounds
        may = -decisions.node <= most
        self._node = np.where(may, np.cumsum(may) - 1, -1)
        self._nodes = np.flatnonzero(may).tolist()
        self._lower = [float(x > most) for x in decisions.node[may]]
        self._upper = [1.0] * len(self._nodes)
        # A node that is there by itself costs what it is unlikely; one left out what it is likely.
        self._price = (-decisions.node[may]).tolist()
        self._whole = [1] * len(self._nodes)
        self._edge: dict[Edge, int] = {}
        self._of: dict[int, list[int]] = {}
        self._rows: list[_Row] = []
        asked = may[decisions.source] & may[decisions.sink]
        for e in np.flatnonzero(asked).tolist():
            self._add_candidate(e, most)
        self._degrees()
        if bounds.connected:
            self._pieces()

    def solve(self, cuts: Cuts, seconds: float) -> tuple[Choice | None, bool]:
        """The choice of least cost, None where there is none, and whether that is certain."""
        from scipy.optimize import Bounds as Range
        from scipy.optimize import LinearConstraint, milp

        rows = [*self._rows, *self._cut(cuts)]
        if not self._price:
            return Choice([], []), True
        limits = [] if not rows else [LinearConstraint(self._matrix(rows), [x for *_, x in rows])]
        with c_output_as_messages():
            found: Any = milp(
                self._price, integrality=self._whole, bounds=Range(self._lower, self._upper),
                constraints=limits, options={"time_limit": max(seconds, 0.01), "mip_rel_gap": 0.0},
            )  # fmt: skip
        # Solved, or proved to have no solution; all columns are bounded.
        certain = found.status in (0, 2) or "or infeasible" in found.message
        return None if found.x is None else self._choice(found.x > 0.5), certain

    def _choice(self, there: Any) -> Choice:
        nodes = [u for u in self._nodes if there[self._node[u]]]
        return Choice(nodes, sorted(edge for edge, k in self._edge.items() if there[k]))

    def _column(self, price: float, upper: float = 1.0, *, whole: bool = True) -> int:
        self._price.append(price)
        self._lower.append(0.0)
        self._upper.append(upper)
        self._whole.append(int(whole))
        return len(self._price) - 1

    def _add_candidate(self, e: int, most: float) -> None:
        """At most one relation, between nodes that are there; a likely candidate has its price."""
        said, wanted = self._said, float(self._said.relation[e].max(initial=0.0))
        u, v = (int(end[e]) for end in (said.source, said.sink))
        prices = wanted - said.relation[e]
        options = [] if u == v and self._bounds.acyclic else np.flatnonzero(prices <= most).tolist()
        columns = []
        for r in options:
            if self._has_room(u, v, said.names[r]):
                self._edge[e, r] = self._column(float(prices[r]))
                columns.append(self._edge[e, r])
        self._of[e] = columns
        ends = [int(self._node[u]), int(self._node[v])]
        for end in set(ends) if columns else ():
            self._rows.append(([end, *columns], [1.0, *[-1.0] * len(columns)], 0.0))
        if wanted > 0:
            missed = self._column(wanted, float(wanted <= most), whole=False)
            coefficients = [1.0] * (1 + len(columns)) + [-1.0, -1.0]
            self._rows.append(([missed, *columns, *ends], coefficients, -1.0))

    def _has_room(self, u: int, v: int, name: str) -> bool:
        sides = ends_of(u, v, directed=self._bounds.directed)
        least = 2 if u == v and not self._bounds.directed else 1
        return all(
            limit(self._bounds, side, one) >= least for side, _ in sides for one in (name, None)
        )

    def _degrees(self) -> None:
        """No more edges at a side of a node than allowed; rows that always hold are left out."""
        meeting: dict[tuple[str, str | None, int], list[int]] = {}
        for (e, r), column in self._edge.items():
            u, v = int(self._said.source[e]), int(self._said.sink[e])
            for side, node in ends_of(u, v, directed=self._bounds.directed):
                if side == "entering" and not self._bounds.directed:
                    continue  # the same as leaving
                for name in (self._said.names[r], None):
                    meeting.setdefault((side, name, node), []).append(column)
        for (side, name, _), columns in meeting.items():
            most = limit(self._bounds, side, name)
            if len(columns) > most:
                self._rows.append((columns, [-1.0] * len(columns), -float(most)))

    def _pieces(self) -> None:
        """Connected graphs have no fewer edges than nodes less one, and no node by itself."""
        nodes, edges = list(range(len(self._nodes))), list(self._edge.values())
        self._rows.append((nodes + edges, [-1.0] * len(nodes) + [1.0] * len(edges), -1.0))
        sure = next((u for u, low in zip(self._nodes, self._lower, strict=False) if low), None)
        if sure is not None:
            each = [(frozenset([u]), u, sure) for u in self._nodes if u != sure]
            self._rows += map(self._leaving, each)

    def _cut(self, cuts: Cuts) -> Iterable[_Row]:
        for cycle in sorted(map(sorted, cuts.cycles)):
            columns = [column for e in cycle for column in self._of.get(e, [])]
            yield columns, [-1.0] * len(columns), 1.0 - len(cycle)
        yield from map(
            self._leaving, sorted(cuts.pieces, key=lambda cut: (sorted(cut[0]), cut[1:]))
        )

    def _leaving(self, cut: tuple[frozenset[int], int, int]) -> _Row:
        inside, u, v = cut
        said = self._said
        crossing = [
            column for e, columns in self._of.items()
            if (int(said.source[e]) in inside) != (int(said.sink[e]) in inside)
            for column in columns
        ]  # fmt: skip
        ends = [int(self._node[u]), int(self._node[v])]
        return [*crossing, *ends], [1.0] * len(crossing) + [-1.0, -1.0], -1.0

    def _matrix(self, rows: Sequence[_Row]) -> Any:
        from scipy.sparse import coo_array

        data = [x for _, coefficients, _ in rows for x in coefficients]
        row = [k for k, (columns, _, _) in enumerate(rows) for _ in columns]
        column = [one for columns, _, _ in rows for one in columns]
        return coo_array((data, (row, column)), shape=(len(rows), len(self._price))).tocsr()
