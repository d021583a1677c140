"""Text and graphs: one node per grapheme cluster, edges in reading order.

A graph is a PyTorch Geometric `Data` with

- `label`: list of `n` strings, what each node is;
- `x [n, 12]`: hashes of each label and of its first code points, what a network reads (no
  vocabulary is needed);
- `edge_index [2, e]`: source and target of each directed edge;
- `edge_label`: list of `e` strings, the relation each edge stands for;
- `edge_attr [e, 12]`: the same of each edge label;
- `position [n]`: place in reading order, in steps; left out when the graph has no order.
"""

import functools
import hashlib
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import networkx as nx
import regex
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from ._check import Received, refusal, require

NUM_HASHES = 8
"""Hashes kept of each label as a whole; a `HashEmbedding` may use fewer."""

NUM_CODE_POINTS = 4
"""Code points of each label that are hashed on their own; a Hangul syllable has up to three."""

NEXT = "next"
"""The relation between a grapheme cluster and the one read after it."""

_CLUSTER = regex.compile(r"\X")


def text_to_graph(text: str) -> Data:
    """The graph of a text: a node per extended grapheme cluster (UAX 29), joined in reading order.

    Args:
        text: Any Unicode string, the empty one included. Nothing is normalised: the text
            comes back from `graph_to_text` code point by code point.

    Returns:
        A directed path, each edge labelled "next", positions 0, 1, 2, ...

    Raises:
        InputError: If `text` is no string or holds a lone surrogate, which no encoding can store.
    """
    _check_text("`text`", text)
    label = _CLUSTER.findall(text)
    steps = range(len(label) - 1)
    return make_graph(label, [(i, i + 1, NEXT) for i in steps], list(range(len(label))))


def graph_to_text(graph: Data) -> str:
    """The text of a graph that is one path: its labels, joined along the edges.

    Raises:
        InputError: If the nodes do not form a single directed path, or have no labels.
    """
    label = node_labels(graph)
    order = path_order(graph)
    if order is None:
        shape = f"a graph of {len(label)} nodes and {graph.edge_index.shape[1]} edges"
        raise refusal(
            "`graph`",
            "be one directed path through all its nodes to be read as text",
            Received(shape),
            "Read it as node-link JSON instead: `graph_to_node_link(graph)`.",
        )
    return "".join(label[i] for i in order)


def path_order(graph: Data) -> list[int] | None:
    """The nodes in the order of the one directed path through them all; None if there is none."""
    n = int(graph.num_nodes or 0)
    if n == 0:
        return []
    source, target = graph.edge_index.tolist()
    after = dict(zip(source, target, strict=True))
    starts = set(range(n)) - set(target)
    if len(source) != n - 1 or len(after) != n - 1 or len(starts) != 1:
        return None
    order = [starts.pop()]
    while order[-1] in after and len(order) <= n:
        order.append(after[order[-1]])
    return order if len(order) == n else None


def make_graph(
    label: Sequence[str],
    edges: Sequence[tuple[int, int, str]] = (),
    position: Sequence[int | float] | None = None,
) -> Data:
    """The graph with these node labels, directed edges `(source, target, label)` and positions.

    Raises:
        InputError: If an edge ends at no node, or a node has no position while others have one.
    """
    for source, target, _ in edges:
        if not (0 <= source < len(label) and 0 <= target < len(label)):
            nodes = f"join two of the nodes 0 to {len(label) - 1}" if label else "be left out"
            remedy = "Number the nodes from 0, in the order of their labels."
            raise refusal("an edge", nodes, (source, target), remedy)
    if position is not None:
        require(
            len(position) == len(label),
            "`position`",
            f"have one number per node ({len(label)})",
            Received(f"{len(position)}"),
            "Give every node its place in reading order, or none.",
        )
    ends = [(source, target) for source, target, _ in edges]
    edge_label = [name for _, _, name in edges]
    graph = Data(
        x=hash_labels(label),
        edge_index=torch.tensor(ends, dtype=torch.long).reshape(-1, 2).t().contiguous(),
        edge_attr=hash_labels(edge_label),
        label=list(label),
        edge_label=edge_label,
    )
    if position is not None:
        graph.position = torch.tensor(position, dtype=torch.float)
    return graph


