"""Edges of the targets that a network does not look for, where it looks ahead only."""

from collections import Counter
from typing import Any

from .._check import notice
from ..data import Pair
from ..edits import input_nodes
from ..graphs import node_labels
from ._places import given_alignment


class BackwardEdges:
    """Which targets have an edge that leads from a later place to an earlier one.

    The place of a target node is what the "alignment" of the pair tells, or else its position.
    Without both it is the input node of its label, if input and target have one such node each.
    Where labels tell no edge, it is the number of the node in the target.
    """

    def __init__(self) -> None:
        self._seen, self._backward, self._first = 0, 0, ""

    def add(self, pair: Pair) -> None:
        """Takes in a pair with a directed target."""
        self._seen += 1
        if leads_back(pair):
            self._backward += 1
            self._first = self._first or pair.place

    def tell(self) -> None:
        """Gives a `Notice` of them, before anything is trained."""
        if self._backward:
            notice(
                f'{self._first}: an edge of the "target" leads from a later node to an earlier '
                f"one, so in {self._backward} of {self._seen} pairs. The network looks "
                "for edges that lead forward only. For both ways: --network.candidates.pairs all."
            )


def leads_back(pair: Pair) -> bool:
    """Whether an edge of the target leads from a later place to an earlier one."""
    edges: Any = pair.target.edge_index
    steps = [(u, v) for u, v in edges.t().tolist() if u != v]
    for places in _places(pair):
        known = [(places[u], places[v]) for u, v in steps if u in places and v in places]
        if known:
            return any(u > v for u, v in known)
    return False


def _places(pair: Pair) -> list[dict[int, float]]:
    """The places of target nodes by each thing that tells some, the surest first."""
    given = given_alignment(pair)
    aligned = {} if given is None else {
        k: float(min(input_nodes(place))) for k, place in enumerate(given) if place is not None
    }  # fmt: skip
    position = pair.target.get("position")
    placed = {}
    if position is not None and position.ndim == 1:
        placed = dict(enumerate(position.tolist()))
    return [aligned, placed, _by_label(pair), {k: k for k in range(pair.target.num_nodes or 0)}]


def _by_label(pair: Pair) -> dict[int, float]:
    read, written = node_labels(pair.input), node_labels(pair.target)
    once = Counter(read)
    twice = Counter(written)
    place = {name: k for k, name in enumerate(read) if once[name] == 1}
    return {k: place[name] for k, name in enumerate(written) if name in place and twice[name] == 1}
