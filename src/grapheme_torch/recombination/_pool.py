"""Pairs that exchange parts, and what comes of it."""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from ._aligned import Aligned
from ._bag import Bag
from ._environment import Head, Neighbours, head_of, like_roles
from ._exchange import exchanged
from ._gaps import Gaps
from ._subgraph_parts import Part, parts

Role = tuple[str, ...]
Donor = tuple[Aligned, Part]
"""A pair and a part of it."""

_BY_HEAD = 0.5
"""How often a part is exchanged for one with the same head, not one in a like role."""
_GAPPED = 0.3
"""How often a part with a gap is exchanged, in a pair that has one."""
_COMPARED = 3
"""Donors drawn, of which the largest that fits is taken."""
_STEPS = 6
"""Most exchanges that a new pair is made by."""
_DRAWS = 5
"""Draws for each of them."""
_NEARLY = 0.75
"""Share of the length that was drawn, from which a new pair is long enough."""
_UNEVEN = 3.0
"""How much more of one relation than of another a new pair has: of the logarithm."""


class _Taste(dict[Any, float]):
    """How likely each relation is drawn for one pair; by chance, and the same all along."""

    def __init__(self, drawn: random.Random) -> None:
        super().__init__()
        self._random = drawn

    def __missing__(self, relation: Any) -> float:
        self[relation] = math.exp(self._random.gauss(0, _UNEVEN))
        return self[relation]

    def of(self, relations: Any) -> float:
        """How likely something with these relations is drawn."""
        return max((self[relation] for relation in relations), default=1.0)


class Pool:
    """Pairs that exchange parts; what comes of it takes part in further exchanges.

    Args:
        pairs: Those that are given. What may be neighbours, and which roles are alike, is theirs.
        seed: Of all that is drawn.
        max_nodes: Most symbols of a new pair.
    """

    def __init__(self, pairs: Iterable[Aligned], *, seed: int, max_nodes: int) -> None:
        self._random = random.Random(seed)
        self._lengths = range(1, max_nodes + 1)
        self._weights = [1 / length for length in self._lengths]
        self._hosts = Bag[Aligned](2)  # by a relation, and by the rarest word
        # Both by the frame of the part; those of a role by its head then.
        self._by_head: dict[Head, Bag[Donor]] = defaultdict(lambda: Bag(1))
        self._by_role: dict[Role, Bag[Donor]] = defaultdict(lambda: Bag(2))
        self._by_gap: dict[Role, Bag[Donor]] = defaultdict(lambda: Bag(3))  # and by its relation
        self._frames: dict[Role, set[Role]] = defaultdict(set)  # those seen in each role
        self._known: set[tuple[str, ...]] = set()
        given = list(pairs)
        self._neighbours = Neighbours(given)
        self._like = like_roles(_heads(given, map(parts, given)))
        self._gaps = Gaps(given, self._like)
        self._like_gapped = like_roles(_heads(given, self._gaps.given))
        for pair, found in zip(given, self._gaps.given, strict=True):
            self._add(pair, found)

    @property
    def is_empty(self) -> bool:
        """Whether no pair has a part that others could take the place of."""
        return not self._hosts

    def add(self, pair: Aligned) -> None:
        """Takes a pair in: its parts give and are replaced from now on.

        Parts with a gap are of the given pairs only: they are the dearest to find.
        """
        self._add(pair, ())

    def _add(self, pair: Aligned, gapped: Iterable[Part]) -> None:
        found = list(parts(pair))
        for part in found:
            head = head_of(pair, part)
            self._frames[part.role].add(part.frame)
            self._by_head[head].add((pair, part), part.frame)
            self._by_role[part.role].add((pair, part), part.frame, head)
        for part in gapped:
            assert part.gap is not None
            keys = part.frame, part.gap.relation, head_of(pair, part)
            self._by_gap[part.role].add((pair, part), *keys)
        self._known.add(pair.symbols)
        if any(len(part.nodes) < len(pair.labels) for part in found):
            rarest = min(pair.symbols, key=self._neighbours.times)
            for relation in sorted({relation for _, _, relation in pair.edges}):
                self._hosts.add(pair, relation, rarest)

    def drawn(self) -> Aligned | None:
        """A new pair; None if what was drawn does not fit, or is known.

        Its length is drawn first: the longer, the rarer, in proportion. It grows from a pair by
        exchanges. How much it takes of each relation is drawn, too: some grow by this, others by
        that. Rare words take part more often than by their number.
        """
        wanted = self._random.choices(self._lengths, self._weights)[0]
        taste = _Taste(self._random)
        pair = self._hosts.draw(self._random, taste.__getitem__)
        if pair is None or len(pair.symbols) > wanted:
            return None
        for _ in range(_STEPS):
            pair = self._changed(pair, wanted, taste)
            if len(pair.symbols) >= _NEARLY * wanted:
                break
        return None if pair.symbols in self._known else pair

    def _changed(self, host: Aligned, wanted: int, taste: _Taste) -> Aligned:
        """A pair after an exchange; as it is if none that was drawn fits."""
        by_role: dict[Role, list[Part]] = defaultdict(list)
        for part in parts(host):
            if len(part.nodes) < len(host.labels):
                by_role[part.role].append(part)
        roles = list(by_role)
        weights = [taste.of(role) for role in roles]
        gapped = self._gaps.of(host)
        for _ in range(_DRAWS):
            if gapped and self._random.random() < _GAPPED:
                old = self._random.choice(gapped)
            elif not roles:
                continue
            else:
                old = self._random.choice(by_role[self._random.choices(roles, weights)[0]])
            found = self._donor(host, old, wanted, taste)
            if found is None:
                continue
            donor, new = found
            pair = exchanged(host, old, donor, new)
            # Where something is missing, words meet that are no neighbours else.
            is_open = new.gap is not None and new.gap.at_end
            seams = [old.first] if is_open else [old.first, old.first + new.size]
            if self._neighbours.fit(pair, seams):
                return pair
        return host

    def _donor(self, host: Aligned, old: Part, wanted: int, taste: _Taste) -> Donor | None:
        """A part of a pair for the place of another, and no more symbols in all than wanted."""
        donors: Bag[Donor]
        frames: set[Role] | None = None
        if old.gap is not None:
            like = self._like_gapped.get(old.role, [old.role])
            donors = self._by_gap[self._random.choice(like)]
            # Whole sentences may be of any kind; parts in a role are of one kind.
            frames = set[Role]().union(*(self._frames[role] for role in like if role)) or None
        elif self._random.random() < _BY_HEAD:
            donors = self._by_head[head_of(host, old)]
        else:
            like = self._like.get(old.role, [old.role])  # one that no given part has
            donors, frames = self._by_role[self._random.choice(like)], self._frames[old.role]

        def weight(frame: Any) -> float:
            return taste.of(frame) if frames is None or frame in frames else 0.0

        drawn = [donors.draw(self._random, weight) for _ in range(_COMPARED)]
        room = wanted - (len(host.symbols) - old.size)
        fit = [one for one in drawn if one is not None and one[1].size <= room]
        return max(fit, key=lambda one: one[1].size, default=None)


def _heads(
    pairs: Iterable[Aligned], found: Iterable[Iterable[Part]]
) -> Iterator[tuple[Role, Head]]:
    """Role and head of all parts that were found in pairs."""
    for pair, each in zip(pairs, found, strict=True):
        for part in each:
            yield part.role, head_of(pair, part)
