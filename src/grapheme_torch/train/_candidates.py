"""Between which output nodes a network should look for edges, as far as the data tell."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.utils import remove_self_loops

from .._check import InputError
from ..data import Pair
from ..edits import input_nodes
from ._places import given_alignment


def choose_candidates(pairs: Sequence[Pair], *, directed: bool, slots: int) -> dict[str, Any]:
    """The options `pairs` and `window` of the `CandidateEdges` of a network for these pairs.

    "forward" where edges have no direction, or where all edges of the targets lead ahead. That is
    between the first places that the "alignment" of a pair tells, or else by position. "all" where
    one does not, or nothing is told. A window only where alignments tell it: a text has other
    places than its input.

    Args:
        pairs: The pairs to train on.
        directed: Whether an edge has a direction.
        slots: Output nodes per input node.

    Raises:
        InputError: "FILE:LINE: ..." at an alignment that is none.
    """
    every, ahead, reach = True, True, 0
    for pair in pairs:
        places = _aligned(pair)
        every = every and places is not None
        placed = pair.target.get("position") if places is None else places
        steps = None if placed is None else _steps(pair, placed)
        ahead = ahead and steps is not None and bool((steps > 0).all())
        if places is not None and steps is not None and len(steps):
            reach = max(reach, int(steps.abs().max()))
    window = max((reach + 1) * slots - 1, 1) if every else None
    return {"pairs": "forward" if ahead or not directed else "all", "window": window}


def leads_ahead(pair: Pair) -> tuple[bool, bool]:
    """Whether every edge of a target is known to lead ahead, by its "alignment" and by position.

    An "alignment" that is none, which training has no use for, tells nothing.
    """
    try:
        places = _aligned(pair)
    except InputError:
        places = None
    sides = places, pair.target.get("position")
    aligned, placed = (one is not None and bool((_steps(pair, one) > 0).all()) for one in sides)
    return aligned, placed


def _aligned(pair: Pair) -> Tensor | None:
    """The first input node of each target node, where all are known."""
    places = given_alignment(pair)
    if places is None or None in places:
        return None
    return torch.tensor([min(input_nodes(place)) for place in places])


def _steps(pair: Pair, places: Tensor) -> Tensor:
    """How far each edge of a target leads; but for edges from a node to itself."""
    assert pair.target.edge_index is not None
    source, target = remove_self_loops(pair.target.edge_index)[0]
    return places[target] - places[source]
