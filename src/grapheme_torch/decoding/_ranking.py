"""Best-first enumeration: independent choices, sums of two rankings, spanning trees.

A ranking is an iterator of `(score, choice)` with the best score first; it computes as much as is
read of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, Int

from ._subgraphs import Gains, spanning_arborescence, spanning_forest

A = TypeVar("A")
B = TypeVar("B")
Ranking = Iterator[tuple[float, A]]


@dataclass
class Search:
    """How long a search may be, and whether it was given up.

    Args:
        limit: Its most steps.
        cut: Whether it had steps left when it ended.
    """

    limit: int
    cut: bool = False


def independent(table: Float[np.ndarray, "m k"]) -> Ranking[dict[int, int]]:
    """The best combinations of one entry from each row; O(log n) for each after the first n.

    Args:
        table: Scores; each row descends.

    Yields:
        The sum of the scores, and the column chosen in each row where that is not column 0.
    """
    best = float(table[:, 0].sum()) if table.size else 0.0
    if best == -np.inf or (len(table) and not table.size):
        return
    yield best, {}
    if table.shape[1] < 2:
        return
    loss = table[:, :1] - table
    order = np.argsort(loss[:, 1], kind="stable")
    rows, loss = order.tolist(), loss[order]
    tie, heap = count(), []  # type: ignore[var-annotated]

    def push(total: float, place: int, column: int, before: tuple[tuple[int, int], ...]) -> None:
        if place < len(rows) and column < table.shape[1] and total < np.inf:
            heappush(heap, (total, next(tie), place, column, before))

    push(float(loss[:1, 1].sum()), 0, 1, ())
    while heap:
        total, _, k, column, before = heappop(heap)
        chosen = (*before, (rows[k], column))
        yield best - total, dict(chosen)
        # Each combination has one predecessor: its last row one column back, or left alone.
        push(total + _step(loss, k, column, column + 1), k, column + 1, before)
        push(total + _step(loss, k + 1, 0, 1), k + 1, 1, chosen)
        if column == 1:
            push(total - loss[k, 1] + _step(loss, k + 1, 0, 1), k + 1, 1, before)


def _step(loss: Float[np.ndarray, "m k"], row: int, first: int, second: int) -> float:
    """What it costs to choose another column; infinite where there is none."""
    if row >= len(loss) or second >= loss.shape[1] or loss[row, second] == np.inf:
        return np.inf
    return float(loss[row, second] - loss[row, first])


def sums(first: Ranking[A], second: Ranking[B]) -> Ranking[tuple[A, B]]:
    """The best pairs of a choice from each of two rankings, by the sum of their scores."""
    left, right = _Read(first), _Read(second)
    heap: list[tuple[float, int, int]] = []

    def push(i: int, j: int) -> None:
        if left.has(i) and right.has(j):
            heappush(heap, (-left.seen[i][0] - right.seen[j][0], i, j))

    push(0, 0)
    while heap:
        score, i, j = heappop(heap)
        yield -score, (left.seen[i][1], right.seen[j][1])
        push(i, j + 1)
        if j == 0:
            push(i + 1, 0)


class _Read:
    """A ranking that can be read again from its beginning."""

    def __init__(self, ranking: Ranking[Any]) -> None:
        self.seen: list[tuple[float, Any]] = []
        self._rest = ranking

    def has(self, k: int) -> bool:
        """Whether it has an entry `k`."""
        while len(self.seen) <= k and (found := next(self._rest, None)) is not None:
            self.seen.append(found)
        return k < len(self.seen)


def spanning_trees(gains: Gains, *, directed: bool) -> Ranking[list[int]]:
    """The best spanning trees; if directed, arborescences: one root, one parent for the others.

    By Lawler's partition [lawler72]. For each k, the other trees are those that keep the first k
    edges of the best one and lack the next. Each part is solved in the same way. Parallel edges are
    allowed.
    """
    n, tie = len(gains.node), count()
    large = 1 + 2 * n * float(np.abs(gains.edge).max(initial=0.0))
    heap: list[Any] = []

    def push(kept: frozenset[int], barred: frozenset[int]) -> None:
        free = np.setdiff1d(np.arange(len(gains.edge)), list(barred))
        bonus = large * np.isin(free, list(kept))
        part = Gains(gains.node, gains.source[free], gains.sink[free], gains.edge[free] + bonus)
        chosen = free[_spanning(part, directed=directed)].tolist()
        if len(chosen) >= n - 1 and kept <= set(chosen):
            heappush(heap, (-float(gains.edge[chosen].sum()), next(tie), chosen, kept, barred))

    push(frozenset(), frozenset())
    while heap:
        score, _, chosen, kept, barred = heappop(heap)
        yield -score, chosen
        for edge in chosen:
            if edge not in kept:
                push(kept, barred | {edge})
                kept = kept | {edge}


def _spanning(gains: Gains, *, directed: bool) -> Int[np.ndarray, " k"]:
    every = np.arange(len(gains.edge))
    chosen = spanning_arborescence(gains) if directed else spanning_forest(gains, every)
    return np.array(chosen, dtype=int)


def node_sets(
    on: Float[np.ndarray, " n"],
    off: Float[np.ndarray, " n"],
    joint: Float[np.ndarray, "n n"],
    rest: Callable[[list[int]], Ranking[A]],
    search: Search,
) -> Ranking[A]:
    """The best choices on all sets of nodes, by best-first search.

    Args:
        on, off: Scores of each node in the set, and outside of it.
        joint: Upper bound of what two nodes of the set add together; symmetric, not positive.
            The diagonal is not read.
        rest: All choices on a set, by their score *in full*, that of the nodes included. It is at
            most `on`, `off` and `joint` of the set together.
        search: How many sets in part or whole are looked at, before the search gives up.

    Yields:
        What `rest` does, of all sets. The ranking ends early where the limit is reached; what it
        has yielded until then is exact.
    """
    order = np.argsort(-np.abs(on - off), kind="stable").tolist()  # the certain ones first
    tie = count()
    start = float(np.maximum(on, off).sum())
    heap: list[Any] = [(-start, next(tie), 0.0, 0, [], on, None)]
    for _ in range(search.limit):
        if not heap:
            return
        bound, _, score, place, nodes, gain, stream = heappop(heap)
        if stream is not None:
            yield -bound, score
            _push_next(heap, tie, stream)
            continue
        if place == len(order):
            _push_next(heap, tie, rest(sorted(nodes)))
            continue
        node = order[place]
        left = order[place + 1 :]
        for more, then, now in (
            (off[node], nodes, gain),
            (gain[node], [*nodes, node], gain + joint[node]),
        ):
            value = score + float(more)
            above = value + float(np.maximum(off[left], now[left]).sum())
            if above > -np.inf:
                heappush(heap, (-above, next(tie), value, place + 1, then, now, None))
    search.cut = bool(heap)


def _push_next(heap: list[Any], tie: Iterator[int], stream: Ranking[Any]) -> None:
    found = next(stream, None)
    if found is not None:
        heappush(heap, (-found[0], next(tie), found[1], 0, [], None, stream))
