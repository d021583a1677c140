"""The choice within bounds that contradicts a network least: exact, or the best found in time."""

import time
from collections.abc import Iterable

import networkx as nx

from ._bounds import Bounds
from ._decisions import Choice, Decisions
from ._integer_program import Cuts, Program

LIMIT = 10.0
"""Seconds for one graph before the best choice found is taken."""

FIRST = 6.0
"""Decisions that are contradicted at first cost no more than this."""

WIDER = 3.0
"""How many times as much they may cost where that finds nothing."""


def least_change(decisions: Decisions, bounds: Bounds) -> tuple[Choice, bool]:
    """The choice of least cost within bounds, and whether that is certain.

    No decision costs less than nothing. So a choice of cost c is the best of all if no better one
    contradicts only decisions that cost at most c each. Any other choice contradicts a decision
    that costs more by itself.
    """
    best = decisions.independent()
    if decisions.obeys(bounds, best):
        return best, True  # contradicts nothing: none costs less
    best = decisions.greedy(bounds)
    cost, cuts, end = decisions.cost(best), Cuts(), time.monotonic() + LIMIT
    most = min(cost, FIRST)
    while True:
        found, certain = _within(decisions, bounds, most, cuts, end)
        better = found is not None and decisions.cost(found) < cost
        if found is not None and better:
            best, cost = found, decisions.cost(found)
        if not certain or cost <= most:
            return best, certain
        most = cost if found is not None else min(cost, WIDER * most)


def _within(
    decisions: Decisions, bounds: Bounds, most: float, cuts: Cuts, end: float
) -> tuple[Choice | None, bool]:
    """The best choice of decisions that cost at most `most` each; None where there is none.

    Cycles and pieces are forbidden as they come up: few of those that are possible do.
    """
    program = Program(decisions, bounds, most)
    while True:
        found, certain = program.solve(cuts, end - time.monotonic())
        if found is None or not certain:
            obeys = found is not None and decisions.obeys(bounds, found)
            return found if obeys else None, certain
        before = len(cuts)
        if bounds.acyclic:
            cuts.cycles.update(_cycles(decisions, found, directed=bounds.directed))
        if bounds.connected:
            cuts.pieces.update(_pieces(decisions, found))
        if len(cuts) == before:
            return found, True


def _cycles(decisions: Decisions, choice: Choice, *, directed: bool) -> Iterable[frozenset[int]]:
    """Some cycles of a choice, as candidates; one through each edge that is on any."""
    graph: nx.Graph[int] = nx.DiGraph() if directed else nx.Graph()
    for e, _ in choice.edges:
        graph.add_edge(int(decisions.source[e]), int(decisions.sink[e]), candidate=e)
    for e, _ in choice.edges:
        u, v = int(decisions.source[e]), int(decisions.sink[e])
        held = dict(graph.edges[u, v])
        graph.remove_edge(u, v)
        if nx.has_path(graph, v, u):
            way = nx.shortest_path(graph, v, u)
            back = (graph.edges[pair]["candidate"] for pair in nx.utils.pairwise(way))
            yield frozenset([e, *back])
        graph.add_edge(u, v, **held)


def _pieces(decisions: Decisions, choice: Choice) -> Iterable[tuple[frozenset[int], int, int]]:
    """The pieces of a choice of several, each with its surest node and the surest of the others."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(choice.nodes)
    graph.add_edges_from(
        (int(decisions.source[e]), int(decisions.sink[e])) for e, _ in choice.edges
    )
    pieces = [frozenset(piece) for piece in nx.connected_components(graph)]
    if len(pieces) < 2:
        return
    for piece in pieces:
        others = (u for u in choice.nodes if u not in piece)
        yield piece, _surest(decisions, piece), _surest(decisions, others)


def _surest(decisions: Decisions, nodes: Iterable[int]) -> int:
    return max(sorted(nodes), key=lambda u: float(decisions.node[u]))
