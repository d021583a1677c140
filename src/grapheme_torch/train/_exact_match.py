"""How many pairs a network reproduces exactly."""

from collections.abc import Sequence

from torch import nn

from ..data import Alphabet, Pair
from ..edits import find_isomorphism
from ._predict import predict


def num_exact(network: nn.Module, pairs: Sequence[Pair], alphabet: Alphabet | None = None) -> int:
    """The number of pairs whose predicted graph equals the target but for the numbering of nodes.

    Args: as `not_exact`.
    """
    return len(pairs) - len(not_exact(network, pairs, alphabet))


def not_exact(
    network: nn.Module, pairs: Sequence[Pair], alphabet: Alphabet | None = None
) -> list[Pair]:
    """The pairs whose predicted graph differs from the target by more than the numbering of nodes.

    Args:
        network: A network, in the mode it is to predict in.
        pairs: Pairs that are one batch.
        alphabet: See `predict`.
    """
    answers = predict(network, [pair.input for pair in pairs], alphabet=alphabet)
    sides = zip(answers, pairs, strict=True)
    return [pair for answer, pair in sides if find_isomorphism(answer, pair.target) is None]


def all_not_exact(
    network: nn.Module, pairs: Sequence[Pair], batch_size: int, alphabet: Alphabet | None = None
) -> list[Pair]:
    """All such pairs, in evaluation mode, a batch at a time."""
    training = network.training
    network.eval()
    chunks = (pairs[k : k + batch_size] for k in range(0, len(pairs), batch_size))
    wrong = [pair for chunk in chunks for pair in not_exact(network, chunk, alphabet)]
    network.train(training)
    return wrong
