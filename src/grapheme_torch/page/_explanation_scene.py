"""The picture of an explanation: input, prediction and target, joined by origin and plan."""

from collections.abc import Iterator

from torch_geometric.data import Data

from ..graphs import alike, edge_triples, node_labels
from ..layout import Link, Note, Panel, Scene, graph_places, panel, turned_alike
from ._explanation import Explanation, OutputNode
from ._explanation_text import edge_text, input_texts, output_text, quoted, target_text

_FAINT = 0.02
"""Mass below which a line of the plan is not drawn."""

_MOST_LINES = 1500
"""Lines of the plan, at most: those that carry most."""

_DOUBTFUL = 0.05
"""Probability, or mass, from which on an output node is shown that was left out."""

_MOST_LEFT_OUT = 40


def shown_nodes(explanation: Explanation) -> list[int]:
    """The output nodes that are drawn: those of the predicted graph, then doubtful others."""
    kept = sorted(
        (k for k, one in enumerate(explanation.nodes) if one.node is not None),
        key=lambda k: explanation.nodes[k].node or 0,
    )
    doubtful = [k for k, one in enumerate(explanation.nodes) if one.node is None and _doubted(one)]
    doubtful.sort(key=lambda k: -_weight(explanation.nodes[k]))
    return kept + sorted(doubtful[:_MOST_LEFT_OUT])


def explanation_scene(explanation: Explanation) -> Scene:
    """The graphs of an explanation, with what is told of each node, edge and link."""
    shown, predicted, target = shown_nodes(explanation), explanation.predicted, explanation.target
    if target is not None:
        predicted, target = alike(predicted, target)
    graphs = [graph for graph in (predicted, target) if graph is not None]
    relations = {name for graph in graphs for _, _, name in edge_triples(graph)}
    parts = [_input(explanation), _predicted(explanation, predicted, shown, relations)]
    if target is not None:
        parts.append(_target(explanation, target, relations))
    panels, nodes, edges = zip(*parts, strict=True)
    return Scene(panels, (*_origins(explanation, shown), *_plan(explanation, shown)), nodes, edges)


Part = tuple[Panel, tuple[Note, ...], tuple[Note, ...]]
"""A graph, and what is told of its nodes and of its edges."""


def _input(explanation: Explanation) -> Part:
    graph = explanation.input
    nodes = (Note(told=text) for text in input_texts(explanation))
    edges = (Note(told=edge_text(*edge)) for edge in edge_triples(graph))
    return panel("input", graph), tuple(nodes), tuple(edges)


def _predicted(
    explanation: Explanation, graph: Data, shown: list[int], relations: set[str]
) -> Part:
    """The predicted graph, turned as the target is, and the doubtful nodes that were left out."""
    edits, places = explanation.edits, graph_places(graph)
    if edits is not None and explanation.target is not None:
        ends = ((edit.predicted, edit.target) for edit in edits.nodes)
        pairs = [(i, j) for i, j in ends if i is not None and j is not None]
        places = turned_alike(places, graph_places(explanation.target), pairs)
    outputs = [explanation.nodes[k] for k in shown]
    left_out = [one.label for one in outputs if one.node is None]
    kinds = {edit.predicted: edit.kind for edit in edits.nodes} if edits else {}
    nodes = []
    for one in outputs:
        kind = "unused" if one.node is None else kinds.get(one.node, "plain")
        text = output_text(explanation, one, kind)
        nodes.append(Note(kind, explanation.heat(one.cost), text))
    said = {(edge.source, edge.target): edge for edge in explanation.edges}
    edge_kinds = {edit.predicted: edit.kind for edit in edits.edges} if edits else {}
    edges = []
    for u, v, name in edge_triples(graph):
        edge, kind = said[u, v], edge_kinds.get((u, v), "plain")
        text = edge_text(u, v, name, kind, edge.probability, edge.cost)
        edges.append(Note(kind, explanation.heat(edge.cost), text))
    drawn = panel("predicted", graph, places=places, left_out=left_out, relations=relations)
    return drawn, tuple(nodes), tuple(edges)


def _target(explanation: Explanation, graph: Data, relations: set[str]) -> Part:
    edits, loss, triples = explanation.edits, explanation.loss, edge_triples(graph)
    kinds = {edit.target: edit.kind for edit in edits.nodes} if edits else {}
    costs = loss.target_nodes if loss else [None] * len(node_labels(graph))
    nodes = []
    for k, cost in enumerate(costs):
        kind = kinds.get(k, "plain")
        nodes.append(Note(kind, explanation.heat(cost), target_text(explanation, k, kind, cost)))
    edge_kinds = {edit.target: edit.kind for edit in edits.edges} if edits else {}
    costs = loss.target_edges if loss else [None] * len(triples)
    edges = []
    for (u, v, name), cost in zip(triples, costs, strict=True):
        kind = edge_kinds.get((u, v), "plain")
        text = edge_text(u, v, name, kind, cost=cost)
        edges.append(Note(kind, explanation.heat(cost), text))
    return panel("target", graph, relations=relations), tuple(nodes), tuple(edges)


def _doubted(one: OutputNode) -> bool:
    return _weight(one) >= _DOUBTFUL


def _weight(one: OutputNode) -> float:
    return max([one.existence, *(mass for _, mass in one.matches)])


def _origins(explanation: Explanation, shown: list[int]) -> Iterator[Link]:
    labels = node_labels(explanation.input)
    for place, k in enumerate(shown):
        one = explanation.nodes[k]
        if one.input is not None and one.node is not None:
            told = f"{quoted(one.label)} at input node {quoted(labels[one.input])}\n{one.origin}"
            yield Link(0, one.input, place, 0.5, one.origin, told)


def _plan(explanation: Explanation, shown: list[int]) -> list[Link]:
    """The matches of the plan; without one those of the edits."""
    if explanation.target is None:
        return []
    labels = node_labels(explanation.target)
    found: list[tuple[int, int, float]] = []
    if explanation.loss is not None:
        plan = explanation.loss.plan[:-1, :-1][shown]
        places = (plan > _FAINT).nonzero().tolist()
        found = [(i, j, min(float(plan[i, j]), 1.0)) for i, j in places]
    elif explanation.edits is not None:
        found = [
            (edit.predicted, edit.target, 1.0)
            for edit in explanation.edits.nodes
            if edit.predicted is not None and edit.target is not None
        ]
    found = sorted(sorted(found, key=lambda line: -line[2])[:_MOST_LINES])
    return [
        Link(
            1, i, j, mass,
            "kept" if explanation.nodes[shown[i]].label == labels[j] else "relabelled",
            f"{quoted(explanation.nodes[shown[i]].label)} matched with {quoted(labels[j])}"
            f"\nmass {mass:.3f}",
        )
        for i, j, mass in found
    ]  # fmt: skip
