"""Pairs that take so long that nothing would be heard of them."""

from collections.abc import Iterable

from .._check import Received, notice, require
from ..data import Pair

LARGE = 5000
"""Nodes of a graph beyond which a notice is given; its pairs of nodes take hundreds of MB."""


def tell_large(pairs: Iterable[Pair], slots: int) -> None:
    """Gives a `Notice` of the largest pair, before it is worked on, if it is large.

    Args:
        pairs: The pairs.
        slots: Output nodes per input node.
    """
    largest = max(pairs, key=lambda pair: _nodes(pair, slots), default=None)
    if largest is not None and _nodes(largest, slots) > LARGE:
        notice(
            f"{largest.place}: the pair has {_nodes(largest, slots)} nodes; memory and time grow "
            "with their square. Leave it out, split it, or set --network.candidates.window."
        )


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


def _nodes(pair: Pair, slots: int) -> int:
    return max(slots * (pair.input.num_nodes or 0), pair.target.num_nodes or 0)
