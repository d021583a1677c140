"""How many pairs a network reproduces exactly."""

from collections.abc import Sequence

from torch import nn

from ..data import Alphabet, Pair
from ..edits import find_isomorphism
from ._predict import predict


def num_exact(network: nn.Module, pairs: Sequence[Pair], alphabet: Alphabet | None = None) -> int:
    """The number of pairs whose predicted graph equals the target but for the numbering of nodes.

    Args:
        network: A network, in the mode it is to predict in.
        pairs: Pairs that are one batch.
        alphabet: See `predict`.
    """
    answers = predict(network, [pair.input for pair in pairs], alphabet=alphabet)
    sides = zip(answers, (pair.target for pair in pairs), strict=True)
    return sum(find_isomorphism(one, other) is not None for one, other in sides)


def share_exact(
    network: nn.Module, pairs: Sequence[Pair], batch_size: int, alphabet: Alphabet | None = None
) -> float:
    """The share of such pairs, in evaluation mode, a batch at a time."""
    training = network.training
    network.eval()
    chunks = (pairs[k : k + batch_size] for k in range(0, len(pairs), batch_size))
    right = sum(num_exact(network, chunk, alphabet) for chunk in chunks)
    network.train(training)
    return right / len(pairs)
