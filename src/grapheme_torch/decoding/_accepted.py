"""The most probable graph that somebody accepts."""

from collections.abc import Callable, Sequence
from itertools import islice

from torch_geometric.data import Data

from .._check import require
from ..prediction import Prediction
from ._answer import Answer
from ._bounds import Bounds, Constraint
from ._decode import checked_direction
from ._nbest import rankings


def decode_accepted(
    prediction: Prediction,
    labels: Sequence[str],
    relations: Sequence[str],
    accept: Callable[[int, Data], bool],
    most: int = 1000,
    constraint: Constraint | None = None,
    *,
    directed: bool | None = None,
    own: Sequence[str] | None = None,
) -> list[Answer | None]:
    """Of each prediction the most probable graph that is accepted.

    Where an answer can be checked without knowing the target, most of what a network is unsure of
    need not be learned. The graphs are offered as `decode_nbest` ranks them, until one is taken.

    Args:
        prediction: Soft graphs, in logits.
        labels: Name of each node class.
        relations: Name of each relation from 1 on.
        accept: Told the number of a prediction in the batch and a graph, says whether to take it.
        most: How many graphs are offered at most for each prediction.
        constraint: What the graphs have to be, as for `decode_nbest`.
        directed, own: As for `decode`.

    Returns:
        For each prediction an answer; None where of so many none was accepted, or the network is
        too unsure for so many to be found.

    Raises:
        InputError: As `decode`. If `most` is below 1, or the constraint is `Bounds`.
    """
    require(most >= 1, "`most`", "be at least 1", most, "Try 1000.")
    kind, remedy = "be no bounds where graphs are ranked", "Choose path, tree or acyclic."
    require(not isinstance(constraint, Bounds), "`constraint`", kind, constraint, remedy)
    directed = checked_direction(prediction, labels, relations, constraint, directed, own)
    offered = rankings(prediction, labels, relations, constraint, directed=directed, own=own)
    return [
        next((one for one in islice(ranking, most) if accept(k, one.graph)), None)
        for k, (_, ranking) in enumerate(offered)
    ]
