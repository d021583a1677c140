"""What all graphs of a data set obey: degrees, and whether they are acyclic and connected."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx
from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..graphs import count_nodes, edge_triples, is_directed

Constraint = Literal["path", "tree", "acyclic"]
"""A shape of graphs."""

Triple = tuple[int, int, str]
"""An edge: source, sink, relation."""


@dataclass(frozen=True)
class Bounds:
    """What all graphs of a data set obey, and answers are to obey as well, (E51).

    The empty graph obeys all of it, so that there is always an answer. Of few graphs, bounds may be
    narrower than the task is.

    Args:
        directed: Whether edges have a direction.
        leaving: For each relation the most edges of it out of one node; of a relation that is not
            named there is none. Not directed: at one node, where a loop counts twice.
        entering: The same into one node; not directed, the same numbers again.
        most_leaving, most_entering: The most edges in all out of one node, and into one.
        acyclic: Whether there is no cycle; not directed, whether each graph is a forest.
        connected: Whether each graph is in one piece, whatever the directions of its edges.

    Raises:
        InputError: If one of them is not what it has to be.
    """

    directed: bool
    leaving: Mapping[str, int]
    entering: Mapping[str, int]
    most_leaving: int
    most_entering: int
    acyclic: bool
    connected: bool

    def __post_init__(self) -> None:
        remedy = "Make them by `Bounds.of` the training targets."
        for name, kind in KINDS.items():
            value = getattr(self, name)
            if kind == "counts":
                fits = isinstance(value, Mapping) and all(map(_is_count, value.values()))
            else:
                fits = _is_count(value) if kind == "a count" else isinstance(value, bool)
            require(fits, f"`{name}`", f"be {kind}", value, remedy)

    @classmethod
    def of(cls, graphs: Iterable[Data]) -> "Bounds":
        """The bounds of some graphs, such as all training targets.

        Raises:
            InputError: If there is none, or only some have directed edges.
        """
        seen = BoundsSeen()
        for graph in graphs:
            seen.add(graph)
        return cls(**seen.bounds().to_dict())

    def allow(self, graph: Data) -> bool:
        """Whether a graph obeys them.

        Raises:
            InputError: If it has edges, and they have a direction where these have none, or not
                where these have one.
        """
        if graph.num_edges and is_directed(graph) != self.directed:
            _refuse_both()
        return obeys(self, count_nodes(graph), edge_triples(graph))

    @property
    def shape(self) -> Constraint | None:
        """The narrowest shape that every graph within them has; None if there may be any.

        Paths and trees of a direction have one edge into a node at most.
        """
        if not self.acyclic:
            return None
        if not self.connected:
            return "acyclic"
        if self.directed:
            one = self.most_entering <= 1
            return "acyclic" if not one else "path" if self.most_leaving <= 1 else "tree"
        return "path" if self.most_entering <= 2 else "tree"

    def to_dict(self) -> dict[str, Any]:
        """All of them by name, as JSON can hold it."""
        held = {name: getattr(self, name) for name in KINDS}
        return held | {"leaving": dict(self.leaving), "entering": dict(self.entering)}

    @classmethod
    def from_dict(cls, document: Any) -> "Bounds":
        """The bounds that `to_dict` gave.

        Raises:
            InputError: If a part is missing, or not what it has to be.
        """
        remedy = "Give what `Bounds.to_dict` gave."
        listed = isinstance(document, Mapping) and set(document) == set(KINDS)
        require(listed, "the bounds", f"hold {', '.join(KINDS)}", document, remedy)
        return cls(**document)


KINDS = {
    "directed": "true or false", "leaving": "counts", "entering": "counts",
    "most_leaving": "a count", "most_entering": "a count", "acyclic": "true or false",
    "connected": "true or false",
}  # fmt: skip
"""The parts of bounds, and what each has to be."""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class BoundsSeen:
    """Sees one graph at a time; what it keeps grows with the number of relations alone."""

    def __init__(self) -> None:
        self._kinds: set[bool] = set()
        self._edgeless: set[bool] = set()
        self._most = Counter[tuple[str, str | None]]()
        self._acyclic = self._connected = True

    def add(self, graph: Data) -> None:
        """Takes in a graph.

        Raises:
            InputError: If its edges have a direction and those of a graph before have none, or the
                other way round.
        """
        directed, triples = is_directed(graph), edge_triples(graph)
        (self._kinds if triples else self._edgeless).add(directed)
        if len(self._kinds) == 2:
            _refuse_both()
        for (side, relation, _), often in degrees(triples, directed=directed).items():
            self._most[side, relation] = max(self._most[side, relation], often)
        self._acyclic = self._acyclic and is_acyclic(triples, directed=directed)
        self._connected = self._connected and is_connected(count_nodes(graph), triples)

    def bounds(self) -> Bounds:
        """What all graphs seen obey.

        Raises:
            InputError: If none was seen.
        """
        kinds = self._kinds or self._edgeless
        remedy = "Give the targets of the training pairs."
        require(bool(kinds), "`graphs`", "hold at least one graph", Received("none"), remedy)
        most = {side: self._named(side) for side in ("leaving", "entering")}
        return Bounds(
            kinds != {False}, **most, most_leaving=self._most["leaving", None],
            most_entering=self._most["entering", None],
            acyclic=self._acyclic, connected=self._connected,
        )  # fmt: skip

    def _named(self, side: str) -> dict[str, int]:
        counts = ((name, n) for (one, name), n in self._most.items() if one == side)
        return dict(sorted((name, n) for name, n in counts if name is not None))


def _refuse_both() -> None:
    remedy = "Make bounds for directed and for undirected graphs apart."
    raise refusal("the edges", "all have a direction, or none", Received("edges of both"), remedy)


def degrees(triples: Sequence[Triple], *, directed: bool) -> Counter[tuple[str, str | None, int]]:
    """Edges of each relation, and of any (None), that leave and that enter each node."""
    count = Counter[tuple[str, str | None, int]]()
    for u, v, name in triples:
        for side, node in ends_of(u, v, directed=directed):
            count[side, name, node] += 1
            count[side, None, node] += 1
    return count


def ends_of(u: int, v: int, *, directed: bool) -> list[tuple[str, int]]:
    """The sides at which an edge counts; one without direction leaves and enters both ends."""
    if directed:
        return [("leaving", u), ("entering", v)]
    return [("leaving", u), ("leaving", v), ("entering", u), ("entering", v)]


def limit(bounds: Bounds, side: str, relation: str | None) -> int:
    """The most edges of a relation, or of any (None), at one side of a node."""
    if relation is None:
        return bounds.most_leaving if side == "leaving" else bounds.most_entering
    return (bounds.leaving if side == "leaving" else bounds.entering).get(relation, 0)


def obeys(bounds: Bounds, nodes: int, triples: Sequence[Triple]) -> bool:
    """Whether the graph of so many nodes with these edges obeys bounds."""
    directed = bounds.directed
    counted = degrees(triples, directed=directed).items()
    return (
        all(often <= limit(bounds, side, name) for (side, name, _), often in counted)
        and (not bounds.acyclic or is_acyclic(triples, directed=directed))
        and (not bounds.connected or is_connected(nodes, triples))
    )


def is_acyclic(triples: Iterable[Triple], *, directed: bool) -> bool:
    """Whether edges make no cycle; of edges without direction, whether they make a forest."""
    ends = [(u, v) for u, v, _ in triples]
    if not ends:
        return True
    if directed:
        return nx.is_directed_acyclic_graph(nx.DiGraph(ends))
    return nx.is_forest(nx.MultiGraph(ends))


def is_connected(nodes: int, triples: Iterable[Triple]) -> bool:
    """Whether edges, taken as undirected, join all of nodes 0, 1, ...; no node at all is joined."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from((u, v) for u, v, _ in triples)
    return not nodes or nx.is_connected(graph)
