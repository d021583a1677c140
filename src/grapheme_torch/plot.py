"""Pictures: how the losses fell, and how two graphs are aligned."""

import math
import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.ticker import MaxNLocator
from torch import Tensor
from torch_geometric.data import Data

from ._check import Received, require
from ._files import replacing
from .graph import edge_triples, node_labels, path_order
from .report import KINDS, EdgeEdit, EditKind, EditReport, NodeEdit

_FONT = FontProperties(family="DejaVu Sans")
"""The font that comes with matplotlib, so that a picture looks the same everywhere."""

_INK, _PALE = "#2B303A", "#C9CED8"

# Colours that colour-blind readers tell apart (Okabe and Ito).
_COLOUR: dict[EditKind, str] = {
    "kept": "#7A8699",
    "relabelled": "#E69F00",
    "inserted": "#009E73",
    "deleted": "#D55E00",
}
_LOSS_STYLE = {
    "total": (_INK, "-", 2.2),
    "val_total": (_INK, "--", 1.6),
    "node": ("#0072B2", "-", 1.4),
    "edge": ("#E69F00", "-", 1.4),
    "clique": ("#009E73", "-", 1.4),
}
_LOSS_NAME = {"val_total": "total (validation)"}


def plot_losses(rows: Sequence[Mapping[str, float]], path: str | os.PathLike[str]) -> None:
    """Draws the loss and its terms over the epochs, on a logarithmic scale.

    Args:
        rows: One mapping an epoch, with "epoch" and any of "total", "val_total", "node", "edge"
            and "clique". A value that is not positive, not finite or missing leaves a gap.
        path: Where to write; the suffix names the format (png, svg, pdf, ...).

    Raises:
        InputError: If there are no rows, or the file cannot be written.
    """
    remedy = "Train for an epoch first."
    require(len(rows) > 0, "`rows`", "hold at least one epoch", Received("none"), remedy)
    figure = Figure(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    epoch = [row["epoch"] for row in rows]
    drawn = [name for name in _LOSS_STYLE if any(_positive(row.get(name)) for row in rows)]
    dot = "o" if len(rows) == 1 else ""
    for name in drawn:
        colour, line, width = _LOSS_STYLE[name]
        value = [row[name] if _positive(row.get(name)) else math.nan for row in rows]
        label = _LOSS_NAME.get(name, name)
        axes.plot(epoch, value, line, color=colour, lw=width, label=label, marker=dot)
    if drawn:
        axes.set_yscale("log")
        figure.legend(loc="outside upper center", ncols=len(drawn), frameon=False)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_xlim(min(epoch) - 0.5, max(epoch) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=_PALE, lw=0.6, alpha=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _positive(value: float | None) -> bool:
    return value is not None and 0 < value < math.inf


def plot_alignment(
    predicted: Data,
    target: Data,
    alignment: EditReport | Float[Tensor, "n1 m1"],
    path: str | os.PathLike[str],
) -> None:
    """Draws two graphs, one above the other, and which node became which.

    Nodes stand in a row, by reading order (a path) or by topological depth. A line
    is as thick as the mass it carries. A label that the font cannot draw is shown by its
    code point. Edge labels are shown where the graphs have more than one kind.

    Args:
        predicted, target: Graphs with labels.
        alignment: An `EditReport` of the two, or a plan with the void last, as in
            `StructuralLossResult.plan`: mass from predicted to target node.
        path: Where to write; the suffix names the format (png, svg, pdf, ...).

    Raises:
        InputError: If the alignment does not fit the graphs, or the file cannot be written.
    """
    links = _links(predicted, target, alignment)
    relations = {name for graph in (predicted, target) for _, _, name in edge_triples(graph)}
    spacing = _spacing(relations)
    gap = 1.1 + 0.04 * spacing * max(len(node_labels(predicted)), len(node_labels(target)))
    upper, lower = _placed(predicted, spacing, gap, 1), _placed(target, spacing, -gap, -1)
    figure, axes = _canvas(upper, lower)
    for i, j, kind, mass in links.lines:
        style = {"color": _COLOUR[kind], "lw": 0.4 + 2.6 * mass, "alpha": 0.25 + 0.55 * mass}
        axes.plot([upper.x[i], lower.x[j]], [gap, -gap], zorder=1, **style)
    scale = _points_per_unit(figure, axes)
    for graph, kinds, edge_kinds in (
        (upper, links.predicted, links.predicted_edges),
        (lower, links.target, links.target_edges),
    ):
        _draw_edges(axes, graph, edge_kinds, scale, len(relations) > 1)
        _draw_nodes(axes, graph, kinds, scale)
    _draw_heads(axes, upper, lower)
    shown = [*links.predicted, *links.target, *links.predicted_edges, *links.target_edges]
    _draw_legend(figure, [kind for kind in KINDS if kind in shown], links.title)
    _save(figure, path)


@dataclass(frozen=True)
class _Links:
    """What an alignment says: lines `(i, j, kind, mass)`, and the kind of each node and edge."""

    lines: list[tuple[int, int, EditKind, float]]
    predicted: list[EditKind]
    target: list[EditKind]
    predicted_edges: list[EditKind]
    target_edges: list[EditKind]
    title: str


def _links(predicted: Data, target: Data, alignment: EditReport | Tensor) -> _Links:
    n, m = len(node_labels(predicted)), len(node_labels(target))
    if isinstance(alignment, EditReport):
        _check_report(n, m, alignment)
        return _report_links(predicted, target, alignment)
    shape = tuple(alignment.shape)
    remedy = "Give the plan of these two graphs; the void is its last row and column."
    require(shape == (n + 1, m + 1), "`alignment`", f"have shape {(n + 1, m + 1)}", shape, remedy)
    return _plan_links(predicted, target, alignment.detach().cpu().double())


def _check_report(n: int, m: int, report: EditReport) -> None:
    sides = ([e.predicted for e in report.nodes], [e.target for e in report.nodes])
    sizes = tuple(sum(node is not None for node in side) for side in sides)
    remedy = "Give the report of these two graphs."
    require(sizes == (n, m), "`alignment`", f"join {n} and {m} nodes", sizes, remedy)


def _report_links(predicted: Data, target: Data, report: EditReport) -> _Links:
    edits: list[NodeEdit | EdgeEdit] = [*report.nodes, *report.edges]
    upper = {edit.predicted: edit.kind for edit in edits}
    lower = {edit.target: edit.kind for edit in edits}
    return _Links(
        lines=[
            (edit.predicted, edit.target, edit.kind, 1.0)
            for edit in report.nodes
            if edit.predicted is not None and edit.target is not None
        ],
        predicted=[upper[i] for i in range(len(node_labels(predicted)))],
        target=[lower[j] for j in range(len(node_labels(target)))],
        predicted_edges=[upper[u, v] for u, v, _ in edge_triples(predicted)],
        target_edges=[lower[u, v] for u, v, _ in edge_triples(target)],
        title=f"edit cost {report.cost:g}",
    )


def _plan_links(predicted: Data, target: Data, plan: Tensor) -> _Links:
    """A node is what most of its mass says; edges are not judged."""
    label, wanted = node_labels(predicted), node_labels(target)

    def kind(i: int, j: int) -> EditKind:
        if i == len(label) or j == len(wanted):
            return "inserted" if i == len(label) else "deleted"
        return "kept" if label[i] == wanted[j] else "relabelled"

    return _Links(
        lines=[
            (i, j, kind(i, j), min(float(plan[i, j]), 1.0))
            for i, j in (plan[:-1, :-1] > _FAINT).nonzero().tolist()
        ],
        predicted=[kind(i, int(plan[i].argmax())) for i in range(len(label))],
        target=[kind(int(plan[:, j].argmax()), j) for j in range(len(wanted))],
        predicted_edges=["kept"] * predicted.edge_index.shape[1],
        target_edges=["kept"] * target.edge_index.shape[1],
        title="alignment",
    )


_FAINT = 0.02
"""Mass below which a line is not drawn."""

_RADIUS = 0.34
"""Of a node, in widths of a lone column."""

_MARGIN = 0.4
"""Above and below the graphs, for title and legend, in inches."""


@dataclass(frozen=True)
class _Placed:
    """A graph on the page as an arc diagram: its nodes in a row, longer edges as arcs.

    Args:
        labels, edges: Of the graph.
        column: Place of each node in the row.
        x, y: Place of each node on the page, and of the row, in widths of a lone column.
        side: Where arcs rise, away from the other graph: 1 up, -1 down.
    """

    labels: list[str]
    edges: list[tuple[int, int, str]]
    column: list[int]
    x: list[float]
    y: float
    side: int

    def rise(self, u: int, v: int) -> float:
        """The height of the arc of an edge, zero between neighbours from left to right."""
        columns = self.column[v] - self.column[u]
        if columns == 1:
            return 0.0
        return 0.4 + 0.2 * abs(columns) + (0.15 if columns < -1 else 0.0)

    @property
    def height(self) -> float:
        """Of the highest arc."""
        return max((self.rise(u, v) for u, v, _ in self.edges), default=0.0)


def _placed(graph: Data, spacing: float, y: float, side: int) -> _Placed:
    column = _columns(graph)
    x = [spacing * k for k in column]
    return _Placed(node_labels(graph), edge_triples(graph), column, x, y, side)


def _spacing(relations: set[str]) -> float:
    """The width of a column: the names of the edges between neighbours must fit."""
    longest = max((len(_clipped(drawable(name))) for name in relations), default=0)
    return 1.1 + 0.13 * longest if len(relations) > 1 else 1.0


def _columns(graph: Data) -> list[int]:
    """The place of each node in a row: along the path, else by depth, then by number."""
    order = path_order(graph)
    if order is None:
        depth = _depths(graph)
        order = sorted(range(len(depth)), key=depth.__getitem__)
    column = [0] * len(order)
    for place, node in enumerate(order):
        column[node] = place
    return column


def _depths(graph: Data) -> list[int]:
    """The longest way to each node from a node where none begins; a cycle counts as one node."""
    digraph: nx.DiGraph[int] = nx.DiGraph()
    digraph.add_nodes_from(range(len(node_labels(graph))))
    digraph.add_edges_from((u, v) for u, v, _ in edge_triples(graph))
    knots = nx.condensation(digraph)
    depth: dict[int, int] = {}
    for knot in nx.topological_sort(knots):
        depth[knot] = max((depth[before] + 1 for before in knots.predecessors(knot)), default=0)
    return [depth[knots.graph["mapping"][node]] for node in digraph]


def _canvas(upper: _Placed, lower: _Placed) -> tuple[Figure, Axes]:
    left, right = -1.3, max([7.0, *(x + 0.7 for x in upper.x + lower.x)])
    bottom, top = lower.y - max(lower.height, 0.4) - 0.2, upper.y + max(upper.height, 0.4) + 0.2
    inch = min(0.62, 40 / (right - left), 40 / (top - bottom))
    height = (top - bottom) * inch + 2 * _MARGIN
    figure = Figure(figsize=((right - left) * inch, height), dpi=150)
    axes = figure.add_axes((0, _MARGIN / height, 1, 1 - 2 * _MARGIN / height))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    return figure, axes


def _points_per_unit(figure: Figure, axes: Axes) -> float:
    left, right = axes.get_xlim()
    return 72 * figure.get_figwidth() / (right - left)


def _draw_nodes(axes: Axes, graph: _Placed, kinds: list[EditKind], scale: float) -> None:
    for label, x, kind in zip(graph.labels, graph.x, kinds, strict=True):
        colour, width = _COLOUR[kind], 1.2 if kind == "kept" else 2.0
        axes.add_patch(Circle((x, graph.y), _RADIUS, fc="white", ec="none", zorder=3))
        axes.add_patch(
            Circle((x, graph.y), _RADIUS, fc=colour + "2E", ec=colour, lw=width, zorder=4)
        )
        text = drawable(label)
        lines = text.split("\n")
        size = min(0.36, 0.9 / max(len(line) for line in lines), 0.38 / len(lines))
        y = graph.y + (0.36 * size + 1.2 * size * (len(lines) - 1) / 2 - 0.72 * size)
        for k, line in enumerate(lines):
            # On one base line, so that letters of different height stand level.
            axes.text(
                x, y - 1.2 * size * k, line, fontproperties=_FONT, fontsize=scale * size,
                color=_INK, ha="center", va="baseline", zorder=5, parse_math=False,
            )  # fmt: skip


def _draw_edges(
    axes: Axes, graph: _Placed, kinds: list[EditKind], scale: float, named: bool
) -> None:
    for (u, v, name), kind in zip(graph.edges, kinds, strict=True):
        width = 1.1 if kind == "kept" else 1.8
        arrow = {"arrowstyle": "-|>", "mutation_scale": scale * 0.22, "lw": width, "zorder": 2}
        axes.add_patch(FancyArrowPatch(color=_COLOUR[kind], **_curve(graph, u, v, scale), **arrow))
        if named:
            over = graph.rise(u, v) or 0.17
            axes.text(
                (graph.x[u] + graph.x[v]) / 2, graph.y + graph.side * over, _clipped(drawable(name)),
                fontproperties=_FONT, fontsize=scale * 0.19, color=_COLOUR[kind], zorder=6,
                ha="center", va="center", parse_math=False,
                bbox={"fc": "white", "ec": "none", "pad": 0.6},
            )  # fmt: skip


def _curve(graph: _Placed, u: int, v: int, scale: float) -> dict[str, Any]:
    """From where to where the arrow of an edge goes, and how far it bends."""
    x, x2, y, gap = graph.x[u], graph.x[v], graph.y, scale * (_RADIUS + 0.02)
    if u == v:
        x, x2, y, gap = x - 0.17, x + 0.17, y + graph.side * _RADIUS * 0.9, 0.0
    over = graph.rise(u, v) - abs(y - graph.y)
    bend = -2 * graph.side * over / (x2 - x)
    curve = f"arc3,rad={bend}"
    return {
        "posA": (x, y),
        "posB": (x2, y),
        "connectionstyle": curve,
        "shrinkA": gap,
        "shrinkB": gap,
    }


def drawable(label: str) -> str:
    """`label` as the font can draw it: a space as its sign, an unknown character as "U+1F642"."""
    known = get_font(findfont(_FONT)).get_charmap()
    if label == " ":
        return "\N{OPEN BOX}"
    visible = label.strip() and not any(unicodedata.category(c)[0] == "C" for c in label)
    if visible and all(ord(c) in known for c in label):
        return _clipped(label)
    if not label:
        return "\N{EMPTY SET}"
    more = f"\n+{len(label) - 1}" if len(label) > 1 else ""
    return f"U+\n{ord(label[0]):04X}{more}"


def _clipped(text: str) -> str:
    return text if len(text) <= 9 else text[:8] + "\N{HORIZONTAL ELLIPSIS}"


def _draw_heads(axes: Axes, upper: _Placed, lower: _Placed) -> None:
    for name, graph in (("predicted", upper), ("target", lower)):
        turned = {"rotation": 90, "ha": "center", "va": "center"}
        axes.text(-0.9, graph.y, name, fontproperties=_FONT, fontsize=10, color=_INK, **turned)
        if not graph.x:
            nothing = "(no nodes)"
            axes.text(-0.3, graph.y, nothing, fontproperties=_FONT, color=_INK, va="center")


def _draw_legend(figure: Figure, kinds: list[EditKind], title: str) -> None:
    high = 1 - 0.5 * _MARGIN / figure.get_figheight()
    figure.text(0.5, high, title, fontproperties=_FONT, color=_INK, ha="center", va="center")
    signs = [Line2D([], [], color=_COLOUR[kind], marker="o", lw=2) for kind in kinds]
    if signs:
        figure.legend(
            signs, kinds, loc="lower center", ncols=4, frameon=False, fontsize=9, labelcolor=_INK
        )


def _save(figure: Figure, path: str | os.PathLike[str]) -> None:
    suffix = Path(path).suffix.lstrip(".").lower()
    known = figure.canvas.get_supported_filetypes()
    remedy = "Name a file that ends in .png, .svg or .pdf."
    require(suffix in known, f"{path}: the suffix", "name a format of matplotlib", suffix, remedy)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=suffix)
