"""Matches of nodes that stand close to each other."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..._check import Received, refusal, require
from ..batch._pairs import Pairs


def window(pairs: Pairs, steps: float) -> Int[Tensor, "2 s"]:
    """All matches of nodes at most so many steps apart, (E29); positions of one coordinate."""
    t, s = pairs.position, pairs.target.position
    remedy = "Give positions on both sides, or a `support` of index pairs."
    if t is None or s is None:
        raise refusal("a window", "be one of positions", Received("no positions"), remedy)
    require(t.shape[1] == 1, "positions", "have one coordinate for a window", t.shape[1], remedy)
    order = in_order(pairs.target.layout.batch, s)
    lows, highs = windows(pairs, order, steps)
    count = highs - lows
    predicted = torch.arange(len(t), device=t.device).repeat_interleave(count)
    first = (lows - (count.cumsum(0) - count)).index_select(0, predicted)
    rank = first + torch.arange(len(predicted), device=t.device)
    return torch.stack([predicted, order.index_select(0, rank)])


def windows(
    pairs: Pairs, order: Int[Tensor, " m"], steps: float
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """First rank of the window of each predicted node, and the rank after its last."""
    assert pairs.position is not None
    assert pairs.target.position is not None
    t, s = pairs.position[:, 0].detach().double(), pairs.target.position[:, 0].double()
    # One number that orders by pair and then by position, exact: ranks among all values.
    ends = torch.cat([s, t - steps, t + steps])
    values, rank = ends.unique(return_inverse=True)
    m, n, many = len(s), len(t), len(values)
    left, right = pairs.layout.batch, pairs.target.layout.batch
    key = (right * many + rank[:m])[order]
    low = torch.searchsorted(key, left * many + rank[m : m + n])
    return low, torch.searchsorted(key, left * many + rank[m + n :], right=True)


def in_order(batch: Int[Tensor, " m"], position: Float[Tensor, "m 1"]) -> Int[Tensor, " m"]:
    """The nodes by pair, then by position."""
    order = position[:, 0].detach().argsort(stable=True)
    return order[batch[order].argsort(stable=True)]
