"""Things in groups, of which rare ones are drawn more often than by their number."""

import math
import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Bag(Generic[Thing]):
    """Things in groups, and these in groups of groups.

    A group is drawn in proportion to the root of its size. That is between what its size alone
    would say, and one group as often as another.

    Args:
        depth: How many keys a thing has.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._things: list[Thing] = []
        self._number: dict[Hashable, int] = {}
        self._groups: list[Bag[Thing]] = []
        self._roots: list[float] = []
        self._size = 0

    def __len__(self) -> int:
        """How many things there are."""
        return self._size

    def add(self, thing: Thing, *keys: Hashable) -> None:
        """Puts a thing into the group of its keys, the outermost first."""
        self._size += 1
        if not self._depth:
            self._things.append(thing)
            return
        key, *rest = keys
        number = self._number.setdefault(key, len(self._groups))
        if number == len(self._groups):
            self._groups.append(Bag(self._depth - 1))
            self._roots.append(0.0)
        self._groups[number].add(thing, *rest)
        self._roots[number] = math.sqrt(len(self._groups[number]))

    def draw(
        self, chance: random.Random, weight: Callable[[Hashable], float] | None = None
    ) -> Thing | None:
        """A thing; a factor for each outermost group may be given. None if there is nothing."""
        if not self._depth:
            return chance.choice(self._things)
        weights = self._roots
        if weight is not None:
            weights = [root * weight(key) for root, key in zip(weights, self._number, strict=True)]
        if not any(weights):
            return None
        (group,) = chance.choices(self._groups, weights)
        return group.draw(chance)