def node_labels(graph: Data) -> list[str]:
    """The label of every node; refuses a graph that carries none."""
    label = graph.get("label")
    named = isinstance(label, list) and all(isinstance(name, str) for name in label)
    remedy = "Build the graph with `text_to_graph`, `graph_from_node_link` or `make_graph`."
    if isinstance(graph, Batch):
        remedy = "Take the graphs of the batch one by one: `batch.to_data_list()`."
    require(
        named and len(label) == graph.num_nodes,
        "`graph.label`",
        f"be a list with one string per node ({graph.num_nodes})",
        label,
        remedy,
    )
    assert isinstance(label, list)
    return label


def hash_labels(labels: Sequence[str]) -> Tensor:
    """Hashes of each label in [0, 2^31), equal on every machine: `[n, 12]`.

    Eight independent ones of the label, then one of each of its first four code points together
    with its place, after canonical decomposition (NFD); -1 where it has fewer.
    """
    rows = [_hash(label) for label in labels]
    return torch.tensor(rows, dtype=torch.long).reshape(-1, NUM_HASHES + NUM_CODE_POINTS)


@functools.lru_cache(maxsize=65_536)
def _hash(label: str) -> tuple[int, ...]:
    points = unicodedata.normalize("NFD", label)[:NUM_CODE_POINTS]
    placed = [_digest(f"{place}{point}", 1)[0] for place, point in enumerate(points)]
    absent = [-1] * (NUM_CODE_POINTS - len(placed))
    return (*_digest(label, NUM_HASHES), *placed, *absent)


def _digest(text: str, count: int) -> list[int]:
    digest = hashlib.blake2b(text.encode(), digest_size=4 * count).digest()
    return [int.from_bytes(digest[k : k + 4], "little") >> 1 for k in range(0, len(digest), 4)]


