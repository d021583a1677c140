"""The node-link document of the nodes and edges that stand in a graph file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._check import Received, shown
from ..graphs import NEXT
from ._attributes import Item, Values, labels
from ._xml import Element, refused


@dataclass(frozen=True, slots=True)
class Edge(Item):
    """An edge of a graph file, from `source` to `target` or, undirected, between them."""

    source: str
    target: str
    directed: bool


@dataclass(frozen=True, slots=True)
class FileGraph:
    """A graph as it stands in a file.

    Args:
        element: Where it stands.
        nodes: Its nodes; the attribute `id` names each.
        edges: Its edges.
        directed: Whether its edges are directed, should there be none.
        node_defaults, edge_defaults: Values for nodes and edges that have none of their own.
    """

    element: Element
    nodes: Sequence[Item]
    edges: Sequence[Edge]
    directed: bool
    node_defaults: Values
    edge_defaults: Values


def only_graph(root: Element, name: str, title: str, namespace: str) -> Element:
    """The one graph in a file whose outermost element is `root`.

    Args:
        root: The element.
        name: The name that it must have, in the namespace of the format or in none.
        title: The format, for messages.
        namespace: Its namespace, for messages.

    Raises:
        InputError: If the file is of another format, or holds no graph or several.
    """
    if root.name != name or root.namespace:
        remedy = f"Export it as {title}, with xmlns={namespace!r}."
        raise refused(root, "the file", f"be a graph in {title}", Received(str(root)), remedy)
    graphs = list(root.find("graph"))
    if len(graphs) > 1:
        remedy = "Write each graph to a file of its own."
        raise refused(graphs[1], "the file", "hold one graph", Received("a second one"), remedy)
    if not graphs:
        raise refused(root, "the file", "hold a graph", Received("none"), "Export it again.")
    return graphs[0]


def edge_named(element: Element, values: Values, directed: bool, *, turned: bool = False) -> Edge:
    """The edge of an element with `source` and `target`; `turned` from target to source.

    Raises:
        InputError: If it lacks one of them.
    """
    ends = [required(element, side) for side in ("source", "target")]
    source, target = reversed(ends) if turned else ends
    name = f"the edge from {shown(source)} to {shown(target)}"
    return Edge(name, element, values, source, target, directed)


def required(element: Element, name: str) -> str:
    """An attribute that the element must have.

    Raises:
        InputError: If it has none.
    """
    if name not in element.attributes:
        what = f"the element {element}"
        remedy = f'Write {name}="...", or export the file again.'
        raise refused(element, what, f"have `{name}`", Received("none"), remedy)
    return element.attributes[name]


def document(graph: FileGraph, node_label: str | None, edge_label: str | None) -> dict[str, Any]:
    """The node-link document of a graph.

    Args:
        graph: The graph.
        node_label: The attribute that labels a node. None: `label`, or else `name`.
        edge_label: The attribute that labels an edge. None: `label`.

    Raises:
        InputError: If the ids of nodes are not unique, or a label cannot be read. If an edge ends
            at no node, two edges join the same nodes, or edges are not all directed or all
            undirected.
    """
    index = _index(graph.nodes)
    directed = _direction(graph)
    _check_single(graph.edges, directed)
    place, usual = graph.element, ("label", "name")
    names = labels(graph.nodes, graph.node_defaults, "node_label", node_label, usual, place)
    relations = labels(
        graph.edges, graph.edge_defaults, "edge_label", edge_label, ("label",), place
    )
    nodes = [
        {"id": k, "label": node if label is None else label}
        for (node, k), label in zip(index.items(), names, strict=True)
    ]
    edges = [
        {
            "source": _end(index, edge, "source", edge.source),
            "target": _end(index, edge, "target", edge.target),
            "label": NEXT if label is None else label,
        }
        for edge, label in zip(graph.edges, relations, strict=True)
    ]
    return {"directed": directed, "nodes": nodes, "edges": edges}


def _index(nodes: Sequence[Item]) -> dict[str, int]:
    index: dict[str, int] = {}
    for node in nodes:
        name = node.element.attributes["id"]
        if name in index:
            first = nodes[index[name]].element.line
            again = Received(f"{shown(name)} again, first in line {first}")
            remedy = "Give each node its own id."
            raise refused(node.element, "the id of a node", "be unique", again, remedy)
        index[name] = len(index)
    return index


def _direction(graph: FileGraph) -> bool:
    directed = graph.edges[0].directed if graph.edges else graph.directed
    for edge in graph.edges:
        if edge.directed != directed:
            kinds = ("undirected", "directed")
            found = f"{edge.name} {kinds[edge.directed]}, and {kinds[directed]} ones before it"
            remedy = "Write an undirected edge as two directed ones."
            whole = "be all directed or all undirected"
            raise refused(edge.element, "edges", whole, Received(found), remedy)
    return directed


def _check_single(edges: Sequence[Edge], directed: bool) -> None:
    seen: set[tuple[str, str]] = set()
    for edge in edges:
        source, target = edge.source, edge.target
        pair = (source, target) if directed or source < target else (target, source)
        if pair in seen:
            two = f"two {'from' if directed else 'between'} {shown(source)} "
            found = Received(two + f"{'to' if directed else 'and'} {shown(target)}")
            remedy = "Join the labels of parallel edges into one."
            raise refused(edge.element, "edges", "be one from a node to another", found, remedy)
        seen.add(pair)


def _end(index: dict[str, int], edge: Edge, side: str, name: str) -> int:
    if name not in index:
        remedy = "Add the node, or drop the edge."
        raise refused(edge.element, f"the {side} of an edge", "be a node of the file", name, remedy)
    return index[name]
