"""Several groups of slots, each compared with the same target: one-to-many in one call."""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from ..._check import Received, refusal, require
from ..._union import runs
from ...graphs import membership
from ...prediction import Prediction
from .._options import check_count

_NODES, _EDGES = ("y", "position", "ignore"), ("edge_type", "edge_weight", "edge_attr")


def split_groups(prediction: Prediction, groups: int) -> Prediction:
    """The nodes of each graph in groups of equal size, each a graph of its own.

    Args:
        prediction: Its nodes stand group after group within each graph.
        groups: How many. Candidates between two groups are left out.

    Raises:
        InputError: If a graph cannot be divided.
    """
    check_count("groups", groups, 1, "be at least 1", "1 is the usual loss.")
    batch, size = prediction.batch, prediction.num_graphs
    count = torch.bincount(batch, minlength=size)
    uneven = (count % groups).nonzero()[:, 0]
    if len(uneven):
        k = int(uneven[0])
        wanted = f"have a multiple of {groups} nodes in each graph, for as many groups (graph {k})"
        remedy = "Give each group the same number of slots."
        raise refusal("`prediction`", wanted, int(count[k]), remedy)
    place = torch.arange(len(batch), device=batch.device) - (count.cumsum(0) - count)[batch]
    group = batch * groups + place // (count[batch] // groups).clamp(min=1)
    source, sink = prediction.edge_index
    within = group[source] == group[sink]
    kept = prediction if bool(within.all()) else prediction.take(edges=within)
    return replace(kept, batch=group, num_graphs=size * groups)


def repeated(target: Data, groups: int) -> Data:
    """Each target as often as there are groups, one after the other."""
    batch, size = membership(target)
    count = torch.bincount(batch, minlength=size)
    first = count.cumsum(0) - count
    copies = count.repeat_interleave(groups)
    node = runs(first.repeat_interleave(groups), copies)
    out: Any = Batch(num_nodes=len(node))
    out.ptr = nn.functional.pad(copies.cumsum(0), (1, 0))
    out.batch = torch.arange(size * groups, device=batch.device).repeat_interleave(copies)
    for name in _NODES:
        value: Any = target.get(name)
        if value is not None:
            _check_length(name, value, len(batch))
            out[name] = value[node]
    start = copies.cumsum(0) - copies
    for name in ("edge_index", "ignore_edge_index"):
        ends: Any = target.get(name)
        if ends is None:
            continue
        order, out[name] = _laid(ends, batch, first, start, groups)
        if name == "edge_index":
            for field in _EDGES:
                value = target.get(field)
                if value is not None:
                    _check_length(field, value, ends.shape[1])
                    out[field] = value[order]
    if target.get("directed") is not None:
        out.directed = target.directed
    if out.get("edge_index") is None:
        out.edge_index = None
    return out


def _laid(
    ends: Tensor, batch: Tensor, first: Tensor, start: Tensor, groups: int
) -> tuple[Int[Tensor, " e"], Int[Tensor, "2 e"]]:
    """Which edge each one is, and its ends, once in each copy of its graph."""
    order = torch.arange(ends.shape[1], device=batch.device).repeat(groups)
    copy = torch.arange(groups, device=batch.device).repeat_interleave(ends.shape[1])
    graph = batch[ends[0].long()][order]
    moved = start[graph * groups + copy] - first[graph]
    return order, ends.long()[:, order] + moved


def _check_length(name: str, value: Any, count: int) -> None:
    fits = isinstance(value, Tensor) and value.ndim >= 1 and len(value) == count
    got = Received(str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__)
    require(fits, f"`target.{name}`", f"be a tensor with {count} rows", got, "One for each.")
