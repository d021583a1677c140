"""New pairs from the parts of others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._check import Received, refusal, require
from ..data import Pair, make_pair
from ._aligned import Aligned, read_aligned, record_of
from ._pool import Pool

_TRIES = 500
"""Draws in a row without a new pair, after which none is expected."""
_LONGER = 3
"""How many times as long as the longest input a new one may be, by default."""


def recombine(
    pairs: Sequence[Pair],
    number: int,
    *,
    seed: int = 0,
    max_nodes: int | None = None,
) -> list[Pair]:
    """Makes pairs in which a part of one has taken the place of a part of another.

    A part is a target node with all that edges lead to from it. It takes the place of one whose
    head has the same word and label, or of one in a like role. New pairs take part in further
    exchanges: structures get deeper, and inputs longer, than any given. This is data augmentation
    by subtree substitution (SUBS [yang22]), without a grammar. The pairs given are not among those
    returned.

    Args:
        pairs: Pairs with an "alignment", their inputs sequences of words. Others are passed over.
        number: How many to make. There are fewer where no more are found.
        seed: Of what is drawn.
        max_nodes: Most input nodes of a new pair. Default: three times those of the longest given.

    Returns:
        New pairs, no two with the same input, and none with that of a given one.

    Raises:
        InputError: If no pair has a part that could be exchanged, an "alignment" cannot be one, or
            a number is out of range.
    """
    made = recombined(pairs, number, seed=seed, max_nodes=max_nodes)
    return [make_pair(dict(record), "<recombined>", k) for k, record in enumerate(made, 1)]


def recombined(
    pairs: Iterable[Pair],
    number: int,
    *,
    seed: int = 0,
    max_nodes: int | None = None,
    name: str = "`pairs`",
) -> Iterator[Mapping[str, Any]]:
    """The records of `recombine`, one after the other.

    Args:
        pairs, number, seed, max_nodes: As there.
        name: What messages call the pairs.
    """
    require(number >= 0, "`number`", "not be negative", number, "Try as many as are given.")
    require(0 <= seed < 2**63, "`seed`", "be from 0 to 2**63 - 1", seed, "Any will do: try 0.")
    given = [aligned for pair in pairs if (aligned := read_aligned(pair)) is not None]
    fits = max_nodes is None or max_nodes >= 1
    require(fits, "`max_nodes`", "be at least 1", max_nodes, "Try 50.")
    longest = max((len(pair.symbols) for pair in given), default=0)
    most = _LONGER * longest if max_nodes is None else max_nodes
    return _records(_pool(given, seed, most, name), number)


def _pool(given: Sequence[Aligned], seed: int, most: int, name: str) -> Pool:
    pool = Pool(given, seed=seed, max_nodes=most)
    if pool.is_empty:
        needed = 'hold pairs of a sequence of words and a directed graph, with an "alignment"'
        remedy = (
            "Convert with words as nodes, such as `grapheme convert cogs --unit word`: letters of "
            "a text are no parts to exchange."
        )
        raise refusal(name, needed, Received(f"none in {len(given)} aligned pairs"), remedy)
    return pool


def _records(pool: Pool, number: int) -> Iterator[Mapping[str, Any]]:
    done, tries = 0, 0
    while done < number and tries < _TRIES:
        new = pool.drawn()
        tries += 1
        if new is None:
            continue
        pool.add(new)
        done, tries = done + 1, 0
        yield record_of(new)
