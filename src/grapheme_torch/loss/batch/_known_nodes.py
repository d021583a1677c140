"""What a network knows of its nodes, for matchers and terms that read it."""

from jaxtyping import Float
from torch import Tensor

from ..._check import Received, refusal, require
from ._pairs import Pairs


def embedding_of(pairs: Pairs, size: int, *, of: str, otherwise: str) -> Float[Tensor, "n k"]:
    """The embedding of each predicted node.

    Args:
        pairs: The batch.
        size: How many numbers a node has to have.
        of: What reads it, for the refusal.
        otherwise: What else to do where there is none, for the refusal.

    Raises:
        InputError: If the prediction has none, or one of another size.
    """
    given = pairs.embedding
    if given is None:
        remedy = f"Set `embedding` of the prediction, or {otherwise}."
        raise refusal("`prediction.embedding`", "be given", Received("none"), remedy)
    fits, remedy = given.shape[1] == size, f"Make the {of} with that `embedding`."
    wanted = f"have {size} numbers a node"
    require(fits, "`prediction.embedding`", wanted, given.shape[1], remedy)
    return given
