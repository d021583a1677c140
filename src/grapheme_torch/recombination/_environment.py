"""What stands beside what: words that are neighbours, and roles that the same words have."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from ._aligned import Aligned
from ._parts import Part

Head = tuple[tuple[str, ...], str]
"""The symbols and the label of a node."""

_RARE = 3
"""Times that a word is seen, up to which it tells little that a neighbour is missing."""
_EXPECTED = 1.0
"""Times that two words would be neighbours by chance, from which their absence says something."""
_SHARED = 0.3
"""Share of the heads of the rarer role that two roles have in common, if they are alike."""


class Neighbours:
    """Which words may stand side by side.

    Two words may if they do somewhere; so may a rare word and any that it would hardly have met by
    chance. The ends of the input count as words.
    """

    def __init__(self, pairs: Iterable[Aligned]) -> None:
        self._both: Counter[tuple[str | None, str | None]] = Counter()
        for pair in pairs:
            self._both.update(pairwise((None, *pair.symbols, None)))
        self._left: Counter[str | None] = Counter()
        self._right: Counter[str | None] = Counter()
        for (left, right), times in self._both.items():
            self._left[left] += times
            self._right[right] += times

    def fit(self, symbols: Sequence[str], seam: int) -> bool:
        """Whether the symbols before and at a place may be neighbours."""
        left = symbols[seam - 1] if seam > 0 else None
        right = symbols[seam] if seam < len(symbols) else None
        if (left, right) in self._both:
            return True
        times, other = self._left[left], self._right[right]
        expected = times * other / self._left.total()
        return min(times, other) <= _RARE and expected < _EXPECTED


def head_of(pair: Aligned, part: Part) -> Head:
    """The symbols and the label of the head of a part."""
    symbols = tuple(pair.symbols[k] for k in pair.places[part.head])
    return symbols, pair.labels[part.head]


def like_roles(
    heads: Iterable[tuple[tuple[str, ...], Head]],
) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """For each role those that are like it, itself among them: they share many heads.

    Args:
        heads: Role and head of all parts.
    """
    found: dict[tuple[str, ...], set[Head]] = defaultdict(set)
    for role, head in heads:
        found[role].add(head)
    return {
        role: [
            other
            for other, others in found.items()
            if len(own & others) >= _SHARED * min(len(own), len(others))
        ]
        for role, own in found.items()
    }
