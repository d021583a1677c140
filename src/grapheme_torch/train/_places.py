"""Where in the input the nodes of a target come from, as the "alignment" of a pair tells."""

from typing import Any

from ..data import Pair
from ..edits import Places, check_places
from ..graphs import node_labels


def given_alignment(pair: Pair) -> Places | None:
    """The input nodes of each target node, None where not known; None if nothing is told.

    Raises:
        InputError: "FILE:LINE: ..." if what is told cannot be that.
    """
    places: Any = pair.extra.get("alignment")
    if places is not None:
        sizes = len(node_labels(pair.target)), len(node_labels(pair.input))
        check_places(f'{pair.place}: "alignment"', places, *sizes)
    return places
