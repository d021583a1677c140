"""What a network decided about one graph, and what it costs to decide otherwise, (E51)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ._bounds import Bounds, Triple, ends_of, is_acyclic, limit, obeys
from ._subgraphs import Pieces

CERTAIN = 1e4
"""Larger log-odds count as this, and what is below its negative as impossible."""

Edge = tuple[int, int]
"""A candidate and its relation, both by number."""


@dataclass(frozen=True)
class Choice:
    """The nodes and edges of a graph that is chosen, both ascending."""

    nodes: list[int]
    edges: list[Edge]


@dataclass(frozen=True)
class Decisions:
    """The decisions of a network about one graph, in log-odds.

    Args:
        node: That each node exists.
        source, sink: Ends of each candidate.
        relation: Of each relation of each candidate, against its being absent.
        names: The names of the relations.
    """

    node: Float[np.ndarray, " n"]
    source: Int[np.ndarray, " e"]
    sink: Int[np.ndarray, " e"]
    relation: Float[np.ndarray, "e r"]
    names: Sequence[str]

    @classmethod
    def of(
        cls,
        node: Float[np.ndarray, " n"],
        ends: Int[np.ndarray, "2 e"],
        relation: Float[np.ndarray, "e r"],
        names: Sequence[str],
    ) -> "Decisions":
        """Decisions whose costs are finite, or infinite where there is no choice."""
        held = (np.where(x < -CERTAIN, -np.inf, np.minimum(x, CERTAIN)) for x in (node, relation))
        source, sink = ends
        return cls(next(held), source, sink, next(held), names)

    def triples(self, edges: Sequence[Edge], nodes: Sequence[int] | None = None) -> list[Triple]:
        """Edges by ends and name; with `nodes`, by the places of the ends among these."""
        place = range(len(self.node)) if nodes is None else {u: k for k, u in enumerate(nodes)}
        ends = ((int(self.source[e]), int(self.sink[e]), self.names[r]) for e, r in edges)
        return [(place[u], place[v], name) for u, v, name in ends]

    @property
    def wanted(self) -> Float[np.ndarray, " e"]:
        """What it costs to leave a candidate out whose ends are there; 0 where it is unlikely."""
        return self.relation.max(1, initial=0.0)

    def cost(self, choice: Choice) -> float:
        """What the decisions cost that a choice contradicts."""
        kept = np.zeros(len(self.node), dtype=bool)
        kept[choice.nodes] = True
        nodes = np.where(kept, np.maximum(-self.node, 0), np.maximum(self.node, 0)).sum()
        asked = kept[self.source] & kept[self.sink]
        return float(nodes + self.wanted[asked].sum()) - sum(
            float(self.relation[edge]) for edge in choice.edges
        )

    def independent(self) -> Choice:
        """The choice that contradicts none."""
        kept = self.node > 0
        asked = kept[self.source] & kept[self.sink] & (self.wanted > 0)
        edges = [(int(e), int(self.relation[e].argmax())) for e in np.flatnonzero(asked)]
        return Choice(np.flatnonzero(kept).tolist(), edges)

    def obeys(self, bounds: Bounds, choice: Choice) -> bool:
        """Whether a choice obeys bounds."""
        return obeys(bounds, len(choice.nodes), self.triples(choice.edges, choice.nodes))

    def greedy(self, bounds: Bounds) -> Choice:
        """A choice that obeys bounds, and mostly costs little: the surest edges first.

        Nodes are those that exist. Where they have to be connected, edges that join pieces are
        taken next; where pieces stay apart, only that of the surest nodes is left.
        """
        kept = np.flatnonzero(self.node > 0).tolist()
        taken, pieces = _Taken(self, bounds), Pieces(len(self.node))
        inside = np.isin(self.source, kept) & np.isin(self.sink, kept)
        likely = self.relation > (-np.inf if bounds.connected else 0.0)
        places = np.argwhere(inside[:, None] & likely)
        order = np.argsort(-self.relation[tuple(places.T)], kind="stable")
        for e, r in places[order].tolist():
            u, v = int(self.source[e]), int(self.sink[e])
            joins = pieces.find(u) != pieces.find(v)
            if (self.relation[e, r] > 0 or joins) and taken.take((e, r)):
                pieces.join(u, v)
        if not bounds.connected:
            return Choice(kept, sorted(taken.edges))
        worth = dict.fromkeys(map(pieces.find, kept), 0.0)
        for u in kept:
            worth[pieces.find(u)] += float(self.node[u])
        best = max(worth, key=worth.__getitem__, default=-1)
        edges = [(e, r) for e, r in taken.edges if pieces.find(int(self.source[e])) == best]
        return Choice([u for u in kept if pieces.find(u) == best], sorted(edges))


class _Taken:
    """Edges that are taken one by one, as far as bounds on degrees and cycles allow."""

    def __init__(self, decisions: Decisions, bounds: Bounds) -> None:
        self.edges: list[Edge] = []
        self._said, self._bounds = decisions, bounds
        self._count = Counter[tuple[str, str | None, int]]()
        self._candidates: set[int] = set()

    def take(self, edge: Edge) -> bool:
        """Takes an edge, or says that it may not be taken."""
        if edge[0] in self._candidates:
            return False
        ((u, v, name),) = self._said.triples([edge])
        sides = ends_of(u, v, directed=self._bounds.directed)
        more = Counter((side, one, node) for side, node in sides for one in (name, None))
        total = {key: self._count[key] + often for key, often in more.items()}
        if any(n > limit(self._bounds, side, one) for (side, one, _), n in total.items()):
            return False
        together = self._said.triples([*self.edges, edge])
        if self._bounds.acyclic and not is_acyclic(together, directed=self._bounds.directed):
            return False
        self._count.update(more)
        self._candidates.add(edge[0])
        self.edges.append(edge)
        return True
