"""The input nodes that each target node comes from."""

from collections.abc import Sequence
from math import inf
from typing import Any

from .._check import require

Place = int | Sequence[int] | None
"""The input node, or the input nodes, that a target node comes from; None: not known."""
Places = Sequence[Place]
"""The place of each target node."""


def input_nodes(place: Place) -> Sequence[int]:
    """The input nodes of a place; none where it is not known."""
    if place is None:
        return ()
    return (place,) if isinstance(place, int) else place


def check_places(name: str, places: Any, num_targets: int, num_inputs: int | None = None) -> None:
    """Refuses what does not tell the input nodes of each target node.

    Raises:
        InputError: Beginning with `name`.
    """
    remedy = "Write what `grapheme convert` writes, or call the key something else."
    listed = isinstance(places, Sequence) and not isinstance(places, str)
    nodes = f"be a list with one entry per target node ({num_targets})"
    require(listed and len(places) == num_targets, name, nodes, places, remedy)
    end = "" if num_inputs is None else f" below {num_inputs}"
    requirement = f"hold numbers of input nodes, from 0{end}, lists of such, or null"
    below = inf if num_inputs is None else num_inputs
    for place in places:
        several = isinstance(place, Sequence) and not isinstance(place, str) and len(place) > 0
        numbers = place if several else [place]
        fits = place is None or all(type(k) is int and 0 <= k < below for k in numbers)
        require(fits, name, requirement, place, remedy)
