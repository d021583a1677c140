"""Pairs that take so long that nothing would be heard of them."""

from collections.abc import Iterable

from .._check import Received, notice, require
from ..data import OutputRoom, Pair

LARGE = 5000
"""Nodes of a graph beyond which a notice is given; its pairs of nodes take hundreds of MB."""


MOST = 20_000
"""Nodes of a graph beyond which training refuses it: one number a pair of them takes 1.6 GB."""


class Largest:
    """The largest of the pairs that it sees.

    Args:
        room: Output nodes for an input.
    """

    def __init__(self, room: OutputRoom) -> None:
        self._room, self._nodes, self._place = room, 0, ""

    def add(self, pair: Pair) -> None:
        """Takes in a pair."""
        nodes = largest(pair, self._room)
        if nodes > self._nodes:
            self._nodes, self._place = nodes, pair.place

    def tell(self) -> None:
        """Gives a `Notice` of it, before it is worked on, if it is large."""
        if self._nodes > LARGE:
            notice(
                f"{self._place}: the pair has {self._nodes} nodes; memory and time grow with "
                "their square. Leave it out, split it, or set --network.candidates.window."
            )


def largest(pair: Pair, room: OutputRoom | None = None) -> int:
    """Nodes of the largest graph of a pair, the one that is predicted for it among them."""
    given, wanted = pair.input.num_nodes or 0, pair.target.num_nodes or 0
    return max(given, wanted, 0 if room is None else room.of(given))


def check_nodes(pairs: Iterable[Pair], most: int) -> None:
    """Refuses the first pair of which a graph has more nodes.

    Raises:
        InputError: "FILE:LINE: ..." with their number.
    """
    for pair in pairs:
        for side in ("input", "target"):
            nodes = getattr(pair, side).num_nodes or 0
            remedy = "Split it, or raise the bound with --max-nodes if the machine has room."
            name, got = f'{pair.place}: the "{side}"', Received(str(nodes))
            require(nodes <= most, name, f"have at most {most} nodes", got, remedy)
