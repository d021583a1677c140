"""What stands beside what: words that are neighbours, and roles that the same words have."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from ._aligned import Aligned
from ._subgraph_parts import Part

_Mark = str | tuple[str, ...] | None
"""A word, the kind of a word, or an end of the input."""

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

    A word has a kind: the relations of the edges to its node, or the word itself where it has none.
    Two words may be neighbours if they have been. They may be, too, if each has been seen beside a
    word of the other's kind. A rare word is let off what it would hardly have met by chance. The
    ends of the input count as words.
    """

    def __init__(self, pairs: Iterable[Aligned]) -> None:
        self._left: Counter[_Mark] = Counter()
        self._right: Counter[_Mark] = Counter()
        self._seen: set[tuple[_Mark, _Mark]] = set()
        for pair in pairs:
            marks = _marks(pair)
            self._left.update(mark for mark, _ in marks[:-1])
            self._right.update(mark for mark, _ in marks[1:])
            for (left, left_kind), (right, right_kind) in pairwise(marks):
                self._seen |= {(left, right), (left, right_kind), (left_kind, right)}
        self._total = self._left.total()

    def times(self, symbol: str) -> int:
        """How often a word is seen."""
        return self._left[symbol]

    def fit(self, pair: Aligned, seams: Iterable[int]) -> bool:
        """Whether the words before and at each of some places may be neighbours."""
        marks = _marks(pair)
        return all(self._fit(*marks[seam], *marks[seam + 1]) for seam in seams)

    def _fit(self, left: _Mark, left_kind: _Mark, right: _Mark, right_kind: _Mark) -> bool:
        if (left, right) in self._seen:
            return True
        forth = (left, right_kind) in self._seen or self._is_rare(left, right)
        back = (left_kind, right) in self._seen or self._is_rare(right, left)
        return forth and back

    def _is_rare(self, mark: _Mark, other: _Mark) -> bool:
        """Whether it tells little that a word has not met another."""
        seen = self._left[mark] * self._right[other] + self._right[mark] * self._left[other]
        return self._left[mark] <= _RARE and seen / self._total < _EXPECTED


def _marks(pair: Aligned) -> list[tuple[_Mark, _Mark]]:
    """Each word with its kind, and both ends of the input."""
    marks: list[tuple[_Mark, _Mark]] = [(None, None), *((s, s) for s in pair.symbols), (None, None)]
    roles: dict[int, set[str]] = defaultdict(set)
    for _, target, relation in pair.edges:
        roles[target].add(relation)
    for node, places in enumerate(pair.places):
        for place in places:
            marks[place + 1] = pair.symbols[place], tuple(sorted(roles[node]))
    return marks


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
