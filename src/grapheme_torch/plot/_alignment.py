"""The picture of two graphs and of which node became which."""

import os
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, require
from ..edits import EdgeEdit, EditKind, EditReport, NodeEdit
from ..graphs import alike, edge_triples, node_labels, undirected
from ..layout import Link, Note, Scene, graph_places, panel, turned_alike
from ._scene_picture import draw_scene

_FAINT = 0.02
"""Mass below which a line is not drawn."""


def plot_alignment(
    predicted: Data,
    target: Data,
    alignment: EditReport | Float[Tensor, "n1 m1"],
    path: str | os.PathLike[str],
) -> None:
    """Draws two graphs, and which node became which.

    Texts are drawn as lines, trees in layers, rings as polygons and molecules as chemists draw
    them. The two graphs stand above each other or side by side. If the edges of one graph have no
    direction, all edges are drawn without arrow heads. A line is as thick as the mass it carries. A
    label that the font cannot draw is shown by its code point. Edge labels are shown where the
    graphs have more than one kind.

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
    shared = [(i, j) for i, j, _, mass in links.lines if mass > 0.5]
    wanted = graph_places(target)
    places = turned_alike(graph_places(predicted), wanted, shared)
    scene = Scene(
        (
            panel("predicted", predicted, places=places, relations=relations),
            panel("target", target, places=wanted, relations=relations),
        ),
        tuple(Link(0, i, j, mass, kind) for i, j, kind, mass in links.lines),
        (_notes(links.predicted), _notes(links.target)),
        (_notes(links.predicted_edges), _notes(links.target_edges)),
    )
    draw_scene(scene, path, links.title)


def _notes(kinds: list[EditKind]) -> tuple[Note, ...]:
    return tuple(Note(kind) for kind in kinds)


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
