"""Pairs that exchange parts, and what comes of it."""

import math
import random
from collections import defaultdict
from collections.abc import Iterable

from ._aligned import Aligned
from ._environment import Head, Neighbours, head_of, like_roles
from ._exchange import exchanged, exchanged_symbols
from ._parts import Part, parts

Role = tuple[str, ...]
Donors = dict[Role, list[tuple[Aligned, Part]]]
"""Pairs and parts of them, by the frame of the part."""

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


class _Taste(dict[str, float]):
    """How likely each relation is drawn for one pair; by chance, and the same all along."""

    def __init__(self, drawn: random.Random) -> None:
        super().__init__()
        self._random = drawn

    def __missing__(self, relation: str) -> float:
        self[relation] = math.exp(self._random.gauss(0, _UNEVEN))
        return self[relation]

    def of(self, relations: Role) -> float:
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
        self._hosts: dict[str, list[Aligned]] = defaultdict(list)
        self._by_head: dict[Head, Donors] = defaultdict(lambda: defaultdict(list))
        self._by_role: dict[Role, Donors] = defaultdict(lambda: defaultdict(list))
        self._known: set[tuple[str, ...]] = set()
        given = list(pairs)
        self._neighbours = Neighbours(given)
        for pair in given:
            self.add(pair)
        self._like = like_roles(
            (part.role, head)
            for head, frames in self._by_head.items()
            for donors in frames.values()
            for _, part in donors
        )

    @property
    def is_empty(self) -> bool:
        """Whether no pair has a part that others could take the place of."""
        return not self._hosts

    def add(self, pair: Aligned) -> None:
        """Takes a pair in: its parts give and are replaced from now on."""
        found = list(parts(pair))
        for part in found:
            self._by_head[head_of(pair, part)][part.frame].append((pair, part))
            self._by_role[part.role][part.frame].append((pair, part))
        self._known.add(pair.symbols)
        if any(len(part.nodes) < len(pair.labels) for part in found):
            for relation in sorted({relation for _, _, relation in pair.edges}):
                self._hosts[relation].append(pair)

    def drawn(self) -> Aligned | None:
        """A new pair; None if what was drawn does not fit, or is known.

        Its length is drawn first: the longer, the rarer, in proportion. It grows from a pair by
        exchanges. How much it takes of each relation is drawn, too: some grow by this, others by
        that.
        """
        wanted = self._random.choices(self._lengths, self._weights)[0]
        taste = _Taste(self._random)
        weights = [taste[name] * math.sqrt(len(pairs)) for name, pairs in self._hosts.items()]
        pair = self._random.choice(self._random.choices(list(self._hosts.values()), weights)[0])
        if len(pair.symbols) > wanted:
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
            symbols = exchanged_symbols(host, old, donor, new)
            seams = old.first, old.first + new.last - new.first + 1
            if all(self._neighbours.fit(symbols, k) for k in seams):
                return exchanged(host, old, donor, new)
        return host

    def _donor(
        self, host: Aligned, old: Part, wanted: int, taste: _Taste
    ) -> tuple[Aligned, Part] | None:
        """A pair and a part of it to take the place of another, with no more symbols than wanted."""
        if self._random.random() < _BY_HEAD:
            frames = self._by_head[head_of(host, old)]
        else:
            frames = self._by_role[self._random.choice(self._like[old.role])]
        names = list(frames)
        weights = [taste.of(name) * math.sqrt(len(frames[name])) for name in names]
        donors = frames[self._random.choices(names, weights)[0]]
        drawn = [self._random.choice(donors) for _ in range(_COMPARED)]
        room = wanted - (len(host.symbols) - (old.last - old.first + 1))
        fit = [one for one in drawn if one[1].last - one[1].first < room]
        return max(fit, key=lambda one: one[1].last - one[1].first, default=None)
