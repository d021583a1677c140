"""A graph as it is drawn: nodes and edges in pixels, labels as they fit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from torch_geometric.data import Data

from ..graphs import NEXT, Triple, edge_triples, is_directed, node_words
from ._graph_places import Places, graph_places
from ._routes import Point, Route, Shape, beside, edge_routes, point_at
from ._short_labels import label_width, shortened

_LARGE = 60
"""Nodes from which on they are drawn small."""

_MOST_NAMES = 80
"""Edges, at most, whose labels are written beside them."""

_NAME_WIDTH = 10
"""Letters, at most, of the label of an edge that is written beside it."""

_STRANDS = {"double": 2, "triple": 3, "aromatic": 2}

_LEAST = 96.0
"""Width of a graph, at least: its title has to fit."""

_MARGIN = 8.0
"""Around a graph."""

_STEPS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875)
"""Where a curve is measured."""


@dataclass(frozen=True)
class _Style:
    """Sizes of what is drawn: half the height of a node, font size, letters of a label."""

    high: float
    font: float
    letters: int

    @classmethod
    def of(cls, count: int, *, stretches: bool) -> "_Style":
        letters = 10 if stretches else 6
        return cls(9.0, 9.0, letters) if count > _LARGE else cls(15.0, 14.0, letters)

    def wide(self, text: str) -> float:
        """Half the width of a node with this text."""
        return max(self.high, 0.31 * self.font * label_width(text) + 0.4 * self.high)


@dataclass(frozen=True)
class PanelNode:
    """A node of a picture.

    Args:
        x, y: Its centre.
        wide, high: Half of its width and of its height; its ends are half circles.
        label: In full.
        shown: As it is written into the node.
        left_out: Whether it stands below the graph, as it is not part of it.
    """

    x: float
    y: float
    wide: float
    high: float
    label: str
    shown: str
    left_out: bool = False

    @property
    def shape(self) -> Shape:
        """Centre and half sizes."""
        return self.x, self.y, self.wide, self.high


@dataclass(frozen=True)
class PanelEdge:
    """An edge of a picture.

    Args:
        source, target: Numbers of the nodes it joins.
        label: Its relation.
        route: Its curve.
        strands: Lines side by side, for the bonds of molecules.
        dashed: Whether the second of them is dashed (an aromatic bond).
        name: What is written beside it; None if nothing is.
        at: Where.
    """

    source: int
    target: int
    label: str
    route: Route
    strands: int
    dashed: bool
    name: str | None
    at: Point

    def lines(self) -> list[tuple[Route, bool]]:
        """The curves of its strands, each with whether it is dashed."""
        offsets = [3.2 * (k - (self.strands - 1) / 2) for k in range(self.strands)]
        return [(beside(self.route, offset), self.dashed and offset > 0) for offset in offsets]


@dataclass(frozen=True)
class Panel:
    """A graph of a picture; its top left corner is the origin.

    Args:
        title: What it is called.
        nodes, edges: What is drawn.
        width, height: Its size.
        directed: Whether edges are arrows.
        font: The size of its letters.
        start: Where it stands below others: 0 on the left, 1 on the right.
    """

    title: str
    nodes: tuple[PanelNode, ...]
    edges: tuple[PanelEdge, ...]
    width: float
    height: float
    directed: bool
    font: float
    start: float = 0.5


def panel(
    title: str,
    graph: Data,
    *,
    places: Places | None = None,
    left_out: Sequence[str] = (),
    relations: Collection[str] = (),
) -> Panel:
    """A graph laid out in pixels.

    Args:
        title: What it is called.
        graph: A graph with labels.
        places: Where its nodes stand. Default: `graph_places(graph)`.
        left_out: Labels of further nodes, which stand in lines below the graph.
        relations: Those of a graph that it is compared with. Edges are named where there are
            several in all; a text's never are.

    Raises:
        InputError: If the graph carries no labels.
    """
    places = graph_places(graph) if places is None else places
    labels, edges = [*node_words(graph), *left_out], edge_triples(graph)
    style = _Style.of(len(labels), stretches=places.stretches)
    texts = [shortened(label, style.letters) for label in labels]
    own = {name for _, _, name in edges}
    several = len({*relations, *own}) > 1 and own != {NEXT}
    named = several and len(edges) <= _MOST_NAMES and not places.molecule
    wides = [style.wide(text) for text in texts]
    points = _points(places, 2 * max(wides, default=style.high) + _gap(edges, style, named), style)
    points += _below(points, wides[len(points) :], style)
    shapes = [(*point, wide, style.high) for point, wide in zip(points, wides, strict=True)]
    routes = edge_routes(shapes, [(u, v) for u, v, _ in edges])
    left, top, width, height = _bounds(shapes, routes, style)
    nodes = tuple(
        PanelNode(x - left, y - top, wide, high, label, text, k >= len(places.xy))
        for k, ((x, y, wide, high), label, text) in enumerate(
            zip(shapes, labels, texts, strict=True)
        )
    )
    lines = tuple(
        _edge(edge, tuple((x - left, y - top) for x, y in route), places.molecule, named)
        for edge, route in zip(edges, routes, strict=True)
    )
    directed = is_directed(graph) and not places.molecule
    return Panel(title, nodes, lines, width, height, directed, style.font, places.start)


def _gap(edges: Sequence[Triple], style: _Style, named: bool) -> float:
    """Space between two nodes: an arrow, or the longest label of an edge."""
    longest = max((label_width(_name(name)) for _, _, name in edges), default=0) if named else 0
    return max(1.2 * style.high, 0.5 * style.font * longest + 14 * named)


def _points(places: Places, unit: float, style: _Style) -> list[Point]:
    """The centres of the nodes; layers and lines stand closer than the nodes within them."""
    high = min(unit, 4.2 * style.high) if places.stretches else unit
    return [(unit * float(x), high * float(y)) for x, y in places.xy]


def _below(points: Sequence[Point], wides: Sequence[float], style: _Style) -> list[Point]:
    """Centres of nodes in lines below others, about as wide as these."""
    if not wides:
        return []
    unit = 2 * max(wides) + 0.6 * style.high
    left = min((x for x, _ in points), default=0.0)
    right = max((x for x, _ in points), default=0.0)
    columns = max(int((right - left) / unit) + 1, min(len(wides), 8))
    top = max((y for _, y in points), default=-3.4 * style.high) + 3.4 * style.high
    return [
        (left + unit * (k % columns), top + 2.6 * style.high * (k // columns))
        for k in range(len(wides))
    ]


def _bounds(
    shapes: Sequence[Shape], routes: Sequence[Route], style: _Style
) -> tuple[float, float, float, float]:
    """Left, top, width and height of what is drawn, with a margin."""
    xs = [x + side * wide for x, _, wide, _ in shapes for side in (-1, 1)]
    ys = [y + side * high for _, y, _, high in shapes for side in (-1, 1)]
    curved = [point_at(route, t) for route in routes if len(route) > 2 for t in _STEPS]
    xs += [x for x, _ in curved]
    # A name may stand on the highest point of a curve.
    ys += [y + side * style.font / 2 for _, y in curved for side in (-1, 1)]
    left, right = min(xs, default=0.0) - _MARGIN, max(xs, default=0.0) + _MARGIN
    top, bottom = min(ys, default=0.0) - _MARGIN, max(ys, default=2 * style.high) + _MARGIN
    spare = max(_LEAST - (right - left), 0.0)
    return left - spare / 2, top, right - left + spare, bottom - top


def _edge(edge: Triple, route: Route, molecule: bool, named: bool) -> PanelEdge:
    source, target, label = edge
    bond = label.partition("(")[0]
    strands = _STRANDS.get(bond, 1) if molecule else 1
    name = _name(label) if named else None
    dashed = molecule and bond == "aromatic"
    return PanelEdge(source, target, label, route, strands, dashed, name, point_at(route, 0.5))


def _name(label: str) -> str:
    return shortened(label, _NAME_WIDTH)
