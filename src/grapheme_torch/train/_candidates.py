"""Between which output nodes a network should look for edges, as far as the data tell."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..data import Pair
from ..edits import input_nodes
from ._places import given_alignment


def choose_candidates(pairs: Sequence[Pair], *, directed: bool, slots: int) -> dict[str, Any]:
    """The options `pairs` and `window` of the `CandidateEdges` of a network for these pairs.

    "forward" where edges have no direction, or where all edges of the targets lead ahead: between
    the first places that the "alignment" of a pair tells, or else by position; "all" where one does
    not, or nothing is told. A window only where alignments tell it: a text has other places than
    its input.

    Args:
        pairs: The pairs to train on.
        directed: Whether an edge has a direction.
        slots: Output nodes per input node.

    Raises:
        InputError: "FILE:LINE: ..." at an alignment that is none.
    """
    told = [_aligned(pair) for pair in pairs]
    aligned = [places for places in told if places is not None]
    window = None
    if len(aligned) == len(pairs):
        steps = _steps(pairs, aligned)
        reach = int(steps.abs().max()) if len(steps) else 0
        window = max((reach + 1) * slots - 1, 1)
    placed = [
        pair.target.get("position") if places is None else places
        for pair, places in zip(pairs, told, strict=True)
    ]
    known = all(places is not None for places in placed)
    ahead = known and bool((_steps(pairs, placed) > 0).all())
    return {"pairs": "forward" if ahead or not directed else "all", "window": window}


def _aligned(pair: Pair) -> Tensor | None:
    """The first input node of each target node, where all are known."""
    places = given_alignment(pair)
    if places is None or None in places:
        return None
    return torch.tensor([min(input_nodes(place)) for place in places])


def _steps(pairs: Sequence[Pair], placed: Sequence[Tensor]) -> Tensor:
    """How far each edge leads, of all targets."""
    steps = []
    for pair, places in zip(pairs, placed, strict=True):
        assert pair.target.edge_index is not None
        source, target = pair.target.edge_index
        steps.append(places[target] - places[source])
    return torch.cat(steps)
