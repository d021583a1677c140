"""What the first alignment costs besides, where nodes are alike: (E40) and (E41)."""

from collections.abc import Callable
from math import inf

import torch
from jaxtyping import Float
from torch import Tensor

from .layouts._padded import Padded
from .terms._neighbours import neighbour_edits


def first_cost(
    space: Padded, total: Callable[[Tensor], Float[Tensor, " B"]]
) -> Float[Tensor, "B N1 M1"] | None:
    """The addition to the first cost, padded; None where there is none.

    Args:
        space: The batch.
        total: The loss of each pair with an addition; each pair keeps the draw of least loss.
    """
    spec, pairs, hints = space.spec, space.pairs, space.spec.hints
    if not (hints.neighbours or hints.noise):
        return None
    size = (pairs.num_pairs, pairs.layout.width, pairs.target.layout.width)
    inner = pairs.exists.new_zeros(size)
    with torch.set_grad_enabled(torch.is_grad_enabled() and not spec.detached):
        if hints.neighbours:
            twice = spec.solver is not None and spec.solver.gradient == "implicit"
            by_class = spec.node_cost.by_class
            found = neighbour_edits(pairs, by_class=by_class, twice=twice)
            inner = inner + hints.neighbours * found
        extras = space.lifted(inner[None])
        if hints.noise:
            noise = hints.noise * torch.randn(hints.restarts, *size).to(inner)
            extras = extras + space.lifted(noise)
    if hints.restarts == 1:
        return extras[0]
    with torch.no_grad():
        totals = torch.stack([total(extra) for extra in extras])
    best = totals.nan_to_num(inf, inf).argmin(0)
    return extras[best, torch.arange(len(best), device=best.device)]
