"""Pairs that exchange parts, and what comes of it."""

import math
import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ._aligned import Aligned
from ._bag import Bag
from ._environment import Head, Neighbours, head_of, like_roles
from ._exchange import exchanged
from ._subgraph_parts import Part, parts

Role = tuple[str, ...]
Donor = tuple[Aligned, Part]
"""A pair and a part of it."""

_BY_HEAD = 0.5
"""How often a part is exchanged for one with the same head, not one in a like role."""
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
        self._frames: dict[Role, set[Role]] = defaultdict(set)  # those seen in each role
        self._known: set[tuple[str, ...]] = set()
        given = list(pairs)
        self._neighbours = Neighbours(given)
        heads: list[tuple[Role, Head]] = []
        for pair in given:
            heads += [(part.role, head_of(pair, part)) for part in self.add(pair)]
        self._like = like_roles(heads)

    @property
    def is_empty(self) -> bool:
        """Whether no pair has a part that others could take the place of."""
        return not self._hosts

    def add(self, pair: Aligned) -> list[Part]:
        """Takes a pair in: its parts, which are returned, give and are replaced from now on."""
        found = list(parts(pair))
        for part in found:
            head = head_of(pair, part)
            self._frames[part.role].add(part.frame)
            self._by_head[head].add((pair, part), part.frame)
            self._by_role[part.role].add((pair, part), part.frame, head)
        self._known.add(pair.symbols)
        if any(len(part.nodes) < len(pair.labels) for part in found):
            rarest = min(pair.symbols, key=self._neighbours.times)
            for relation in sorted({relation for _, _, relation in pair.edges}):
                self._hosts.add(pair, relation, rarest)
        return found

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
        for _ in range(_DRAWS):
            old = self._random.choice(by_role[self._random.choices(roles, weights)[0]])
            found = self._donor(host, old, wanted, taste)
            if found is None:
                continue
            donor, new = found
            pair = exchanged(host, old, donor, new)
            seams = old.first, old.first + new.last - new.first + 1
            if self._neighbours.fit(pair, seams):
                return pair
        return host

    def _donor(self, host: Aligned, old: Part, wanted: int, taste: _Taste) -> Donor | None:
        """A part of a pair for the place of another, and no more symbols in all than wanted."""
        if self._random.random() < _BY_HEAD:
            donors, frames = self._by_head[head_of(host, old)], None
        else:
            like = self._like.get(old.role, [old.role])  # one that no given part has
            donors = self._by_role[self._random.choice(like)]
            frames = self._frames[old.role]

        def weight(frame: Any) -> float:
            return taste.of(frame) if frames is None or frame in frames else 0.0

        drawn = [donors.draw(self._random, weight) for _ in range(_COMPARED)]
        room = wanted - (len(host.symbols) - (old.last - old.first + 1))
        fit = [one for one in drawn if one is not None and one[1].last - one[1].first < room]
        return max(fit, key=lambda one: one[1].last - one[1].first, default=None)
