"""Matching cost, masses and node term, (E1), (E2) and (E13)-(E14) of docs/math.md."""

from math import inf

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .._prices import UNIT, Prices
from ..batch._layout import Layout
from ..batch._pairs import Pairs


def with_void(
    inner: Float[Tensor, "B N M"], void_column: Float[Tensor, "B N"], void_row: float
) -> Float[Tensor, "B N1 M1"]:
    """A matrix of pairs with the void appended on both sides; the corner is zero."""
    wide = torch.cat([inner, void_column[:, :, None]], dim=2)
    last = torch.cat([inner.new_full((inner.shape[2],), void_row), inner.new_zeros(1)])
    return torch.cat([wide, last.expand(len(inner), 1, -1)], dim=1)


def masses(pairs: Pairs, slack: float) -> tuple[Float[Tensor, "B N1"], Float[Tensor, "B M1"]]:
    """One for each node; the void takes what is left over, plus the slack, (E2)."""
    n, m = pairs.layout.count, pairs.target.layout.count
    spare = torch.minimum(n, m).double() * slack  # in float32 the sums would differ by 1e-8
    void_row, void_column = (m - n).clamp(min=0) + spare, (n - m).clamp(min=0) + spare
    a = torch.cat([pairs.layout.mask, void_row[:, None]], dim=1)
    b = torch.cat([pairs.target.layout.mask, void_column[:, None]], dim=1)
    return a.double(), b.double()


def matching_cost(
    pairs: Pairs, position_weight: float, prices: Prices = UNIT
) -> Float[Tensor, "B N1 M1"]:
    """Expected edits of matching `i` with `j`, and what their places add, (E1).

    Infinite where a logit of minus infinity makes it impossible.
    """
    cost = expected_edits(pairs, prices).masked_fill(impossible(pairs), inf)
    if position_weight and pairs.position is not None and pairs.target.position is not None:
        steps = distance(pairs.layout, pairs.position, pairs.target.layout, pairs.target.position)
        cost = cost + position_weight * with_void(steps, cost.new_zeros(steps.shape[:2]), 0.0)
    return cost


def distance(
    layout: Layout, t: Float[Tensor, "n d"], target: Layout, s: Float[Tensor, "m d"]
) -> Float[Tensor, "B N M"]:
    """Steps between the positions of two nodes, over all coordinates."""
    t, s = layout.pad(t), target.pad(s.to(t.dtype))
    return (t[:, :, None] - s[:, None, :]).abs().sum(3)


def expected_edits(pairs: Pairs, prices: Prices = UNIT) -> Float[Tensor, "B N1 M1"]:
    """`1 - h_i p_i(y_j)` to match, `h_i` to delete, 1 to insert, (E1) without places and (E14)."""
    exists = pairs.layout.pad(pairs.exists.exp())
    mismatch = 1 - exists[:, :, None] * pairs.likeness.agreement
    return with_void(mismatch, prices.node_deletion * exists, prices.node_insertion)


def surprise(pairs: Pairs, prices: Prices = UNIT) -> Float[Tensor, "B N1 M1"]:
    """`-log h_i p_i(y_j)` to match, `-log(1 - h_i)` to delete, 1 to insert, (E13).

    What is impossible has no mass and costs nothing: 0 times infinity is 0.
    """
    cost, deletion = _unlikely(pairs)
    cost = cost.masked_fill(cost.isposinf(), 0)
    deletion = prices.node_deletion * deletion.masked_fill(deletion.isposinf(), 0)
    return with_void(cost, deletion, prices.node_insertion)


@torch.no_grad()
def impossible(pairs: Pairs) -> Bool[Tensor, "B N1 M1"]:
    """Which matches and deletions have probability zero, not by rounding but by their logits."""
    return with_void(*_unlikely(pairs), 0.0).isposinf()


def _unlikely(pairs: Pairs) -> tuple[Float[Tensor, "B N M"], Float[Tensor, "B N"]]:
    """Negative log-probability of each match, and of each deletion."""
    exists = pairs.layout.pad(pairs.exists)
    return pairs.likeness.surprise - exists[:, :, None], pairs.layout.pad(-pairs.absent)
