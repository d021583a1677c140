"""The cost at which two nodes agree to 1/e: found from the costs of a pair, (E46).

It follows the fit. Far from the targets it is the mean cost, so that every prediction feels all of
them. Then it is a few times what the best match costs. At last it is a share of what the second
best does, the distance between neighbours, so that the plan tells these apart. Rounded to quarters
of powers of two it is constant almost everywhere: a derivative that leaves it out is exact.
"""

from math import inf

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_BROAD, _SHARP, _TWINS = 8.0, 0.125, 2.0**-12
"""Factors of (E46): on the best match, on the second best, and on the mean of all."""


@torch.no_grad()
def found_scale(misfit: Float[Tensor, "B N M"], real: Bool[Tensor, "B N M"]) -> Float[Tensor, " B"]:
    """The scale of each pair, from the costs of all its matches.

    Args:
        misfit: Costs of matches.
        real: Which of them are of nodes, not padding.
    """
    cost = misfit.detach().masked_fill(~(real & misfit.isfinite()), inf)
    least = torch.stack([mean_of_finite(two_least(cost, axis)) for axis in (2, 1)])
    sizes = torch.stack([real.any(axis).sum(1) for axis in (2, 1)])
    return combined(least, sizes, mean_of_finite(cost.flatten(1)))


@torch.no_grad()
def entry_scale(
    misfit: Float[Tensor, " s"],
    ends: tuple[Int[Tensor, " s"], Int[Tensor, " s"]],
    sides: tuple[Int[Tensor, " n"], Int[Tensor, " m"]],
    num_pairs: int,
    ignored: Bool[Tensor, " m"] | None = None,
) -> Float[Tensor, " B"]:
    """The scale of each pair, from the costs of some of its matches.

    Args:
        misfit: Costs of matches.
        ends: The predicted and the target node of each, in the numbering of the batch.
        sides: The pair of each predicted and of each target node.
        num_pairs: Number of pairs.
        ignored: Which target nodes do not count, if any.
    """
    cost = misfit.detach().masked_fill(~misfit.isfinite(), inf)
    real = sides
    if ignored is not None:
        cost = cost.masked_fill(ignored[ends[1]], inf)
        real = sides[0], sides[1][~ignored]
    least = [
        torch.stack([_mean_of_pairs(x, side, num_pairs) for x in _two_least_of(cost, end, side)])
        for end, side in zip(ends, sides, strict=True)
    ]
    sizes = torch.stack([torch.bincount(side, minlength=num_pairs) for side in real])
    return combined(torch.stack(least), sizes, _mean_of_pairs(cost, sides[0][ends[0]], num_pairs))


def combined(
    least: Float[Tensor, "2 2 B"], sizes: Int[Tensor, "2 B"], mean: Float[Tensor, " B"]
) -> Float[Tensor, " B"]:
    """The scale, (E46); 1 where no node has a rival, or nothing costs anything.

    Args:
        least: Mean cost of the best match of a node, and of the second best; by predicted and by
            target node. NaN where there is none.
        sizes: Number of predicted and of target nodes.
        mean: Mean cost of all matches.
    """
    best, rival = least.nan_to_num(0).unbind(1)
    # Of the smaller side: slots that stay empty may be anywhere.
    best, rival = best.where(sizes == sizes.amin(0), 0).amax(0), rival.amax(0)
    broad = torch.minimum(_BROAD * best, mean)
    cost = torch.maximum(torch.maximum(broad, _SHARP * rival), _TWINS * mean)
    alone = least[:, 1].isnan().all(0)
    known = ~alone & cost.isfinite() & (cost > 0)
    return torch.where(known, ((4 * cost.log2()).round() / 4).exp2(), 1)


def two_least(cost: Float[Tensor, "*size"], axis: int) -> Float[Tensor, "2 *rest"]:
    """The smallest and the second smallest along an axis; infinity where there is none."""
    gone = cost.new_full((*cost.shape[:axis], *cost.shape[axis + 1 :]), inf)
    if not cost.shape[axis]:
        return torch.stack([gone, gone])
    least, at = cost.min(axis, keepdim=True)
    return torch.stack([least.squeeze(axis), cost.scatter(axis, at, inf).amin(axis)])


def _two_least_of(
    cost: Float[Tensor, " s"], group: Int[Tensor, " s"], groups: Int[Tensor, " k"]
) -> Float[Tensor, "2 k"]:
    """The same of each group."""
    order = cost.argsort()
    order = order[group[order].argsort(stable=True)]
    count = torch.bincount(group, minlength=len(groups))
    first = count.cumsum(0) - count
    out = cost.new_full((2, len(groups)), inf)
    for rank in range(2):
        some = count > rank
        out[rank, some] = cost[order[first[some] + rank]]
    return out


def mean_of_finite(x: Float[Tensor, "*rest k"]) -> Float[Tensor, "*rest"]:
    """The mean of the finite ones of the last axis; NaN where there is none."""
    finite = x.isfinite()
    return x.where(finite, 0).sum(-1) / finite.sum(-1)


def _mean_of_pairs(
    x: Float[Tensor, " k"], pair: Int[Tensor, " k"], num_pairs: int
) -> Float[Tensor, " B"]:
    """The same of each pair."""
    finite = x.isfinite()
    total = x.new_zeros(num_pairs).index_add(0, pair, x.where(finite, 0))
    return total / x.new_zeros(num_pairs).index_add(0, pair, finite.to(x.dtype))
