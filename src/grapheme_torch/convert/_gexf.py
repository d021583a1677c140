"""GEXF: nodes, edges and declared attributes of a graph that does not change with time."""

import re
from collections.abc import Iterator, Mapping

from .._check import Received
from ._attributes import Field, Item, Value, Values, declared, defaults
from ._graph_document import Edge, FileGraph, edge_named, only_graph, required
from ._xml import Element, check_children, parse, refused

_NAMESPACE = re.compile(r"https?://(www\.)?(gexf\.net/[^/]*|gephi\.org/gexf)")
_MOMENT = "Export the graph of one moment, without a value per time."
_FLAT = "Export the graph without a hierarchy of nodes."
_REMEDIES = {
    "spells": _MOMENT,
    "slices": _MOMENT,
    "nodes": _FLAT,
    "edges": _FLAT,
    "parents": _FLAT,
}
_LOOKS = ("color", "position", "size", "shape", "thickness")
_TIMES = (
    *("start", "end", "startopen", "endopen"),
    *("timestamp", "timestamps", "interval", "intervals"),
)
_EDGE_TYPES = ("directed", "undirected", "mutual")

_Fields = Mapping[str, Field]
"""The declared attributes of nodes, or of edges, by their id."""


def read_gexf(content: bytes) -> FileGraph:
    """The graph of a GEXF file of any version, with or without its namespace.

    A mutual edge is one in each direction. An edge has `weight` (1.0 where none is given), `kind`
    and `id` as attributes.

    Raises:
        InputError: At the line of what is no GEXF, or could not be kept. That is a second graph,
            nodes within nodes, nodes, edges or values that come and go with time.
    """
    root = parse(content, _NAMESPACE)
    graph = only_graph(root, "gexf", "GEXF", "http://gexf.net/1.3")
    check_children(root, ("graph",), ("meta",))
    check_children(graph, ("attributes", "nodes", "edges"))
    node_fields, edge_fields = _fields(graph, "node"), _fields(graph, "edge")
    # Every edge has a weight; Gephi 0.7 writes it as an attribute that it does not declare.
    edge_fields.setdefault("weight", Field("weight", "double", Value("1.0", "double")))
    default = _edge_type(graph, "defaultedgetype", "undirected")
    nodes = [_node(element, node_fields) for element in _listed(graph, "nodes", "node")]
    edges = [
        edge
        for element in _listed(graph, "edges", "edge")
        for edge in _edges(element, edge_fields, default)
    ]
    found = (defaults(fields.values()) for fields in (node_fields, edge_fields))
    return FileGraph(graph, nodes, edges, default != "undirected", *found)


def _listed(graph: Element, group: str, name: str) -> Iterator[Element]:
    for several in graph.find(group):
        check_children(several, (name,))
        yield from several.find(name)


def _fields(graph: Element, kind: str) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for group in graph.find("attributes"):
        of = group.attributes.get("class")
        if of not in ("node", "edge"):
            found = Received("nothing") if of is None else of
            remedy = 'Write class="node" or "edge".'
            raise refused(group, "the class of attributes", "be node or edge", found, remedy)
        check_children(group, ("attribute",))
        for element in group.find("attribute") if of == kind else ():
            name = required(element, "id")
            if name in fields:
                remedy = "Give each attribute its own id."
                raise refused(element, "the id of an attribute", "be unique", name, remedy)
            check_children(element, ("default",), ("options",))
            says = element.attributes
            fields[name] = declared(element, says.get("title") or name, says.get("type"))
    return fields


def _node(element: Element, fields: _Fields) -> Item:
    name = required(element, "id")
    _check_lasting(element, f"node {name!r}")
    check_children(element, ("attvalues",), _LOOKS, _REMEDIES)
    if "pid" in element.attributes:
        found = Received(f"{name!r} within {element.attributes['pid']!r}")
        raise refused(element, "a node", "stand in no other node", found, _FLAT)
    return Item(f"node {name!r}", element, _values(element, fields, ("id", "label")))


def _edges(element: Element, fields: _Fields, default: str) -> Iterator[Edge]:
    _check_lasting(element, "an edge")
    check_children(element, ("attvalues",), _LOOKS, _REMEDIES)
    kind = _edge_type(element, "type", default)
    values = _values(element, fields, ("id", "label", "weight", "kind"))
    edge = edge_named(element, values, kind != "undirected")
    yield edge
    if kind == "mutual" and edge.source != edge.target:
        yield edge_named(element, values, True, turned=True)


def _check_lasting(element: Element, name: str) -> None:
    times = [time for time in _TIMES if element.attributes.get(time)]
    if times:
        found = Received(f"`{times[0]}`, a value per time")
        raise refused(element, name, "be there at all times", found, _MOMENT)


def _edge_type(element: Element, attribute: str, default: str) -> str:
    kind = element.attributes.get(attribute, default)
    if kind not in _EDGE_TYPES:
        one_of = "be directed, undirected or mutual"
        raise refused(element, f"`{attribute}`", one_of, kind, "Write one of the three.")
    return kind


def _values(element: Element, fields: _Fields, own: tuple[str, ...]) -> Values:
    values: dict[str, list[Value]] = {}
    for name in own:
        if name in element.attributes:
            kind = "double" if name == "weight" else "string"
            values[name] = [Value(element.attributes[name], kind)]
    for group in element.find("attvalues"):
        check_children(group, ("attvalue",))
        for value in group.find("attvalue"):
            name = value.attributes.get("for") or required(value, "id")
            if name not in fields:
                remedy = "Declare it: <attribute id=...>."
                raise refused(value, "an attribute", "be declared in the file", name, remedy)
            timed = any(value.attributes.get(time) for time in _TIMES)
            problem = "a value per time" if timed else ""
            read = Value(value.attributes.get("value"), fields[name].type, problem)
            values.setdefault(fields[name].name, []).append(read)
    return values