def graph_from_node_link(document: Mapping[str, Any]) -> Data:
    """The graph of a node-link document, the JSON form that networkx writes.

    Args:
        document: `{"nodes": [{"id", "label"}, ...], "edges": [{"source", "target"}, ...]}`.
            An edge may carry a "label" (default "next"), a node a "position" (a number, on all
            nodes or on none). `"directed": false` makes an edge of each direction. Other keys
            are ignored.

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
    nodes, edges = _listed(document, "nodes"), _listed(document, "edges")
    index: dict[Hashable, int] = {}
    for k, node in enumerate(nodes):
        _add_node(index, k, node)
    label = [node["label"] for node in nodes]
    triples = [_edge(index, k, edge) for k, edge in enumerate(edges)]
    if document.get("directed") is False:
        triples += [(target, source, name) for source, target, name in triples if source != target]
    _check_single(triples, nodes)
    return make_graph(label, triples, _positions(nodes))


def graph_to_node_link(graph: Data) -> dict[str, Any]:
    """The node-link document of a graph, for `json.dumps` or `networkx.node_link_graph`."""
    label, position = node_labels(graph), graph.get("position")
    nodes: list[dict[str, Any]] = [{"id": i, "label": name} for i, name in enumerate(label)]
    if position is not None:
        for node, place in zip(nodes, position.tolist(), strict=True):
            node["position"] = place
    edges = [
        {"source": source, "target": target, "label": name}
        for source, target, name in edge_triples(graph)
    ]
    head = {"directed": True, "multigraph": False, "graph": {}}
    return {**head, "nodes": nodes, "edges": edges}


def edge_triples(graph: Data) -> list[tuple[int, int, str]]:
    """Every edge as `(source, target, label)`; the label is "next" where the graph names none."""
    ends = graph.edge_index.t().tolist()
    names = graph.get("edge_label") or [NEXT] * len(ends)
    require(
        len(names) == len(ends),
        "`graph.edge_label`",
        f"be a list with one string per edge ({len(ends)})",
        names,
        "Build the graph with `text_to_graph`, `graph_from_node_link` or `make_graph`.",
    )
    return [(source, target, name) for (source, target), name in zip(ends, names, strict=True)]


def graph_from_networkx(graph: "nx.Graph[Any]") -> Data:
    """The graph of a networkx graph whose nodes carry a "label" (default: the node, as text)."""
    if graph.is_multigraph():
        raise refusal(
            "`graph`",
            "have at most one edge between two nodes",
            Received(f"a {type(graph).__name__}"),
            "Convert it first: `networkx.DiGraph(graph)` keeps one edge of each pair.",
        )
    index = {node: k for k, node in enumerate(graph)}
    nodes = [
        {"id": k, "label": graph.nodes[node].get("label", str(node)), **_place(graph.nodes[node])}
        for node, k in index.items()
    ]
    edges = [
        {"source": index[u], "target": index[v], "label": data.get("label", NEXT)}
        for u, v, data in graph.edges(data=True)
    ]
    return graph_from_node_link({"directed": graph.is_directed(), "nodes": nodes, "edges": edges})


def graph_to_networkx(graph: Data) -> "nx.DiGraph[int]":
    """The graph as a networkx `DiGraph`: "label" on nodes and edges, "position" on placed nodes."""
    return nx.node_link_graph(graph_to_node_link(graph), edges="edges")


def both_ways(graph: Data) -> Data:
    """The same nodes with each edge in both directions, for graphs whose edges have none."""
    triples = edge_triples(graph)
    turned = [(target, source, name) for source, target, name in triples if source != target]
    return make_graph(node_labels(graph), triples + turned, _order_of(graph))


def _order_of(graph: Data) -> list[float] | None:
    position = graph.get("position")
    return None if position is None else position.tolist()


def membership(graph: Data) -> tuple[Tensor, int]:
    """The graph that each node of a `Data` or `Batch` belongs to, and the number of graphs.

    A `Data` without `batch` is a batch of one.
    """
    batch = graph.get("batch")
    if batch is None:
        count = int(graph.num_nodes or 0)
        return torch.zeros(count, dtype=torch.long, device=graph.edge_index.device), 1
    if isinstance(graph, Batch):
        return batch, graph.num_graphs
    return batch, int(batch.max()) + 1 if len(batch) else 0


def is_acyclic(graph: Data) -> bool:
    """Whether the directed edges form no cycle."""
    digraph: nx.DiGraph[int] = nx.DiGraph(graph.edge_index.t().tolist())
    return nx.is_directed_acyclic_graph(digraph)


def _check_text(name: str, text: object) -> None:
    require(isinstance(text, str), name, "be a string", text, "Put text in quotes.")
    assert isinstance(text, str)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise refusal(
            name,
            "hold no lone surrogate (no encoding can store one)",
            Received(f"U+{ord(text[error.start]):04X} at index {error.start}"),
            "Decode the text properly, or replace it: text.encode(errors='replace').decode().",
        ) from None


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
        isinstance(node, Mapping) and "id" in node and "label" in node,
        f"node {k}",
        'be an object with "id" and "label"',
        node,
        'Write {"id": 0, "label": "a"}.',
    )
    assert isinstance(node, Mapping)
    name = node["id"]
    _check_id(f'the "id" of node {k}', name)
    require(name not in index, f'the "id" of node {k}', "be unique", name, "Number the nodes.")
    _check_text(f'the "label" of node {k}', node["label"])
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
    _check_text(f'the "label" of edge {k}', label)
    return ends[0], ends[1], label


def _check_single(triples: list[tuple[int, int, str]], nodes: list[Any]) -> None:
    seen: set[tuple[int, int]] = set()
    for source, target, _ in triples:
        if (source, target) in seen:
            ends = f"two from {nodes[source]['id']!r} to {nodes[target]['id']!r}"
            remedy = "Join their labels into one edge."
            raise refusal("edges", "be at most one per ordered pair", Received(ends), remedy)
        seen.add((source, target))


def _positions(nodes: list[Any]) -> list[float] | None:
    placed = [node["position"] for node in nodes if "position" in node]
    if not placed:
        return None if nodes else []
    remedy = "Give every node its place in reading order, or remove them all."
    for k, node in enumerate(nodes):
        name = f'the "position" of node {k}'
        if "position" not in node:
            raise refusal(name, "be given, as other nodes have one", Received("nothing"), remedy)
        require(_is_number(node["position"]), name, "be a finite number", node["position"], remedy)
    return [float(place) for place in placed]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30


def _place(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"position": attributes["position"]} if "position" in attributes else {}
