"""From lists of edges, with relations numbered from 0 or from 1."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch_geometric.data import Batch, Data

from .._check import refusal, require
from .._tensors import described, has_numbers, is_whole
from .._union import check_ends

Edge = tuple[int, int] | tuple[int, int, int]
"""Source, target and perhaps relation."""


def target_from_edges(
    y: Shaped[Tensor, "n *y"] | Sequence[int],
    edges: Int[Tensor, "2 e"] | Sequence[Edge],
    edge_type: Int[Tensor, " e"] | Sequence[int] | None = None,
    *,
    edge_type_from: int = 0,
    edge_weight: Float[Tensor, " e"] | Sequence[float] | None = None,
    position: Shaped[Tensor, "n *d"] | Sequence[float | Sequence[float]] | None = None,
    batch: Int[Tensor, " n"] | None = None,
    num_graphs: int | None = None,
    directed: bool | None = None,
) -> Batch:
    """The target with these edges: of one graph, or of a disjoint union with `batch`.

    Args:
        y: Class of each node, from 0; or a row of numbers for node costs that compare rows.
        edges: A tensor of sources and targets, as `edge_index`; or a list of `(source, target)`
            or `(source, target, relation)`.
        edge_type: Relation of each edge. Default: those in `edges`, or all alike.
        edge_type_from: Number of the first relation: 0, as in `RGCNConv` of PyTorch Geometric,
            or 1. A target has them from 1 on, as relation 0 of a prediction means "no edge".
        edge_weight: Weight of each edge.
        position: Place of each node, in steps.
        batch: Graph of each node, ascending. Default: one graph.
        num_graphs: Number of graphs, if the last of them may be empty. Default: as `batch` says.
        directed: Whether an edge has a direction. Default: not said, so that the loss decides.

    Raises:
        InputError: If a node, a relation or a graph is no number as required, or lengths differ.
    """
    nodes = y if isinstance(y, Tensor) else torch.tensor(list(y), dtype=torch.long)
    index, given = _read_edges(edges, nodes.device)
    kinds = given if edge_type is None else _tensor(edge_type, torch.long, nodes.device)
    fields: dict[str, Any] = {
        "edge_type": _from_one(kinds, edge_type_from),
        "edge_weight": _tensor(edge_weight, torch.get_default_dtype(), nodes.device),
    }
    for name, value in fields.items():
        _check_length(name, value, index.shape[1], "edge")
    place = _tensor(position, torch.get_default_dtype(), nodes.device)
    _check_length("position", place, len(nodes), "node")
    _check_length("batch", batch, len(nodes), "node")
    counts = _counts(batch, num_graphs, len(nodes))
    flag = {} if directed is None else {"directed": directed}
    return split(counts, {"y": nodes, "position": place}, index, fields, flag)


def split(
    counts: Sequence[int],
    nodes: dict[str, Tensor | None],
    index: Int[Tensor, "2 e"],
    edges: dict[str, Tensor | None],
    flags: dict[str, bool],
) -> Batch:
    """The batch of graphs that a disjoint union consists of.

    Args:
        counts: Nodes of each graph.
        nodes, edges: Attributes of the nodes, and of the edges, in the union.
        index: Edges of the union, in any order.
        flags: Attributes of every graph.

    Raises:
        InputError: If an edge ends at no node, or joins two graphs.
    """
    size = torch.tensor(counts, device=index.device)
    graph = torch.arange(len(size), device=index.device).repeat_interleave(size)
    check_ends("`edges`", index, graph)
    whose = graph[index]
    order = whose[0].argsort(stable=True)
    index = (index - (size.cumsum(0) - size)[whose])[:, order]
    lengths = torch.bincount(whose[0], minlength=len(size)).tolist()
    node_parts = {k: x.split(list(counts)) for k, x in nodes.items() if x is not None}
    edge_parts = {k: x[order].split(lengths) for k, x in edges.items() if x is not None}
    edge_parts["edge_index"] = [part.contiguous() for part in index.split(lengths, dim=1)]
    parts = {**node_parts, **edge_parts}
    graphs = [
        Data(**{name: x[k] for name, x in parts.items()}, **flags, num_nodes=count)
        for k, count in enumerate(counts)
    ]
    return Batch.from_data_list(graphs)


def _read_edges(edges: Any, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Ends, and relations if there are any."""
    if isinstance(edges, Tensor):
        fits = has_numbers(edges) and is_whole(edges) and edges.ndim == 2 and len(edges) == 2
        wanted = "be an integer tensor of shape (2, edges)"
        remedy = "A list of pairs is read too; a tensor of pairs is turned by `.T`."
        require(fits, "`edges`", wanted, described(edges), remedy)
        return edges.long(), None
    rows = [tuple(edge) for edge in edges]
    lengths = {len(row) for row in rows}
    fits = lengths <= {2} or lengths <= {3}
    fits = fits and all(type(number) is int for row in rows for number in row)
    remedy = "Write `(0, 1)` for every edge, or `(0, 1, 2)` with its relation."
    wanted = "be pairs of nodes, all with a relation or none"
    require(fits, "`edges`", wanted, edges, remedy)
    table = torch.tensor(rows, dtype=torch.long, device=device)
    if not rows:
        return table.reshape(2, 0), None
    return table[:, :2].T.contiguous(), table[:, 2] if table.shape[1] == 3 else None


def _tensor(value: Any, dtype: torch.dtype, device: torch.device) -> Tensor | None:
    if value is None or isinstance(value, Tensor):
        return value
    return torch.tensor(list(value), dtype=dtype, device=device)


def _from_one(kinds: Tensor | None, first: int) -> Tensor | None:
    """The relations, numbered from 1 on."""
    known = type(first) is int and first in (0, 1)
    require(known, "`edge_type_from`", "be 0 or 1", first, "It is the least relation there can be.")
    if kinds is None:
        return None
    whole = has_numbers(kinds) and is_whole(kinds)
    remedy = "Give the number of each edge's relation."
    require(whole, "`edge_type`", "be a tensor of integers", described(kinds), remedy)
    least = int(kinds.min()) if kinds.numel() else first
    remedy = "Relations are numbered without gaps from `edge_type_from` on."
    require(least >= first, "`edge_type`", f"be at least {first}", least, remedy)
    return kinds.long() + (1 - first)


def _check_length(name: str, value: Tensor | None, count: int, each: str) -> None:
    if value is not None and (value.ndim < 1 or len(value) != count):
        wanted = f"have one entry per {each} ({count})"
        raise refusal(f"`{name}`", wanted, described(value), "Give them in the same order.")


def _counts(batch: Tensor | None, num_graphs: int | None, num_nodes: int) -> list[int]:
    """The number of nodes of each graph."""
    if batch is None:
        one = num_graphs in (None, 1)
        require(one, "`num_graphs`", "be 1 without `batch`", num_graphs, "Give `batch`.")
        return [num_nodes]
    whole = has_numbers(batch) and is_whole(batch) and batch.ndim == 1
    ascends = whole and (not len(batch) or (int(batch[0]) >= 0 and bool((batch.diff() >= 0).all())))
    remedy = "Keep the nodes of a graph together."
    require(ascends, "`batch`", "be integers that ascend from 0", described(batch), remedy)
    most = int(batch[-1]) + 1 if len(batch) else 0
    total = most if num_graphs is None else num_graphs
    enough = type(total) is int and total >= most
    require(enough, "`num_graphs`", f"be at least {most}, as `batch` says", total, "Leave it out.")
    counts: list[int] = torch.bincount(batch.long(), minlength=total).tolist()
    return counts
