"""Which nodes stand elsewhere than where they belong, and what could stand so."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ._aligned import Aligned
from ._gap_parts import Kind, Outside, Pattern, outside, pattern, without
from ._subgraph_parts import Part, parts

_Side = tuple[bool, str, Pattern]
"""Whether a filler stands before its part, its relation, and what the part looks like."""

_SHOWN = 20
"""Times that a kind is seen, from which its place tells something."""
_OF_ALL = 0.05
"""Share of the parts of each role that a word precedes, if it belongs to what it precedes."""
_BEGINS = 0.01
"""Share of the parts that begin with certain words, from which these are of such parts."""
_COMMON = 50
"""Parts of a role, from which their first words tell something."""


class Gaps:
    """Finds parts with a gap, and makes some of parts that have none.

    A kind of node stands elsewhere if it is always on one side of the part that it belongs to.
    Other nodes are then on the other side of parts that look alike. Such are interrogatives, and
    the heads of relative clauses. Which relation is missing is told by what the part looks like,
    as given pairs show. Where none does, most of the parts that could be made of them tell.

    Args:
        pairs: The given ones.
        like: For each role those that are like it.
    """

    def __init__(
        self, pairs: Sequence[Aligned], like: Mapping[tuple[str, ...], Sequence[tuple[str, ...]]]
    ) -> None:
        found = [list(outside(pair)) for pair in pairs]
        self._moved, relations = _standing_elsewhere(pairs, found)
        self._relations = {
            role[0] for one in relations for role in like.get((one,), ()) if len(role) == 1
        }
        self._belongs = _belonging(pairs, like) if self._moved else frozenset()
        self._before: Counter[tuple[str, ...]] = Counter()  # words before the first node
        self._made: dict[Pattern, Counter[str]] = defaultdict(Counter)
        self._shown: dict[Pattern, Counter[str]] = defaultdict(Counter)
        cut = [list(self._cut(pair)) if self._moved else [] for pair in pairs]
        for pair, each in zip(pairs, cut, strict=True):
            for part in each:
                self._before[_before(pair, part)] += 1
                _note(self._made, pair, part)
        moved = [self._moved_of(pair, seen) for pair, seen in zip(pairs, found, strict=True)]
        for pair, own in zip(pairs, moved, strict=True):
            for part in own:
                _note(self._shown, pair, part)
        self.given = [
            [*own, *self._told(pair, each)]
            for pair, own, each in zip(pairs, moved, cut, strict=True)
        ]
        """The parts with a gap of each given pair: those that it has, and those made of it."""

    def of(self, pair: Aligned) -> list[Part]:
        """The parts of a pair with a gap, whose place others with a gap can take."""
        return self._moved_of(pair, outside(pair, self._moved)) if self._moved else []

    def made(self, pair: Aligned) -> list[Part]:
        """Parts of a pair as if one of their own parts stood elsewhere."""
        return self._told(pair, self._cut(pair)) if self._moved else []

    def _moved_of(self, pair: Aligned, found: Iterable[Outside]) -> list[Part]:
        return [self._wide(pair, seen.part) for seen in found if seen.kind in self._moved]

    def _wide(self, pair: Aligned, part: Part) -> Part:
        """A part with words before it that others that look like it begin with."""
        first, least = part.first, _BEGINS * self._before.total()
        while first and self._before[pair.symbols[first - 1 : part.first]] > least:
            first -= 1
        return replace(part, first=first)

    def _told(self, pair: Aligned, cut: Iterable[Part]) -> list[Part]:
        return [part for part in cut if self._is_told(pair, part)]

    def _is_told(self, pair: Aligned, part: Part) -> bool:
        """Whether what a part looks like tells of which relation its gap is."""
        assert part.gap is not None
        looks = pattern(pair, part)
        if looks in self._shown:
            return part.gap.relation in self._shown[looks]
        made = self._made.get(looks)
        return not made or part.gap.relation == max(made, key=lambda one: (made[one], one))

    def _cut(self, pair: Aligned) -> Iterator[Part]:
        whole = list(parts(pair))
        inners = [inner for inner in whole if self._can_move(pair, inner)]
        for part in whole:
            for inner in inners:
                if inner.head in part.nodes and inner.head != part.head:
                    yield without(pair, part, inner, self._belongs)

    def _can_move(self, pair: Aligned, part: Part) -> bool:
        """Whether a part is in a relation of what stands elsewhere, and does not do so itself."""
        kind = False, tuple(pair.symbols[place] for place in pair.places[part.head])
        alone = len(part.role) == 1 and part.role[0] in self._relations
        return alone and kind not in self._moved


def _before(pair: Aligned, part: Part) -> tuple[str, ...]:
    """The words of a part before its first node."""
    first = min(pair.places[node][0] for node in part.nodes)
    return pair.symbols[part.first : first]


def _standing_elsewhere(
    pairs: Iterable[Aligned], found: Iterable[Iterable[Outside]]
) -> tuple[set[Kind], set[str]]:
    """The kinds of nodes that stand elsewhere, and the relations that they are seen in."""
    often: dict[Kind, Counter[_Side]] = defaultdict(Counter)
    usual: Counter[_Side] = Counter()
    for pair, each in zip(pairs, found, strict=True):
        for seen in each:
            assert seen.part.gap is not None
            side = seen.before, seen.part.gap.relation, pattern(pair, seen.part)
            often[seen.kind][side] += 1
            usual[side] += 1
    moved = {kind for kind, sides in often.items() if _stands_elsewhere(sides, usual)}
    return moved, {relation for kind in moved for _, relation, _ in often[kind]}


def _stands_elsewhere(sides: Counter[_Side], usual: Counter[_Side]) -> bool:
    """Whether a kind is on one side only, and so where others like it mostly are not."""
    if sides.total() < _SHOWN or len({before for before, *_ in sides}) > 1:
        return False
    return any(
        times >= _SHOWN / 2 and usual[not before, relation, looks] > usual[side]
        for side, times in sides.items()
        for before, relation, looks in [side]
    )


def _note(table: dict[Pattern, Counter[str]], pair: Aligned, part: Part) -> None:
    assert part.gap is not None
    table[pattern(pair, part)][part.gap.relation] += 1


def _belonging(
    pairs: Iterable[Aligned], like: Mapping[tuple[str, ...], Sequence[tuple[str, ...]]]
) -> frozenset[str]:
    """The words without a node that belong to the part that they precede, such as articles.

    They precede parts of all roles that are alike; a preposition does not.
    """
    before: dict[tuple[str, ...], Counter[str | None]] = defaultdict(Counter)
    for pair in pairs:
        noded = {place for places in pair.places for place in places}
        for part in parts(pair):
            place = part.first - 1
            bare = place >= 0 and place not in noded
            before[part.role][pair.symbols[place] if bare else None] += 1
    found = set[str]()
    for role in before:
        common = [one for one in like.get(role, ()) if _is_common(one, before)]
        if len(common) > 1:
            found |= {
                word
                for word in before[role]
                if word is not None
                and all(before[one][word] >= _OF_ALL * before[one].total() for one in common)
            }
    return frozenset(found)


def _is_common(
    role: tuple[str, ...], before: Mapping[tuple[str, ...], Counter[str | None]]
) -> bool:
    return len(role) == 1 and before[role].total() >= _COMMON
