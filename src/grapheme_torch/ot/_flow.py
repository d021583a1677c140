"""Transport of least cost between masses of any size, and which entries any plan can use.

Successive shortest augmenting paths, as in linear assignment, but along a path as much moves as
fits. Nothing is compared with a tolerance but what is left of a mass after subtractions. One pair
at a time, in NumPy. Axes: n rows, m columns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_DUST = 4e-16
"""Share of all mass below which what is left of a mass is rounding, for each row and column."""

_SLACK = 1e-6
"""Share of all mass by which sums that should be equal may differ; see `_inputs.rounding`."""


@dataclass(frozen=True)
class Blocked:
    """Why no plan exists: some rows hold more than all the columns they may use.

    Args:
        rows: These rows.
        excess: The mass that finds no place.
    """

    rows: NDArray[np.intp]
    excess: float


class _Network:
    """Masses still to be moved, what moved already, and potentials that prove it cheapest."""

    def __init__(self, cost: Array, a: Array, b: Array) -> None:
        self.cost, self.supply, self.demand = cost, a.copy(), b.copy()
        self.flow = np.zeros_like(cost)
        self.u, self.v = np.zeros_like(a), np.zeros_like(b)
        self.dust = _DUST * sum(cost.shape) * float(a.sum())

    def push(self, source: int) -> NDArray[np.intp] | None:
        """Moves mass of a row along one shortest path; the rows it reached if there is none."""
        found = self._shortest(source)
        if isinstance(found, np.ndarray):
            return found
        sink, came_from, pushed_by = found
        path, j = [], sink
        while True:
            i = int(came_from[j])
            path.append((i, j))
            if i == source:
                break
            j = int(pushed_by[i])
        back = [(path[k][0], path[k + 1][1]) for k in range(len(path) - 1)]
        amount = min(self.supply[source], self.demand[sink], *(self.flow[at] for at in back))
        for at in path:
            self.flow[at] += amount
        for at in back:
            self.flow[at] = self._clean(self.flow[at] - amount)
        self.supply[source] = self._clean(self.supply[source] - amount)
        self.demand[sink] = self._clean(self.demand[sink] - amount)
        return None

    def _clean(self, rest: float) -> float:
        return rest if rest > self.dust else 0.0

    def _shortest(
        self, source: int
    ) -> NDArray[np.intp] | tuple[int, NDArray[np.intp], NDArray[np.intp]]:
        """Dijkstra's algorithm over reduced costs, none below zero; columns settle in turn."""
        n, m = self.cost.shape
        distance, came_from = np.full(m, np.inf), np.full(m, -1)
        at_row, pushed_by = np.full(n, np.inf), np.full(n, -1)
        open_column = np.ones(m, dtype=bool)
        rows, here = np.array([source]), 0.0
        at_row[source] = 0
        while True:
            if len(rows):
                reach = self.cost[rows] - self.u[rows, None] - self.v
                best = reach.argmin(0)
                reached = here + np.maximum(reach[best, np.arange(m)], 0)
                nearer = open_column & (reached < distance)
                distance[nearer], came_from[nearer] = reached[nearer], rows[best[nearer]]
            waiting = np.where(open_column, distance, np.inf)
            here = float(waiting.min())
            if here == np.inf:
                return np.flatnonzero(at_row < np.inf)
            nearest = waiting == here
            wanting = nearest & (self.demand > 0)
            j = int((wanting if wanting.any() else nearest).argmax())
            open_column[j] = False
            if self.demand[j] > 0:
                break
            rows = np.flatnonzero((self.flow[:, j] > 0) & (at_row == np.inf))
            at_row[rows], pushed_by[rows] = here, j
        seen, settled = at_row < np.inf, ~open_column
        self.u[seen] += here - at_row[seen]
        self.v[settled] -= here - distance[settled]
        return j, came_from, pushed_by


def cheapest(cost: Array, a: Array, b: Array) -> Array | Blocked:
    """A plan of least cost, or why there is none.

    Args:
        cost: Plus infinity forbids an entry; no NaN.
        a, b: Masses with equal sums. Where rows and the columns they may use differ by no more
            than rounding, that much is left out of the plan.
    """
    network = _Network(cost, a, b)
    for source in range(len(a)):
        while network.supply[source] > 0 and network.demand.any():
            if network.push(source) is not None:
                break
    if not network.demand.any() or network.supply.sum() <= _SLACK * a.sum():
        return network.flow
    # Every row that mass left behind could still be exchanged with, and none of it helps.
    left = np.flatnonzero(network.supply).tolist()
    reached = [rows for rows in map(network.push, left) if rows is not None]
    return Blocked(np.unique(np.concatenate(reached)), float(network.supply.sum()))


def parts(allowed: NDArray[np.bool_], flow: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """A number of each row and column, equal where an allowed entry can carry mass.

    An entry is of no use to any plan if its ends are in different strong components of what can
    still change in one plan. Mass moves forward along every allowed entry, and back where it is.

    Args:
        allowed: The entries that may carry mass.
        flow: A plan.
    """
    from scipy.sparse.csgraph import connected_components

    n, m = allowed.shape
    graph = np.zeros((n + m, n + m), dtype=bool)
    graph[:n, n:] = allowed
    graph[n:, :n] = (flow > 0).T
    _, label = connected_components(graph, directed=True, connection="strong")
    label = label.astype(np.intp)
    return label[:n], label[n:]
