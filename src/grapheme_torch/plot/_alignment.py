"""The picture of two graphs and of which node became which."""

import os
from dataclasses import dataclass

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, require
from ..edits import KINDS, EdgeEdit, EditKind, EditReport, NodeEdit
from ..graphs import alike, edge_triples, node_labels, undirected
from ._rows import Row, arranged, clipped, column_width, drawable
from ._style import FONT, GREEN, GREY, INK, ORANGE, RED, save

_COLOUR: dict[EditKind, str] = {
    "kept": GREY,
    "relabelled": ORANGE,
    "inserted": GREEN,
    "deleted": RED,
}

_FAINT = 0.02
"""Mass below which a line is not drawn."""

_RADIUS = 0.34
"""Of a node, in widths of a lone column."""

_MARGIN = 0.4
"""Above and below the graphs, for title and legend, in inches."""


def plot_alignment(
    predicted: Data,
    target: Data,
    alignment: EditReport | Float[Tensor, "n1 m1"],
    path: str | os.PathLike[str],
) -> None:
    """Draws two graphs, one above the other, and which node became which.

    The nodes of a graph stand in a row, in topological order (of a path: reading order). If the
    edges of one graph have no direction, all edges are drawn as lines without arrow heads. A line
    is as thick as the mass it carries. A label that the font cannot draw is shown by its code
    point. Edge labels are shown where the graphs have more than one kind.

    Args:
        predicted, target: Graphs with labels.
        alignment: An `EditReport` of the two, or a plan with the void last, as in
            `StructuralLossResult.plan`: mass from predicted to target node.
        path: Where to write; the suffix names the format (png, svg, pdf, ...).

    Raises:
        InputError: If the alignment does not fit the graphs, or the file cannot be written.
    """
    predicted, target = alike(predicted, target)
    if isinstance(alignment, EditReport) and not alignment.directed:
        predicted, target = undirected(predicted), undirected(target)
    links = _links(predicted, target, alignment)
    relations = {name for graph in (predicted, target) for _, _, name in edge_triples(graph)}
    spacing = column_width(relations)
    gap = 1.1 + 0.04 * spacing * max(len(node_labels(predicted)), len(node_labels(target)))
    upper, lower = arranged(predicted, spacing, gap, 1), arranged(target, spacing, -gap, -1)
    figure, axes = _canvas(upper, lower)
    for i, j, kind, mass in links.lines:
        axes.plot(
            [upper.x[i], lower.x[j]], [gap, -gap], zorder=1,
            color=_COLOUR[kind], lw=0.4 + 2.6 * mass, alpha=0.25 + 0.55 * mass,
        )  # fmt: skip
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
    save(figure, path)


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
        _check_report(predicted, target, alignment)
        return _report_links(predicted, target, alignment)
    shape = tuple(alignment.shape)
    remedy = "Give the plan of these two graphs; the void is its last row and column."
    require(shape == (n + 1, m + 1), "`alignment`", f"have shape {(n + 1, m + 1)}", shape, remedy)
    return _plan_links(predicted, target, alignment.detach().cpu().double())


def _check_report(predicted: Data, target: Data, report: EditReport) -> None:
    n, m = len(node_labels(predicted)), len(node_labels(target))
    sides = ([e.predicted for e in report.nodes], [e.target for e in report.nodes])
    sizes = tuple(sum(node is not None for node in side) for side in sides)
    remedy = "Give the report of these two graphs."
    require(sizes == (n, m), "`alignment`", f"join {n} and {m} nodes", sizes, remedy)
    edges = ([e.predicted for e in report.edges], [e.target for e in report.edges])
    for told, graph in zip(edges, (predicted, target), strict=True):
        wanted = {(u, v) for u, v, _ in edge_triples(graph)}
        found = Received("other edges")
        same = wanted == {pair for pair in told if pair is not None}
        require(same, "`alignment`", "tell of the edges of both graphs", found, remedy)


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
        predicted_edges=["kept"] * len(edge_triples(predicted)),
        target_edges=["kept"] * len(edge_triples(target)),
        title="alignment",
    )


def _canvas(upper: Row, lower: Row) -> tuple[Figure, Axes]:
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


def _draw_nodes(axes: Axes, graph: Row, kinds: list[EditKind], scale: float) -> None:
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
                x, y - 1.2 * size * k, line, fontproperties=FONT, fontsize=scale * size,
                color=INK, ha="center", va="baseline", zorder=5, parse_math=False,
            )  # fmt: skip


def _draw_edges(axes: Axes, graph: Row, kinds: list[EditKind], scale: float, named: bool) -> None:
    for (u, v, name), kind in zip(graph.edges, kinds, strict=True):
        axes.add_patch(_arrow(graph, u, v, kind, scale))
        if named:
            x, over = (graph.x[u] + graph.x[v]) / 2, graph.rise(u, v) or 0.17
            axes.text(
                x, graph.y + graph.side * over, clipped(drawable(name)),
                fontproperties=FONT, fontsize=scale * 0.19, color=_COLOUR[kind], zorder=6,
                ha="center", va="center", parse_math=False,
                bbox={"fc": "white", "ec": "none", "pad": 0.6},
            )  # fmt: skip


def _arrow(graph: Row, u: int, v: int, kind: EditKind, scale: float) -> FancyArrowPatch:
    x, x2, y, gap = graph.x[u], graph.x[v], graph.y, scale * (_RADIUS + 0.02)
    if u == v:
        x, x2, y, gap = x - 0.17, x + 0.17, y + graph.side * _RADIUS * 0.9, 0.0
    over = graph.rise(u, v) - abs(y - graph.y)
    return FancyArrowPatch(
        (x, y), (x2, y), shrinkA=gap, shrinkB=gap,
        # The middle of the arc is half as high as the point that it bends towards.
        connectionstyle=f"arc3,rad={-2 * graph.side * max(over, 0.0) / (x2 - x)}",
        arrowstyle="-|>" if graph.directed else "-", mutation_scale=scale * 0.22,
        color=_COLOUR[kind], lw=1.1 if kind == "kept" else 1.8, zorder=2,
    )  # fmt: skip


def _draw_heads(axes: Axes, upper: Row, lower: Row) -> None:
    for name, graph in (("predicted", upper), ("target", lower)):
        axes.text(
            -0.9, graph.y, name, fontproperties=FONT, fontsize=10, color=INK,
            rotation=90, ha="center", va="center",
        )  # fmt: skip
        if not graph.x:
            nothing = "(no nodes)"
            axes.text(-0.3, graph.y, nothing, fontproperties=FONT, color=INK, va="center")


def _draw_legend(figure: Figure, kinds: list[EditKind], title: str) -> None:
    high = 1 - 0.5 * _MARGIN / figure.get_figheight()
    figure.text(0.5, high, title, fontproperties=FONT, color=INK, ha="center", va="center")
    signs = [Line2D([], [], color=_COLOUR[kind], marker="o", lw=2) for kind in kinds]
    if signs:
        figure.legend(
            signs, kinds, loc="lower center", ncols=4, frameon=False, fontsize=9, labelcolor=INK
        )
