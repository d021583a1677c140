"""Whether the edges of the targets have a direction, and targets read as a network gives them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from .._check import InputError, Received, refusal, relocate
from ..data import Pair
from ..graphs import both_ways, is_directed, undirected


class Direction:
    """Whether the edges of the targets have a direction; pairs are seen one at a time.

    Args:
        asked: What the user says. False reads directed edges as ones without direction.
    """

    def __init__(self, asked: bool | None) -> None:
        self._asked = asked
        self._first: dict[bool, str] = {}
        self._empty: set[bool] = set()

    def add(self, pair: Pair) -> Pair:
        """Takes a pair in; the same with the target as a network gives it.

        Raises:
            InputError: "FILE:LINE: ..." if its target is of another kind than one before, or cannot
                be read as undirected. Also if it is undirected though asked to be directed.
        """
        if self._asked is False:
            return as_given(pair, directed=False)
        directed = is_directed(pair.target)
        if not pair.target.num_edges:  # fits either kind
            self._empty.add(directed)
            return pair
        self._first.setdefault(directed, pair.place)
        if self._asked and not directed:
            found, remedy = (
                Received("undirected ones"),
                'Leave --directed out, or change the "target".',
            )
            name = f'{pair.place}: the edges of the "target"'
            raise refusal(name, "have a direction (--directed true)", found, remedy)
        if len(self._first) == 2:
            self._refuse_both(pair, directed)
        return as_given(pair, directed=directed)

    @property
    def directed(self) -> bool:
        """Whether the edges have a direction."""
        if self._asked is False:
            return False
        if self._first:
            return next(iter(self._first))
        return self._asked is True or self._empty != {False}

    def _refuse_both(self, pair: Pair, directed: bool) -> NoReturn:
        kind, other = ("directed", "undirected") if not directed else ("undirected", "directed")
        raise refusal(
            f'{pair.place}: the edges of the "target"',
            f"be {kind} as those of {self._first[not directed]}",
            Received(f"{other} ones"),
            'Write the same "directed" in all targets, or read all as undirected: '
            "--directed false.",
        )


def with_direction(pairs: Sequence[Pair], directed: bool) -> list[Pair]:
    """The pairs with targets as a network gives them, directed or not.

    An undirected edge becomes an edge in each direction, where the network gives directed ones.

    Raises:
        InputError: "FILE:LINE: ..." if two nodes are joined by edges of two labels, one in each
            direction, and edges are to have none.
    """
    return [as_given(pair, directed=directed) for pair in pairs]


def as_given(pair: Pair, *, directed: bool) -> Pair:
    """One pair of `with_direction`."""
    try:
        target = both_ways(pair.target) if directed else undirected(pair.target)
    except InputError as error:
        relocate(error, f'{pair.place}: in "target"')
    return replace(pair, target=target)
