"""Graphs beside each other, with links from the nodes of one to those of the next."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ._kind_styles import KIND_STYLES
from ._panel import Panel
from ._routes import Point, Route, link_route

Direction = Literal["column", "row"]

_TITLE = 26.0
"""Height of the title above a graph."""

_MARGIN = 10.0

_BETWEEN = {"column": 70.0, "row": 110.0}
"""Space between two graphs, for the links."""

_GOLDEN = 1.6
"""Width by height of a picture that suits a page."""


@dataclass(frozen=True)
class Note:
    """What is told of a node or an edge.

    Args:
        kind: A word of `KIND_STYLES`.
        heat: Its share of the loss, in [0, 1] of the largest share; the colour it is filled with.
        told: What is shown when it is pointed at, in lines.
    """

    kind: str = "plain"
    heat: float = 0.0
    told: str = ""


@dataclass(frozen=True)
class Link:
    """A line from a node of one graph to a node of the next.

    Args:
        panel: Number of the graph it begins at.
        source, target: The nodes.
        mass: In [0, 1]; the width of the line.
        kind: A word of `KIND_STYLES`.
        told: What is shown when it is pointed at.
    """

    panel: int
    source: int
    target: int
    mass: float
    kind: str = "kept"
    told: str = ""

    @property
    def width(self) -> float:
        """In pixels, in proportion to its mass."""
        return 3.6 * self.mass

    @property
    def opacity(self) -> float:
        """What carries little is light."""
        return 0.3 + 0.3 * self.mass


@dataclass(frozen=True)
class Arrangement:
    """Where the graphs of a scene stand.

    Args:
        direction: "column": below each other; "row": side by side.
        width, height: Of the picture.
        corners: The top left corner of each graph.
        routes: The curve of each link.
    """

    direction: Direction
    width: float
    height: float
    corners: tuple[Point, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Scene:
    """Graphs and the links between them.

    Args:
        panels: The graphs, in reading order.
        links: From each graph to the next.
        nodes, edges: What is told of the nodes and edges of each graph, in their order.
    """

    panels: tuple[Panel, ...]
    links: tuple[Link, ...]
    nodes: tuple[tuple[Note, ...], ...]
    edges: tuple[tuple[Note, ...], ...]

    def kinds(self) -> list[str]:
        """What a legend has to explain, in the order of `KIND_STYLES`."""
        used = {note.kind for notes in (*self.nodes, *self.edges) for note in notes}
        used |= {link.kind for link in self.links}
        return [kind for kind in KIND_STYLES if kind in used - {"plain"}]

    def arranged(self, direction: Direction) -> Arrangement:
        """The graphs below each other, or side by side."""
        across = direction == "row"
        sizes = [(one.width, one.height + _TITLE) for one in self.panels]
        if across:
            sizes = [(high, wide) for wide, high in sizes]  # along is then down the page
        most = max((wide for wide, _ in sizes), default=0.0)
        corners: list[Point] = []
        along = _MARGIN
        for panel, (wide, high) in zip(self.panels, sizes, strict=True):
            start = 0.5 if across else panel.start
            corners.append((_MARGIN + (most - wide) * start, along))
            along += high + _BETWEEN[direction]
        size = most + 2 * _MARGIN, along - _BETWEEN[direction] + _MARGIN
        if across:
            corners, size = [(y, x) for x, y in corners], (size[1], size[0])
        corners = [(x, y + _TITLE) for x, y in corners]
        return Arrangement(direction, *size, tuple(corners), self._routes(corners, across=across))

    def suited(self) -> Arrangement:
        """The arrangement whose proportions suit a page better."""
        both = [self.arranged("column"), self.arranged("row")]
        return min(both, key=lambda one: abs(math.log(one.width / one.height / _GOLDEN)))

    def _routes(self, corners: Sequence[Point], *, across: bool) -> tuple[Route, ...]:
        routes = []
        for link in self.links:
            shapes = []
            for number, node in ((link.panel, link.source), (link.panel + 1, link.target)):
                x, y, wide, high = self.panels[number].nodes[node].shape
                shapes.append((x + corners[number][0], y + corners[number][1], wide, high))
            routes.append(link_route(*shapes, sideways=across))
        return tuple(routes)
