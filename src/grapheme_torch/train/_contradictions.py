"""Pairs that have one input and different targets: a network reproduces one of them at most."""

from collections.abc import Hashable, Iterable, Sequence

from torch_geometric.data import Data

from ..data import Pair
from ..edits import find_isomorphism
from ..graphs import graph_key, positions_of


def contradictions(pairs: Sequence[Pair], known: Iterable[Pair]) -> dict[int, str]:
    """Where the input of a pair has another target, by the number of the pair.

    Args:
        pairs: The pairs.
        known: Those to look among.
    """
    wanted: dict[Hashable, list[int]] = {}
    for k, pair in enumerate(pairs):
        wanted.setdefault(_seen(pair.input), []).append(k)
    found: dict[int, str] = {}
    for other in known:
        for k in wanted.get(_seen(other.input), ()):
            if k not in found and find_isomorphism(pairs[k].target, other.target) is None:
                found[k] = other.place
    return found


def _seen(graph: Data) -> Hashable:
    """All that a network reads of a graph."""
    numbers = graph.get("features")
    places = positions_of(graph)
    return (
        graph_key(graph),
        None if places is None else tuple(places),
        None if numbers is None else numbers.numpy().tobytes(),
    )
