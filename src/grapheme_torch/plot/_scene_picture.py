"""A scene drawn by matplotlib: for a file that is no page."""

import math
import os
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path

from ..layout import (
    BLUE,
    INK,
    KIND_STYLES,
    KindStyle,
    Note,
    Panel,
    PanelEdge,
    PanelNode,
    Point,
    Route,
    Scene,
    point_at,
)
from ._letters import drawable
from ._style import FONT, save

_CODES = {
    2: [Path.MOVETO, Path.LINETO],
    3: [Path.MOVETO, Path.CURVE3, Path.CURVE3],
    4: [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
}
"""What a curve of so many points is to matplotlib."""

_MARGIN = 30.0
"""Above and below the graphs, for title and legend, in pixels."""

_LEAST = (345.0, 150.0)
"""Width and height of a picture, at least: its legend has to fit."""

_LARGEST = 2880.0
"""Width and height, at most; what is larger is drawn smaller. In pixels, as all of these."""


def draw_scene(scene: Scene, path: str | os.PathLike[str], title: str) -> None:
    """Draws graphs and the links between them into a file.

    Args:
        scene: What is drawn, in the arrangement that suits a page.
        path: Where to write; the suffix names the format (png, svg, pdf, ...).
        title: What stands above it.

    Raises:
        InputError: If the file cannot be written.
    """
    one = scene.suited()
    width, height = max(one.width, _LEAST[0]), max(one.height, _LEAST[1]) + 2 * _MARGIN
    scale = min(1.0, _LARGEST / width, _LARGEST / height)
    figure = Figure(figsize=(scale * width / 72, scale * height / 72), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim((one.width - width) / 2, (one.width + width) / 2)
    axes.set_ylim((one.height + height) / 2, (one.height - height) / 2)
    axes.set_axis_off()
    pen = _Pen(axes, scale)
    for link, route in zip(scene.links, one.routes, strict=True):
        style = KIND_STYLES[link.kind]
        pen.curve(route, style, width=link.width, alpha=link.opacity, zorder=1)
    for panel, corner, nodes, edges in zip(
        scene.panels, one.corners, scene.nodes, scene.edges, strict=True
    ):
        pen.graph(panel, corner, nodes, edges)
    _legend(figure, scene.kinds(), title)
    save(figure, path)


def _legend(figure: Figure, kinds: list[str], title: str) -> None:
    high = 1 - 0.5 * _MARGIN / 72 / figure.get_figheight()
    figure.text(0.5, high, title, fontproperties=FONT, color=INK, ha="center", va="center")
    styles = [KIND_STYLES[kind] for kind in kinds]
    signs = [
        Line2D([], [], color=style.colour, marker="o", lw=2, dashes=style.dash or (1, 0))
        for style in styles
    ]
    if signs:
        names = [style.name for style in styles]
        figure.legend(
            signs, names, loc="lower center", ncols=5, frameon=False, fontsize=9, labelcolor=INK
        )


class _Pen:
    """Draws into axes whose unit is a pixel, of 1/72 inch before it is scaled."""

    def __init__(self, axes: Axes, scale: float) -> None:
        self.axes, self.scale = axes, scale

    def graph(
        self, panel: Panel, corner: Point, nodes: tuple[Note, ...], edges: tuple[Note, ...]
    ) -> None:
        x, y = corner
        paper = {"fc": "white", "ec": "none", "pad": 1.5}
        self.text((x + panel.width / 2, y - 8), panel.title, 10.0, bbox=paper)
        if not panel.nodes:
            self.text((x + panel.width / 2, y + panel.height / 2 + 4), "(no nodes)", 10.0)
        for edge, note in zip(panel.edges, edges, strict=True):
            self.edge(panel, edge, note, corner)
        for node, note in zip(panel.nodes, nodes, strict=True):
            self.node(panel, node, note, corner)

    def edge(self, panel: Panel, edge: PanelEdge, note: Note, corner: Point) -> None:
        style = KIND_STYLES[note.kind]
        width = 1.2 if note.kind in ("kept", "plain") else 2.0
        if note.heat > 0:
            glow = KindStyle(BLUE, "", (), "")
            route = _moved(edge.route, corner)
            self.curve(route, glow, width=8.0, alpha=0.55 * note.heat, zorder=2)
        for line, dashed in edge.lines():
            drawn = KindStyle(style.colour, "", (3, 3), "") if dashed else style
            self.curve(_moved(line, corner), drawn, width=width, zorder=3)
        if panel.directed:
            self.head(_moved(edge.route, corner), style.colour)
        if edge.name is not None:
            at = edge.at[0] + corner[0], edge.at[1] + corner[1] + 0.28 * panel.font
            paper = {"fc": "white", "ec": "none", "pad": 0.6}
            self.text(at, drawable(edge.name), 0.7 * panel.font, bbox=paper, color=style.colour)

    def node(self, panel: Panel, node: PanelNode, note: Note, corner: Point) -> None:
        style, x, y = KIND_STYLES[note.kind], node.x + corner[0], node.y + corner[1]
        width = 1.2 if note.kind in ("kept", "plain", "unused") else 2.0
        for face, rim, dashes in (
            ("white", style.colour, self._dashes(style, width)),
            (f"{BLUE}{round(140 * note.heat):02X}", "none", "-"),
        ):
            self.axes.add_patch(
                FancyBboxPatch(
                    (x - node.wide, y - node.high), 2 * node.wide, 2 * node.high,
                    boxstyle=f"round,pad=0,rounding_size={node.high - 0.01}", fc=face, ec=rim,
                    lw=width * self.scale, linestyle=dashes, zorder=4,
                )
            )  # fmt: skip
        self.lines(panel, node, (x, y))
        if style.mark:
            x, y, size = x + 0.8 * node.wide, y - 0.8 * node.high, 0.42 * node.high
            badge = Circle((x, y), size, fc="white", ec=style.colour, lw=self.scale, zorder=5)
            self.axes.add_patch(badge)
            self.text((x, y + 0.6 * size), style.mark, 1.7 * size, weight="bold")

    def lines(self, panel: Panel, node: PanelNode, at: Point) -> None:
        """The label, in several lines where it is shown by its code point."""
        lines = drawable(node.label, node.shown).split("\n")
        size = min(panel.font, 2.2 * node.high / len(lines))
        size = min(size, 3.4 * node.wide / max(len(line) for line in lines))
        for k, line in enumerate(lines):
            drop = 0.36 * size + 1.1 * size * (k - (len(lines) - 1) / 2)
            self.text((at[0], at[1] + drop), line, size)

    def text(self, at: Point, text: str, size: float, **style: Any) -> None:
        # On one base line, so that letters of different height stand level.
        self.axes.text(
            *at, text, fontproperties=FONT, fontsize=size * self.scale, ha="center",
            va="baseline", zorder=6, parse_math=False, **{"color": INK, **style},
        )  # fmt: skip

    def curve(
        self, route: Route, style: KindStyle, *, width: float, zorder: int, alpha: float = 1.0
    ) -> None:
        self.axes.add_patch(
            PathPatch(
                Path(route, _CODES[len(route)]), fc="none", ec=style.colour, alpha=alpha,
                lw=width * self.scale, linestyle=self._dashes(style, width), zorder=zorder,
                capstyle="butt",
            )
        )  # fmt: skip

    def head(self, route: Route, colour: str) -> None:
        """An arrow head at the end of a curve."""
        (x, y), (x2, y2) = point_at(route, 0.9), route[-1]
        length = max(math.dist((x, y), (x2, y2)), 1e-9)
        u, v = 7 * (x2 - x) / length, 7 * (y2 - y) / length
        corners = [(x2, y2), (x2 - u - 0.45 * v, y2 - v + 0.45 * u)]
        corners.append((x2 - u + 0.45 * v, y2 - v - 0.45 * u))
        self.axes.add_patch(Polygon(corners, fc=colour, ec="none", zorder=3))

    def _dashes(self, style: KindStyle, width: float) -> Any:
        """Strokes and gaps in widths of the line, as matplotlib counts them."""
        return (0, tuple(length / width for length in style.dash)) if style.dash else "-"


def _moved(route: Route, corner: Point) -> Route:
    return tuple((x + corner[0], y + corner[1]) for x, y in route)
