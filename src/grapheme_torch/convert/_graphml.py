"""GraphML: nodes, edges, declared attributes and the labels of yEd."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from .._check import Received
from ._attributes import Field, Item, Value, Values, declared, defaults
from ._graph_document import Edge, FileGraph, edge_named, only_graph, required
from ._xml import Element, check_children, parse, refused

_NAMESPACE = re.compile(r"https?://graphml\.graphdrawing\.org/xmlns(/.*)?")
_YWORKS = "http://www.yworks.com/"
_YED_LABELS = frozenset({"NodeLabel", "EdgeLabel", "Label.Text"})
_UNGROUP = "Ungroup the nodes, or write each graph to a file of its own."
_ELSEWHERE = "Put into this file what it refers to."
_IN_GRAPH = {
    "hyperedge": "Write it as a node with an edge to each of its ends.",
    "graph": _UNGROUP,
    "locator": _ELSEWHERE,
}
_IN_NODE = {"graph": _UNGROUP, "locator": _ELSEWHERE}
_STRUCTURE = frozenset({"id", "source", "target", "directed"})

_Keys = Mapping[str, Field]
"""The declared attributes of nodes, or of edges, by the id of their key."""


def read_graphml(content: bytes) -> FileGraph:
    """The graph of a GraphML file, with or without its namespace.

    Ports are passed over; `sourceport` and `targetport` are attributes of an edge. The text of
    a label of yEd is the attribute `label`.

    Raises:
        InputError: At the line of what is no GraphML, or could not be kept. That is a nested or a
            second graph, a hyperedge, a group of yEd.
    """
    root = parse(content, _NAMESPACE)
    graph = only_graph(root, "graphml", "GraphML", "http://graphml.graphdrawing.org/xmlns")
    check_children(root, ("key", "graph"), ("desc", "data"))
    check_children(graph, ("node", "edge"), ("desc", "data"), _IN_GRAPH)
    node_keys, edge_keys = _keys(root, "node"), _keys(root, "edge")
    default = graph.attributes.get("edgedefault")
    return FileGraph(
        graph,
        [_node(element, node_keys) for element in graph.find("node")],
        [_edge(element, edge_keys, default) for element in graph.find("edge")],
        default == "directed",
        defaults(node_keys.values()),
        defaults(edge_keys.values()),
    )


def _keys(root: Element, kind: str) -> _Keys:
    """The keys for nodes or edges; those of the other, which some programs use, come behind."""
    found: dict[str, Field] = {}
    taken: set[str] = set()
    for element in root.find("key"):
        check_children(element, ("default",), ("desc",))
        name = required(element, "id")
        ours = element.attributes.get("for", "all") in (kind, "all")
        if ours and name in taken:
            remedy = "Give each key its own id."
            raise refused(element, "the id of a key", "be unique", name, remedy)
        if ours or name not in found:
            says = element.attributes
            key = declared(element, says.get("attr.name") or name, says.get("attr.type"))
            found[name] = key if ours else replace(key, default=None)
            taken |= {name} if ours else set()
    return found


def _node(element: Element, keys: _Keys) -> Item:
    check_children(element, ("data",), ("desc", "port"), _IN_NODE)
    name = required(element, "id")
    if element.attributes.get("yfiles.foldertype"):
        found = Received(f"a {element.attributes['yfiles.foldertype']} of yEd")
        raise refused(element, "a node", "be one node", found, _UNGROUP)
    return Item(f"node {name!r}", element, _values(element, keys, {"id": name}))


def _edge(element: Element, keys: _Keys, default: str | None) -> Edge:
    check_children(element, ("data",), ("desc",), _IN_NODE)
    own = {name: text for name, text in element.attributes.items() if name not in _STRUCTURE}
    if "id" in element.attributes:
        own["id"] = element.attributes["id"]
    return edge_named(element, _values(element, keys, own), _directed(element, default))


def _directed(element: Element, default: str | None) -> bool:
    own = element.attributes.get("directed")
    if own is not None:
        if own.lower() not in ("true", "false"):
            remedy = 'Write directed="true" or "false".'
            raise refused(element, "`directed` of an edge", "be true or false", own, remedy)
        return own.lower() == "true"
    if default not in ("directed", "undirected"):
        found = Received("nothing") if default is None else default
        remedy = 'Write <graph edgedefault="directed"> or "undirected".'
        whole = "be directed or undirected"
        raise refused(element, "`edgedefault` of the graph", whole, found, remedy)
    return default == "directed"


def _values(element: Element, keys: _Keys, own: Mapping[str, str]) -> Values:
    values = {name: [Value(text)] for name, text in own.items()}
    for data in element.find("data"):
        key = required(data, "key")
        if key not in keys:
            remedy = "Declare it: <key id=...>."
            raise refused(data, "the key of data", "be declared in the file", key, remedy)
        if data.children:
            problem = f"the element {data.children[0]}"
            values.setdefault(keys[key].name, []).append(Value(None, problem=problem))
        else:
            values.setdefault(keys[key].name, []).append(Value(data.text, keys[key].type))
        for name, text in _yed(data):
            values.setdefault(name, []).append(Value(text))
    return values


def _yed(data: Element) -> Iterator[tuple[str, str]]:
    """The labels and shapes that an element of yEd shows; a label without text is none."""
    for element in data.below():
        if not element.namespace.startswith(_YWORKS):
            continue
        attributes = element.attributes
        if element.name in _YED_LABELS and attributes.get("hasText") != "false":
            if element.text.strip():
                yield "label", element.text
        elif element.name == "Label" and "Text" in attributes:
            yield "label", attributes["Text"]
        elif element.name == "Shape" and "type" in attributes:
            yield "shape_type", attributes["type"]
        elif element.name == "GenericNode" and "configuration" in attributes:
            yield "shape_type", attributes["configuration"]
