"""The form of a graph: made from labels and edges, and read again with its form checked."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from .._check import Received, refusal, require
from .._displayed import Displayed
from .._tensors import described, has_numbers
from ._hashes import hash_labels
from ._node_numbers import feature_tensor, features_of, is_number

NEXT = "next"
"""The relation between a grapheme cluster and the one read after it."""


class LabelledGraph(Displayed, Data):
    """A `Data` with labels; it differs in nothing but that a notebook draws it."""


_MAKE = "Build the graph with `text_to_graph`, `graph_from_node_link` or `make_graph`."


def make_graph(
    label: Sequence[str],
    edges: Sequence[tuple[int, int, str]] = (),
    position: Sequence[int | float] | None = None,
    *,
    directed: bool = True,
    features: Sequence[Sequence[float]] | Tensor | None = None,
) -> Data:
    """The graph with these node labels, edges `(source, target, label)`, positions and numbers.

    Args:
        label: What each node is.
        edges: At most one per ordered pair of nodes; if not directed, one per pair.
        position: Place of each node in reading order, in steps. Default: none.
        directed: Whether an edge has a direction.
        features: Numbers of each node, as many for each; stored as float32. Default: none.

    Raises:
        InputError: If a label is no string or an edge ends at no node. If only some nodes have a
            position or numbers, one is not finite, or some nodes have more numbers than others.
    """
    label, edges = _listed("`label`", label), _listed("`edges`", edges)
    for k, name in enumerate(label):
        check_text(f"`label[{k}]`", name)
    for k, edge in enumerate(edges):
        _check_edge(k, edge, len(label))
    check_flag("`directed`", directed)
    graph = assembled(label, [edge[:2] for edge in edges], [edge[2] for edge in edges], directed)
    if position is not None:
        graph.position = torch.tensor(_placed(position, len(label)), dtype=torch.float)
    if features is not None:
        listed = features.tolist() if isinstance(features, Tensor) else features
        rows = _listed("`features`", listed)
        graph.features = feature_tensor(rows, len(label), lambda k: f"`features[{k}]`")
    return graph


def assembled(
    label: list[str], ends: list[tuple[int, int]], edge_label: list[str], directed: bool
) -> Data:
    """The graph of parts that are known to fit: `make_graph` without its checks."""
    return LabelledGraph(
        x=hash_labels(label),
        edge_index=torch.tensor(ends, dtype=torch.long).reshape(-1, 2).t().contiguous(),
        edge_attr=hash_labels(edge_label),
        label=label,
        edge_label=edge_label,
        directed=directed,
    )


def node_labels(graph: Data) -> list[str]:
    """The label of every node; refuses a graph that carries none."""
    check_data(graph)
    label = graph.get("label")
    named = isinstance(label, list) and all(isinstance(name, str) for name in label)
    remedy = _MAKE
    if isinstance(graph, Batch):
        remedy = "Take the graphs of the batch one by one: `batch.to_data_list()`."
    count = count_nodes(graph)
    wanted = f"be a list with one string per node ({count})"
    require(named and len(label) == count, "`graph.label`", wanted, label, remedy)
    assert isinstance(label, list)
    return label


def node_words(graph: Data) -> list[str]:
    """What each node is, in a few words: its label, and its numbers if it has any."""
    features = features_of(graph)
    if features is None:
        return node_labels(graph)
    rows = (", ".join(f"{value:.6g}" for value in row) for row in features.tolist())
    words = zip(node_labels(graph), rows, strict=True)
    return [f"{name} ({row})" if name else row for name, row in words]


def edge_ends(graph: Data) -> list[tuple[int, int]]:
    """Source and target of every edge as it is stored; refuses one that ends at no node."""
    check_data(graph)
    ends, count = edge_tensor(graph), count_nodes(graph)
    if ends.numel():
        low, high = (int(end) for end in ends.aminmax())
        remedy = "Number the nodes from 0, and set `num_nodes` where some have no edge."
        wanted = f"name nodes in [0, {count})"
        inside = low >= 0 and high < count
        require(inside, "`graph.edge_index`", wanted, low if low < 0 else high, remedy)
    source, target = ends.tolist()
    return list(zip(source, target, strict=True))


def edge_tensor(graph: Data) -> Tensor:
    """The ends of all edges, `[2, e]`, as they are stored; refuses what is no such tensor."""
    ends: Any = graph.get("edge_index")
    fits = has_numbers(ends) and ends.dtype in (torch.int64, torch.int32)
    fits = fits and ends.ndim == 2 and len(ends) == 2
    remedy = "Without edges it is torch.empty(2, 0, dtype=torch.long)."
    wanted = "be an integer tensor of shape [2, e]"
    require(fits, "`graph.edge_index`", wanted, described(ends), remedy)
    return ends


def count_nodes(graph: Data) -> int:
    """The number of nodes of a graph; refuses a `num_nodes` that is none."""
    count: Any = graph.num_nodes
    if count is None:
        return 0
    whole = isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**31
    require(whole, "`graph.num_nodes`", "be a whole number from 0 on", count, "Leave it out.")
    return count


def edge_names(graph: Data, count: int) -> list[str]:
    """The label of every edge as it is stored; "next" where the graph names none."""
    names = graph.get("edge_label")
    if names is None:
        return [NEXT] * count
    named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    wanted = f"be a list with one string per edge ({count})"
    require(named and len(names) == count, "`graph.edge_label`", wanted, names, _MAKE)
    assert isinstance(names, list)
    return names


def positions_of(graph: Data) -> list[float] | None:
    """The position of every node; None where the graph has no order."""
    position = graph.get("position")
    if position is None:
        return None
    count = count_nodes(graph)
    fits = has_numbers(position) and position.shape == (count,)
    wanted, remedy = f"have one number per node ({count})", "Give every node its place, or none."
    require(fits, "`graph.position`", wanted, described(position), remedy)
    finite = not position.is_floating_point() or bool(position.isfinite().all())
    require(finite, "`graph.position`", "be finite", Received("NaN or infinity"), remedy)
    places: list[float] = position.tolist()
    return places


def membership(graph: Data) -> tuple[Tensor, int]:
    """The graph that each node of a `Data` or `Batch` belongs to, and the number of graphs.

    A `Data` without `batch` is a batch of one.
    """
    batch = graph.get("batch")
    if batch is None:
        edges: Any = graph.get("edge_index")
        device = edges.device if isinstance(edges, Tensor) else None
        return torch.zeros(count_nodes(graph), dtype=torch.long, device=device), 1
    fits = has_numbers(batch) and batch.ndim == 1 and batch.dtype == torch.int64
    if not fits:
        remedy = "PyTorch Geometric's Batch gives it."
        raise refusal("`graph.batch`", "be int64, one graph per node", described(batch), remedy)
    if isinstance(graph, Batch):
        return batch, graph.num_graphs
    return batch, int(batch.max()) + 1 if len(batch) else 0


def check_data(graph: object) -> None:
    """Refuses what is no graph."""
    require(isinstance(graph, Data), "a graph", "be a PyTorch Geometric `Data`", graph, _MAKE)


def check_text(name: str, text: object) -> None:
    """Refuses what is no string, or one that no encoding can store."""
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


def check_flag(
    name: str, value: object, remedy: str = "False: its edges have no direction."
) -> None:
    """Refuses what is neither True nor False."""
    require(isinstance(value, bool), name, "be True or False", value, remedy)


def _listed(name: str, value: Any) -> list[Any]:
    listed = isinstance(value, Sequence) and not isinstance(value, bytes)
    require(listed, name, "be a list", value, "Write [] where there are none.")
    return list(value)


def _check_edge(k: int, edge: Any, count: int) -> None:
    triple = isinstance(edge, Sequence) and len(edge) == 3
    whole = triple and all(type(end) is int for end in edge[:2])
    remedy = 'Write (0, 1, "next").'
    require(whole, f"`edges[{k}]`", "be (source, target, label)", edge, remedy)
    source, target, name = edge
    if not (0 <= source < count and 0 <= target < count):
        nodes = f"join two of the nodes 0 to {count - 1}" if count else "be left out"
        remedy = "Number the nodes from 0, in the order of their labels."
        raise refusal("an edge", nodes, (source, target), remedy)
    check_text(f"the label of `edges[{k}]`", name)


def _placed(position: Any, count: int) -> list[float]:
    remedy = "Give every node its place in reading order, or none."
    places = _listed("`position`", position)
    wanted = f"have one number per node ({count})"
    require(len(places) == count, "`position`", wanted, Received(f"{len(places)}"), remedy)
    for k, place in enumerate(places):
        require(is_number(place), f"`position[{k}]`", "be a finite number", place, remedy)
    return places
