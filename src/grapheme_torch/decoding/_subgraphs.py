"""Subgraphs of largest gain: paths, trees, forests, acyclic graphs.

A gain is what a node or an edge adds to the log-probability of a graph that has it, over one that
does not. Edges are given as their two ends; every function answers with the edges it chose.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Gains:
    """What each node and each candidate edge of one graph is worth.

    Args:
        node: Gain of each node.
        source, sink: The nodes each candidate edge joins; the functions here take no loops.
        edge: Gain of each candidate edge; finite.
    """

    node: Float[np.ndarray, " n"]
    source: Int[np.ndarray, " e"]
    sink: Int[np.ndarray, " e"]
    edge: Float[np.ndarray, " e"]

    @property
    def is_forward(self) -> bool:
        """Whether every candidate but loops leads to a later node: no set of them has a cycle."""
        return bool((self.source <= self.sink).all())


def best_path(gains: Gains) -> tuple[list[int], list[int]]:
    """The directed path of largest gain, nodes and edges together; candidates lead forward.

    Exact, by dynamic programming over the nodes in order [viterbi67]. The empty path has gain 0.

    Returns:
        The nodes of the path and its edges.
    """
    order = np.argsort(gains.sink, kind="stable")
    first = np.searchsorted(gains.sink[order], np.arange(len(gains.node) + 1)).tolist()
    source, edge = gains.source[order], gains.edge[order]
    value = gains.node.copy()  # of the best path that ends at each node
    entry = [-1] * len(value)  # and the edge it comes by
    for node in range(len(value)):
        arriving = slice(first[node], first[node + 1])
        worth = value[source[arriving]] + edge[arriving]
        if len(worth) and worth[(k := int(worth.argmax()))] > 0:
            value[node] += worth[k]
            entry[node] = first[node] + k
    if not len(value) or value.max() <= 0:
        return [], []
    nodes, edges = [int(value.argmax())], []
    while (k := entry[nodes[-1]]) >= 0:
        edges.append(int(order[k]))
        nodes.append(int(source[k]))
    return nodes[::-1], edges[::-1]


def greedy_path(gains: Gains, *, directed: bool) -> tuple[list[int], list[int]]:
    """A path found by taking the best edge that keeps the whole a set of paths; not exact.

    Candidates between all pairs of nodes always join into one path. Otherwise several may be
    left, and the one of largest gain, nodes and edges together, is the answer.

    Returns:
        The nodes of the path, ascending, and its edges.
    """
    leaving, entering = np.zeros((2, len(gains.node)), dtype=int)
    if not directed:
        entering = leaving  # one count of both, of which a node has two
    limit = 1 if directed else 2
    pieces, chosen = Pieces(len(gains.node)), []
    for k, u, v in _by_gain(gains, np.arange(len(gains.edge))):
        if leaving[u] < limit and entering[v] < limit and pieces.join(u, v):
            leaving[u] += 1
            entering[v] += 1
            chosen.append(k)
    worth = dict.fromkeys(map(pieces.find, range(len(gains.node))), 0.0)
    for node, gain in enumerate(gains.node.tolist()):
        worth[pieces.find(node)] += gain
    for k in chosen:
        worth[pieces.find(int(gains.source[k]))] += float(gains.edge[k])
    best = max(worth, key=worth.__getitem__, default=-1)
    nodes = [node for node in range(len(gains.node)) if pieces.find(node) == best]
    return nodes, [k for k in chosen if pieces.find(int(gains.source[k])) == best]


def spanning_forest(gains: Gains, edges: Int[np.ndarray, " k"]) -> list[int]:
    """The edges, taken as undirected, of an acyclic set that joins most nodes, then gains most.

    Exact, by Kruskal's algorithm [kruskal56]: the tree of largest gain where there is one.

    Args:
        gains: The graph.
        edges: The candidates to choose from.
    """
    pieces = Pieces(len(gains.node))
    return [k for k, u, v in _by_gain(gains, edges) if pieces.join(u, v)]


def greedy_acyclic(gains: Gains) -> list[int]:
    """Edges of positive gain, the best first, each unless it closes a directed cycle.

    Not exact: the acyclic subgraph of largest gain is NP-hard to find [karp72]. Where candidates
    lead forward nothing closes a cycle, and the answer is exact.
    """
    wanted = np.flatnonzero(gains.edge > 0)
    if gains.is_forward:
        return wanted.tolist()
    reached = [1 << node for node in range(len(gains.node))]  # from each node, as bits
    chosen = []
    for k, u, v in _by_gain(gains, wanted):
        if reached[v] >> u & 1:
            continue
        chosen.append(k)
        if not reached[u] >> v & 1:
            reached = [have | reached[v] if have >> u & 1 else have for have in reached]
    return chosen


def spanning_arborescence(gains: Gains) -> list[int]:
    """Directed edges that give each node one parent, without cycles, of largest gain.

    As few nodes as the candidates allow have none: one root where there is such a tree. Exact,
    by the algorithm of Chu and Liu, and Edmonds [edmonds67]. Every node takes its best parent, and
    the cycles this makes are contracted. Gains of edges into a cycle are counted against the edge
    they would replace.
    """
    n, e = len(gains.node), len(gains.edge)
    if not e:
        return []
    # A last node is parent of the roots, at a price no other edges can make up for.
    price = 1 + 2 * n * np.abs(gains.edge).max(initial=0.0)
    source = np.append(gains.source, np.full(n, n))
    sink = np.append(gains.sink, np.arange(n))
    gain = np.append(gains.edge, np.full(n, -price))
    kept = np.arange(len(gain))  # the edges that join two nodes of this level
    place = np.arange(n + 1)  # the node of this level that each node lies in
    levels: list[tuple[np.ndarray, np.ndarray]] = []
    while True:
        best = _best_entry(place[sink[kept]], gain[kept], kept, place)
        parent = np.where(best >= 0, place[source[best]], -1)
        group, on_cycle = _contracted(parent)
        levels.append((place, best))
        if not on_cycle.any():
            break
        inside = on_cycle[place[sink[kept]]]
        replaced = gain[best[place[sink[kept]]]]
        gain[kept] -= np.where(inside, replaced, 0.0)
        place = group[place]
        kept = kept[place[source[kept]] != place[sink[kept]]]
    chosen = _expanded(levels, sink)
    return sorted(k for k in chosen if k < e)


def _best_entry(
    node: np.ndarray, gain: np.ndarray, edge: np.ndarray, place: np.ndarray
) -> Int[np.ndarray, " k"]:
    """For each node of a level, the edge of largest gain into it; -1 for the last one of all."""
    best = np.full(place.max() + 1, -1)
    order = np.lexsort((-edge, gain, node))  # among equals the first edge stands last
    best[node[order]] = edge[order]
    return best


def _contracted(parent: np.ndarray) -> tuple[Int[np.ndarray, " k"], np.ndarray]:
    """New numbers of the nodes, the same for those on one cycle, and which are on a cycle."""
    seen = [-1] * len(parent)
    cycle = [-1] * len(parent)
    above = parent.tolist()
    for start in range(len(above)):
        node = start
        while node >= 0 and seen[node] < 0:
            seen[node] = start
            node = above[node]
        while node >= 0 and seen[node] == start and cycle[node] < 0:
            cycle[node] = start
            node = above[node]
    key = np.where(np.array(cycle) >= 0, np.array(cycle), len(parent) + np.arange(len(parent)))
    return np.unique(key, return_inverse=True)[1], np.array(cycle) >= 0


def _expanded(levels: list[tuple[np.ndarray, np.ndarray]], sink: np.ndarray) -> Iterable[int]:
    """The edge into each node: where a cycle is entered from outside, that edge, else its own."""
    chosen: list[int] = []
    for place, best in reversed(levels):
        entry = best.copy()
        outer = np.array(chosen, dtype=int)
        entry[place[sink[outer]]] = outer
        chosen = entry[entry >= 0].tolist()
    return chosen


class Pieces:
    """Which nodes are joined (union-find, with halved paths)."""

    def __init__(self, n: int) -> None:
        self.above = list(range(n))

    def find(self, node: int) -> int:
        while self.above[node] != node:
            self.above[node] = self.above[self.above[node]]
            node = self.above[node]
        return node

    def join(self, u: int, v: int) -> bool:
        """Joins two pieces; False if they were one."""
        first, second = self.find(u), self.find(v)
        self.above[second] = first
        return first != second


def _by_gain(gains: Gains, edges: Int[np.ndarray, " k"]) -> Iterable[tuple[int, int, int]]:
    """Edges with their ends, the best first; among equals in their order."""
    edges = edges[np.argsort(-gains.edge[edges], kind="stable")]
    columns = edges, gains.source[edges], gains.sink[edges]
    return zip(*(column.tolist() for column in columns), strict=True)
