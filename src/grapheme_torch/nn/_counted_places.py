"""Where output nodes stand in a target whose length is not that of the input."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def counted_places(
    position: Float[Tensor, " n"], existence: Float[Tensor, " n"], batch: Int[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """How many nodes of its graph are expected to exist before each, in the order of places.

    Differentiable in `existence`.

    Args:
        position: Place of each node in the input.
        existence: Logit that each node exists.
        batch: The graph of each node, ascending.
    """
    order = torch.argsort(position, stable=True)
    order = order[torch.argsort(batch[order], stable=True)]
    exists = existence.sigmoid()[order]
    before = exists.cumsum(0) - exists
    first = torch.searchsorted(batch, batch)
    return torch.empty_like(before).index_put((order,), before) - before[first]
