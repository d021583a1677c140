"""Whether the edges of the targets have a direction, and targets read as a network gives them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from torch_geometric.data import Data

from .._check import InputError, Received, refusal, relocate
from ..data import Pair
from ..graphs import both_ways, is_directed, undirected


def read_direction(pairs: Iterable[Pair], asked: bool | None) -> bool:
    """Whether the edges of the targets have a direction.

    Args:
        pairs: The pairs. Targets without edges fit either kind.
        asked: What the user says. False reads directed edges as ones without direction.

    Raises:
        InputError: "FILE:LINE: ..." if the targets are of both kinds, or undirected though they
            are asked to be directed.
    """
    if asked is False:
        return False
    first: dict[bool, Pair] = {}
    empty: set[bool] = set()
    for pair in pairs:
        directed = is_directed(pair.target)
        if pair.target.num_edges:
            first.setdefault(directed, pair)
        else:
            empty.add(directed)
    if asked and False in first:
        found, remedy = Received("undirected ones"), 'Leave --directed out, or change the "target".'
        name = f'{first[False].place}: the edges of the "target"'
        raise refusal(name, "have a direction (--directed true)", found, remedy)
    if len(first) == 2:
        earlier, later = first.values()
        kind, other = ("directed" if directed else "undirected" for directed in first)
        raise refusal(
            f'{later.place}: the edges of the "target"',
            f"be {kind} as those of {earlier.place}",
            Received(f"{other} ones"),
            'Write the same "directed" in all targets, or read all as undirected: '
            "--directed false.",
        )
    if first:
        return next(iter(first))
    return asked is True or empty != {False}


def with_direction(pairs: Sequence[Pair], directed: bool) -> list[Pair]:
    """The pairs with targets as a network gives them, directed or not.

    An undirected edge becomes an edge in each direction, where the network gives directed ones.

    Raises:
        InputError: "FILE:LINE: ..." if two nodes are joined by edges of two labels, one in each
            direction, and edges are to have none.
    """
    return [replace(pair, target=_read(pair, directed)) for pair in pairs]


def _read(pair: Pair, directed: bool) -> Data:
    try:
        return both_ways(pair.target) if directed else undirected(pair.target)
    except InputError as error:
        relocate(error, f'{pair.place}: in "target"')
