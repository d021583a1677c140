"""The clique term: density statistics of a DAG in O(n + e), (E20)-(E24) of docs/math."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..batch._pairs import Pairs

MEAN_SHARE, VARIANCE_SHARE = 0.3, 0.7
SMOOTHING = 0.01
"""Density difference below which the absolute value is rounded off to a parabola."""


def clique_cost(pairs: Pairs, edge: Float[Tensor, " e"]) -> Float[Tensor, " B"]:
    """How far the local densities of the predicted DAG are from those of the target, (E24).

    Args:
        pairs: The batch.
        edge: Probability that each candidate is an edge.
    """
    mean, variance = _predicted_density(pairs, edge)
    target_mean, target_variance = _target_density(pairs, mean.dtype)
    cost = MEAN_SHARE * _smooth_abs(mean - target_mean) + VARIANCE_SHARE * _smooth_abs(
        variance - target_variance
    )
    whole = pairs.target.whole  # what is ignored may be of any density
    return cost if whole is None else cost.where(whole, 0)


def _predicted_density(pairs: Pairs, edge: Tensor) -> tuple[Tensor, Tensor]:
    h, layout = pairs.exists.exp(), pairs.layout
    source, sink = layout.node(pairs.graph, pairs.source), layout.node(pairs.graph, pairs.sink)
    out_degree = torch.zeros_like(h).index_add(0, source, h[sink] * edge)
    if not pairs.directed:
        out_degree = out_degree.index_add(0, sink, h[source] * edge)
    size = layout.total(h)
    density = out_degree / _soft_count(size[layout.batch] - h)
    mean = layout.total(h * density) / _soft_count(size)
    spread = h * (density - mean[layout.batch]) ** 2
    return mean, layout.total(spread) / _soft_count(size)


def _target_density(pairs: Pairs, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    t = pairs.target
    source, sink = _neighbours(pairs)
    ends = source if pairs.directed else torch.cat([source, sink])
    out_degree = torch.bincount(ends, minlength=len(t.y)).to(dtype)
    count = t.layout.count.to(dtype)
    density = out_degree / _soft_count(count - 1)[t.layout.batch]
    size = _soft_count(count)
    mean = t.layout.total(density) / size
    return mean, t.layout.total((density - mean[t.layout.batch]) ** 2) / size


def _neighbours(pairs: Pairs) -> Tensor:
    """Source and sink of the target edges; of several between the same two nodes, of one."""
    t = pairs.target
    ends = torch.stack([t.layout.node(t.graph, t.source), t.layout.node(t.graph, t.sink)])
    if not t.several:
        return ends
    return (ends if pairs.directed else ends.sort(0).values).unique(dim=1)


def _soft_count(x: Tensor) -> Tensor:
    """`x` where `x >= 1`; below, a cubic to 1/3 at zero, twice differentiable, (E21).

    Dividing by it is dividing by the count for every graph whose nodes exist or do not, and
    never by zero for those in between.
    """
    return x + (1 - x).clamp(min=0) ** 3 / 3


def _smooth_abs(x: Tensor) -> Tensor:
    """`|x|` with the corner at zero rounded off: `sqrt(x^2 + s^2) - s`, (E23)."""
    return (x.square() + SMOOTHING**2).sqrt() - SMOOTHING
