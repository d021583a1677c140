"""Two graphs and the edits between them as a scene."""

from torch_geometric.data import Data

from ..edits import EditKind, EditReport
from ..graphs import alike, edge_triples, node_labels
from ..layout import Link, Note, Scene, graph_places, panel, turned_alike
from ._explanation_text import edge_text, quoted


def pair_scene(predicted: Data, target: Data, edits: EditReport) -> Scene:
    """A predicted and a target graph, with what became of each node and edge.

    Args:
        predicted, target: Graphs with labels.
        edits: `edit_report(predicted, target)`.
    """
    predicted, target = alike(predicted, target)
    ends = [(edit.predicted, edit.target, edit.kind) for edit in edits.nodes]
    matched = [(i, j, kind) for i, j, kind in ends if i is not None and j is not None]
    wanted = graph_places(target)
    places = turned_alike(graph_places(predicted), wanted, [(i, j) for i, j, _ in matched])
    relations = {name for graph in (predicted, target) for _, _, name in edge_triples(graph)}
    nodes = (
        _nodes(predicted, {edit.predicted: edit.kind for edit in edits.nodes}),
        _nodes(target, {edit.target: edit.kind for edit in edits.nodes}),
    )
    edges = (
        _edges(predicted, {edit.predicted: edit.kind for edit in edits.edges}),
        _edges(target, {edit.target: edit.kind for edit in edits.edges}),
    )
    panels = (
        panel("predicted", predicted, places=places, relations=relations),
        panel("target", target, places=wanted, relations=relations),
    )
    return Scene(panels, tuple(Link(0, i, j, 1.0, kind) for i, j, kind in matched), nodes, edges)


def _nodes(graph: Data, kinds: dict[int | None, EditKind]) -> tuple[Note, ...]:
    labels = enumerate(node_labels(graph))
    return tuple(Note(kinds[k], told=f"node {k}: {quoted(name)}, {kinds[k]}") for k, name in labels)


def _edges(graph: Data, kinds: dict[tuple[int, int] | None, EditKind]) -> tuple[Note, ...]:
    return tuple(
        Note(kinds[u, v], told=edge_text(u, v, name, kinds[u, v]))
        for u, v, name in edge_triples(graph)
    )
