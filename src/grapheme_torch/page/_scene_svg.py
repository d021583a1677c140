"""A scene as SVG text: every label is escaped, every line has a width and a place."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from ..layout import (
    KIND_STYLES,
    KindStyle,
    Link,
    Note,
    Panel,
    PanelEdge,
    PanelNode,
    Route,
    Scene,
)
from ._markup import escaped, number
from ._style_sheets import scene_style

Form = Literal["page", "file", "notebook"]

_LETTERS = {2: "L", 3: "Q", 4: "C"}
"""The command of a path for a curve of so many points."""


def scene_svg(scene: Scene, name: str, *, form: Form = "page", prefix: str = "") -> str:
    """The scene as an `<svg>` element.

    For a page it carries the places of both arrangements as data, so that the page can choose the
    one that fits. They are `data-column` and `data-row` of the element (its view box), of each
    graph and of each link. For a file it carries its style sheet, and titles for what is pointed
    at; for a notebook only the titles.

    Args:
        scene: What is drawn.
        name: What the picture shows, for those who do not see it.
        form: Where it stands.
        prefix: Put before identifiers, where a page has several pictures.
    """
    return "\n".join(_Writer(scene, form, prefix).lines(name))


class _Writer:
    """Writes a scene, as a part of a page or as a file."""

    def __init__(self, scene: Scene, form: Form, prefix: str) -> None:
        self.scene, self.form, self.prefix = scene, form, prefix
        self.alive = form == "page"  # there is a script
        self.chosen = scene.suited()
        self.ways = {"column": scene.arranged("column"), "row": scene.arranged("row")}

    def lines(self, name: str) -> Iterator[str]:
        one = self.chosen
        boxes = {way: f"0 0 {number(a.width)} {number(a.height)}" for way, a in self.ways.items()}
        yield (
            '<svg xmlns="http://www.w3.org/2000/svg" class="scene" role="group"'
            f' viewBox="0 0 {number(one.width)} {number(one.height)}"'
            f' width="{number(one.width)}" height="{number(one.height)}"'
            f' aria-label="{escaped(name)}"{self._data({**boxes, "suited": one.direction})}'
            f' style="--natural: {number(one.width)}">'
        )
        if self.form == "file":
            yield f"<style>{scene_style()}</style>"
            yield '<rect class="paper" width="100%" height="100%"/>'
        yield _arrow_heads(self.prefix, self._arrows())
        yield '<g class="links">'
        for k, link in enumerate(self.scene.links):
            yield self._link(k, link)
        yield "</g>"
        for k in range(len(self.scene.panels)):
            yield from self._graph(k)
        yield "</svg>"

    def _arrows(self) -> list[str]:
        """The kinds of edges with arrow heads."""
        parts = zip(self.scene.panels, self.scene.edges, strict=True)
        used = {note.kind for panel, notes in parts if panel.directed for note in notes}
        return [kind for kind in KIND_STYLES if kind in used]

    def _link(self, k: int, link: Link) -> str:
        routes = {way: path_data(one.routes[k]) for way, one in self.ways.items()}
        dash = _dash(KIND_STYLES[link.kind])
        return (
            f'<path class="link {link.kind}" d="{path_data(self.chosen.routes[k])}"'
            f'{self._data(routes)} data-from="{link.panel}-{link.source}"'
            f' data-to="{link.panel + 1}-{link.target}"{dash}{self._told(link.told)}'
            f' stroke-width="{number(link.width)}"'
            f' stroke-opacity="{number(link.opacity)}">{self._title(link.told)}</path>'
        )

    def _graph(self, k: int) -> Iterator[str]:
        panel = self.scene.panels[k]
        x, y = self.chosen.corners[k]
        places = {way: _translate(*one.corners[k]) for way, one in self.ways.items()}
        yield f'<g class="graph" transform="{_translate(x, y)}"{self._data(places)}>'
        middle = number(panel.width / 2)
        yield f'<text class="title" x="{middle}" y="-6">{escaped(panel.title)}</text>'
        for edge, note in zip(panel.edges, self.scene.edges[k], strict=True):
            yield from self._edge(panel, edge, note)
        for i, (node, note) in enumerate(zip(panel.nodes, self.scene.nodes[k], strict=True)):
            yield self._node(panel, node, note, f"{k}-{i}")
        yield "</g>"

    def _edge(self, panel: Panel, edge: PanelEdge, note: Note) -> Iterator[str]:
        data = path_data(edge.route)
        arrow = f' marker-end="url(#{self.prefix}arrow-{note.kind})"' if panel.directed else ""
        dash = _dash(KIND_STYLES[note.kind])
        yield f'<g class="edge {note.kind}"{self._told(note.told)}>{self._title(note.told)}'
        if note.heat > 0:
            yield f'<path class="glow" d="{data}" stroke-opacity="{number(0.55 * note.heat)}"/>'
        for route, dashed in edge.lines():
            second = ' stroke-dasharray="3 3"' if dashed else dash
            yield f'<path class="line" d="{path_data(route)}"{second}{arrow}/>'
        yield f'<path class="reach" d="{data}"/>'
        if edge.name is not None:
            x, y = map(number, edge.at)
            at = f'x="{x}" y="{y}" font-size="{number(0.8 * panel.font)}"'
            yield f'<text class="name" {at}>{escaped(edge.name)}</text>'
        yield "</g>"

    def _node(self, panel: Panel, node: PanelNode, note: Note, name: str) -> str:
        style = KIND_STYLES[note.kind]
        wide, high = number(2 * node.wide), number(2 * node.high)
        box = f'x="{number(-node.wide)}" y="{number(-node.high)}" width="{wide}" height="{high}"'
        box += f' rx="{number(node.high)}"'
        reach = self._reach(node, name, note.told) if self.alive else ""
        parts = [
            f'<g class="node {note.kind}"{reach} transform="{_translate(node.x, node.y)}">',
            self._title(note.told),
            f'<rect class="body" {box}{_dash(style)}/>',
        ]
        if note.heat > 0:
            parts.append(f'<rect class="heat" {box} fill-opacity="{number(0.55 * note.heat)}"/>')
        at = f'y="{number(0.35 * panel.font)}" font-size="{number(panel.font)}"'
        parts.append(f'<text class="label" aria-hidden="true" {at}>{escaped(node.shown)}</text>')
        if style.mark:
            x, y, size = 0.8 * node.wide, -0.8 * node.high, 0.42 * node.high
            at = f'cx="{number(x)}" cy="{number(y)}" r="{number(size)}"'
            parts.append(f'<circle class="badge" {at}/>')
            at = f'x="{number(x)}" y="{number(y + 0.6 * size)}" font-size="{number(1.7 * size)}"'
            parts.append(f'<text class="mark" aria-hidden="true" {at}>{style.mark}</text>')
        return "".join([*parts, "</g>"])

    def _reach(self, node: PanelNode, name: str, told: str) -> str:
        """What makes a node one that can be pointed at, by mouse, finger and keyboard."""
        first = 0 if name.endswith("-0") else -1
        # Who speaks to the machine says what is written there.
        what = told if node.shown in told else f"{node.shown}: {told}"
        shown = "" if what == told else self._told(told)
        label = f'role="button" tabindex="{first}" aria-label="{escaped(what)}"'
        return f' data-node="{name}" {label}{shown}'

    def _told(self, told: str) -> str:
        return f' data-told="{escaped(told)}"' if told and self.alive else ""

    def _title(self, told: str) -> str:
        return f"<title>{escaped(told)}</title>" if told and not self.alive else ""

    def _data(self, values: Mapping[str, str]) -> str:
        if not self.alive:
            return ""
        return "".join(f' data-{name}="{value}"' for name, value in values.items())


def path_data(route: Route) -> str:
    """A curve as the attribute `d` of a path."""
    (x, y), *others = route
    tail = " ".join(f"{number(a)} {number(b)}" for a, b in others)
    return f"M{number(x)} {number(y)}{_LETTERS[len(route)]}{tail}"


def _arrow_heads(prefix: str, kinds: Sequence[str]) -> str:
    """One for each kind."""
    heads = "".join(
        f'<marker id="{prefix}arrow-{kind}" class="head {kind}" viewBox="0 0 8 8" refX="7.5"'
        ' refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0.8L8 4L0 7.2z"/></marker>'
        for kind in kinds
    )
    return f"<defs>{heads}</defs>"


def _dash(style: KindStyle) -> str:
    lengths = " ".join(map(str, style.dash))
    return f' stroke-dasharray="{lengths}"' if lengths else ""


def _translate(x: float, y: float) -> str:
    return f"translate({number(x)} {number(y)})"
