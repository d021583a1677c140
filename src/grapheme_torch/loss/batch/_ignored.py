"""Parts of targets that are neither rewarded nor punished: nodes, and pairs of nodes."""

from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch_geometric.data.storage import BaseStorage

from ..._check import refusal
from ..._tensors import described, is_dense, is_whole
from ..._union import check_ends, runs
from ._arguments import check_device


def read_ignored(
    stored: BaseStorage, count: int, device: torch.device
) -> Bool[Tensor, " m"] | None:
    """Which nodes of a target batch are ignored: `target.ignore`, `[m]`, true for those."""
    value: Any = stored.get("ignore")
    if value is None:
        return None
    fits = is_dense(value) and value.dtype == torch.bool and value.shape == (count,)
    wanted = f"be boolean, one number per node ({count})"
    if not fits:
        raise refusal("`target.ignore`", wanted, described(value), "True ignores a node.")
    check_device("target.ignore", value, device)
    return value if bool(value.any()) else None


def ignored_pairs(
    stored: BaseStorage,
    batch: Int[Tensor, " m"],
    count: Int[Tensor, " B"],
    ignored: Bool[Tensor, " m"] | None,
    *,
    directed: bool,
) -> Int[Tensor, "2 k"] | None:
    """The pairs of nodes whose edges are ignored, each once; None if there are none.

    Those of `target.ignore_edge_index`, and all pairs that an ignored node is part of. If edges
    have no direction a pair is given in one of its two.

    Raises:
        InputError: If a pair is none of nodes of one graph.
    """
    value: Any = stored.get("ignore_edge_index")
    found = [] if value is None else [_checked(value, batch)]
    if ignored is not None:
        node = ignored.nonzero()[:, 0]
        first, size = (count.cumsum(0) - count)[batch[node]], count[batch[node]]
        other = runs(first, size)
        one = node.repeat_interleave(size)
        found += [torch.stack([one, other]), torch.stack([other, one])]
    if not found:
        return None
    ends = torch.cat(found, 1)
    if not directed:
        ends = ends.sort(0).values
    n = max(len(batch), 1)
    key = (ends[0] * n + ends[1]).unique()
    return torch.stack([key // n, key % n]) if len(key) else None


def is_among(
    edge_index: Int[Tensor, "2 t"], pairs: Int[Tensor, "2 k"], n: int, *, directed: bool
) -> Bool[Tensor, " t"]:
    """Which edges join a pair of nodes that is among these."""
    ends = edge_index if directed else edge_index.sort(0).values
    return torch.isin(ends[0] * n + ends[1], pairs[0] * n + pairs[1])


def _checked(value: Any, batch: Int[Tensor, " m"]) -> Int[Tensor, "2 k"]:
    fits = is_dense(value) and value.ndim == 2 and len(value) == 2 and is_whole(value)
    if not fits:
        wanted = "be integers of shape (2, pairs)"
        remedy = "Pairs of nodes of one graph, numbered as in `edge_index`."
        raise refusal("`target.ignore_edge_index`", wanted, described(value), remedy)
    check_device("target.ignore_edge_index", value, batch.device)
    ends = value.long()
    check_ends("`target.ignore_edge_index`", ends, batch)
    return ends
