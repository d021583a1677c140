"""What edges at nodes that match nothing are charged, (E52)."""

from jaxtyping import Float
from torch import Tensor

from ..batch._pairs import Pairs


def unmatched_charge(
    pairs: Pairs, matched: Float[Tensor, "B N"], unaligned: Float[Tensor, " e"]
) -> Float[Tensor, " e"]:
    """What each candidate is charged as far as its ends do not both match.

    Args:
        pairs: The batch.
        matched: Mass of each predicted node that goes to target nodes, padded.
        unaligned: Cost of each candidate that nothing is aligned with.
    """
    both = matched[pairs.graph, pairs.source] * matched[pairs.graph, pairs.sink]
    return (1 - both).to(unaligned) * unaligned
