"""Graphs as node-link documents, the JSON form that networkx writes."""

from collections.abc import Hashable, Mapping
from typing import Any

from torch_geometric.data import Data

from .._check import Received, notice, refusal, require
from ._direction import Triple, edge_triples, is_directed
from ._form import NEXT, check_text, make_graph, node_labels, positions_of
from ._node_numbers import feature_tensor, features_of, is_number, written_features

_OTHER_NAMES = ("relation", "predicate", "type", "rel")
"""What others call the label of an edge."""


def graph_from_node_link(document: Mapping[str, Any]) -> Data:
    """The graph of a node-link document, the JSON form that networkx writes.

    Args:
        document: `{"nodes": [{"id", "label"}, ...], "edges": [{"source", "target"}, ...]}`.
            The edges may be called "links", as networkx did. An edge may carry a "label" (default
            "next"), a node a "position" (a number, on all nodes or on none). It may carry "x": a
            list of numbers, as many on each node, or on none. Then it may leave out its "label",
            which is the empty text. With `"directed": false` edges have no direction, and two
            nodes are joined by one at most; without the key they have one. Other keys are ignored;
            a `Notice` says so where edges without a label have a text under another name, such as
            "relation".

    Raises:
        InputError: Naming the first node or edge that is not as required.
    """
    require(
        isinstance(document, Mapping),
        "a graph",
        'be an object with "nodes" and "edges"',
        document,
        'Write {"nodes": [{"id": 0, "label": "a"}], "edges": []}.',
    )
    nodes, edges = _listed(document, "nodes"), _listed(document, _edges_of(document))
    index: dict[Hashable, int] = {}
    for k, node in enumerate(nodes):
        _add_node(index, k, node)
    label = [node.get("label", "") for node in nodes]
    triples = [_edge(index, k, edge) for k, edge in enumerate(edges)]
    directed = document.get("directed", True)
    remedy = "Write false if its edges have no direction, else true."
    is_flag = isinstance(directed, bool)
    require(is_flag, 'the "directed" of a graph', "be true or false", directed, remedy)
    _check_single(triples, nodes, directed)
    _tell_unread(edges)
    graph = make_graph(label, triples, _positions(nodes), directed=directed)
    rows = _numbers(nodes)
    if rows is not None:
        graph.features = feature_tensor(rows, len(nodes), _number_name)
    return graph


def graph_to_node_link(graph: Data) -> dict[str, Any]:
    """The node-link document of a graph, for `json.dumps` or `networkx.node_link_graph`.

    An undirected graph says `"directed": false`, and each of its edges stands once.

    Raises:
        InputError: If the graph has no labels, or an edge ends at no node.
    """
    label, position, features = node_labels(graph), positions_of(graph), features_of(graph)
    nodes: list[dict[str, Any]] = [{"id": i, "label": name} for i, name in enumerate(label)]
    if position is not None:
        for node, place in zip(nodes, position, strict=True):
            node["position"] = place
    if features is not None:
        for node, row in zip(nodes, written_features(features), strict=True):
            node["x"] = row
    edges = [
        {"source": source, "target": target, "label": name}
        for source, target, name in edge_triples(graph)
    ]
    head = {"directed": is_directed(graph), "multigraph": False, "graph": {}}
    return {**head, "nodes": nodes, "edges": edges}


def _edges_of(document: Mapping[str, Any]) -> str:
    """The key of the edges: networkx before 3.6 calls them "links"."""
    return "links" if "links" in document and "edges" not in document else "edges"


def _listed(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key)
    require(
        isinstance(value, list),
        f'the "{key}" of a graph',
        "be a list",
        value if key in document else Received("nothing"),
        f'Write "{key}": [] if there are none.',
    )
    assert isinstance(value, list)
    return value


def _add_node(index: dict[Hashable, int], k: int, node: object) -> None:
    require(
        isinstance(node, Mapping) and "id" in node and ("label" in node or "x" in node),
        f"node {k}",
        'be an object with "id" and "label"',
        node,
        'Write {"id": 0, "label": "a"}.',
    )
    assert isinstance(node, Mapping)
    name = node["id"]
    _check_id(f'the "id" of node {k}', name)
    require(name not in index, f'the "id" of node {k}', "be unique", name, "Number the nodes.")
    check_text(f'the "label" of node {k}', node.get("label", ""))
    index[name] = k


def _check_id(name: str, value: object) -> None:
    ok = isinstance(value, str | int) and not isinstance(value, bool)
    require(ok, name, "be a string or an integer", value, "Number the nodes 0, 1, 2, ...")


def _edge(index: dict[Hashable, int], k: int, edge: object) -> tuple[int, int, str]:
    require(
        isinstance(edge, Mapping) and "source" in edge and "target" in edge,
        f"edge {k}",
        'be an object with "source" and "target"',
        edge,
        'Write {"source": 0, "target": 1}.',
    )
    assert isinstance(edge, Mapping)
    ends = []
    for side in ("source", "target"):
        name = f'the "{side}" of edge {k}'
        _check_id(name, edge[side])
        if edge[side] not in index:
            remedy = "Add the node, or drop the edge."
            raise refusal(name, "be the id of a node of the graph", edge[side], remedy)
        ends.append(index[edge[side]])
    label = edge.get("label", NEXT)
    check_text(f'the "label" of edge {k}', label)
    return ends[0], ends[1], label


def _check_single(triples: list[Triple], nodes: list[Any], directed: bool) -> None:
    seen: set[tuple[int, int]] = set()
    for source, target, _ in triples:
        pair = (source, target) if directed else (min(source, target), max(source, target))
        if pair in seen:
            first, last = nodes[source]["id"], nodes[target]["id"]
            ways = f"from {first!r} to {last!r}" if directed else f"between {first!r} and {last!r}"
            wanted = f"be at most one per {'ordered' if directed else 'undirected'} pair"
            remedy = "Join their labels into one edge."
            raise refusal("edges", wanted, Received(f"two {ways}"), remedy)
        seen.add(pair)


def _tell_unread(edges: list[Any]) -> None:
    """Gives a `Notice` where the labels of edges stand under another name."""
    if not edges or any("label" in edge for edge in edges):
        return
    for name in _OTHER_NAMES:
        if all(isinstance(edge.get(name), str) for edge in edges):
            notice(
                f'edges have a text "{name}" and no "label". It is not read: all edges are called '
                f'"{NEXT}". If it tells edges apart, call it "label".'
            )


def _positions(nodes: list[Any]) -> list[float] | None:
    placed = [node["position"] for node in nodes if "position" in node]
    if not placed:
        return None if nodes else []
    remedy = "Give every node its place in reading order, or remove them all."
    for k, node in enumerate(nodes):
        name = f'the "position" of node {k}'
        if "position" not in node:
            raise refusal(name, "be given, as other nodes have one", Received("nothing"), remedy)
        require(is_number(node["position"]), name, "be a finite number", node["position"], remedy)
    return [float(place) for place in placed]


def _numbers(nodes: list[Any]) -> list[Any] | None:
    """The "x" of each node; None where none has it."""
    missing = [k for k, node in enumerate(nodes) if "x" not in node]
    if len(missing) == len(nodes):
        return None
    if missing:
        remedy = "Give every node as many numbers, or remove them all."
        wanted = "be given, as other nodes have one"
        raise refusal(_number_name(missing[0]), wanted, Received("nothing"), remedy)
    return [node["x"] for node in nodes]


def _number_name(k: int) -> str:
    return f'the "x" of node {k}'
